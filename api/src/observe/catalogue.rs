//! Every metric: its name, its labels, what it says. The table in `docs/operations.md` is compared with it.

/// How a metric behaves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// Rises while the process runs.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size, in these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, with the unit last.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says, for the HELP line.
    pub help: &'static str,
}

/// From a flush on a fast disk to the longest that an operation may take.
const SECONDS: Kind = Kind::Histogram(&[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
]);
/// Up to the largest batch.
const COUNTS: Kind =
    Kind::Histogram(&[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0]);

const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, labels, help }
}

/// Every metric, by room.
pub const ALL: &[Metric] = &[
    metric("annal_build_info", Kind::Gauge, &["version"], "Always 1; the label tells the version."),
    metric(
        "annal_database_up",
        Kind::Gauge,
        &[],
        "1 when the database answered this scrape within 2 seconds, else 0; then the views' figures are those of the last good scrape.",
    ),
    metric("annal_database_connections", Kind::Gauge, &["state"], "Connections for reading, idle or busy."),
    metric(
        "annal_database_connections_max",
        Kind::Gauge,
        &[],
        "The most connections for reading that may be open.",
    ),
    metric("annal_log_position", Kind::Gauge, &[], "The last event of the log that this process has seen."),
    metric("annal_append_queue_commands", Kind::Gauge, &[], "Commands that wait for the writer."),
    metric(
        "annal_append_queue_commands_max",
        Kind::Gauge,
        &[],
        "Commands that may wait for the writer; one more is refused.",
    ),
    metric(
        "annal_append_batches_total",
        Kind::Counter,
        &["outcome"],
        "Batches by outcome: appended, confirmed (nothing to write), refused by the database, unknown (the database was away).",
    ),
    metric("annal_append_batch_commands", COUNTS, &[], "Commands in one batch."),
    metric("annal_append_batch_events", COUNTS, &[], "Events that one batch wrote."),
    metric(
        "annal_append_seconds",
        SECONDS,
        &[],
        "Time from the beginning of a batch to its commit, retries included.",
    ),
    metric(
        "annal_projection_lag_events",
        Kind::Gauge,
        &["projection"],
        "Events of the log that the view does not hold yet.",
    ),
    metric(
        "annal_projection_lag_seconds",
        Kind::Gauge,
        &["projection"],
        "Age of the oldest event that the view does not hold yet; 0 when it holds all.",
    ),
    metric(
        "annal_projection_stopped",
        Kind::Gauge,
        &["projection"],
        "1 when the view has stopped at an event that it cannot apply.",
    ),
    metric(
        "annal_policy_lag_events",
        Kind::Gauge,
        &["policy"],
        "Events that the policy has not looked at yet.",
    ),
    metric(
        "annal_policy_stuck",
        Kind::Gauge,
        &["policy"],
        "1 when the policy failed too often at an event; it tries again every minute.",
    ),
    metric(
        "annal_graphql_operations_total",
        Kind::Counter,
        &["kind", "outcome"],
        "Operations that were executed: ok, errors, timeout, panic, cancelled (the client left).",
    ),
    metric(
        "annal_graphql_operation_seconds",
        SECONDS,
        &["kind"],
        "Time of a query or a mutation, without reading and writing the network.",
    ),
    metric(
        "annal_refusals_total",
        Kind::Counter,
        &["code"],
        "Refusals by the code that the client reads: of requests, of operations, and by rules.",
    ),
    metric(
        "annal_faults_total",
        Kind::Counter,
        &[],
        "Faults of the server that a client was told of; each has a line in the log.",
    ),
    metric("annal_sockets", Kind::Gauge, &[], "Open sockets."),
    metric(
        "annal_sockets_max",
        Kind::Gauge,
        &[],
        "Sockets that may be open; one more is told to come back later.",
    ),
    metric("annal_sockets_opened_total", Kind::Counter, &[], "Sockets that were opened."),
    metric(
        "annal_sockets_cut_off_total",
        Kind::Counter,
        &[],
        "Sockets that were closed because the client read too slowly.",
    ),
    metric(
        "annal_deliveries_total",
        Kind::Counter,
        &[],
        "Payloads of subscriptions that were written to sockets.",
    ),
    metric("annal_live_listeners", Kind::Gauge, &[], "Subscriptions to updates that are open."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_count_and_in_which_unit() {
        const UNITS: [&str; 10] = [
            "events",
            "commands",
            "seconds",
            "connections",
            "max",
            "position",
            "sockets",
            "listeners",
            "up",
            "info",
        ];
        for Metric { name, kind, help, .. } in ALL {
            let last = name.rsplit('_').next().unwrap();
            let state = ["stopped", "stuck"].contains(&last);
            match kind {
                Kind::Counter => assert_eq!(last, "total", "{name}"),
                Kind::Gauge | Kind::Histogram(_) => assert!(UNITS.contains(&last) || state, "{name}"),
            }
            assert!(name.starts_with("annal_") && help.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn the_documentation_lists_every_metric_with_its_labels() {
        let rows = crate::cli::help::rows("annal_");
        let documented: Vec<(String, String)> =
            rows.iter().map(|row| (row[0].replace('`', ""), row[2].clone())).collect();
        let labels = |labels: &[&str]| match labels {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        let known: Vec<(String, String)> =
            ALL.iter().map(|m| (format!("{}{}", m.name, labels(m.labels)), m.help.to_owned())).collect();
        assert_eq!(documented, known, "the table of metrics in docs/operations.md");
    }
}
