//! Operations on sockets: what is delivered, in which order, and what ends what.

use api::transport::{SocketLimits, TransportConfig};
use serde_json::{Value, json};

use super::probe::{OLDER, Probe};
use crate::server::Server;

fn next(id: &str, data: &Value) -> Value {
    json!({ "type": "next", "id": id, "payload": { "data": data } })
}

fn complete(id: &str) -> Value {
    json!({ "type": "complete", "id": id })
}

#[tokio::test]
async fn operations_run_to_their_end_beside_each_other() {
    let server = Server::start().await;
    let mut probe = Probe::greeted(&server, None).await;
    probe.subscribe("s", "subscription { count(to: 3) }").await;
    for n in 1..=3 {
        assert_eq!(probe.hear().await, next("s", &json!({ "count": n })));
    }
    assert_eq!(probe.hear().await, complete("s"));
    probe.subscribe("s", "{ hello }").await;
    assert_eq!(probe.hear().await, next("s", &json!({ "hello": "world" })));
    assert_eq!(probe.hear().await, complete("s"));
    probe
        .say(&json!({ "type": "subscribe", "id": "v", "payload": {
        "query": "query Q($n: Int!) { number(n: $n) }", "operationName": "Q", "variables": { "n": 5 } } }))
        .await;
    assert_eq!(probe.hear().await, next("v", &json!({ "number": 5 })));
}

#[tokio::test]
async fn the_older_subprotocol_has_its_own_words() {
    let server = Server::start().await;
    let mut probe = Probe::open(&server, OLDER).await;
    probe.say(&json!({ "type": "connection_init", "payload": {} })).await;
    assert_eq!(probe.hear().await["type"], "connection_ack");
    let start = |id: &str, query: &str| json!({ "type": "start", "id": id, "payload": { "query": query } });
    probe.say(&start("1", "subscription { count(to: 1) }")).await;
    assert_eq!(
        probe.hear().await,
        json!({ "type": "data", "id": "1", "payload": { "data": { "count": 1 } } })
    );
    assert_eq!(probe.hear().await, complete("1"));
    probe.say(&start("2", "{ missing }")).await;
    let error = probe.hear().await;
    assert_eq!(
        (&error["type"], &error["payload"]["extensions"]["code"]),
        (&json!("error"), &json!("GRAPHQL_VALIDATION_FAILED"))
    );
    probe.say(&start("3", "subscription { never }")).await;
    probe.say(&json!({ "type": "stop", "id": "3" })).await;
    probe.say(&start("3", "{ hello }")).await;
    assert_eq!(probe.hear().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn a_panic_ends_one_operation_and_not_the_socket() {
    let server = Server::start().await;
    let mut probe = Probe::greeted(&server, None).await;
    probe.subscribe("heard", "subscription { said }").await;
    probe.subscribe("p", "subscription { panics }").await;
    assert_eq!(probe.hear().await, next("p", &json!({ "panics": 1 })));
    let error = probe.hear().await;
    assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("p")));
    assert_eq!(error["payload"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    probe.subscribe("f", "subscription { fails }").await;
    let failed = probe.hear().await;
    assert_eq!(failed["payload"]["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{failed}");
    assert!(!failed.to_string().contains("secrets"));
    assert_eq!(probe.hear().await, complete("f"));
    probe.subscribe("m", "mutation { say(text: \"still here\") }").await;
    assert_eq!(probe.hear().await["id"], "m");
    assert_eq!(probe.hear().await, complete("m"));
    assert_eq!(probe.hear().await, next("heard", &json!({ "said": "still here" })));
}

#[tokio::test]
async fn the_answer_to_a_mutation_goes_before_the_pushes_it_causes() {
    let server = Server::start().await;
    let mut probe = Probe::greeted(&server, None).await;
    probe.subscribe("heard", "subscription { said }").await;
    probe.subscribe("ready", "{ hello }").await;
    assert_eq!(
        (probe.hear().await["id"].clone(), probe.hear().await["type"].clone()),
        (json!("ready"), json!("complete"))
    );
    for round in 0..5 {
        let text = format!("hi {round}");
        probe.subscribe("m", &format!("mutation {{ say(text: \"{text}\") }}")).await;
        assert_eq!(probe.hear().await, next("m", &json!({ "say": text })));
        assert_eq!(probe.hear().await, complete("m"));
        assert_eq!(probe.hear().await, next("heard", &json!({ "said": text })));
    }
}

#[tokio::test]
async fn pushes_do_not_wait_for_a_slow_mutation_for_ever() {
    let socket = SocketLimits { answer_first_ms_max: 0, ..SocketLimits::default() };
    let server = Server::with(TransportConfig { socket, ..TransportConfig::default() }).await;
    let mut probe = Probe::greeted(&server, None).await;
    probe.subscribe("heard", "subscription { said }").await;
    probe.subscribe("ready", "{ hello }").await;
    assert_eq!(
        (probe.hear().await["id"].clone(), probe.hear().await["type"].clone()),
        (json!("ready"), json!("complete"))
    );
    probe.subscribe("m", "mutation { say(text: \"hi\") }").await;
    assert_eq!(probe.hear().await["id"], "heard");
    assert_eq!(probe.hear().await["id"], "m");
}

#[tokio::test]
async fn a_completed_subscription_is_silent_and_its_id_is_free() {
    let server = Server::start().await;
    let mut probe = Probe::greeted(&server, None).await;
    for round in 0..20 {
        probe.subscribe("1", "subscription { count(to: 100000) }").await;
        assert_eq!(probe.hear().await["payload"]["data"]["count"], 1, "round {round}");
        probe.say(&complete("1")).await;
        probe.say(&json!({ "type": "ping" })).await;
        while probe.hear().await["type"] != "pong" {}
    }
}

#[tokio::test]
async fn a_restart_lets_answers_under_way_go_out() {
    let server = Server::start().await;
    let mut probe = Probe::greeted(&server, None).await;
    let mut begun = server.said.subscribe();
    probe.subscribe("m", "mutation { say(text: \"last words\") }").await;
    assert_eq!(begun.recv().await.unwrap(), "last words");
    server.drain.send(true).unwrap();
    let (code, heard) = probe.closed().await;
    assert_eq!((code, &heard[0]), (1012, &next("m", &json!({ "say": "last words" }))), "{heard:?}");
}

#[tokio::test]
async fn slow_consumers_are_cut_off_with_4410() {
    let socket = SocketLimits { stalled_s: 1, ..SocketLimits::default() };
    let server = Server::with(TransportConfig { socket, ..TransportConfig::default() }).await;
    let mut behind = Probe::greeted(&server, None).await;
    behind.subscribe("1", "subscription { lags }").await;
    assert_eq!(behind.closed().await.0, 4410, "a stream says that its reader lags behind");

    let mut stuck = Probe::greeted(&server, None).await;
    stuck.subscribe("1", "subscription { flood }").await;
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while server.stats.read().sockets_cut_off < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("a client that does not read is cut off");
}
