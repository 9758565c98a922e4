//! Saying things and reading them.

use serde_json::{Value, json};

use crate::kit::{TestApp, codes};

#[tokio::test]
async fn a_message_is_seen_by_both_and_counted_as_unread_by_the_other() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    let sent = ann.sends(&conversation, "hello 你好 👋🏽").await;
    assert_eq!((&sent["number"], &sent["conversationId"]), (&json!(1), &json!(conversation)));
    assert_eq!(sent["sender"]["userName"], "alice01");
    for who in [&ann, &bob] {
        assert_eq!(who.texts(&conversation).await, ["hello 你好 👋🏽"]);
    }
    let query =
        "{ viewer { unreadCount conversations { nodes { id unreadCount lastNumber lastMessage { id } } } } }";
    for (who, unread) in [(&ann, 0), (&bob, 1)] {
        let viewer = who.query(query, json!({})).await["viewer"].clone();
        assert_eq!(viewer["unreadCount"], unread);
        let listed = &viewer["conversations"]["nodes"][0];
        assert_eq!((&listed["unreadCount"], &listed["lastMessage"]["id"]), (&json!(unread), &sent["id"]));
    }
    // Answering reads through one's own message.
    bob.sends(&conversation, "hi").await;
    assert_eq!(bob.query(query, json!({})).await["viewer"]["unreadCount"], 0);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn the_same_idempotency_key_never_makes_two_messages() {
    let app = TestApp::start().await;
    let (ann, _, conversation) = app.friends("alice01", "robert01").await;
    let key = "6f1c7c52-1f8e-4f5e-9a70-0c5d3a0e9b11";
    let input = |text: &str| json!({ "conversationId": conversation, "content": { "text": text }, "idempotencyKey": key });
    let selection = crate::kit::MESSAGE;
    let first = ann.mutate("sendMessage", input("once"), selection).await;
    let again = ann.mutate("sendMessage", input("once"), selection).await;
    assert_eq!(first, again);
    let other = ann.attempt("sendMessage", input("something else"), "").await;
    assert_eq!(codes(&other), ["IDEMPOTENCY_KEY_REUSED"]);
    assert_eq!(ann.texts(&conversation).await, ["once"]);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_conversation_is_for_its_members_only() {
    let app = TestApp::start().await;
    let (ann, _, conversation) = app.friends("alice01", "robert01").await;
    let message = ann.sends(&conversation, "between us").await;
    let eve = app.person("evelyn01").await;
    for id in [conversation.as_str(), message["id"].as_str().unwrap()] {
        let node = eve.query("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(node["node"], Value::Null);
    }
    let input = json!({ "conversationId": conversation, "content": { "text": "let me in" } });
    assert_eq!(codes(&eve.attempt("sendMessage", input, "").await), ["NOT_FOUND"]);
    let mut updates = eve.updates(Some("0")).await;
    ann.sends(&conversation, "still between us").await;
    let own = updates.next().await;
    assert_eq!(own["event"]["__typename"], "RegisteredUpdate");
    assert_eq!(updates.next().await["event"]["__typename"], "SignedInUpdate");
    app.person("frank001").await.befriends(&eve).await;
    // The next thing that concerns her, and nothing of the others in between.
    assert_eq!(updates.next().await["event"]["__typename"], "FriendRequestedUpdate");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn the_timeline_is_paged_both_ways_without_gap_or_double() {
    let app = TestApp::start().await;
    let (ann, bob, conversation) = app.friends("alice01", "robert01").await;
    for n in 1..=25 {
        let sender = if n % 2 == 0 { &ann } else { &bob };
        sender.sends(&conversation, &n.to_string()).await;
    }
    let query = "query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
        node(id: $id) { ... on Conversation { timeline(first: $first, after: $after, last: $last, before: $before) {
            nodes { number } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }";
    let page = async |variables: Value| -> (Vec<i64>, Value) {
        let mut variables = variables;
        variables["id"] = json!(conversation);
        let timeline = ann.query(query, variables).await["node"]["timeline"].clone();
        let numbers =
            timeline["nodes"].as_array().unwrap().iter().map(|n| n["number"].as_i64().unwrap()).collect();
        (numbers, timeline["pageInfo"].clone())
    };
    let (mut forward, mut after) = (vec![], Value::Null);
    loop {
        let (numbers, info) = page(json!({ "first": 10, "after": after })).await;
        forward.extend(numbers);
        after = info["endCursor"].clone();
        if info["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(forward, (1..=25).collect::<Vec<_>>());
    let (mut backward, mut before) = (vec![], Value::Null);
    loop {
        let (numbers, info) = page(json!({ "last": 10, "before": before })).await;
        backward.splice(0..0, numbers);
        before = info["startCursor"].clone();
        if info["hasPreviousPage"] == false {
            break;
        }
    }
    assert_eq!(backward, forward);
    let (newest, _) = page(json!({})).await;
    assert_eq!(newest, forward);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn conversations_are_listed_by_their_newest_activity() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let mut conversations = Vec::new();
    for name in ["friend01", "friend02", "friend03"] {
        let friend = app.person(name).await;
        let conversation = ann.befriends(&friend).await;
        friend.sends(&conversation, name).await;
        conversations.push(conversation);
    }
    ann.sends(&conversations[1], "hello again").await;
    let query = "query ($after: String) { viewer { conversations(first: 2, after: $after) {
        nodes { id } pageInfo { hasNextPage endCursor } } } }";
    let first = ann.query(query, json!({})).await["viewer"]["conversations"].clone();
    assert_eq!(first["nodes"], json!([{ "id": conversations[1] }, { "id": conversations[2] }]));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = ann.query(query, json!({ "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(second["viewer"]["conversations"]["nodes"], json!([{ "id": conversations[0] }]));
    assert_eq!(second["viewer"]["conversations"]["pageInfo"]["hasNextPage"], false);
    app.views_equal_their_rebuild().await;
}
