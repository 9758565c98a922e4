//! One caller may ask only so much; the others notice nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::{Actor, Heard, PASSWORD, TestApp, codes, soon};

const WHO: &str = "{ viewer { person { id } } }";

/// Status, `Retry-After` and body of a query.
async fn asked(actor: &Actor) -> (u16, Option<u64>, Value) {
    let request = actor.request(Method::POST, "/graphql").json(&json!({ "query": "{ __typename }" }));
    let answer = soon(request.send()).await.unwrap();
    let seconds = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), seconds, answer.json().await.unwrap())
}

/// The milliseconds to wait that an answer's only error tells.
#[track_caller]
fn wait_ms(errors: &Value) -> u64 {
    assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
    assert_eq!(errors[0]["extensions"]["code"], "RATE_LIMITED", "{errors}");
    errors[0]["extensions"]["retryAfterMs"].as_u64().unwrap()
}

fn at(address: &str, mut actor: Actor) -> Actor {
    actor.from = Some(address.to_owned());
    actor
}

async fn sign_in(actor: &Actor, name: &str, password: &str) -> Value {
    let document = "mutation ($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
    actor.run(document, json!({ "input": { "userName": name, "password": password } })).await
}

fn refused(answer: &Value) -> bool {
    codes(&answer["data"]["signIn"]) == ["WRONG_CREDENTIALS"]
}

