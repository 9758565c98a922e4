//! Joining, signing in and out.

use reqwest::Method;
use serde_json::json;

use crate::kit::{Actor, PASSWORD, TestApp, codes, soon};

#[tokio::test]
async fn a_person_joins_signs_in_on_another_device_and_signs_out() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let viewer = ann.query("{ viewer { unreadCount person { id userName registeredAt } } }", json!({})).await;
    assert_eq!(viewer["viewer"]["person"]["userName"], "alice01");
    assert_eq!(viewer["viewer"]["unreadCount"], 0);
    let mut phone = app.nobody();
    let input = json!({ "userName": "ALICE01", "password": PASSWORD });
    let signed_in = phone.mutate("signIn", input, "token viewer { person { id } }").await;
    phone.become_bearer_of(&signed_in);
    assert_eq!(phone.id, ann.id);
    let out = phone.query("mutation { signOut { position userErrors { code } } }", json!({})).await;
    assert_eq!(out["signOut"]["userErrors"], json!([]));
    let refused = phone.run("{ viewer { person { id } } }", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    // The other device is still signed in.
    ann.query("{ viewer { person { id } } }", json!({})).await;
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_name_that_differs_in_case_only_is_taken() {
    let app = TestApp::start().await;
    app.person("alice01").await;
    let input = json!({ "userName": "Alice01", "password": PASSWORD });
    let refused = app.nobody().attempt("register", input, "token viewer { person { id } }").await;
    assert_eq!(codes(&refused), ["USER_NAME_TAKEN"]);
    assert_eq!(refused["userErrors"][0]["path"], json!(["input", "userName"]));
    assert!(refused["token"].is_null() && refused["viewer"].is_null() && refused["position"].is_null());
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn many_registrations_of_one_name_at_once_have_one_winner() {
    let app = TestApp::start().await;
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let nobody = app.nobody();
        let input = json!({ "userName": "alice01", "password": PASSWORD });
        attempts.spawn(async move { codes(&nobody.attempt("register", input, "token").await).len() });
    }
    let refused: usize = attempts.join_all().await.into_iter().sum();
    assert_eq!(refused, 7);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE event_type = 'AccountRegistered'").await, 1);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_refused_alike() {
    let app = TestApp::start().await;
    app.person("alice01").await;
    let nobody = app.nobody();
    let happened = "SELECT count(*) FROM events WHERE event_type <> 'SignInRefused'";
    let before = app.number(happened).await;
    let mut answers = Vec::new();
    for (name, password) in [
        ("alice01", "not the password"),
        ("nobody01", PASSWORD),
        ("no such name!", "whatever"),
        ("alice01", ""),
        ("alice01", &"x".repeat(5_000)),
    ] {
        let input = json!({ "userName": name, "password": password });
        answers.push(nobody.attempt("signIn", input, "token viewer { person { id } }").await);
    }
    assert_eq!(codes(&answers[0]), ["WRONG_CREDENTIALS"]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(app.number(happened).await, before);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_browser_keeps_its_session_in_a_cookie_that_scripts_cannot_read() {
    let app = TestApp::start().await;
    let query =
        "mutation ($input: RegisterInput!) { register(input: $input) { token viewer { person { id } } } }";
    let input = json!({ "userName": "alice01", "password": PASSWORD, "cookie": true });
    let request = app.nobody().request(Method::POST, "/graphql");
    let answer =
        soon(request.json(&json!({ "query": query, "variables": { "input": input } })).send()).await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let answer: serde_json::Value = answer.json().await.unwrap();
    assert!(answer["data"]["register"]["token"].is_null());
    let pair = cookie.split(';').next().unwrap().to_owned();
    let viewer = json!({ "query": "{ viewer { person { userName } } }" });
    let ask = |origin: Option<String>| {
        let mut request = app.nobody().request(Method::POST, "/graphql").header("cookie", &pair);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let request = request.json(&viewer);
        async move { soon(request.send()).await.unwrap().json::<serde_json::Value>().await.unwrap() }
    };
    let own = ask(Some(app.url(""))).await;
    assert_eq!(own["data"]["viewer"]["person"]["userName"], "alice01");
    let foreign = ask(Some("https://evil.example".to_owned())).await;
    assert_eq!(foreign["errors"][0]["extensions"]["code"], "FORBIDDEN");
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn refusals_speak_the_language_of_the_caller() {
    let app = TestApp::start().await;
    let message = async |actor: Actor, language: &str| {
        let query = "mutation { register(input: { userName: \"ab\", password: \"12345678\" }) {
            userErrors { message } } }";
        let request = actor.request(Method::POST, "/graphql").header("accept-language", language);
        let answer = soon(request.json(&json!({ "query": query })).send()).await.unwrap();
        let answer: serde_json::Value = answer.json().await.unwrap();
        answer["data"]["register"]["userErrors"][0]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(app.nobody(), "en").await, "The user name needs at least 6 characters.");
    assert_eq!(message(app.nobody(), "zh-CN").await, "用户名至少需要 6 个字符。");
    app.views_equal_their_rebuild().await;
}
