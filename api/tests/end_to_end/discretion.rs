//! What people type is in no line that the server or its PostgreSQL writes, however much they are asked to say.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{AUTHORIZATION, COOKIE, USER_AGENT};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::annal::{Annal, Installation};

/// One request, also while the database is away.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// Where the client connects from.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 77);
/// Where a proxy says that it comes from.
const FORWARDED: &str = "203.0.113.77";
/// A caller that traces, although the server does not: it says so at its loudest.
const TRACE_PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// Sends while the database's sessions are ended.
const SENDS: usize = 20;
/// Everything that our own crates can say.
const LOUDEST: &str = "info,api=trace,eventlog=trace,projections=trace,domain=trace";

const REGISTER: &str = "mutation ($input: RegisterInput!) { payload: register(input: $input) {
    token userErrors { code } viewer { person { id } } } }";
const SIGN_IN: &str = "mutation ($input: SignInInput!) { payload: signIn(input: $input) {
    token userErrors { code } } }";
const REQUEST: &str = "mutation ($input: RequestFriendInput!) { payload: requestFriend(input: $input) {
    userErrors { code } } }";
const CONFIRM: &str = "mutation ($input: ConfirmFriendInput!) { payload: confirmFriend(input: $input) {
    userErrors { code } conversation { id } } }";
const SEND: &str = "mutation ($input: SendMessageInput!) { payload: sendMessage(input: $input) {
    userErrors { code } message { id } } }";
const UPDATES: &str = "subscription { updates(after: \"0\") { event { __typename ... on MessageSentUpdate {
    message { content { ... on TextContent { text } } } } } } }";

/// A client at an address that can be told from all others, and a proxy before the server.
struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    id: String,
}

impl Client {
    fn of(server: &Annal) -> Self {
        let http = reqwest::Client::builder().local_address(IpAddr::V4(FROM)).build().unwrap();
        Self { http, url: server.graphql(), token: None, id: String::new() }
    }

    /// Sends a body, whatever it is; the answer, if there is one.
    async fn post(&self, body: Value) -> Option<Value> {
        let mut request = self.http.post(&self.url).timeout(REQUEST_MAX).json(&body);
        request = request.header("x-forwarded-for", FORWARDED).header(USER_AGENT, "MarkerAgent/1.0");
        request = request.header("traceparent", TRACE_PARENT);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request.send().await.ok()?.json().await.ok()
    }

    async fn run(&self, query: &str, input: Value) -> Value {
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer = self.post(body).await.expect("an answer");
        answer["data"]["payload"].clone()
    }

    async fn register(server: &Annal, user_name: &str) -> Self {
        let mut client = Self::of(server);
        let input = json!({ "userName": user_name, "password": "MarkerPassword 口令" });
        let payload = client.run(REGISTER, input).await;
        client.token = Some(payload["token"].as_str().unwrap().to_owned());
        payload["viewer"]["person"]["id"].as_str().unwrap().clone_into(&mut client.id);
        client
    }
}

/// Passwords that do not fit, and names that do not exist.
async fn sign_in_right_and_wrong(client: &Client) -> Vec<String> {
    let attempt = |name: &str, password: &str| json!({ "userName": name, "password": password });
    let right = client.run(SIGN_IN, attempt("MarkerName1", "MarkerPassword 口令")).await;
    for (name, password) in [("MarkerName1", "MarkerWrong"), ("MarkerNobody", "MarkerWrong")] {
        let wrong = client.run(SIGN_IN, attempt(name, password)).await;
        assert_eq!(wrong["userErrors"][0]["code"], "WRONG_CREDENTIALS");
    }
    client.run(REGISTER, attempt("MarkerName1", "MarkerPassword 口令")).await;
    client.run(REGISTER, attempt("Marker Name", "MarkerPassword\0 口令")).await;
    vec![right["token"].as_str().unwrap().to_owned()]
}

/// Everything that a client can do wrong.
async fn err(client: &Client, conversation: &str) {
    let long = "MarkerText".repeat(2_000);
    for body in [
        json!({ "query": "{ MarkerText(" }),
        json!({ "query": "{ viewer { markerField } }" }),
        json!({ "query": "{ node(id: \"MarkerId\") { id } }" }),
        json!({ "query": "{ node(id: {marker: \"MarkerText\"}) { id } }" }),
        json!({ "query": SEND, "variables": { "input": "MarkerText" } }),
        json!({ "query": SEND, "variables": { "input": { "conversationId": "MarkerId", "content": { "text": "x" } } } }),
        json!({ "query": SEND, "variables": { "input": { "conversationId": conversation, "content": { "text": long } } } }),
        json!({ "query": SEND, "variables": { "input": { "conversationId": conversation, "content": { "text": "MarkerText\0" } } } }),
        json!({ "query": SEND, "variables": { "input": { "conversationId": conversation, "content": { "text": "x" }, "idempotencyKey": "MarkerKey" } } }),
        json!({ "query": SEND, "variables": { "input": { "conversationId": { "of": "MarkerText" }, "content": "MarkerText" } } }),
        json!({ "query": SEND, "variables": { "input": { "conversationId": conversation, "content": { "text": ["MarkerText"] } } } }),
        json!({ "query": "mutation { register(input: \"MarkerText\") { token } }" }),
        json!({ "query": "query ($id: ID!, $n: Int!) { node(id: $id) { ... on Conversation { timeline(first: $n) { nodes { id } } } } }",
            "variables": { "id": conversation, "n": "MarkerText" } }),
        json!({ "query": "query ($id: ID!, $c: String) { node(id: $id) { ... on Conversation { timeline(first: 1, after: $c) { nodes { id } } } } }",
            "variables": { "id": conversation, "c": "MarkerText" } }),
        json!({ "query": "{ log { position } }", "extensions": "MarkerText" }),
        json!(["MarkerText"]),
    ] {
        let answer = client.post(body.clone()).await.unwrap_or_else(|| panic!("no answer to {body}"));
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_ne!(code, "INTERNAL_SERVER_ERROR", "a mistake of the client is no fault: {body}");
    }
    for (name, value) in [(AUTHORIZATION, "Bearer MarkerToken"), (COOKIE, "annal_session=MarkerToken")] {
        let request = client.http.post(&client.url).header(name, value).header("x-forwarded-for", FORWARDED);
        request.body("{\"query\":\"MarkerText").send().await.unwrap();
        client.http.get(format!("{}?query=%7BMarkerText%7D", client.url)).send().await.unwrap();
    }
}

