//! Hostile documents: each is refused, with its code. That refusing costs little is shown by counting, in
//! `transport/document/tests.rs`, and measured in `make soak`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use api::transport::{DocumentLimits, TransportConfig, measure};
use async_graphql::parser::parse_query;
use serde_json::{Value, json};

use super::server::Server;

/// What refusing one document may cost, client and server together.
const CPU_MAX: Duration = Duration::from_millis(50);

/// Times that each document is sent: the kernel counts CPU time in steps of milliseconds.
const ROUNDS: u32 = 20;

/// Errors that one answer may hold: it must not be an amplifier.
const ERRORS_MAX: usize = 10;

/// CPU time of this thread so far; server and client of these tests share it.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn many(times: usize, each: impl Fn(usize) -> String) -> String {
    (0..times).map(each).collect::<Vec<_>>().join(" ")
}

/// Name, text and expected code of each document in `hostile/`; its first line is `# CODE: why`.
fn corpus() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transport_probes/hostile");
    let documents = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let (code, _) = text[2..].split_once(':').expect("# CODE: why");
        let code = code.to_owned();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), text, code)
    });
    let documents: Vec<_> = documents.collect();
    assert!(documents.len() >= 50, "the corpus is not where it was");
    documents
}

async fn ask(server: &Server, query: &str) -> Value {
    let request = reqwest::Client::new().post(server.http("/graphql")).json(&json!({ "query": query }));
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn hostile_documents_are_refused_with_their_code() {
    let server = Server::start().await;
    let mut wrong = vec![];
    for (name, query, code) in corpus() {
        let answer = ask(&server, &query).await;
        let errors = answer["errors"].as_array().map_or(0, Vec::len);
        let refused = answer["data"].is_null() && (1..=ERRORS_MAX).contains(&errors);
        if !refused || answer["errors"][0]["extensions"]["code"] != code.as_str() {
            wrong.push(format!("{name}: {code} expected: {answer:.300}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
#[ignore = "measures: make soak"]
async fn soak_hostile_documents_cost_at_most_50_ms_of_cpu() {
    let server = Server::start().await;
    ask(&server, "{ hello }").await;
    for (name, query, _) in corpus() {
        let before = cpu();
        for _ in 0..ROUNDS {
            ask(&server, &query).await;
        }
        let spent = cpu().saturating_sub(before) / ROUNDS;
        println!("{name}: {spent:?}");
        assert!(spent < CPU_MAX, "{name} took {spent:?} of CPU");
    }
}

#[test]
fn the_introspection_query_of_graphql_js_passes() {
    let query = include_str!("introspection.graphql");
    let measured = measure(&parse_query(query).unwrap(), &DocumentLimits::default()).unwrap();
    println!("{measured:?}");
    assert!(measured.introspects && measured.depth == 15 && measured.nodes < 600, "{measured:?}");
}

#[tokio::test]
async fn what_is_within_the_limits_is_answered() {
    let server = Server::start().await;
    let tokens_max = TransportConfig::default().document.tokens_max;
    let deep = format!("{}{{hello}}{}", "{this".repeat(14), "}".repeat(14));
    for query in [
        deep,
        format!("{{ {} }}", many(30, |n| format!("a{n}: hello"))),
        format!("{{ {} }}", "hello ".repeat(10)),
        format!("{{ hello {} }}", "# not a token \n".repeat(tokens_max)),
        format!("{{ echo(text: \"{}\") }}", "a b ".repeat(tokens_max)),
        include_str!("introspection.graphql").to_owned(),
    ] {
        let request = reqwest::Client::new().post(server.http("/graphql")).json(&json!({ "query": query }));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer["errors"].is_null() && answer["data"].is_object(), "{query} {answer}");
    }
}