#[tokio::test]
async fn an_account_that_asks_too_often_is_told_when_to_come_back() {
    let app = TestApp::start_with(&["--account-requests-per-minute=1", "--account-requests-at-once=3"]).await;
    let (ann, bob) = (app.person("alice01").await, app.person("robert01").await);
    for _ in 0..3 {
        assert_eq!(asked(&ann).await.0, 200);
    }
    let (status, seconds, answer) = asked(&ann).await;
    let wait = wait_ms(&answer["errors"]);
    assert!(status == 429 && (1..=60_001).contains(&wait), "{status} {wait}");
    assert_eq!(seconds, Some(wait.div_ceil(1_000)));
    // On a socket it is the operation that is refused, and the socket stays.
    let mut socket = ann.socket().await;
    for id in ["1", "2"] {
        socket.say(json!({ "id": id, "type": "subscribe", "payload": { "query": WHO } })).await;
        let Heard::Message(message) = socket.hear().await else { panic!("the socket was closed") };
        assert_eq!((message["type"].as_str(), message["id"].as_str()), (Some("error"), Some(id)));
        wait_ms(&message["payload"]);
    }
    bob.query(WHO, json!({})).await;
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_turned_away_at_the_door() {
    let app = TestApp::start_with(&[
        "--trust-forwarded-for",
        "--address-requests-per-minute=1",
        "--address-requests-at-once=2",
    ])
    .await;
    for (same, other) in [
        (["192.0.2.7", "192.0.2.7"], "192.0.2.8"),
        (["2001:db8:0:1::1", "2001:db8:0:1::2"], "2001:db8:0:2::1"),
    ] {
        for address in same {
            assert_eq!(asked(&at(address, app.nobody())).await.0, 200, "{address}");
        }
        let mut crowd = at(same[0], app.nobody());
        // A bad token would be 401: nobody looked.
        crowd.token = Some("x".to_owned());
        let (status, seconds, answer) = asked(&crowd).await;
        assert!(status == 429 && seconds.is_some());
        wait_ms(&answer["errors"]);
        assert_eq!(crowd.try_socket(&[]).await.err(), Some(429));
        let (_, mut socket) = (asked(&at(other, app.nobody())).await, at(other, app.nobody()).socket().await);
        socket.say(json!({ "id": "1", "type": "subscribe", "payload": { "query": "{ __typename }" } })).await;
        let Heard::Message(message) = socket.hear().await else { panic!("the socket was closed") };
        wait_ms(&message["payload"]);
    }
    // Whoever is on this machine is its operator, or a proxy.
    for _ in 0..5 {
        assert_eq!(asked(&app.nobody()).await.0, 200);
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn one_socket_too_many_closes_with_1013_until_another_one_is_gone() {
    let app = TestApp::start_with(&[
        "--trust-forwarded-for",
        "--sockets-per-account-max=2",
        "--sockets-per-address-max=1",
    ])
    .await;
    let (ann, bob) = (app.person("alice01").await, app.person("robert01").await);
    let (first, _second) = (ann.socket().await, ann.socket().await);
    assert_eq!(ann.socket().await.welcome, Heard::Closed(1013));
    assert!(matches!(bob.socket().await.welcome, Heard::Message(_)));
    drop(first);
    soon(Box::pin(async { while ann.socket().await.welcome == Heard::Closed(1013) {} })).await;
    let (here, there) = (at("192.0.2.7", app.nobody()), at("192.0.2.8", app.nobody()));
    let _only = here.socket().await;
    assert_eq!(here.socket().await.welcome, Heard::Closed(1013));
    assert!(matches!(there.socket().await.welcome, Heard::Message(_)));
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_known_and_an_unknown_name_are_locked_alike_and_the_right_password_waits_as_well() {
    let app = TestApp::start_with(&["--password-wait-first-s=60"]).await;
    app.person("alice01").await;
    let nobody = app.nobody();
    for name in ["alice01", "nobody01", "no name at all"] {
        for _ in 0..5 {
            assert!(refused(&sign_in(&nobody, name, "not the password").await), "{name}");
        }
        for password in ["not the password", PASSWORD] {
            let mut answer = sign_in(&nobody, name, password).await;
            assert!((1..=60_000).contains(&wait_ms(&answer["errors"])), "{name}");
            answer["errors"][0]["extensions"]["retryAfterMs"].take();
            let expected = json!({ "code": "RATE_LIMITED", "retryAfterMs": null });
            assert_eq!(answer["errors"][0]["extensions"], expected, "{name}");
            assert_eq!(answer["errors"][0]["message"], "too many tries; wait", "{name}");
        }
    }
    pass_time(&app).await;
    assert!(codes(&sign_in(&nobody, "ALICE01", PASSWORD).await["data"]["signIn"]).is_empty());
    for _ in 0..5 {
        assert!(refused(&sign_in(&nobody, "alice01", "not the password").await));
    }
    wait_ms(&sign_in(&nobody, "alice01", PASSWORD).await["errors"]);
    app.views_equal_their_rebuild().await;
}

/// Ends every wait, as time would.
async fn pass_time(app: &TestApp) {
    for sql in [
        "UPDATE credentials.failures SET locked_until = now()",
        "UPDATE credentials.allowances SET spent_until = now()",
    ] {
        sqlx::query(sql).execute(&app.database.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn a_person_hears_of_wrong_passwords_at_once_and_then_of_many_together() {
    let app = TestApp::start_with(&["--refused-sign-ins-window-s=1"]).await;
    let ann = app.person("alice01").await;
    let mut updates = ann.updates(Some("0")).await;
    let nobody = app.nobody();
    for _ in 0..4 {
        assert!(refused(&sign_in(&nobody, "alice01", "not the password").await));
    }
    assert_eq!(updates.next_of("SignInRefusedUpdate").await["event"]["times"], 1);
    let mut others = 0;
    while others < 3 {
        others += updates.next_of("SignInRefusedUpdate").await["event"]["times"].as_u64().unwrap();
    }
    assert_eq!(others, 3);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn one_address_tries_only_so_many_names() {
    let app = TestApp::start_with(&[
        "--trust-forwarded-for",
        "--address-password-tries-per-hour=1",
        "--address-password-tries-at-once=2",
    ])
    .await;
    app.person("alice01").await;
    let here = at("2001:db8::7", app.nobody());
    for _ in 0..5 {
        // A right password is given back.
        assert!(codes(&sign_in(&here, "alice01", PASSWORD).await["data"]["signIn"]).is_empty());
    }
    for name in ["somebody1", "somebody2"] {
        assert!(refused(&sign_in(&here, name, PASSWORD).await));
    }
    for name in ["somebody3", "alice01"] {
        let wait = wait_ms(&sign_in(&at("2001:db8::8", app.nobody()), name, PASSWORD).await["errors"]);
        assert!((1..=3_600_000).contains(&wait), "{wait}");
    }
    assert!(refused(&sign_in(&at("192.0.2.7", app.nobody()), "somebody3", PASSWORD).await));
    pass_time(&app).await;
    assert!(refused(&sign_in(&here, "somebody3", PASSWORD).await));
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn one_address_registers_only_so_many_people() {
    let app = TestApp::start_with(&[
        "--trust-forwarded-for",
        "--address-registrations-per-hour=1",
        "--address-registrations-at-once=2",
    ])
    .await;
    let register = async |from: &str, name: &str| {
        let document =
            "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "userName": name, "password": PASSWORD } });
        at(from, app.nobody()).run(document, input).await
    };
    assert!(codes(&register("192.0.2.7", "alice01").await["data"]["register"]).is_empty());
    assert_eq!(codes(&register("192.0.2.7", "alice01").await["data"]["register"]), ["USER_NAME_TAKEN"]);
    wait_ms(&register("192.0.2.7", "robert01").await["errors"]);
    assert!(codes(&register("192.0.2.8", "robert01").await["data"]["register"]).is_empty());
    app.views_equal_their_rebuild().await;
}
