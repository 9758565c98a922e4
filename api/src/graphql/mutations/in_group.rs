//! What the mutations of groups have in common: finding the group, acting in it, and showing it.

use async_graphql::{Context, ID, Result};
use domain::contacts::ContactsError;
use domain::conversation::ConversationError;
use domain::{AccountId, Action, ConversationId, Position, Refusal, actions};
use uuid::Uuid;

use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::loaders::conversation_at;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, Refused, execute_at};

/// What is asked of which group.
pub(super) struct Asked<'i> {
    /// The name of the mutation.
    pub(super) mutation: &'static str,
    /// The group, as the input names it.
    pub(super) group: &'i ID,
    /// What else the input says, in one fixed form: an idempotency key stands for it.
    pub(super) said: String,
    /// The idempotency key.
    pub(super) key: Option<Uuid>,
}

/// What was done in a group.
pub(super) struct Acted {
    /// The group; none once the caller is not in it, or while the server is catching up.
    pub(super) conversation: Option<Conversation>,
    /// The position of the last event.
    pub(super) position: Position,
}

/// Acts in a group as the caller; the action is made of the group and the caller.
pub(super) async fn act<A: Action>(
    ctx: &Context<'_>,
    asked: Asked<'_>,
    action: impl FnOnce(ConversationId, AccountId) -> A,
) -> Result<Attempt<Acted>> {
    let by = ctx.caller()?.account;
    let app = ctx.app();
    let not_found = || Refused::not_found(&["input", "conversationId"]);
    let Some(began) = NodeId::conversation(asked.group) else { return Ok(Err(not_found())) };
    let Some(conversation) = conversation_at(&app.log, began).await? else { return Ok(Err(not_found())) };
    let command = ctx.command(asked.key, format!("{} {began} {}", asked.mutation, asked.said));
    match execute_at(app, action(conversation, by), command, path_of).await? {
        Ok(done) => shown(ctx, by, conversation, done.position).await.map(Ok),
        Err(refused) => Ok(Err(refused)),
    }
}

/// Makes a group as the caller.
pub(super) async fn create(
    ctx: &Context<'_>,
    action: actions::CreateGroup,
    canonical: String,
    key: Option<Uuid>,
) -> Result<Attempt<Acted>> {
    let owner = action.owner;
    let done = match execute_at(ctx.app(), action, ctx.command(key, canonical), path_of).await? {
        Ok(done) => done,
        Err(refused) => return Ok(Err(refused)),
    };
    // A repeated command has made its group before, under another id.
    let made = done.events.first().and_then(|event| event.stream.id::<domain::conversation::Conversation>());
    let made = made.ok_or_else(|| async_graphql::Error::new("a group was made without an event"))?;
    shown(ctx, owner, made, done.position).await.map(Ok)
}

/// The people whom an input names.
pub(super) fn people(ids: &[ID]) -> Attempt<Vec<AccountId>> {
    let people: Option<Vec<_>> = ids.iter().map(NodeId::person).collect();
    people.ok_or_else(|| Refused::not_found(&["input", "personIds"]))
}

/// Accounts in the form in which idempotency keys stand for them.
pub(super) fn listed(people: &[AccountId]) -> String {
    people.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

async fn shown(
    ctx: &Context<'_>,
    by: AccountId,
    conversation: ConversationId,
    position: Position,
) -> Result<Acted> {
    // Only those who ask for it wait for the view.
    let conversation = if ctx.look_ahead().field("conversation").exists() {
        Conversation::shown_at(ctx.app(), by, conversation, position).await?
    } else {
        None
    };
    Ok(Acted { conversation, position })
}

/// The input field that a refusal is about.
fn path_of(refusal: &Refusal) -> &'static [&'static str] {
    match refusal {
        Refusal::Conversation(
            ConversationError::PersonNotMember
            | ConversationError::PersonIsOwner
            | ConversationError::Outranked,
        ) => &["input", "personId"],
        Refusal::Contacts(ContactsError::NotAFriend)
        | Refusal::Conversation(ConversationError::Full { .. } | ConversationError::TooManyAtOnce { .. }) => {
            &["input", "personIds"]
        }
        _ => &["input", "conversationId"],
    }
}
