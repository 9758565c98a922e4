//! What is asked for when somebody looks, and not counted while it happens.

use std::sync::Arc;
use std::time::Duration;

use eventlog::EventLog;
use metrics::{counter, gauge};
use projections::{ViewState, ViewStatus};
use tokio::time::timeout;

use crate::live::Hub;
use crate::policies::Progress;
use crate::transport::TransportStats;

/// How long a scrape waits for the database.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// Looks at the rooms of one process. Cheap to clone.
#[derive(Clone)]
pub struct Sampler {
    /// The log.
    pub log: EventLog,
    /// The hub.
    pub hub: Hub,
    /// Counters of the transport.
    pub transport: Arc<TransportStats>,
    /// How far the policies are.
    pub policies: Vec<Arc<Progress>>,
    /// Commands that may wait for the log.
    pub queue_commands_max: usize,
    /// Sockets that may be open.
    pub sockets_max: usize,
}

impl Sampler {
    /// Brings every metric up to date that is not counted while it happens. Takes two seconds when the database
    /// is away, else milliseconds.
    pub async fn sample(&self) {
        self.sample_log();
        self.sample_transport();
        for policy in &self.policies {
            let lag = self.log.watch_head().borrow().0 - policy.position().0;
            gauge!("annal_policy_lag_events", "policy" => policy.policy()).set(number(lag.max(0)));
            gauge!("annal_policy_stuck", "policy" => policy.policy()).set(truth(policy.is_stuck()));
        }
        let views = timeout(DATABASE_PATIENCE, projections::status(self.log.pool())).await;
        gauge!("annal_database_up").set(truth(matches!(views, Ok(Ok(_)))));
        if let Ok(Ok(views)) = views {
            views.into_iter().filter(|view| view.state != ViewState::Foreign).for_each(sample_view);
        }
    }

    fn sample_log(&self) {
        gauge!("annal_log_position").set(number(self.log.watch_head().borrow().0));
        gauge!("annal_append_queue_commands").set(number(self.log.commands_waiting()));
        gauge!("annal_append_queue_commands_max").set(number(self.queue_commands_max));
        let pool = self.log.pool();
        let (open, idle) = (u64::from(pool.size()), pool.num_idle() as u64);
        gauge!("annal_database_connections", "state" => "idle").set(number(idle));
        gauge!("annal_database_connections", "state" => "busy").set(number(open.saturating_sub(idle)));
        gauge!("annal_database_connections_max").set(pool.options().get_max_connections());
    }

    fn sample_transport(&self) {
        let counts = self.transport.read();
        gauge!("annal_sockets").set(number(counts.sockets_open));
        gauge!("annal_sockets_max").set(number(self.sockets_max));
        gauge!("annal_live_listeners").set(number(self.hub.listeners()));
        counter!("annal_sockets_opened_total").absolute(counts.sockets_opened);
        counter!("annal_sockets_cut_off_total").absolute(counts.sockets_cut_off);
        counter!("annal_deliveries_total").absolute(counts.deliveries);
        counter!("annal_faults_total").absolute(counts.faults);
    }
}

fn sample_view(view: ViewStatus) {
    let stopped = matches!(view.state, ViewState::Stopped { .. });
    gauge!("annal_projection_lag_events", "projection" => view.projection.clone())
        .set(number(view.lag_events));
    gauge!("annal_projection_lag_seconds", "projection" => view.projection.clone()).set(view.lag_seconds);
    gauge!("annal_projection_stopped", "projection" => view.projection).set(truth(stopped));
}

fn truth(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

/// A count as the float that gauges hold; exact up to 2^53, which no count here reaches.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
