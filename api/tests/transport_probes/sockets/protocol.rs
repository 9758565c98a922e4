//! Greetings, refusals and close codes.

use api::transport::{SocketLimits, TransportConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::probe::{CURRENT, OLDER, Probe};
use crate::server::Server;

fn brisk() -> TransportConfig {
    let socket =
        SocketLimits { init_timeout_s: 1, ping_interval_s: 1, operations_max: 3, ..SocketLimits::default() };
    TransportConfig { socket, ..TransportConfig::default() }
}

fn init(token: &str) -> Value {
    json!({ "type": "connection_init", "payload": { "token": token } })
}

#[tokio::test]
async fn every_offence_has_its_close_code() {
    let server = Server::with(brisk()).await;
    let text = |value: Value| Message::text(value.to_string());
    let hello = || text(json!({ "type": "connection_init" }));
    let never = |id: &str| {
        text(json!({ "type": "subscribe", "id": id, "payload": { "query": "subscription { never }" } }))
    };
    let start = text(json!({ "type": "start", "id": "1", "payload": { "query": "{ hello }" } }));
    let large = text(json!({ "type": "ping", "payload": { "x": "y".repeat(70_000) } }));
    for (name, subprotocol, messages, code) in [
        ("silence", CURRENT, vec![], 4408),
        ("silence", OLDER, vec![], 4408),
        ("a second init", CURRENT, vec![hello(), hello()], 4429),
        ("a second init", OLDER, vec![hello(), hello()], 4429),
        ("an operation before the init", CURRENT, vec![never("1")], 4401),
        ("an operation before the init", OLDER, vec![start], 4401),
        ("no JSON", CURRENT, vec![Message::text("{")], 4400),
        ("no object", CURRENT, vec![Message::text("[]")], 4400),
        ("no type", CURRENT, vec![Message::text("{}")], 4400),
        ("an unknown type", CURRENT, vec![text(json!({ "type": "x".repeat(300) }))], 4400),
        ("a type of the other protocol", OLDER, vec![hello(), never("1")], 4400),
        ("bytes", CURRENT, vec![hello(), Message::binary(vec![1, 2])], 4400),
        (
            "an init of another type",
            CURRENT,
            vec![text(json!({ "type": "connection_init", "payload": 1 }))],
            4400,
        ),
        (
            "no id",
            CURRENT,
            vec![hello(), text(json!({ "type": "subscribe", "payload": { "query": "{ hello }" } }))],
            4400,
        ),
        ("an empty id", CURRENT, vec![hello(), never("")], 4400),
        ("a long id", CURRENT, vec![hello(), never(&"x".repeat(129))], 4400),
        ("no payload", CURRENT, vec![hello(), text(json!({ "type": "subscribe", "id": "1" }))], 4400),
        (
            "no query",
            CURRENT,
            vec![hello(), text(json!({ "type": "subscribe", "id": "1", "payload": {} }))],
            4400,
        ),
        (
            "variables of another type",
            CURRENT,
            vec![
                hello(),
                text(
                    json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ hello }", "variables": [] } }),
                ),
            ],
            4400,
        ),
        ("an id in use", CURRENT, vec![hello(), never("1"), never("1")], 4409),
        ("a large message", CURRENT, vec![hello(), large], 1009),
        ("a dead token", CURRENT, vec![text(init("old"))], 4403),
        ("a dead token", OLDER, vec![text(init("old"))], 4403),
        ("a caller over the limit", CURRENT, vec![text(init("often"))], 1013),
        ("a caller with many sockets", CURRENT, vec![text(init("many"))], 1013),
        ("a caller with many sockets", OLDER, vec![text(init("many"))], 1013),
        (
            "a token of another type",
            CURRENT,
            vec![text(json!({ "type": "connection_init", "payload": { "token": 5 } }))],
            4403,
        ),
        ("sessions out of reach", CURRENT, vec![text(init("down"))], 1013),
        ("a goodbye", OLDER, vec![hello(), text(json!({ "type": "connection_terminate" }))], 1000),
        ("no answer to pings", CURRENT, vec![hello()], 4411),
    ] {
        let mut probe = Probe::open(&server, subprotocol).await;
        assert_eq!(probe.subprotocol.as_deref(), Some(subprotocol));
        for message in messages {
            probe.send(message).await;
        }
        let (got, heard) = probe.closed().await;
        assert_eq!(got, code, "{name} ({subprotocol}), heard {heard:?}");
    }
    assert_eq!(server.stats.read().sockets_open, 0);
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let server = Server::start().await;
    let mut probe = Probe::greeted(&server, None).await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    probe.send(Message::Close(Some(frame))).await;
    assert_eq!(probe.closed().await.0, 1000);
}

#[tokio::test]
async fn the_subprotocol_is_chosen_in_the_clients_order() {
    let server = Server::start().await;
    for (offer, chosen) in [
        ("graphql-transport-ws, graphql-ws", CURRENT),
        ("graphql-ws, graphql-transport-ws", OLDER),
        ("soap, graphql-ws", OLDER),
    ] {
        assert_eq!(Probe::open(&server, offer).await.subprotocol.as_deref(), Some(chosen), "{offer}");
    }
    let mut none = Probe::try_open(&server, &[]).await.unwrap();
    assert_eq!(none.closed().await.0, 4406);
}

