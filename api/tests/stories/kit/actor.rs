//! A person at a client.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::app::data;
use super::{Socket, Updates, soon};

/// Acts by queries and mutations over plain HTTP, and listens over a socket.
#[derive(Clone)]
pub(crate) struct Actor {
    http: reqwest::Client,
    address: SocketAddr,
    pub(crate) token: Option<String>,
    pub(crate) id: String,
    /// Where the person calls from, as a proxy would tell it.
    pub(crate) from: Option<String>,
}

impl Actor {
    pub(crate) fn nobody(address: SocketAddr) -> Self {
        Self { http: reqwest::Client::new(), address, token: None, id: String::new(), from: None }
    }

    /// Takes the token and the identity of a payload of `register` or `signIn`.
    pub(crate) fn become_bearer_of(&mut self, payload: &Value) {
        self.token = Some(payload["token"].as_str().expect("a token").to_owned());
        payload["viewer"]["person"]["id"].as_str().expect("an id").clone_into(&mut self.id);
    }

    /// A request to an address of the server, with the token if there is one.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("http://{}{path}", self.address));
        if let Some(from) = &self.from {
            request = request.header("x-forwarded-for", from);
        }
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The whole answer to a document.
    pub(crate) async fn run(&self, query: &str, variables: Value) -> Value {
        let request = self.request(reqwest::Method::POST, "/graphql");
        let request = request.json(&json!({ "query": query, "variables": variables }));
        soon(async { request.send().await.unwrap().json().await.unwrap() }).await
    }

    /// The data of a query that must have no errors.
    pub(crate) async fn query(&self, query: &str, variables: Value) -> Value {
        data(&self.run(query, variables).await)
    }

    /// The payload of a mutation, whatever came of it.
    pub(crate) async fn attempt(&self, mutation: &str, input: Value, selection: &str) -> Value {
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let document = format!(
            "mutation ($input: {kind}!) {{ {mutation}(input: $input) {{
                position userErrors {{ code message path }} {selection} }} }}"
        );
        self.query(&document, json!({ "input": input })).await[mutation].clone()
    }

    /// The payload of a mutation that must be done.
    pub(crate) async fn mutate(&self, mutation: &str, input: Value, selection: &str) -> Value {
        let payload = self.attempt(mutation, input, selection).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation} was refused");
        payload
    }

    /// Makes two people friends; returns the id of their conversation.
    pub(crate) async fn befriends(&self, other: &Self) -> String {
        self.mutate("requestFriend", json!({ "personId": other.id }), "").await;
        let confirmed =
            other.mutate("confirmFriend", json!({ "personId": self.id }), "conversation { id }").await;
        confirmed["conversation"]["id"].as_str().unwrap().to_owned()
    }

    /// Sends a text; returns the message.
    pub(crate) async fn sends(&self, conversation: &str, text: &str) -> Value {
        let input = json!({ "conversationId": conversation, "content": { "text": text } });
        self.mutate("sendMessage", input, MESSAGE).await["message"].clone()
    }

    /// The texts of a conversation's newest messages, oldest first.
    pub(crate) async fn texts(&self, conversation: &str) -> Vec<String> {
        let query = "query ($id: ID!) { node(id: $id) { ... on Conversation {
            timeline(last: 100) { nodes { content { ... on TextContent { text } } } } } } }";
        let data = self.query(query, json!({ "id": conversation })).await;
        let nodes = data["node"]["timeline"]["nodes"].as_array().expect("a timeline").clone();
        nodes.iter().map(|node| node["content"]["text"].as_str().unwrap().to_owned()).collect()
    }

    /// A socket of this person, greeted by the server.
    pub(crate) async fn socket(&self) -> Socket {
        self.try_socket(&[]).await.expect("an upgrade")
    }

    /// A socket with further headers; the HTTP status when there is no upgrade.
    pub(crate) async fn try_socket(&self, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let from = self.from.iter().map(|from| ("x-forwarded-for", from.as_str()));
        let headers: Vec<_> = from.chain(headers.iter().copied()).collect();
        Socket::open(self.address, self.token.as_deref(), &headers).await
    }

    /// Listens to the person's updates from what the views show now, wherever the subscription begins.
    pub(crate) async fn updates_from_here(&self) -> Updates {
        let position = self.query("{ log { position } }", json!({})).await["log"]["position"].clone();
        self.updates(position.as_str()).await
    }

    /// Listens to the person's updates.
    pub(crate) async fn updates(&self, after: Option<&str>) -> Updates {
        self.socket().await.updates(after).await
    }
}

/// Everything about a message.
pub(crate) const MESSAGE: &str = "message { id position number conversationId sentAt sender { id userName } content { ... on TextContent { text } } }";

/// The codes of a payload's user errors.
pub(crate) fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}
