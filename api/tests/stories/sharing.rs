//! Payloads that many sockets share: the same for the same document, and nothing of one in another.

use serde_json::{Value, json};

use crate::kit::{Heard, TestApp, Updates};

const PLAIN: &str = "subscription ($after: Position) { updates(after: $after) { position event {
    ... on MessageSentUpdate { message { number content { ... on TextContent { text } } } } } } }";
const RENAMED: &str = "subscription ($after: Position) { news: updates(after: $after) { at: position event {
    ... on MessageSentUpdate { message { nth: number sender { name: userName } } } } } }";
const CHOOSING: &str = "subscription ($after: Position, $text: Boolean!) { updates(after: $after) {
    position event { ... on MessageSentUpdate { message { number content @include(if: $text) { __typename } } } } } }";

async fn data(updates: &mut Updates) -> Value {
    match updates.hear().await {
        Heard::Message(message) => {
            assert!(message["payload"].get("errors").is_none(), "{message}");
            message["payload"]["data"].clone()
        }
        Heard::Closed(code) => panic!("the socket was closed with {code}"),
    }
}

#[tokio::test]
async fn every_document_gets_its_own_payload_of_the_same_event() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let head = app.number("SELECT max(position) FROM events").await;
    let from_head = json!({ "after": head.to_string() });
    let (mut plain, mut renamed, mut choosing) = (Vec::new(), Vec::new(), Vec::new());
    for who in [&ann, &bob, &ann, &bob] {
        plain.push(who.socket().await.subscribes(PLAIN, from_head.clone()).await);
        renamed.push(who.socket().await.subscribes(RENAMED, from_head.clone()).await);
        let with = json!({ "after": head.to_string(), "text": choosing.len() % 2 == 0 });
        choosing.push(who.socket().await.subscribes(CHOOSING, with).await);
    }
    for n in 1..=3 {
        ann.sends(&conversation, &format!("text {n}")).await;
        let position = (head + n).to_string();
        for updates in &mut plain {
            let message = json!({ "number": n, "content": { "text": format!("text {n}") } });
            let expected = json!({ "updates": { "position": position, "event": { "message": message } } });
            assert_eq!(data(updates).await, expected);
        }
        for updates in &mut renamed {
            let message = json!({ "nth": n, "sender": { "name": "alice01" } });
            let expected = json!({ "news": { "at": position, "event": { "message": message } } });
            assert_eq!(data(updates).await, expected);
        }
        for (at, updates) in choosing.iter_mut().enumerate() {
            let with = json!({ "number": n, "content": { "__typename": "TextContent" } });
            let expected = if at % 2 == 0 { with } else { json!({ "number": n }) };
            assert_eq!(data(updates).await["updates"]["event"]["message"], expected);
        }
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn who_is_not_concerned_hears_nothing_of_a_shared_payload() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let (carol, _, theirs) = app.friends("carol001", "david001").await;
    let head = app.number("SELECT max(position) FROM events").await;
    let from_head = json!({ "after": head.to_string() });
    let mut bobs = bob.socket().await.subscribes(PLAIN, from_head.clone()).await;
    let mut carols = carol.socket().await.subscribes(PLAIN, from_head).await;
    ann.sends(&conversation, "between us").await;
    carol.sends(&theirs, "between others").await;
    for (updates, text) in [(&mut bobs, "between us"), (&mut carols, "between others")] {
        assert_eq!(data(updates).await["updates"]["event"]["message"]["content"]["text"], text);
    }
    app.views_equal_their_rebuild().await;
}
