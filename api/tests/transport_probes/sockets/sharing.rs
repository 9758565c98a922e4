//! Payloads that are made once for all sockets.

use std::time::Duration;

use serde_json::json;

use super::probe::Probe;
use crate::server::{Server, Told};

/// So many sockets with one subscription each, all of them in force.
async fn listening(server: &Server, document: &str, sockets: usize) -> Vec<Probe> {
    let before = server.told.receiver_count();
    let mut probes = Vec::new();
    for _ in 0..sockets {
        let mut probe = Probe::greeted(server, Some("good")).await;
        probe.subscribe("n", document).await;
        probes.push(probe);
    }
    let all = async {
        while server.told.receiver_count() < before + sockets {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("all listen");
    probes
}

#[tokio::test]
async fn a_payload_is_made_once_per_document_and_without_a_reader() {
    let server = Server::start().await;
    let mut one = listening(&server, "subscription { news { text made reader } }", 20).await;
    let mut other = listening(&server, "subscription { n: news(after: 5) { made } }", 20).await;
    for text in ["first", "second"] {
        assert!(server.told.send(Told::new(text)).is_ok());
        let mut made = Vec::new();
        for probe in &mut one {
            let news = probe.hear().await["payload"]["data"]["news"].clone();
            assert_eq!(news, json!({ "text": text, "made": news["made"], "reader": null }));
            made.push(news["made"].as_u64().unwrap());
        }
        for probe in &mut other {
            made.push(probe.hear().await["payload"]["data"]["n"]["made"].as_u64().unwrap());
        }
        made.sort_unstable();
        made.dedup();
        assert_eq!(made, [1, 2], "two documents, two payloads");
    }
}

#[tokio::test]
async fn a_shared_payload_that_panics_ends_its_subscriptions_and_no_socket() {
    let server = Server::start().await;
    let mut probes = listening(&server, "subscription { news { text } }", 3).await;
    assert!(server.told.send(Told::new("bad news")).is_ok());
    for probe in &mut probes {
        let said = probe.hear().await;
        assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!("n")), "{said}");
        assert_eq!(said["payload"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
        probe.subscribe("q", "{ hello }").await;
        assert_eq!(probe.hear().await["payload"]["data"]["hello"], "world");
    }
}

#[tokio::test]
async fn events_are_handed_over_to_callers_only() {
    let server = Server::start().await;
    let mut nobody = Probe::greeted(&server, None).await;
    nobody.subscribe("n", "subscription { news { text } }").await;
    let said = nobody.hear().await;
    assert_eq!(said["payload"]["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{said}");
    nobody.subscribe("v", "subscription { news { nothing } }").await;
    while nobody.hear().await["type"] != "error" {}
}
