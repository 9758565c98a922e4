//! GraphQL over HTTP, probe by probe.

use api::transport::TransportConfig;
use reqwest::{Method, Response, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::Server;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

async fn post(server: &Server, accept: &str, body: &Value) -> Response {
    let client = reqwest::Client::new().post(server.http("/graphql"));
    client.header(header::ACCEPT, accept).json(body).send().await.unwrap()
}

async fn outcome(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or("no code")
}

#[tokio::test]
async fn every_refusal_has_its_code_and_status() {
    let server = Server::start().await;
    let query = |text: &str| json!({ "query": text });
    // The status under application/json and under application/graphql-response+json.
    for (body, expected, json_status, graphql_status) in [
        (query("{"), "GRAPHQL_PARSE_FAILED", 200, 400),
        (query("{ missing }"), "GRAPHQL_VALIDATION_FAILED", 200, 400),
        (query("{ ...F } fragment F on Query { ...F }"), "GRAPHQL_VALIDATION_FAILED", 200, 400),
        (query("{ number(n: \"1\") }"), "BAD_USER_INPUT", 200, 400),
        (query("query($n: Int!) { number(n: $n) }"), "BAD_USER_INPUT", 200, 400),
        (
            json!({ "query": "query($n: Int!) { number(n: $n) }", "variables": { "n": 3e9 } }),
            "BAD_USER_INPUT",
            200,
            400,
        ),
        (
            json!({ "query": "query($t: String!) { echo(text: $t) }", "variables": { "t": "\u{0}" } }),
            "BAD_USER_INPUT",
            200,
            400,
        ),
        (query("{ echo(text: \"a\\u0000b\") }"), "BAD_USER_INPUT", 200, 400),
        (query("query A { hello } query B { hello }"), "OPERATION_RESOLUTION_FAILURE", 200, 400),
        (
            json!({ "query": "query A { hello }", "operationName": "B" }),
            "OPERATION_RESOLUTION_FAILURE",
            200,
            400,
        ),
        (json!({ "documentId": "sha256:0" }), "PERSISTED_DOCUMENT_NOT_FOUND", 200, 400),
        (query(&"{this".repeat(16)), "GRAPHQL_PARSE_FAILED", 200, 400),
        (
            query(&format!("{}{{hello}}{}", "{this".repeat(16), "}".repeat(16))),
            "DOCUMENT_TOO_COMPLEX",
            200,
            400,
        ),
        (query("subscription { count(to: 1) }"), "BAD_REQUEST", 400, 400),
        (json!([query("{ hello }")]), "BAD_REQUEST", 400, 400),
        (json!({}), "BAD_REQUEST", 400, 400),
        (query("{ panics }"), "INTERNAL_SERVER_ERROR", 500, 500),
    ] {
        for (accept, status) in [(JSON, json_status), (GRAPHQL, graphql_status)] {
            let (got, answer) = outcome(post(&server, accept, &body).await).await;
            assert_eq!((got, code(&answer)), (status, expected), "{accept} {body} {answer}");
            assert!(answer.get("data").is_none(), "{answer}");
            assert!(answer["errors"][0]["message"].is_string(), "{answer}");
        }
    }
    assert_eq!(server.stats.read().faults, 2);
}

#[tokio::test]
async fn methods_media_types_and_sizes_are_strict() {
    let server = Server::start().await;
    let client = reqwest::Client::new();
    let body = json!({ "query": "{ hello }" }).to_string();
    let large = json!({ "query": "{ hello }", "extensions": { "x": "y".repeat(70_000) } }).to_string();
    let mutation = "/graphql?query=mutation%7Benter%7D";
    for (method, path, kind, accept, body, status, expected) in [
        (Method::POST, "/graphql", "text/plain", "*/*", &body, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (Method::POST, "/graphql", "multipart/form-data", "*/*", &body, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (Method::POST, "/graphql", JSON, "text/html", &body, 406, "NOT_ACCEPTABLE"),
        (Method::POST, "/graphql", JSON, "*/*", &large, 413, "PAYLOAD_TOO_LARGE"),
        (Method::PUT, "/graphql", JSON, "*/*", &body, 405, "METHOD_NOT_ALLOWED"),
        (Method::DELETE, "/graphql", JSON, GRAPHQL, &body, 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, mutation, JSON, GRAPHQL, &body, 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, mutation, JSON, JSON, &body, 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, "/graphql/ws", JSON, JSON, &body, 426, "BAD_REQUEST"),
    ] {
        let request = client.request(method.clone(), server.http(path));
        let request = request.header(header::CONTENT_TYPE, kind).header(header::ACCEPT, accept);
        let (got, answer) = outcome(request.body(body.clone()).send().await.unwrap()).await;
        assert_eq!((got, code(&answer)), (status, expected), "{method} {path} {kind} {answer}");
    }
    assert!(
        chunked(&server, &large).await.starts_with("HTTP/1.1 413 "),
        "a body without a length has the same limit"
    );
}

/// Sends a body in one chunk, without announcing its length; returns the head of the answer.
async fn chunked(server: &Server, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = "POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let request = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn resolver_errors_keep_their_code_and_faults_their_silence() {
    let server = Server::start().await;
    let (status, answer) =
        outcome(post(&server, GRAPHQL, &json!({ "query": "{ hello forbids fails }" })).await).await;
    assert_eq!((status, &answer["data"]["hello"]), (200, &json!("world")));
    let errors = answer["errors"].as_array().unwrap();
    let of = |path: &str| errors.iter().find(|error| error["path"][0] == path).unwrap();
    assert_eq!(of("forbids")["extensions"]["code"], "FORBIDDEN");
    assert_eq!(of("forbids")["message"], "not yours");
    assert_eq!(of("fails")["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert!(!answer.to_string().contains("secrets"), "{answer}");
    let (_, range) =
        outcome(post(&server, GRAPHQL, &json!({ "query": "{ number(n: 99999999999) }" })).await).await;
    assert_eq!(code(&range), "BAD_USER_INPUT", "{range}");
}

#[tokio::test]
async fn an_operation_stops_at_its_time_limit() {
    let server = Server::with(TransportConfig { operation_timeout_s: 0, ..TransportConfig::default() }).await;
    let (status, answer) = outcome(post(&server, JSON, &json!({ "query": "{ sleeps }" })).await).await;
    assert_eq!((status, code(&answer)), (504, "TIMEOUT"));
}

#[tokio::test]
async fn callers_are_known_by_token_or_cookie() {
    let server = Server::start().await;
    let client = reqwest::Client::new();
    let own = server.http("");
    let ask = |pairs: Vec<(&'static str, String)>| {
        let mut request = client.post(server.http("/graphql")).json(&json!({ "query": "{ who }" }));
        for (name, value) in pairs {
            request = request.header(name, value);
        }
        async { request.send().await.unwrap() }
    };
    let cookie = |value: &str| ("cookie", format!("annal_session={value}"));
    for (headers, status, expected) in [
        (vec![], 200, json!(null)),
        (vec![("authorization", "Bearer good".into())], 200, json!("good")),
        (vec![cookie("good")], 200, json!("good")),
        (vec![cookie("good"), ("origin", own)], 200, json!("good")),
        (vec![cookie("good"), ("origin", "https://evil.example".into())], 403, json!("FORBIDDEN")),
        (
            vec![("authorization", "Bearer good".into()), ("origin", "https://any.example".into())],
            200,
            json!("good"),
        ),
        (vec![("authorization", "Bearer old".into())], 401, json!("UNAUTHENTICATED")),
        (vec![("authorization", "Bearer often".into())], 429, json!("RATE_LIMITED")),
        (vec![("authorization", "Bearer down".into())], 503, json!("SERVICE_UNAVAILABLE")),
        (vec![("user-agent", "flooder".into())], 429, json!("RATE_LIMITED")),
        (vec![("user-agent", "busy".into())], 429, json!("RATE_LIMITED")),
        (vec![("authorization", "Bearer".into())], 401, json!("UNAUTHENTICATED")),
        (vec![("authorization", "Bearer".into()), cookie("good")], 401, json!("UNAUTHENTICATED")),
    ] {
        let (got, answer) = outcome(ask(headers.clone()).await).await;
        let found = if status == 200 { answer["data"]["who"].clone() } else { json!(code(&answer)) };
        assert_eq!((got, found), (status, expected), "{headers:?} {answer}");
    }
    let limited = ask(vec![("authorization", "Bearer often".into())]).await;
    assert_eq!(limited.headers()["retry-after"], "2");
    assert_eq!(outcome(limited).await.1["errors"][0]["extensions"]["retryAfterMs"], 1_500);
    let dead = ask(vec![cookie("old")]).await;
    assert!(dead.headers()["set-cookie"].to_str().unwrap().starts_with("annal_session=; "));
}

#[tokio::test]
async fn resolvers_set_cookies_and_read_the_request() {
    let server = Server::start().await;
    let entered = post(&server, JSON, &json!({ "query": "mutation { enter }" })).await;
    let cookies: Vec<_> = entered.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["annal_session=good; HttpOnly", "second=1"]);
    let request = reqwest::Client::new().get(server.http("/graphql?query=%7Blanguage%7D&operationName="));
    let (_, answer) = outcome(request.header("accept-language", "zh-CN").send().await.unwrap()).await;
    assert_eq!(answer["data"]["language"], "Zh true");
    let sdl = reqwest::get(server.http("/schema.graphql")).await.unwrap().text().await.unwrap();
    assert_eq!(sdl, server.schema.sdl());
}

#[tokio::test]
async fn persisted_documents_run_by_their_id() {
    let documents = [("sha256:1".to_owned(), "query A($t: String!) { echo(text: $t) }".into())];
    let config = TransportConfig { persisted_documents: documents.into(), ..TransportConfig::default() };
    let server = Server::with(config).await;
    let body = json!({ "documentId": "sha256:1", "variables": { "t": "x" } });
    assert_eq!(outcome(post(&server, GRAPHQL, &body).await).await, (200, json!({ "data": { "echo": "x" } })));
    let by_get = "/graphql?documentId=sha256%3A1&variables=%7B%22t%22%3A%22y%22%7D";
    let (_, answer) = outcome(reqwest::get(server.http(by_get)).await.unwrap()).await;
    assert_eq!(answer["data"]["echo"], "y");
}

#[tokio::test]
async fn anonymous_introspection_is_a_setting() {
    let config = TransportConfig { introspection_anonymous: false, ..TransportConfig::default() };
    let server = Server::with(config).await;
    let hidden = json!({ "query": "{ ...F } fragment F on Query { __schema { queryType { name } } }" });
    let (_, answer) = outcome(post(&server, GRAPHQL, &hidden).await).await;
    assert_eq!(code(&answer), "GRAPHQL_VALIDATION_FAILED");
    let signed_in = reqwest::Client::new().post(server.http("/graphql")).bearer_auth("good").json(&hidden);
    let (_, answer) = outcome(signed_in.send().await.unwrap()).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query");
}
