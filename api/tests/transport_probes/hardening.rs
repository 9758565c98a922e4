//! The checks of the scanner graphql-cop, as a table: nothing that it warns of is open.
//!
//! Its check "GET Method Query Support" contradicts the GraphQL-over-HTTP audits, so the server here runs
//! with the setting that closes it.

use api::transport::TransportConfig;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::server::Server;

async fn answer(request: RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_checks_of_graphql_cop_find_nothing() {
    let config =
        TransportConfig { get_queries: false, introspection_anonymous: false, ..TransportConfig::default() };
    let server = Server::with(config).await;
    let url = server.http("/graphql");
    let client = Client::new();
    let ask = |query: &str| client.post(&url).json(&json!({ "query": query }));
    let aliases = (0..101).map(|n| format!("alias{n}:__typename")).collect::<Vec<_>>().join(" ");
    let circular = "query { __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }";
    let fragments = "query { ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
    let directives = format!("query cop {{ __typename {} }}", "@aa".repeat(10));
    let duplicates = format!("query cop {{ {} }}", "__typename ".repeat(500));
    let encoded = [("content-type", "application/x-www-form-urlencoded")];
    for (name, request) in [
        ("alias overloading", ask(&format!("query cop {{ {aliases} }}"))),
        ("batching", client.post(&url).json(&vec![json!({ "query": "query cop { __typename }" }); 10])),
        ("circular introspection", ask(circular)),
        ("circular fragments", ask(fragments)),
        ("directive overloading", ask(&directives)),
        ("field duplication", ask(&duplicates)),
        ("introspection", ask("query cop { __schema { types { name fields { name } } } }")),
        ("query by GET", client.get(format!("{url}?query=%7B__typename%7D"))),
        ("mutation by GET", client.get(format!("{url}?query=mutation%20cop%20%7B__typename%7D"))),
        (
            "url-encoded POST",
            client.post(&url).header(encoded[0].0, encoded[0].1).body("query=%7B__typename%7D"),
        ),
    ] {
        let answer = answer(request).await;
        assert!(answer.get("data").is_none(), "{name}: {answer}");
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{name}: {answer}");
    }
    let suggestion = answer(ask("query cop { __schema { directive } }")).await;
    assert!(!suggestion.to_string().contains("Did you mean"), "{suggestion}");
    let misspelt = answer(ask("query cop { helo }")).await;
    assert!(!misspelt.to_string().contains("Did you mean"), "{misspelt}");
    for broken in ["qwerty cop { abc }", "query cop { __typename }"] {
        let extensions = answer(ask(broken)).await.to_string();
        assert!(!extensions.contains("tracing") && !extensions.contains("exception"), "{extensions}");
    }
}
