//! A person with a plain HTTP client.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// One request.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// From an event to the views that show it.
const VIEWS_MAX: Duration = Duration::from_secs(10);
/// Between two looks whether they do.
const LOOK_EVERY: Duration = Duration::from_millis(5);

const REGISTER: &str = "mutation ($input: RegisterInput!) { payload: register(input: $input) {
    token position userErrors { code } viewer { person { id } } } }";
const SIGN_IN: &str = "mutation ($input: SignInInput!) { payload: signIn(input: $input) {
    token position userErrors { code } viewer { person { id } } } }";
const REQUEST: &str = "mutation ($input: RequestFriendInput!) { payload: requestFriend(input: $input) {
    position userErrors { code } } }";
const CONFIRM: &str = "mutation ($input: ConfirmFriendInput!) { payload: confirmFriend(input: $input) {
    position userErrors { code } } }";
const SEND: &str = "mutation ($input: SendMessageInput!) { payload: sendMessage(input: $input) {
    position userErrors { code } message { id number position sender { id } } } }";
const PAGE: &str = "query ($id: ID!, $after: String) { node(id: $id) { ... on Conversation {
    timeline(first: 100, after: $after) {
        nodes { id number position sender { id } content { ... on TextContent { text } } }
        pageInfo { endCursor hasNextPage } } } } }";
const CONVERSATIONS: &str = "{ viewer { conversations { nodes { id lastNumber } } } }";

/// Why there is no answer: the server is gone, or says that it cannot. The request may have been carried out.
#[derive(Debug)]
pub(crate) struct Unknown(pub(crate) String);

/// Somebody who is signed in. Clones share the session.
#[derive(Clone)]
pub(crate) struct Person {
    http: reqwest::Client,
    token: String,
    pub(crate) id: String,
}

impl Person {
    /// Somebody who is not signed in.
    pub(crate) fn nobody() -> Self {
        Self { http: reqwest::Client::new(), token: String::new(), id: String::new() }
    }

    /// Joins; the password follows from the user name.
    pub(crate) async fn register(url: &str, user_name: &str) -> Self {
        Self::come_in(url, user_name, REGISTER).await
    }

    /// Comes back.
    pub(crate) async fn sign_in(url: &str, user_name: &str) -> Self {
        Self::come_in(url, user_name, SIGN_IN).await
    }

    async fn come_in(url: &str, user_name: &str, mutation: &str) -> Self {
        let mut person = Self::nobody();
        let come_in =
            json!({ "userName": user_name, "password": format!("secret of {}", user_name.to_lowercase()) });
        let payload = person.act(url, mutation, come_in).await;
        payload["token"].as_str().unwrap().clone_into(&mut person.token);
        payload["viewer"]["person"]["id"].as_str().unwrap().clone_into(&mut person.id);
        person
    }

    /// One request; its data, whole.
    pub(crate) async fn ask(&self, url: &str, query: &str, variables: Value) -> Result<Value, Unknown> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(url).timeout(REQUEST_MAX).json(&body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let unknown = |error: reqwest::Error| Unknown(error.to_string());
        let answer: Value = request.send().await.map_err(unknown)?.json().await.map_err(unknown)?;
        match &answer["errors"] {
            Value::Null => Ok(answer["data"].clone()),
            errors => Err(Unknown(errors.to_string())),
        }
    }

    /// A mutation that has to be done.
    async fn act(&self, url: &str, mutation: &str, input: Value) -> Value {
        let mut data = self.ask(url, mutation, json!({ "input": input })).await.unwrap();
        assert_eq!(data["payload"]["userErrors"], json!([]), "{mutation}");
        data["payload"].take()
    }

    /// Befriends somebody; returns the id of the conversation.
    pub(crate) async fn befriend(&self, url: &str, other: &Self) -> String {
        self.act(url, REQUEST, json!({ "personId": other.id })).await;
        let confirmed = other.act(url, CONFIRM, json!({ "personId": self.id })).await;
        self.reads(url, &confirmed["position"]).await;
        let data = self.ask(url, CONVERSATIONS, json!({})).await.unwrap();
        data["viewer"]["conversations"]["nodes"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Says something. A refusal fails the test.
    pub(crate) async fn say(
        &self,
        url: &str,
        conversation: &str,
        text: &str,
        key: Uuid,
    ) -> Result<Value, Unknown> {
        let input =
            json!({ "conversationId": conversation, "content": { "text": text }, "idempotencyKey": key });
        let mut data = self.ask(url, SEND, json!({ "input": input })).await?;
        assert_eq!(data["payload"]["userErrors"], json!([]), "{text}");
        Ok(data["payload"]["message"].take())
    }

    /// Waits until queries show everything up to a position.
    pub(crate) async fn reads(&self, url: &str, position: &Value) {
        let wanted: i64 = position.as_str().unwrap().parse().unwrap();
        let deadline = Instant::now() + VIEWS_MAX;
        loop {
            let data = self.ask(url, "{ log { position } }", json!({})).await.unwrap();
            if data["log"]["position"].as_str().unwrap().parse::<i64>().unwrap() >= wanted {
                return;
            }
            assert!(Instant::now() < deadline, "the views do not reach {wanted}");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Everything said in a conversation, oldest first.
    pub(crate) async fn timeline(&self, url: &str, conversation: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = self.ask(url, PAGE, json!({ "id": conversation, "after": after })).await.unwrap();
            let page = &data["node"]["timeline"];
            all.extend(page["nodes"].as_array().unwrap().iter().cloned());
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}
