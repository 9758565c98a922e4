//! Hostile documents: each is refused in the time a harmless one takes.

use std::fmt::Write;
use std::time::Duration;

use api::transport::{DocumentLimits, TransportConfig, measure};
use async_graphql::parser::parse_query;
use serde_json::{Value, json};

use super::server::Server;

/// What refusing one document may cost, client and server together.
const CPU_MAX: Duration = Duration::from_millis(50);

/// Times that each document is sent: the kernel counts CPU time in steps of milliseconds.
const ROUNDS: u32 = 20;

/// CPU time of this thread so far; server and client of these tests share it.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// `levels` fragments, each spreading the next one twice.
fn fragment_bomb(levels: usize) -> String {
    let mut text = "{ room { ...F0 } }".to_owned();
    for level in 0..levels {
        write!(text, " fragment F{level} on Room {{ ...F{0} ...F{0} }}", level + 1).unwrap();
    }
    text + &format!(" fragment F{levels} on Room {{ title }}")
}

fn many(times: usize, each: impl Fn(usize) -> String) -> String {
    (0..times).map(each).collect::<Vec<_>>().join(" ")
}

fn corpus() -> Vec<(&'static str, String, &'static str)> {
    let too_complex = "DOCUMENT_TOO_COMPLEX";
    let introspection =
        "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }";
    vec![
        ("bomb of 16 levels", fragment_bomb(16), too_complex),
        ("bomb of 24 levels", fragment_bomb(24), too_complex),
        ("bomb of 60 levels", fragment_bomb(60), too_complex),
        ("bomb that nobody uses", fragment_bomb(60).replacen("...F0", "title", 1), too_complex),
        ("101 aliases", format!("{{ {} }}", many(101, |n| format!("a{n}: hello"))), too_complex),
        ("500 times one field", format!("{{ {} }}", "__typename ".repeat(500)), too_complex),
        ("aliases in fragments", format!("{{ {} }} fragment F on Query {{ {} }}", many(10, |_| "...F".into()), many(9, |n| format!("a{n}: hello"))), too_complex),
        ("30 directives on a field", format!("{{ hello {} }}", "@a ".repeat(30)), too_complex),
        ("directives everywhere", format!("{{ {} }}", many(29, |n| format!("a{n}: hello @skip(if: true) @include(if: true)"))), too_complex),
        ("introspection in circles", introspection.into(), too_complex),
        ("introspection in circles by fragments", "{ __schema { types { ...T } } } fragment T on __Type { fields { type { fields { type { ...U } } } } } fragment U on __Type { interfaces { name } }".into(), too_complex),
        ("30 fields deep", format!("{}{{hello}}{}", "{this".repeat(30), "}".repeat(30)), too_complex),
        ("100 fields deep", format!("{}{{hello}}{}", "{this".repeat(100), "}".repeat(100)), "GRAPHQL_PARSE_FAILED"),
        ("60,000 braces", "{".repeat(60_000), too_complex),
        ("900 braces", "{".repeat(900), "GRAPHQL_PARSE_FAILED"),
        ("900 brackets", format!("{{ echo(text: {}", "[".repeat(900)), "GRAPHQL_PARSE_FAILED"),
        ("490 nested lists", format!("{{ echo(text: {}{}) }}", "[".repeat(490), "]".repeat(490)), "BAD_USER_INPUT"),
        ("240 nested objects", format!("{{ echo(text: {}1{}) }}", "{a:".repeat(240), "}".repeat(240)), "BAD_USER_INPUT"),
        ("a string that never ends", format!("{{ echo(text: \"{}", "a".repeat(60_000)), "GRAPHQL_PARSE_FAILED"),
        ("a block string that never ends", format!("{{ echo(text: \"\"\"{}", "\" ".repeat(20_000)), "GRAPHQL_PARSE_FAILED"),
        ("comments only", "# ".repeat(30_000), "GRAPHQL_PARSE_FAILED"),
        ("commas only", ",".repeat(60_000), "GRAPHQL_PARSE_FAILED"),
        ("a cycle of two", "{ room { ...A } } fragment A on Room { ...B } fragment B on Room { ...A }".into(), "GRAPHQL_VALIDATION_FAILED"),
        ("a fragment that spreads itself", "{ room { ...A } } fragment A on Room { title ...A }".into(), "GRAPHQL_VALIDATION_FAILED"),
        ("150 fragments", format!("{{ hello }} {}", many(150, |n| format!("fragment F{n} on Room {{ title }}"))), too_complex),
        ("40 operations", many(40, |n| format!("query Q{n} {{ hello }}")), too_complex),
        ("300 unknown fields", format!("{{ {} }}", many(300, |n| format!("unknown{n}"))), "GRAPHQL_VALIDATION_FAILED"),
        ("150 unused variables", format!("query({}) {{ hello }}", many(150, |n| format!("$v{n}: Int"))), "GRAPHQL_VALIDATION_FAILED"),
        ("2 root fields of a subscription", "subscription { never count(to: 1) }".into(), "GRAPHQL_VALIDATION_FAILED"),
    ]
}

#[tokio::test]
async fn hostile_documents_are_refused_at_once() {
    let server = Server::start().await;
    let client = reqwest::Client::new();
    let ask = |query: String| {
        let request = client.post(server.http("/graphql")).json(&json!({ "query": query }));
        async { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    ask("{ hello }".into()).await;
    for (name, query, code) in corpus() {
        let answer = ask(query.clone()).await;
        let before = cpu();
        for _ in 0..ROUNDS {
            ask(query.clone()).await;
        }
        let spent = cpu().saturating_sub(before) / ROUNDS;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{name}: {answer}");
        assert!(answer["errors"].as_array().unwrap().len() <= 10, "{name}: an answer is not an amplifier");
        assert!(spent < CPU_MAX, "{name} took {spent:?} of CPU");
        println!("{name}: {spent:?}");
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
