//! A server as a hardening guide wants it: the checks of the scanner graphql-cop 1.15, as a table, find nothing.
//!
//! Three of its fourteen warnings are choices of the operator: queries by GET, which the audits of GraphQL over
//! HTTP ask for; a schema that everybody may read; and a playground. Here they are switched off.

use std::fs;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::kit::{Actor, TestApp, soon};

const CLOSED: [&str; 6] = ["--get-queries", "false", "--schema-for-all", "false", "--playground", "false"];

const INTROSPECTION: &str = "query cop { __schema { types { name fields { name } } } }";

async fn answer(request: RequestBuilder) -> Value {
    soon(async { request.send().await.unwrap().json().await.unwrap() }).await
}

fn post(actor: &Actor, query: &str) -> RequestBuilder {
    actor.request(Method::POST, "/graphql").json(&json!({ "query": query }))
}

fn get(app: &TestApp, query: &str) -> RequestBuilder {
    Client::new().get(app.url(&format!("/graphql?query={query}")))
}

/// What has to be refused whole, by the names of the scanner.
fn refused(app: &TestApp) -> Vec<(&'static str, RequestBuilder)> {
    let ask = |query: &str| post(&app.nobody(), query);
    let batch = vec![json!({ "query": "query cop { __typename }" }); 10];
    let aliases = (0..101).map(|n| format!("alias{n}:__typename")).collect::<Vec<_>>().join(" ");
    let encoded = app.nobody().request(Method::POST, "/graphql");
    let encoded = encoded.header("content-type", "application/x-www-form-urlencoded");
    vec![
        ("Alias Overloading", ask(&format!("query cop {{ {aliases} }}"))),
        ("Array-based Query Batching", app.nobody().request(Method::POST, "/graphql").json(&batch)),
        (
            "Circular Fragment",
            ask("query { ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
        ),
        (
            "Introspection-based Circular Query",
            ask(
                "query { __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }",
            ),
        ),
        ("Directive Overloading", ask(&format!("query cop {{ __typename {} }}", "@aa".repeat(10)))),
        ("Field Duplication", ask(&format!("query cop {{ {} }}", "__typename ".repeat(500)))),
        ("GET Method Query Support", get(app, "query%20cop%20%7B__typename%7D")),
        ("Mutation is allowed over GET", get(app, "mutation%20cop%20%7B__typename%7D")),
        ("Introspection", ask(INTROSPECTION)),
        ("POST based url-encoded query", encoded.body("query=query%20%7B__typename%7D")),
    ]
}

#[tokio::test]
async fn the_checks_of_graphql_cop_find_nothing() {
    let app = TestApp::start_with(&CLOSED).await;
    for (name, request) in refused(&app) {
        let answer = answer(request).await;
        assert!(answer.get("data").is_none(), "{name}: {answer}");
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{name}: {answer}");
    }
    for misspelt in ["query cop { __schema { directive } }", "query cop { viwer { person { id } } }"] {
        let answer = answer(post(&app.nobody(), misspelt)).await.to_string();
        assert!(!answer.contains("Did you mean"), "Field Suggestions: {answer}");
    }
    for (name, query) in
        [("Trace Mode", "query cop { __typename }"), ("Unhandled Errors Detection", "qwerty cop { abc }")]
    {
        let answer = answer(post(&app.nobody(), query)).await.to_string();
        assert!(!answer.contains("tracing") && !answer.contains("exception"), "{name}: {answer}");
    }
    for path in ["/graphiql", "/playground", "/playground/", "/console", "/graphql", "/"] {
        let page = soon(Client::new().get(app.url(path)).header("accept", "text/html").send()).await.unwrap();
        let page = soon(page.text()).await.unwrap().to_lowercase();
        assert!(!page.contains("graphiql") && !page.contains("playground"), "GraphQL IDE at {path}: {page}");
    }
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn a_schema_that_is_not_for_all_is_for_those_who_are_signed_in() {
    let app = TestApp::start_with(&CLOSED).await;
    let ann = app.person("alice01").await;
    assert!(answer(post(&ann, INTROSPECTION)).await["data"]["__schema"].is_object());
    let printed = soon(ann.request(Method::GET, "/schema.graphql").send()).await.unwrap();
    assert_eq!(soon(printed.text()).await.unwrap(), api::graphql::sdl());
    let stranger = soon(app.nobody().request(Method::GET, "/schema.graphql").send()).await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    app.views_equal_their_rebuild().await;
}

#[tokio::test]
async fn documents_that_a_compiler_wrote_run_by_their_hash() {
    let document = "query Who { viewer { person { userName } } }";
    let hash = "8941a56906fbfe751af3e6a79d96b75425aaf247f2cb39158b2083118529baf9";
    let file = std::env::temp_dir().join(format!("annal-documents-{}.json", std::process::id()));
    fs::write(&file, json!({ format!("sha256:{hash}"): document }).to_string()).unwrap();
    let app = TestApp::start_with(&["--documents", file.to_str().unwrap()]).await;
    fs::remove_file(file).unwrap();
    let ann = app.person("alice01").await;
    for id in [format!("sha256:{hash}"), hash.to_owned()] {
        let request = ann.request(Method::POST, "/graphql").json(&json!({ "documentId": id }));
        assert_eq!(answer(request).await["data"]["viewer"]["person"]["userName"], "alice01");
    }
    let unknown = ann.request(Method::POST, "/graphql").json(&json!({ "documentId": "sha256:00" }));
    assert_eq!(answer(unknown).await["errors"][0]["extensions"]["code"], "PERSISTED_DOCUMENT_NOT_FOUND");
    app.views_equal_their_rebuild().await;
}
