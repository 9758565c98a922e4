//! What Prometheus reads from the real server.

use std::collections::{BTreeMap, BTreeSet};

use api::observe::{Kind, METRICS};
use eventlog::testing::{Template, TestDatabase};
use serde_json::json;
use uuid::Uuid;

use crate::annal::{Annal, Installation};
use crate::person::Person;

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// One scrape.
struct Page {
    /// Name to HELP text.
    help: BTreeMap<String, String>,
    /// Name to type.
    types: BTreeMap<String, String>,
    /// `name{labels}` to value.
    values: BTreeMap<String, f64>,
}

impl Page {
    async fn of(server: &Annal) -> Self {
        let answer = reqwest::get(server.for_operators("/metrics")).await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
        let (mut help, mut types, mut values) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for line in answer.text().await.unwrap().lines().filter(|line| !line.is_empty()) {
            let pair = |line: &str| {
                let (name, rest) = line.split_once(' ').unwrap();
                (name.to_owned(), rest.to_owned())
            };
            if let Some(line) = line.strip_prefix("# HELP ") {
                help.extend([pair(line)]);
            } else if let Some(line) = line.strip_prefix("# TYPE ") {
                types.extend([pair(line)]);
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                values.insert(series.to_owned(), value.parse().unwrap());
            }
        }
        Self { help, types, values }
    }

    fn value(&self, series: &str) -> f64 {
        *self.values.get(series).unwrap_or_else(|| panic!("{series} is not shown"))
    }

    /// The names of labels that a metric is shown with.
    fn labels(&self, name: &str) -> BTreeSet<&str> {
        let of =
            |series: &'_ str| series.strip_prefix(name).and_then(|rest| rest.strip_prefix('{')).is_some();
        let pairs = self.values.keys().filter(|series| of(series)).flat_map(|series| {
            series[name.len() + 1..]
                .trim_end_matches('}')
                .split(',')
                .filter_map(|pair| pair.split('=').next())
        });
        pairs.collect()
    }
}

#[tokio::test]
async fn every_metric_is_shown_under_its_name_and_nothing_else_is() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let server = installation.serve_with(&["--metrics-listen", "127.0.0.1:0"]).await;
    let page = Page::of(&server).await;
    let names: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(page.types.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
    for metric in METRICS {
        let (kind, series) = match metric.kind {
            Kind::Counter => ("counter", metric.name.to_owned()),
            Kind::Gauge => ("gauge", metric.name.to_owned()),
            Kind::Histogram(_) => ("histogram", format!("{}_count", metric.name)),
        };
        assert_eq!(page.types[metric.name], kind);
        assert_eq!(page.help.get(metric.name).map(String::as_str), Some(metric.help), "{}", metric.name);
        assert_eq!(page.labels(&series), metric.labels.iter().copied().collect(), "{}", metric.name);
    }
    let public = reqwest::get(server.at("/metrics")).await.unwrap();
    assert_eq!(public.status(), 404, "the address that a proxy passes on shows no metrics");
    server.stop().await;
}

#[tokio::test]
async fn metrics_tell_what_people_did() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let server = installation.serve_with(&["--metrics-listen", "127.0.0.1:0"]).await;
    let before = Page::of(&server).await;
    let url = server.graphql();
    let ann = Person::register(&url, "ann001").await;
    let bob = Person::register(&url, "bob001").await;
    let conversation = ann.befriend(&url, &bob).await;
    let said = ann.say(&url, &conversation, "Counted? 数到了吗？", Uuid::from_u128(1)).await.unwrap();
    bob.reads(&url, &said["position"]).await;
    let again = "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "userName": "ann001", "password": "another secret" } });
    let nobody = Person::nobody();
    nobody.ask(&url, again, input).await.unwrap();
    nobody.ask(&url, "{ nothing }", json!({})).await.expect_err("there is no such field");
    let after = Page::of(&server).await;
    let grown = |series: &str| after.value(series) - before.value(series);
    let near = |value: f64, expected: f64| (value - expected).abs() < 0.5;
    // Two registrations, a request, a confirmation, a message, and a registration that is refused.
    assert!(near(grown(r#"annal_graphql_operations_total{kind="mutation",outcome="ok"}"#), 6.0));
    assert!(near(grown(r#"annal_graphql_operation_seconds_count{kind="mutation"}"#), 6.0));
    assert!(near(grown(r#"annal_refusals_total{code="USER_NAME_TAKEN"}"#), 1.0));
    assert!(near(grown(r#"annal_refusals_total{code="GRAPHQL_VALIDATION_FAILED"}"#), 1.0));
    assert!(near(grown("annal_append_batch_commands_sum"), 6.0));
    assert!(near(grown("annal_append_batch_events_sum"), after.value("annal_log_position")));
    assert!(near(grown(r#"annal_append_batches_total{outcome="unknown"}"#), 0.0));
    assert!(after.value("annal_append_seconds_sum") > 0.0);
    assert!(near(after.value("annal_database_up"), 1.0));
    assert!(near(after.value(r#"annal_projection_lag_events{projection="timeline_1"}"#), 0.0));
    assert!(near(after.value(r#"annal_policy_stuck{policy="erasure"}"#), 0.0));
    let lines = after.values.keys().filter(|series| series.to_lowercase().contains("ann001")).count();
    assert_eq!(lines, 0, "no metric names a person");
    server.stop().await;
}
