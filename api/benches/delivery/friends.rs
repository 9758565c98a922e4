//! Pairs of friends, and how they write to each other.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

/// Two friends and their conversation.
pub(crate) struct Pair {
    pub(crate) people: [Person; 2],
    pub(crate) conversation: Arc<str>,
}

/// Somebody signed in.
#[derive(Clone)]
pub(crate) struct Person {
    http: reqwest::Client,
    url: Arc<str>,
    pub(crate) token: Arc<str>,
    id: Arc<str>,
}

/// Registers and befriends; passwords make this the slowest part.
pub(crate) async fn befriend(port: u16, pairs: usize) -> Vec<Pair> {
    let http = reqwest::Client::new();
    stream::iter(0..pairs).map(|pair| befriend_two(&http, port, pair)).buffered(4).collect().await
}

async fn befriend_two(http: &reqwest::Client, port: u16, pair: usize) -> Pair {
    let one = Person::register(http, port, &format!("ann{pair:05}")).await;
    let other = Person::register(http, port, &format!("bob{pair:05}")).await;
    let ask = "mutation ($id: ID!) { requestFriend(input: { personId: $id }) { userErrors { code } } }";
    one.run(ask, json!({ "id": other.id })).await;
    let agree = "mutation ($id: ID!) { confirmFriend(input: { personId: $id }) { conversation { id } } }";
    let confirmed = other.run(agree, json!({ "id": one.id })).await;
    let conversation = confirmed["confirmFriend"]["conversation"]["id"].as_str().unwrap().into();
    Pair { people: [one, other], conversation }
}

impl Person {
    async fn register(http: &reqwest::Client, port: u16, name: &str) -> Self {
        let url = format!("http://127.0.0.1:{port}/graphql").into();
        let mut person = Self { http: http.clone(), url, token: "".into(), id: "".into() };
        let document = "mutation ($name: String!) {
            register(input: { userName: $name, password: \"a bench of 1\" }) { token viewer { person { id } } } }";
        let registered = person.run(document, json!({ "name": name })).await;
        person.token = registered["register"]["token"].as_str().unwrap().into();
        person.id = registered["register"]["viewer"]["person"]["id"].as_str().unwrap().into();
        person
    }

    async fn run(&self, query: &str, variables: Value) -> Value {
        let mut request = self.http.post(&*self.url).json(&json!({ "query": query, "variables": variables }));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].take()
    }

    /// Sends a text; returns its position.
    pub(crate) async fn sends(&self, conversation: &str, text: &str) -> i64 {
        let document = "mutation ($id: ID!, $text: String!) {
            sendMessage(input: { conversationId: $id, content: { text: $text } }) {
                position message { id number } userErrors { code } } }";
        let sent = self.run(document, json!({ "id": conversation, "text": text })).await;
        sent["sendMessage"]["position"].as_str().expect("it was sent").parse().unwrap()
    }
}
