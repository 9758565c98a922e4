//! On valid requests the handler of async-graphql-axum and ours answer alike.

use async_graphql_axum::GraphQL;
use axum::Router;
use axum::routing::post_service;
use serde_json::{Value, json};

use super::server::Server;

#[tokio::test]
async fn valid_requests_get_the_same_data_from_the_stock_handler() {
    let server = Server::start().await;
    let stock = Router::new().route("/graphql", post_service(GraphQL::new(server.schema.clone())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stock_address = format!("http://{}/graphql", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, stock).await });

    for body in [
        json!({ "query": "{ hello }" }),
        json!({ "query": "{ b: hello a: hello room { tags title __typename } }" }),
        json!({ "query": "query A { hello } query B { room { title } }", "operationName": "B" }),
        json!({ "query": "query($n: Int = 3) { number(n: $n) }" }),
        json!({ "query": "query($n: Int!) { number(n: $n) }", "variables": { "n": -7 } }),
        json!({ "query": "query($t: String!) { echo(text: $t) }", "variables": { "t": "汉字 \u{1F600} \"" } }),
        json!({ "query": "{ room { ...F } } fragment F on Room { title @skip(if: true) tags }" }),
        json!({ "query": "query($i: Boolean!) { hello @include(if: $i) number(n: 1) }", "variables": { "i": false } }),
        json!({ "query": "mutation { enter }" }),
        json!({ "query": "{ __schema { queryType { name } } __type(name: \"Room\") { fields { name } } }" }),
        json!({ "query": "{ hello }", "variables": null, "operationName": null, "extensions": null }),
    ] {
        let mut answers = Vec::new();
        for address in [&server.http("/graphql"), &stock_address] {
            let response = reqwest::Client::new().post(address).json(&body).send().await.unwrap();
            assert_eq!(response.status(), 200, "{address} {body}");
            let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().cloned().collect();
            answers.push((response.json::<Value>().await.unwrap(), cookies));
        }
        assert_eq!(answers[0], answers[1], "{body}");
        assert!(answers[0].0["data"].is_object(), "{body}");
    }
}
