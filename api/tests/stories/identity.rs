//! Tokens that are none, sessions that end, and cookies in foreign hands: by raw requests.

use api::accounts::{Caller, Sessions};
use api::limits::{CallLimits, Rate};
use api::live::{Hub, HubLimits};
use api::transport::Identity as _;
use chrono::TimeDelta;
use domain::{AccountId, SessionId};
use futures_util::FutureExt as _;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::{Actor, Heard, PASSWORD, TestApp, soon};

const WHO: &str = "{ viewer { person { userName } } }";

async fn post(actor: &Actor, headers: &[(&str, &str)], body: &Value) -> Response {
    let mut request = actor.request(Method::POST, "/graphql").json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    soon(request.send()).await.unwrap()
}

async fn outcome(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let found = match body["errors"][0]["extensions"]["code"].clone() {
        Value::Null => body["data"]["viewer"]["person"]["userName"].clone(),
        code => code,
    };
    (status, found)
}

/// The cookie of somebody who registered with one: the whole header, and `name=value`.
async fn cookie(app: &TestApp) -> (String, String) {
    let document = "mutation ($input: RegisterInput!) { register(input: $input) { token } }";
    let input = json!({ "userName": "alice01", "password": PASSWORD, "cookie": true });
    let body = json!({ "query": document, "variables": { "input": input } });
    let answer = post(&app.nobody(), &[], &body).await;
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let pair = set.split(';').next().unwrap().to_owned();
    (set, pair)
}

