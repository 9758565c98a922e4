//! Bad input: always a clear answer, nothing lost, nothing broken.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::kit::{TestApp, codes, soon};

#[tokio::test]
async fn every_field_names_itself_and_its_limit() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    for (name, password, field, code, limit) in [
        ("alice", "long enough", "userName", "TOO_SHORT", "6"),
        (&"a".repeat(21), "long enough", "userName", "TOO_LONG", "20"),
        ("alice_01", "long enough", "userName", "INVALID_CHARACTERS", "A to Z"),
        ("爱丽丝爱丽丝", "long enough", "userName", "INVALID_CHARACTERS", "A to Z"),
        ("alice01", "1234567", "password", "TOO_SHORT", "8"),
        ("alice01", &"p".repeat(129), "password", "TOO_LONG", "128"),
    ] {
        let input = json!({ "userName": name, "password": password });
        let refused = nobody.attempt("register", input, "token").await;
        assert_eq!(codes(&refused), [code], "{name} {password}");
        assert_eq!(refused["userErrors"][0]["path"], json!(["input", field]));
        assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains(limit), "{refused}");
    }
    let (ann, _, conversation) = app.friends("alice01", "robert01").await;
    for (text, code) in [("", "BLANK"), (" \n\t ", "BLANK"), (&"字".repeat(10_001), "TOO_LONG")] {
        let input = json!({ "conversationId": conversation, "content": { "text": text } });
        let refused = ann.attempt("sendMessage", input, "").await;
        assert_eq!(codes(&refused), [code]);
        assert_eq!(refused["userErrors"][0]["path"], json!(["input", "content", "text"]));
    }
    let longest = "字".repeat(10_000);
    ann.sends(&conversation, &longest).await;
    assert_eq!(ann.texts(&conversation).await, [longest]);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn ids_of_nothing_and_of_the_wrong_type_find_nothing() {
    let app = TestApp::start().await;
    let (ann, _, conversation) = app.friends("alice01", "robert01").await;
    let message = ann.sends(&conversation, "hello").await["id"].as_str().unwrap().to_owned();
    for id in ["", "x", "你好", "bWVzc2FnZTo5OTk5", &"A".repeat(5_000)] {
        let node = ann.query("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(node["node"], Value::Null, "{id}");
        let input = json!({ "conversationId": id, "content": { "text": "hi" } });
        assert_eq!(codes(&ann.attempt("sendMessage", input, "").await), ["NOT_FOUND"], "{id}");
    }
    for wrong in [&message, &ann.id] {
        let input = json!({ "conversationId": wrong, "content": { "text": "hi" } });
        assert_eq!(codes(&ann.attempt("sendMessage", input, "").await), ["NOT_FOUND"]);
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn what_is_no_graphql_request_is_answered_with_a_code() {
    let app = TestApp::start().await;
    let huge = format!("{{\"query\":\"{}\"}}", "x".repeat(200_000));
    for (body, content_type, status, code) in [
        ("not json", "application/json", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("[]", "application/json", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("{}", "application/json", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("{\"query\":\"{ viewer\"}", "application/json", StatusCode::OK, "GRAPHQL_PARSE_FAILED"),
        ("{\"query\":\"{ nonsense }\"}", "application/json", StatusCode::OK, "GRAPHQL_VALIDATION_FAILED"),
        (
            "{\"query\":\"{ log { epoch } }\"}",
            "text/plain",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (huge.as_str(), "application/json", StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
    ] {
        let request = app.nobody().request(Method::POST, "/graphql").header("content-type", content_type);
        let answer = soon(request.body(body.to_owned()).send()).await.unwrap();
        assert_eq!(answer.status(), status, "{code}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn wrong_types_null_characters_and_impossible_pages_are_bad_user_input() {
    let app = TestApp::start().await;
    let (ann, _, conversation) = app.friends("alice01", "robert01").await;
    let send = "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { position } }";
    for (query, variables) in [
        (send, json!({ "input": { "conversationId": conversation, "content": { "text": 7 } } })),
        (send, json!({ "input": { "conversationId": conversation, "content": {} } })),
        (send, json!({ "input": { "conversationId": conversation } })),
        (send, json!({ "input": { "conversationId": conversation, "content": { "text": "a\u{0}b" } } })),
        (
            send,
            json!({ "input": { "conversationId": conversation, "content": { "text": "a" }, "idempotencyKey": "x" } }),
        ),
        ("query ($n: Int) { viewer { friends(first: $n) { nodes { since } } } }", json!({ "n": 101 })),
        ("query ($n: Int) { viewer { friends(first: $n) { nodes { since } } } }", json!({ "n": -1 })),
        (
            "query ($n: Int) { viewer { friends(first: $n) { nodes { since } } } }",
            json!({ "n": 99_999_999_999_i64 }),
        ),
        (
            "query ($c: String) { viewer { friends(after: $c) { nodes { since } } } }",
            json!({ "c": "nonsense" }),
        ),
    ] {
        let answer = ann.run(query, variables.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{variables}: {answer}");
    }
    assert_eq!(ann.texts(&conversation).await, Vec::<String>::new());
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn nobody_gets_a_persons_things_without_signing_in() {
    let app = TestApp::start().await;
    let (ann, _, conversation) = app.friends("alice01", "robert01").await;
    let nobody = app.nobody();
    assert_eq!(nobody.query("{ viewer { unreadCount } }", json!({})).await["viewer"], Value::Null);
    for (query, variables) in [
        ("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": conversation })),
        ("query ($name: String!) { person(userName: $name) { id } }", json!({ "name": "alice01" })),
        ("mutation { signOut { position } }", json!({})),
        (
            "mutation ($input: RequestFriendInput!) { requestFriend(input: $input) { position } }",
            json!({ "input": { "personId": ann.id } }),
        ),
    ] {
        let answer = nobody.run(query, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{query}: {answer}");
    }
    let mut expired = ann.clone();
    expired.token = Some("expired".to_owned());
    let request = expired.request(Method::POST, "/graphql").json(&json!({ "query": "{ log { position } }" }));
    assert_eq!(soon(request.send()).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    app.views_equal_their_rebuild().await;
}
