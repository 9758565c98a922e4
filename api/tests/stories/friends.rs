//! Asking and agreeing to be friends.

use serde_json::json;

use crate::kit::{TestApp, codes};

#[tokio::test]
async fn a_request_is_seen_live_confirmed_and_opens_one_conversation() {
    let app = TestApp::start().await;
    let (ann, bob) = tokio::join!(app.person("alice01"), app.person("robert01"));
    let mut bobs_updates = bob.updates(Some("0")).await;
    let found = ann.query("{ person(userName: \"ROBERT01\") { id } }", json!({})).await;
    assert_eq!(found["person"]["id"], bob.id.as_str());
    let asked = ann
        .mutate("requestFriend", json!({ "personId": bob.id }), "friendRequest { id state from { id } }")
        .await;
    assert_eq!(asked["friendRequest"]["state"], "OPEN");
    let update = bobs_updates.next_of("FriendRequestedUpdate").await;
    assert_eq!(update["position"], asked["position"]);
    assert_eq!(update["event"]["friendRequestId"], asked["friendRequest"]["id"]);
    assert_eq!(update["event"]["from"]["userName"], "alice01");
    let received = "{ viewer { friendRequests(direction: RECEIVED) { nodes { id state from { id } } } } }";
    let requests = bob.query(received, json!({})).await;
    assert_eq!(requests["viewer"]["friendRequests"]["nodes"][0]["from"]["id"], ann.id.as_str());
    let confirmed = bob
        .mutate(
            "confirmFriend",
            json!({ "personId": ann.id }),
            "conversation { id kind members { nodes { person { id } } } }",
        )
        .await;
    assert_eq!(confirmed["conversation"]["kind"], "PRIVATE");
    assert_eq!(confirmed["conversation"]["members"]["nodes"].as_array().unwrap().len(), 2);
    let started = bobs_updates.next_of("ConversationStartedUpdate").await;
    assert_eq!(started["event"]["conversationId"], confirmed["conversation"]["id"]);
    let friends = "{ viewer { friends { nodes { person { userName } conversationId } } } }";
    for (who, friend) in [(&ann, "robert01"), (&bob, "alice01")] {
        let list = who.query(friends, json!({})).await;
        assert_eq!(list["viewer"]["friends"]["nodes"][0]["person"]["userName"], friend);
        assert_eq!(list["viewer"]["friends"]["nodes"][0]["conversationId"], confirmed["conversation"]["id"]);
    }
    let again = bob.mutate("confirmFriend", json!({ "personId": ann.id }), "conversation { id }").await;
    assert_eq!(again["conversation"]["id"], confirmed["conversation"]["id"]);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn crossing_requests_make_friends() {
    let app = TestApp::start().await;
    let (ann, bob) = tokio::join!(app.person("alice01"), app.person("robert01"));
    ann.mutate("requestFriend", json!({ "personId": bob.id }), "").await;
    let crossing =
        bob.mutate("requestFriend", json!({ "personId": ann.id }), "friendRequest { state }").await;
    assert_eq!(crossing["friendRequest"]["state"], "CONFIRMED");
    let conversations = "{ viewer { conversations { nodes { members { nodes { person { id } } } } } } }";
    let list = ann.query(conversations, json!({})).await;
    assert_eq!(list["viewer"]["conversations"]["nodes"].as_array().unwrap().len(), 1);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn each_rule_of_friendship_is_refused_with_its_code() {
    let app = TestApp::start().await;
    let (ann, bob) = tokio::join!(app.person("alice01"), app.person("robert01"));
    let nobody = base64_id("person:00000000000000000000000000000001");
    let message = base64_id("message:1");
    for (mutation, person, code) in [
        ("requestFriend", ann.id.as_str(), "WITH_ONESELF"),
        ("requestFriend", &nobody, "NOT_FOUND"),
        ("requestFriend", &message, "NOT_FOUND"),
        ("requestFriend", "not an id", "NOT_FOUND"),
        ("confirmFriend", &bob.id, "NO_FRIEND_REQUEST"),
        ("confirmFriend", &ann.id, "WITH_ONESELF"),
    ] {
        let refused = ann.attempt(mutation, json!({ "personId": person }), "").await;
        assert_eq!(codes(&refused), [code], "{mutation} {person}");
        assert_eq!(refused["userErrors"][0]["path"], json!(["input", "personId"]));
    }
    ann.mutate("requestFriend", json!({ "personId": bob.id }), "").await;
    let own = ann.attempt("confirmFriend", json!({ "personId": bob.id }), "").await;
    assert_eq!(codes(&own), ["OWN_FRIEND_REQUEST"]);
    bob.mutate("confirmFriend", json!({ "personId": ann.id }), "").await;
    let friends = ann.attempt("requestFriend", json!({ "personId": bob.id }), "").await;
    assert_eq!(codes(&friends), ["ALREADY_FRIENDS"]);
    app.views_equal_their_rebuild().await;
}

fn base64_id(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
