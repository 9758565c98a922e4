//! What a collector receives over OTLP/HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use eventlog::testing::{Template, TestDatabase};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::annal::Installation;
use crate::person::Person;

/// A request with a trace of its own.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// The trace of a caller who traces (W3C Trace Context).
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// A collector that keeps what it is sent.
struct Collector {
    url: String,
    received: Arc<Mutex<Vec<Bytes>>>,
    server: JoinHandle<()>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(received.clone());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, received, server }
    }

    /// Everything it was sent.
    fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let requests = received.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(received): State<Arc<Mutex<Vec<Bytes>>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    received.lock().unwrap().push(body);
    StatusCode::OK
}

/// A span's attributes as text.
fn attributes(span: &Span) -> BTreeMap<&str, String> {
    let text = |value: &Any| match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        other => panic!("an attribute of another kind: {other:?}"),
    };
    let of = |value: &Option<opentelemetry_proto::tonic::common::v1::AnyValue>| {
        value.as_ref().and_then(|value| value.value.as_ref()).map(text).unwrap_or_default()
    };
    span.attributes.iter().map(|pair| (pair.key.as_str(), of(&pair.value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Lets two people talk, one of them with a trace of her own.
async fn talk(url: &str) {
    let ann = Person::register(url, "TraceName1").await;
    let bob = Person::register(url, "TraceName2").await;
    let conversation = ann.befriend(url, &bob).await;
    ann.say(url, &conversation, "TraceText", Uuid::from_u128(1)).await.unwrap();
    let traced = reqwest::Client::new()
        .post(url)
        .timeout(REQUEST_MAX)
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .json(&json!({
            "query": "query One { log { position } } query Other { log { epoch } }",
            "operationName": "Other",
        }));
    assert_eq!(traced.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn one_span_per_operation_and_per_batch_arrives_and_tells_nothing_that_people_wrote() {
    let collector = Collector::start().await;
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let server = installation.serve_with(&["--otlp-endpoint", &collector.url]).await;
    talk(&server.graphql()).await;
    // What has not been sent yet is sent at the end.
    server.stop().await;

    let spans = collector.spans();
    let of = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let operations: Vec<_> = of("graphql").into_iter().map(attributes).collect();
    let mutations = operations.iter().filter(|span| span["kind"] == "mutation" && span["outcome"] == "ok");
    assert_eq!(mutations.count(), 5, "{operations:?}");
    let batches: Vec<_> = of("append").into_iter().map(attributes).collect();
    let number = |name: &str| batches.iter().map(|batch| batch[name].parse::<i64>().unwrap()).sum::<i64>();
    assert_eq!(number("commands"), 5, "{batches:?}");
    assert!(batches.iter().all(|batch| batch["outcome"] == "appended"), "{batches:?}");
    assert!(number("events") > 5, "{batches:?}");
    assert_eq!(spans.len(), operations.len() + batches.len(), "nothing else is traced");

    let traced = spans.iter().find(|span| hex(&span.trace_id) == TRACE).expect("the caller's trace goes on");
    assert_eq!(hex(&traced.parent_span_id), PARENT);
    let told = attributes(traced);
    assert_eq!((told["kind"].as_str(), told["name"].as_str()), ("query", "Other"));
    assert!(spans.iter().all(|span| span.events.is_empty()), "log lines are not sent");
    for secret in ["TraceName", "TraceText", "secret of", "userErrors", "127.0.0.1"] {
        let bytes = collector.received.lock().unwrap().concat();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} was sent to the collector");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_disturbs_nobody() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    // Nobody listens on the discard port.
    let server = installation.serve_with(&["--otlp-endpoint", "http://127.0.0.1:9"]).await;
    talk(&server.graphql()).await;
    server.stop().await;
    installation.views_equal_their_rebuild().await;
}
