//! Saying something.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use domain::conversation::Content;
use domain::values::MessageText;
use domain::{Personal, actions};
use uuid::Uuid;

use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::loaders::conversation_at;
use crate::graphql::model::Message;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, execute, refusable};
use crate::graphql::scalars::Position;

/// What to say and where.
#[derive(InputObject)]
pub struct SendMessageInput {
    /// The id of the conversation.
    conversation_id: ID,
    /// What to say.
    content: MessageContentInput,
    /// A key of the caller's choice: the same key never makes two messages.
    idempotency_key: Option<Uuid>,
}

/// What can be said; exactly one of them.
#[derive(OneofObject)]
pub enum MessageContentInput {
    /// Plain text: 1 to 10,000 characters, not blank, kept exactly as typed.
    Text(String),
}

/// What came of saying it.
#[derive(SimpleObject, Default)]
pub struct SendMessagePayload {
    /// The message; null when refused.
    message: Option<Message>,
    /// The position of the sending; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(SendMessagePayload);

/// The mutation.
#[derive(Default)]
pub struct SendMessage;

#[Object]
impl SendMessage {
    /// Says something in a conversation. The answer means: committed and flushed to disk.
    async fn send_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to say and where.")] input: SendMessageInput,
    ) -> Result<SendMessagePayload> {
        Ok(answer(ctx, send_message(ctx, input).await?))
    }
}

async fn send_message(ctx: &Context<'_>, input: SendMessageInput) -> Result<Attempt<SendMessagePayload>> {
    let sender = ctx.caller()?.account;
    let path = ["input", "conversationId"];
    let Some(position) = NodeId::conversation(&input.conversation_id) else {
        return Ok(Err(Refused::not_found(&path)));
    };
    let MessageContentInput::Text(text) = input.content;
    let canonical = format!("sendMessage {position} text {text}");
    let text = match MessageText::parse(text) {
        Ok(text) => text,
        Err(invalid) => return Ok(Err(Refused::by(invalid, &["input", "content", "text"]))),
    };
    let app = ctx.app();
    let Some(conversation) = conversation_at(&app.log, position).await? else {
        return Ok(Err(Refused::not_found(&path)));
    };
    let content = Content::Text { text: Personal::Open(text) };
    let action = actions::SendMessage { sender, conversation, content };
    let command = ctx.command(input.idempotency_key, canonical);
    Ok(execute(app, action, command, &path).await?.map(|done| SendMessagePayload {
        message: done.events.first().and_then(|event| Message::from_event(event)),
        position: Some(done.position.into()),
        user_errors: vec![],
    }))
}
