//! A GraphQL client of a few lines, over plain HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use super::Failure;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Asks one server, as one person once signed in.
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// Nobody yet.
    pub(super) fn new(server: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build()?;
        Ok(Self { http, url: format!("{}/graphql", server.trim_end_matches('/')), token: None })
    }

    /// Acts as the bearer of a token from now on.
    pub(super) fn sign_in(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Runs a document and returns its data; any `errors` are a failure.
    pub(super) async fn run(&self, query: &str, variables: &Value) -> Result<Value, Failure> {
        let mut request = self.http.post(&self.url).json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|error| -> Failure {
            format!("is the server running? {}: {}", self.url, error.without_url()).into()
        })?;
        let mut answer: Value = response.json().await?;
        if let Some(error) = answer["errors"].get(0) {
            return Err(format!("the server answered with an error: {}", error["message"]).into());
        }
        Ok(answer["data"].take())
    }
}
