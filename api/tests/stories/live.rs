//! Live updates: exactly once, in order, across every seam.

use serde_json::{Value, json};

use crate::kit::{Heard, TestApp};

fn position(update: &Value) -> i64 {
    update["position"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn both_see_every_message_live_once_and_in_one_order() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let mut ears = [ann.updates(None).await, bob.updates(None).await];
    // The subscription is in force once something arrives on it.
    let senders = [&ann, &bob].map(|who| async {
        for n in 0..20 {
            who.sends(&conversation, &n.to_string()).await;
        }
    });
    let [one, two] = senders;
    let head: i64 = app.number("SELECT max(position) FROM events").await;
    let listen = async {
        let mut heard: [Vec<i64>; 2] = Default::default();
        for (ear, heard) in ears.iter_mut().zip(&mut heard) {
            while heard.last() != Some(&(head + 40)) {
                heard.push(position(&ear.next_of("MessageSentUpdate").await));
            }
        }
        heard
    };
    let ((), (), heard) = tokio::join!(one, two, listen);
    for heard in heard {
        let first = heard[0];
        assert_eq!(heard, (first..=head + 40).collect::<Vec<_>>(), "no gap and no double");
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_device_resumes_from_any_position_without_gap_or_double() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    for n in 0..5 {
        ann.sends(&conversation, &n.to_string()).await;
    }
    let mut whole = bob.updates(Some("0")).await;
    let head = app.number("SELECT max(position) FROM events").await;
    let mut all = Vec::new();
    while all.last() != Some(&head) {
        all.push(position(&whole.next().await));
    }
    assert!(all.is_sorted_by(|one, other| one < other));
    for (at, after) in all.iter().enumerate() {
        let mut resumed = bob.updates(Some(&after.to_string())).await;
        ann.sends(&conversation, "more").await;
        let news = position(&whole.next().await);
        let expected: Vec<i64> = all[at + 1..].to_vec();
        let mut heard = Vec::new();
        while heard.last() != Some(&news) {
            heard.push(position(&resumed.next().await));
        }
        assert_eq!(heard[..expected.len()], expected[..], "resumed after {after}");
        assert!(heard.is_sorted_by(|one, other| one < other));
        assert_eq!(heard.len(), expected.len() + at + 1);
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn what_is_caught_up_reads_like_what_is_live() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let before = app.number("SELECT max(position) FROM events").await.to_string();
    let mut live = bob.updates(Some(&before)).await;
    ann.sends(&conversation, "the same either way").await;
    let live = live.next().await;
    let caught_up = bob.updates(Some(&before)).await.next().await;
    assert_eq!(live, caught_up);
    assert_eq!(live["event"]["message"]["content"]["text"], "the same either way");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_conversation_that_opens_is_followed_at_once() {
    let app = TestApp::start().await;
    let (ann, bob) = tokio::join!(app.person("alice01"), app.person("robert01"));
    let mut bobs_updates = bob.updates(Some("0")).await;
    bobs_updates.next_of("SignedInUpdate").await;
    let conversation = ann.befriends(&bob).await;
    ann.sends(&conversation, "hello").await;
    let update = bobs_updates.next_of("MessageSentUpdate").await;
    assert_eq!(update["event"]["message"]["content"]["text"], "hello");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_position_beyond_the_end_of_the_log_tells_the_client_to_read_anew() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let mut updates = ann.updates(Some("9999999")).await;
    let Heard::Message(message) = updates.hear().await else { panic!("the socket stays open") };
    assert!(message.to_string().contains("POSITION_AHEAD"), "{message}");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_socket_ends_with_its_session() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let mut socket = ann.socket().await;
    let Heard::Message(welcome) = &socket.welcome else { panic!("not welcome") };
    assert_eq!(welcome["type"], "connection_ack");
    let log = &welcome["payload"]["log"];
    assert!(log["epoch"].is_string() && log["position"].is_string(), "{welcome}");
    ann.query("mutation { signOut { position } }", json!({})).await;
    assert_eq!(socket.hear().await, Heard::Closed(4403));
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_socket_with_a_dead_token_is_refused_and_nobody_may_subscribe_to_nothing() {
    let app = TestApp::start().await;
    let mut ann = app.person("alice01").await;
    ann.token = Some("not a token".to_owned());
    assert_eq!(ann.socket().await.welcome, Heard::Closed(4403));
    let mut updates = app.nobody().updates(None).await;
    let Heard::Message(message) = updates.hear().await else { panic!("the socket stays open") };
    assert!(message.to_string().contains("UNAUTHENTICATED"), "{message}");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_server_that_stops_tells_its_sockets_to_come_back() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let mut updates = ann.updates(None).await;
    app.draining.send_replace(true);
    assert_eq!(updates.hear().await, Heard::Closed(1012));
    app.views_equal_their_rebuild().await;
}
