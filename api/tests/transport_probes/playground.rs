//! The playground's files: types, caching, and a policy that lets nothing in from outside.

use api::transport::playground;
use reqwest::{Client, Response, header, redirect};
use rust_embed::Embed;

#[derive(Embed)]
#[folder = "tests/transport_probes/site"]
struct Site;

async fn start() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, playground::<Site>()).await });
    address
}

fn named(response: &Response, name: header::HeaderName) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn files_are_served_with_type_tag_and_policy() {
    let address = start().await;
    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let get = async |path: &str| client.get(format!("{address}{path}")).send().await.unwrap();
    for (path, status, kind, cache) in [
        ("/playground", 308, "", ""),
        ("/playground/", 200, "text/html", "no-cache"),
        ("/playground/assets/app-1234.js", 200, "text/javascript", "public, max-age=31536000, immutable"),
        ("/playground/missing.js", 404, "", ""),
        ("/playground/../http.rs", 404, "", ""),
        ("/playground/%2e%2e/http.rs", 404, "", ""),
    ] {
        let response = get(path).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(named(&response, header::CONTENT_TYPE), kind, "{path}");
        assert_eq!(named(&response, header::CACHE_CONTROL), cache, "{path}");
        if status == 200 {
            let policy = named(&response, header::CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{policy}");
        }
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_twice() {
    let address = start().await;
    let url = format!("{address}/playground/");
    let tag = named(&reqwest::get(&url).await.unwrap(), header::ETAG);
    let again = Client::new().get(&url).header(header::IF_NONE_MATCH, format!("\"x\", W/{tag}"));
    let again = again.send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.text().await.unwrap()), (304, String::new()));
}
