//! Where catching up ends and live begins: nothing is lost there and nothing comes twice.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::kit::{Heard, TestApp, soon};

fn position(update: &Value) -> i64 {
    update["position"].as_str().unwrap().parse().unwrap()
}

fn text(update: &Value) -> Option<&str> {
    update["event"]["message"]["content"]["text"].as_str()
}

/// While Ann writes, Bob's devices come and go: each resumes a few events before the newest one, so that its
/// seam lies before, at or behind events that are on their way.
async fn devices_resume_while_messages_are_sent(flags: &[&str]) {
    let app = TestApp::start_with(flags).await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let first = position(&ann.sends(&conversation, "begin").await);
    let (newest, mut sent) = watch::channel(first);
    let sending = {
        let conversation = conversation.clone();
        tokio::spawn(async move {
            for n in 0..80 {
                let message = ann.sends(&conversation, &n.to_string()).await;
                newest.send_replace(position(&message));
            }
            position(&ann.sends(&conversation, "end").await)
        })
    };
    let mut devices = JoinSet::new();
    let mut back = 0;
    while sent.changed().await.is_ok() {
        let newest = *sent.borrow_and_update();
        let after = (newest - back % 5).max(first);
        back += 1;
        let bob = bob.clone();
        devices.spawn(async move {
            let mut updates = bob.updates(Some(&after.to_string())).await;
            let mut heard = Vec::new();
            loop {
                let update = updates.next().await;
                heard.push(position(&update));
                if text(&update) == Some("end") {
                    return (after, heard);
                }
            }
        });
    }
    let end = sending.await.unwrap();
    let heard = soon(devices.join_all()).await;
    assert!(heard.len() > 20, "enough seams: {}", heard.len());
    for (after, heard) in heard {
        assert_eq!(heard, (after + 1..=end).collect::<Vec<_>>(), "resumed after {after}");
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_device_resumes_from_recent_events_exactly_once() {
    devices_resume_while_messages_are_sent(&[]).await;
}

#[tokio::test]
async fn a_device_resumes_from_the_log_exactly_once() {
    devices_resume_while_messages_are_sent(&["--recent-events-max", "0"]).await;
}

#[tokio::test]
async fn recent_events_tell_what_the_log_tells() {
    for flags in [&[][..], &["--recent-events-max", "0"], &["--recent-events-max", "3"]] {
        let app = TestApp::start_with(flags).await;
        let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
        // A pair that Bob must hear nothing of.
        let (carol, _, theirs) = app.friends("carol001", "david001").await;
        let mut whole = bob.updates(Some("0")).await;
        for n in 0..3 {
            carol.sends(&theirs, "not for Bob").await;
            ann.sends(&conversation, &n.to_string()).await;
        }
        let mut all = Vec::new();
        while all.last().and_then(text) != Some("2") {
            all.push(whole.next().await);
        }
        for after in 0..position(all.last().unwrap()) {
            let mut resumed = bob.updates(Some(&after.to_string())).await;
            for expected in all.iter().filter(|update| position(update) > after) {
                assert_eq!(&resumed.next().await, expected, "resumed after {after}, {flags:?}");
            }
        }
        app.views_equal_their_rebuild().await;
    }
}

/// The same text many times over, to fill the buffers on the way with few messages.
const LARGE: &str = "subscription ($after: Position) { updates(after: $after) { position event {
    ... on MessageSentUpdate { message { a: content { ...T } b: content { ...T } c: content { ...T }
    d: content { ...T } e: content { ...T } } } } } } fragment T on TextContent { a: text b: text c: text d: text }";

#[tokio::test]
async fn a_listener_that_falls_behind_is_cut_off_and_can_resume() {
    let app = TestApp::start_with(&["--waiting-events-max", "4"]).await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let before = app.number("SELECT max(position) FROM events").await;
    let mut quick = ann.updates(Some(&before.to_string())).await;
    let mut updates = bob.socket().await.subscribes(LARGE, json!({ "after": before.to_string() })).await;
    // Bob's client does not read while Ann keeps sending; each message is 600 kB to him.
    let long = "长".repeat(10_000);
    for _ in 0..20 {
        ann.sends(&conversation, &long).await;
        assert_eq!(text(&quick.next().await), Some(&*long), "others are not held up");
    }
    let mut last = before;
    let code = loop {
        match updates.hear().await {
            Heard::Message(message) => last = position(&message["payload"]["data"]["updates"]),
            Heard::Closed(code) => break code,
        }
    };
    assert_eq!(code, 4410);
    let mut resumed = bob.updates(Some(&last.to_string())).await;
    for expected in last + 1..=before + 20 {
        assert_eq!(position(&resumed.next().await), expected);
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_socket_ends_when_its_session_expires() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let expire = "UPDATE credentials.sessions SET expires_at = now() + interval '2 seconds'";
    sqlx::query(expire).execute(&app.database.pool()).await.unwrap();
    let mut updates = ann.updates(None).await;
    let ended = tokio::time::timeout(Duration::from_secs(10), updates.hear()).await;
    assert_eq!(ended.unwrap(), Heard::Closed(4403));
    assert_eq!(ann.socket().await.welcome, Heard::Closed(4403), "and it does not come back");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_position_at_the_head_is_not_ahead_and_one_behind_it_is() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let head = app.number("SELECT max(position) FROM events").await;
    let mut ahead = bob.updates(Some(&(head + 1).to_string())).await;
    let Heard::Message(message) = ahead.hear().await else { panic!("the socket stays open") };
    let error = &message["payload"]["errors"][0];
    assert_eq!(error["extensions"]["code"], "POSITION_AHEAD", "{message}");
    assert_eq!(error["path"], json!(["updates"]));
    let Heard::Message(end) = ahead.hear().await else { panic!("the socket stays open") };
    assert_eq!(end["type"], "complete");
    let mut updates = bob.updates(Some(&head.to_string())).await;
    ann.sends(&conversation, "next").await;
    assert_eq!(position(&updates.next().await), head + 1);
    app.views_equal_their_rebuild().await;
}