/// Hears a message over a socket that shows its token in the payload.
async fn listen(client: &Client) {
    let mut request = client.url.replacen("http", "ws", 1).into_client_request().unwrap();
    *request.uri_mut() = format!("{}/ws", request.uri()).parse().unwrap();
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    headers.insert("x-forwarded-for", FORWARDED.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let init = json!({ "type": "connection_init", "payload": { "token": client.token } });
    let subscribe = json!({ "type": "subscribe", "id": "MarkerId", "payload": { "query": UPDATES } });
    for message in [init, subscribe] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    let heard = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.to_text().is_ok_and(|text| text.contains("MarkerText")) {
                return;
            }
        }
        panic!("the socket ended before the message came");
    };
    timeout(REQUEST_MAX, heard).await.expect("the message is heard");
    socket.send(Message::text("{\"type\":\"MarkerText\"}")).await.unwrap();
}

/// A session of the operator in the private PostgreSQL.
async fn operator(installation: &Installation) -> PgConnection {
    let sockets = installation.folder.path().join("data/postgres/run");
    let options = PgConnectOptions::new().socket(sockets).username("annal").database("annal");
    PgConnection::connect_with(&options).await.unwrap()
}

/// Ends the server's sessions in the database while somebody sends, again and again.
async fn send_through_kills(client: &Client, conversation: &str, operator: &mut PgConnection) {
    for number in 0..SENDS {
        let content = json!({ "text": format!("MarkerText {number} 标记") });
        let input = json!({ "conversationId": conversation, "content": content });
        let send = client.post(json!({ "query": SEND, "variables": { "input": input } }));
        let kill = operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        // Some are answered, some are not: both ways write lines.
        let (_answer, killed) = tokio::join!(send, kill);
        killed.unwrap();
    }
}

/// A view that cannot be read: a fault, with the number under which it is logged.
async fn fault(client: &Client, conversation: &str, operator: &mut PgConnection) -> String {
    operator.execute("ALTER TABLE views.timeline_1 RENAME TO hidden").await.unwrap();
    let query =
        "query ($id: ID!) { node(id: $id) { ... on Conversation { timeline(last: 1) { nodes { id } } } } }";
    let answer = client.post(json!({ "query": query, "variables": { "id": conversation } })).await.unwrap();
    operator.execute("ALTER TABLE views.hidden RENAME TO timeline_1").await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{answer}");
    let message = answer["errors"][0]["message"].as_str().unwrap();
    let number = message
        .split_whitespace()
        .find(|word| word.len() == 16 && word.bytes().all(|b| b.is_ascii_hexdigit()));
    number.expect("the fault has a number").to_owned()
}

#[tokio::test]
async fn no_line_shows_what_people_type_or_where_they_are_and_a_fault_is_logged_once() {
    let installation = Installation::new(None);
    let flags = ["--log", LOUDEST, "--log-format", "json", "--trust-forwarded-for"];
    let server = installation.serve_with(&flags).await;
    let ann = Client::register(&server, "MarkerName1").await;
    let bob = Client::register(&server, "MarkerName2").await;
    let mut secrets = sign_in_right_and_wrong(&Client::of(&server)).await;
    ann.run(REQUEST, json!({ "personId": bob.id })).await;
    let confirmed = bob.run(CONFIRM, json!({ "personId": ann.id })).await;
    let conversation = confirmed["conversation"]["id"].as_str().unwrap();
    let content = json!({ "text": "MarkerText 标记" });
    ann.run(SEND, json!({ "conversationId": conversation, "content": content })).await;
    listen(&bob).await;
    err(&ann, conversation).await;
    let mut operator = operator(&installation).await;
    send_through_kills(&ann, conversation, &mut operator).await;
    let fault = fault(&ann, conversation, &mut operator).await;
    operator.close().await.unwrap();
    let said = server.stop().await;

    let lines = installation.log();
    for line in lines.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "not JSON: {line}");
    }
    assert!(lines.contains("\"TRACE\""), "the log is not at its loudest");
    let errors = lines.lines().filter(|line| line.contains(&fault) && line.contains("\"ERROR\"")).count();
    assert_eq!(errors, 1, "a fault is logged once:\n{lines}");
    let postgres =
        std::fs::read_to_string(installation.folder.path().join("data/postgres/postgres.log")).unwrap();
    assert!(
        postgres.contains("terminating connection"),
        "PostgreSQL wrote no line of the kills:\n{postgres}"
    );

    secrets.extend([ann.token.unwrap(), bob.token.unwrap(), FROM.to_string(), FORWARDED.to_owned()]);
    secrets.extend(["marker".to_owned(), "标记".to_owned(), "口令".to_owned()]);
    for (place, text) in [("the log", lines), ("standard output", said), ("PostgreSQL's log", postgres)] {
        for secret in &secrets {
            let found = text.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
            assert_eq!(found, None, "{place} shows {secret}");
        }
    }
}