#[tokio::test]
async fn pages_of_other_origins_open_no_socket() {
    let config = TransportConfig {
        origins_allowed: vec!["https://chat.example".into()],
        ..TransportConfig::default()
    };
    let server = Server::with(config).await;
    let own = server.http("");
    for (origin, status) in [
        ("https://evil.example", Some(403)),
        ("null", Some(403)),
        (own.as_str(), None),
        ("https://chat.example", None),
    ] {
        let headers = [("origin", origin), ("sec-websocket-protocol", CURRENT)];
        assert_eq!(Probe::try_open(&server, &headers).await.err(), status, "{origin}");
    }
}

#[tokio::test]
async fn a_crowded_address_hears_when_to_come_back() {
    let server = Server::start().await;
    let as_agent = |agent| [("user-agent", agent), ("sec-websocket-protocol", CURRENT)];
    assert_eq!(Probe::try_open(&server, &as_agent("flooder")).await.err(), Some(429));
    let mut crowd = Probe::try_open(&server, &as_agent("crowd")).await.unwrap();
    assert_eq!(crowd.closed().await.0, 1013);
    let mut often = Probe::open(&server, CURRENT).await;
    often.say(&init("often")).await;
    let Message::Close(Some(frame)) = often.frame().await else { panic!("no close frame") };
    assert_eq!(frame.reason.as_str(), "too many requests: retryAfterMs=1500");
    let mut busy = Probe::try_open(&server, &as_agent("busy")).await.unwrap();
    busy.say(&json!({ "type": "connection_init" })).await;
    assert_eq!(busy.hear().await["type"], "connection_ack");
    busy.subscribe("1", "{ hello }").await;
    let expected = json!({ "code": "RATE_LIMITED", "retryAfterMs": 2_500 });
    assert_eq!(busy.hear().await["payload"][0]["extensions"], expected);
    busy.say(&json!({ "type": "ping" })).await;
    assert_eq!(busy.hear().await["type"], "pong");
}

#[tokio::test]
async fn callers_are_greeted_by_token_header_or_cookie() {
    let server = Server::start().await;
    for (header, payload, you) in [
        (("x-none", ""), json!({ "token": "good" }), json!("good")),
        (("x-none", ""), json!({ "Authorization": "Bearer good" }), json!("good")),
        (("cookie", "annal_session=good"), json!({}), json!("good")),
        (("authorization", "Bearer good"), json!(null), json!("good")),
        (("x-none", ""), json!(null), json!(null)),
    ] {
        let headers = [header, ("sec-websocket-protocol", CURRENT)];
        let mut probe = Probe::try_open(&server, &headers).await.unwrap();
        probe.say(&json!({ "type": "connection_init", "payload": payload })).await;
        let ack = json!({ "type": "connection_ack", "payload": { "you": you, "head": "7" } });
        assert_eq!(probe.hear().await, ack, "{header:?} {payload}");
        probe.subscribe("1", "{ who }").await;
        assert_eq!(probe.hear().await["payload"]["data"]["who"], you);
    }
}

#[tokio::test]
async fn refused_operations_get_an_error_and_the_socket_stays() {
    let server = Server::with(brisk()).await;
    let mut probe = Probe::greeted(&server, None).await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ missing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { missing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { count(to: \"x\") }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("{ panics }", "INTERNAL_SERVER_ERROR"),
    ] {
        probe.subscribe("1", query).await;
        let answer = probe.hear().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("1")), "{query} {answer}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query} {answer}");
    }
    for id in ["a", "b", "c"] {
        probe.subscribe(id, "subscription { never }").await;
    }
    probe.subscribe("d", "{ hello }").await;
    assert_eq!(probe.hear().await["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
}

#[tokio::test]
async fn pings_go_both_ways() {
    let server = Server::with(brisk()).await;
    let mut probe = Probe::greeted(&server, None).await;
    probe.say(&json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(probe.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
    for _ in 0..4 {
        assert_eq!(probe.hear().await, json!({ "type": "ping" }), "a client that answers is kept");
        probe.say(&json!({ "type": "pong" })).await;
    }
}

#[tokio::test]
async fn an_ended_session_a_restart_and_a_full_house_close_sockets() {
    let server = Server::start().await;
    let mut signed_in = Probe::greeted(&server, Some("good")).await;
    let mut anonymous = Probe::greeted(&server, None).await;
    let mut ungreeted = Probe::open(&server, CURRENT).await;
    server.end_session.send(true).unwrap();
    assert_eq!(signed_in.closed().await.0, 4403);
    server.drain.send(true).unwrap();
    assert_eq!((anonymous.closed().await.0, ungreeted.closed().await.0), (1012, 1012));
    let mut late = Probe::open(&server, CURRENT).await;
    assert_eq!(late.closed().await.0, 1012);

    let socket = SocketLimits { sockets_max: 1, ..SocketLimits::default() };
    let full = Server::with(TransportConfig { socket, ..TransportConfig::default() }).await;
    let _first = Probe::greeted(&full, None).await;
    assert_eq!(Probe::open(&full, CURRENT).await.closed().await.0, 1013);
}