#[tokio::test]
async fn what_is_no_token_is_refused_and_not_taken_for_nobody() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let good = ann.token.clone().unwrap();
    let who = json!({ "query": WHO });
    let (ok, bad) = ((200, json!("alice01")), (401, json!("UNAUTHENTICATED")));
    let half = &good[..20];
    for (header, expected) in [
        (format!("Bearer {good}"), &ok),
        (format!("bearer   {good} "), &ok),
        ("Bearer".to_owned(), &bad),
        ("Bearer ".to_owned(), &bad),
        (format!("Bearer {half}"), &bad),
        (format!("Bearer {good}{good}"), &bad),
        (format!("Bearer {}", "A".repeat(43)), &bad),
        (format!("Bearer {}", "x".repeat(10_000)), &bad),
    ] {
        let answer = post(&app.nobody(), &[("authorization", &header)], &who).await;
        assert_eq!(answer.headers().contains_key("www-authenticate"), expected.0 == 401);
        assert_eq!(outcome(answer).await, *expected, "{header}");
    }
    // A scheme of somebody else's is no attempt to be known here.
    let basic = outcome(post(&app.nobody(), &[("authorization", "Basic YTpi")], &who).await).await;
    assert_eq!(basic, (200, Value::Null));
    for token in ["x", half, &"A".repeat(43)] {
        let mut stranger = app.nobody();
        stranger.token = Some(token.to_owned());
        assert_eq!(stranger.socket().await.welcome, Heard::Closed(4403), "{token}");
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn an_expired_session_is_refused_everywhere() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    expire(&app, "-1 second").await;
    let who = json!({ "query": WHO });
    assert_eq!(outcome(post(&ann, &[], &who).await).await, (401, json!("UNAUTHENTICATED")));
    assert_eq!(ann.socket().await.welcome, Heard::Closed(4403));
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn an_open_socket_ends_with_its_session_by_time_or_by_sign_out() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    expire(&app, "3 seconds").await;
    let mut socket = ann.socket().await;
    assert!(matches!(socket.welcome, Heard::Message(_)));
    assert_eq!(socket.hear().await, Heard::Closed(4403));
    let bob = app.person("robert01").await;
    let mut sockets = [bob.socket().await, bob.socket().await];
    bob.query("mutation { signOut { position } }", json!({})).await;
    for socket in &mut sockets {
        assert_eq!(socket.hear().await, Heard::Closed(4403));
    }
    assert_eq!(bob.socket().await.welcome, Heard::Closed(4403));
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_session_that_ended_while_its_socket_was_greeted_is_noticed() {
    let app = TestApp::start().await;
    let ann = app.person("alice01").await;
    let (log, tasks) = app.node().await;
    let limits = CallLimits {
        account: Rate { per_minute: 0, at_once: 1 },
        address: Rate { per_minute: 0, at_once: 1 },
        sockets_per_account_max: 0,
        sockets_per_address_max: 0,
        callers_remembered_max: 1,
    };
    let sessions = Sessions::new(log.clone(), Hub::start(&log, HubLimits::default()), limits);
    let (account, session): (Uuid, Uuid) =
        sqlx::query_as("SELECT account, session FROM credentials.sessions")
            .fetch_one(&app.database.pool())
            .await
            .unwrap();
    let expires_at = log.clock().now() + TimeDelta::days(1);
    let caller = Caller { account: AccountId(account), session: SessionId(session), expires_at };
    let mut open = sessions.session_ended(&caller);
    assert!((&mut open).now_or_never().is_none());
    ann.query("mutation { signOut { position } }", json!({})).await;
    soon(open).await;
    // Nobody will tell of it again.
    soon(sessions.session_ended(&caller)).await;
    drop(sessions);
    soon(tasks.close()).await;
    app.views_equal_their_rebuild().await;
}

async fn expire(app: &TestApp, from_now: &str) {
    let sql = format!("UPDATE credentials.sessions SET expires_at = now() + interval '{from_now}'");
    sqlx::query(&sql).execute(&app.database.pool()).await.unwrap();
}

#[tokio::test]
async fn a_cookie_serves_the_pages_of_its_own_host_only() {
    let app = TestApp::start().await;
    let (_, pair) = cookie(&app).await;
    let nobody = app.nobody();
    let own = app.url("");
    let cookie = ("cookie", pair.as_str());
    let who = json!({ "query": WHO });
    let (ok, foreign) = ((200, json!("alice01")), (403, json!("FORBIDDEN")));
    for (header, expected) in [
        (("origin", own.as_str()), &ok),
        (("sec-fetch-site", "same-origin"), &ok),
        (("sec-fetch-site", "none"), &ok),
        (("origin", "https://evil.example"), &foreign),
        (("origin", "null"), &foreign),
        (("origin", &format!("{own}.evil.example")), &foreign),
        (("sec-fetch-site", "cross-site"), &foreign),
        (("sec-fetch-site", "same-site"), &foreign),
    ] {
        assert_eq!(outcome(post(&nobody, &[cookie, header], &who).await).await, *expected, "POST {header:?}");
        let get = nobody.request(Method::GET, "/graphql?query=%7Bviewer%7Bperson%7BuserName%7D%7D%7D");
        let get = soon(get.header("cookie", &pair).header(header.0, header.1).send()).await.unwrap();
        assert_eq!(outcome(get).await, *expected, "GET {header:?}");
        let status = nobody.try_socket(&[cookie, header]).await.map(|socket| socket.welcome);
        match status {
            Ok(welcome) => assert!(*expected == ok && matches!(welcome, Heard::Message(_)), "{header:?}"),
            Err(status) => assert_eq!(status, expected.0, "{header:?}"),
        }
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_form_of_another_page_does_nothing() {
    let app = TestApp::start().await;
    let (_, pair) = cookie(&app).await;
    let before = app.number("SELECT count(*) FROM events").await;
    let body = json!({ "query": "mutation { signOut { position } }" }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let request = app.nobody().request(Method::POST, "/graphql").header("cookie", &pair);
        let answer = soon(request.header("content-type", kind).body(body.clone()).send()).await.unwrap();
        assert_eq!(outcome(answer).await, (415, json!("UNSUPPORTED_MEDIA_TYPE")), "{kind}");
    }
    let bare = app.nobody().request(Method::POST, "/graphql").header("cookie", &pair).body(body);
    assert_eq!(outcome(soon(bare.send()).await.unwrap()).await.0, 415);
    let get = app.nobody().request(Method::GET, "/graphql?query=mutation%7BsignOut%7Bposition%7D%7D");
    let get = get.header("cookie", &pair);
    assert_eq!(outcome(soon(get.send()).await.unwrap()).await, (405, json!("METHOD_NOT_ALLOWED")));
    let preflight =
        app.nobody().request(Method::OPTIONS, "/graphql").header("origin", "https://evil.example");
    let preflight = soon(preflight.header("access-control-request-method", "POST").send()).await.unwrap();
    assert!(!preflight.headers().contains_key("access-control-allow-origin"));
    assert_eq!(app.number("SELECT count(*) FROM events").await, before);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_socket_gives_no_cookie_and_begins_no_session_for_one() {
    let app = TestApp::start().await;
    app.person("alice01").await;
    let mut socket = app.nobody().socket().await;
    for mutation in ["signIn", "register"] {
        let before = app.number("SELECT count(*) FROM credentials.sessions").await;
        let query = format!(
            "mutation {{ {mutation}(input: {{ userName: \"alice01\", password: \"{PASSWORD}\", cookie: true }}) {{
                token }} }}"
        );
        socket.say(json!({ "id": mutation, "type": "subscribe", "payload": { "query": query } })).await;
        let Heard::Message(message) = socket.hear().await else { panic!("the socket was closed") };
        let code = &message["payload"]["errors"][0]["extensions"]["code"];
        assert_eq!(code, "BAD_USER_INPUT", "{message}");
        assert!(matches!(socket.hear().await, Heard::Message(end) if end["type"] == "complete"));
        assert_eq!(app.number("SELECT count(*) FROM credentials.sessions").await, before);
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn over_https_the_cookie_belongs_to_this_host_alone() {
    let app = TestApp::start_with(&["--secure-cookies"]).await;
    let (set, pair) = cookie(&app).await;
    assert!(pair.starts_with("__Host-annal_session="), "{pair}");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    let who = json!({ "query": WHO });
    let nobody = app.nobody();
    let known = outcome(post(&nobody, &[("cookie", &pair)], &who).await).await;
    assert_eq!(known, (200, json!("alice01")));
    // What a sibling host could plant is not looked at.
    let planted = pair.replace("__Host-", "");
    let unknown = outcome(post(&nobody, &[("cookie", &planted)], &who).await).await;
    assert_eq!(unknown, (200, Value::Null));
    expire(&app, "-1 second").await;
    let dead = post(&nobody, &[("cookie", &pair)], &who).await;
    let gone = dead.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!(gone, "__Host-annal_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure");
    assert_eq!(outcome(dead).await, (401, json!("UNAUTHENTICATED")));
    app.views_equal_their_rebuild().await;
}
