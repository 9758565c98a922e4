//! `annal demo`: a small lively world, made through the public API like anybody would.

mod client;
mod world;

use std::collections::HashMap;

use clap::Args;
use serde_json::{Value, json};
use uuid::Uuid;

use self::client::Client;
use self::world::{CHATS, Chat, FRIENDSHIPS, PASSWORD, PEOPLE};
use super::{Failure, say};

/// Namespace of the demo's idempotency keys: running it twice sends nothing twice.
const DEMO: Uuid = Uuid::from_u128(0x0de0_0de0_0de0_4de0_8de0_0de0_0de0_0de0);

/// Settings of `annal demo`.
#[derive(Args, Debug)]
pub(super) struct DemoSettings {
    /// The running server.
    #[arg(long, env = "ANNAL_DEMO_URL", default_value = "http://localhost:8000")]
    url: String,
}

/// A person of the demo, signed in.
struct Resident {
    client: Client,
    id: String,
}

pub(super) async fn run(settings: DemoSettings) -> Result<(), Failure> {
    let residents = move_in(&settings.url).await?;
    for (one, other) in FRIENDSHIPS {
        befriend(&residents[one], &residents[other]).await?;
    }
    say(&format!("{} friendships", FRIENDSHIPS.len()))?;
    let mut messages = 0;
    for chat in CHATS {
        messages += hold(&residents, chat).await?;
    }
    say(&format!("{messages} messages in {} conversations", CHATS.len()))?;
    let names: Vec<&str> = PEOPLE.to_vec();
    say(&format!("Sign in as any of: {}. The password of all is: {PASSWORD}", names.join(", ")))
}

/// Registers everybody, or signs them in when they live here already.
async fn move_in(url: &str) -> Result<HashMap<&'static str, Resident>, Failure> {
    let mut residents = HashMap::new();
    for name in PEOPLE {
        let mut client = Client::new(url)?;
        let input = json!({ "input": { "userName": name, "password": PASSWORD } });
        let registered = client.run(REGISTER, &input).await?;
        let mut answer = registered["register"].clone();
        if answer["token"].is_null() {
            answer = client.run(SIGN_IN, &input).await?["signIn"].clone();
        }
        let token = answer["token"].as_str().ok_or_else(|| refused(name, &answer))?;
        client.sign_in(token);
        let id = text(&answer["viewer"]["person"]["id"])?;
        residents.insert(name, Resident { client, id });
    }
    say(&format!("{} people", residents.len()))?;
    Ok(residents)
}

/// Makes two people friends; those who are friends already stay so.
async fn befriend(one: &Resident, other: &Resident) -> Result<(), Failure> {
    let asked = one.client.run(REQUEST, &json!({ "input": { "personId": other.id } })).await?;
    if has_code(&asked["requestFriend"], "ALREADY_FRIENDS") {
        return Ok(());
    }
    let confirmed = other.client.run(CONFIRM, &json!({ "input": { "personId": one.id } })).await?;
    let errors = &confirmed["confirmFriend"]["userErrors"];
    if errors.as_array().is_some_and(Vec::is_empty) { Ok(()) } else { Err(refused("a friendship", errors)) }
}

/// Holds a chat; every line has an idempotency key of its own. Returns the number of lines.
async fn hold(residents: &HashMap<&str, Resident>, chat: &Chat) -> Result<usize, Failure> {
    let conversation = conversation_of(&residents[chat.one], &residents[chat.other]).await?;
    for (line, (speaker, words)) in chat.lines.iter().enumerate() {
        let key = Uuid::new_v5(&DEMO, format!("{}/{}/{line}", chat.one, chat.other).as_bytes());
        let input = json!({ "input": {
            "conversationId": conversation,
            "content": { "text": words },
            "idempotencyKey": key,
        } });
        let sent = residents[speaker].client.run(SEND, &input).await?;
        if sent["sendMessage"]["message"].is_null() {
            return Err(refused(speaker, &sent["sendMessage"]));
        }
    }
    Ok(chat.lines.len())
}

async fn conversation_of(one: &Resident, other: &Resident) -> Result<String, Failure> {
    let mut after = Value::Null;
    loop {
        let page = one.client.run(FRIENDS, &json!({ "after": after })).await?;
        let friends = &page["viewer"]["friends"];
        let found = friends["nodes"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|f| f["person"]["id"] == other.id.as_str());
        if let Some(friend) = found {
            return text(&friend["conversationId"]);
        }
        if friends["pageInfo"]["hasNextPage"] != true {
            return Err("two friends of the demo have no conversation".into());
        }
        after = friends["pageInfo"]["endCursor"].clone();
    }
}

fn text(value: &Value) -> Result<String, Failure> {
    value.as_str().map(str::to_owned).ok_or_else(|| "the server's answer lacks a value".into())
}

fn has_code(payload: &Value, code: &str) -> bool {
    payload["userErrors"].as_array().into_iter().flatten().any(|error| error["code"] == code)
}

fn refused(who: &str, answer: &Value) -> Failure {
    format!("{who} was refused: {}", answer["userErrors"]).into()
}

const REGISTER: &str = "mutation ($input: RegisterInput!) {
    register(input: $input) { token viewer { person { id } } userErrors { code message } } }";
const SIGN_IN: &str = "mutation ($input: SignInInput!) {
    signIn(input: $input) { token viewer { person { id } } userErrors { code message } } }";
const REQUEST: &str = "mutation ($input: RequestFriendInput!) {
    requestFriend(input: $input) { position userErrors { code message } } }";
const CONFIRM: &str = "mutation ($input: ConfirmFriendInput!) {
    confirmFriend(input: $input) { conversation { id } userErrors { code message } } }";
const FRIENDS: &str = "query ($after: String) { viewer { friends(first: 100, after: $after) {
    nodes { conversationId person { id } } pageInfo { hasNextPage endCursor } } } }";
const SEND: &str = "mutation ($input: SendMessageInput!) {
    sendMessage(input: $input) { message { id } userErrors { code message } } }";
