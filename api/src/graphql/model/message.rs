//! A message.

use async_graphql::{Context, ID, Object, Result, SimpleObject, Union};
use domain::conversation::{Content, Conversation, ConversationEvent};
use domain::{ConversationId, Event, Recorded};
use projections::MessageRow;

use super::Person;
use crate::graphql::connection::connection;
use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::loaders::conversation_position;
use crate::graphql::scalars::{DateTime, Position};

/// Something that a member said in a conversation.
#[derive(Clone)]
pub struct Message {
    position: domain::Position,
    conversation: ConversationId,
    number: u32,
    sender: domain::AccountId,
    text: Option<String>,
    sent_at: chrono::DateTime<chrono::Utc>,
}

impl Message {
    /// The message as its event tells it; none when the event is no sending.
    pub fn from_event(recorded: &Recorded) -> Option<Self> {
        let conversation = recorded.stream.id::<Conversation>()?;
        let Event::Conversation(ConversationEvent::MessageSent { number, sender, content }) = &recorded.event
        else {
            return None;
        };
        let Content::Text { text } = content;
        Some(Self {
            position: recorded.position,
            conversation,
            number: number.0,
            sender: *sender,
            text: text.open().map(|text| text.as_ref().to_owned()),
            sent_at: recorded.recorded_at,
        })
    }
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            position: row.position,
            conversation: row.conversation,
            number: row.number.0,
            sender: row.sender,
            text: row.text,
            sent_at: row.sent_at,
        }
    }
}

/// Something that a member said in a conversation.
#[Object]
impl Message {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Message(self.position).into()
    }

    /// The position of the sending in the log.
    async fn position(&self) -> Position {
        self.position.into()
    }

    /// The place in the conversation: 1, 2, 3 ... without a gap.
    #[graphql(name = "number")]
    async fn place(&self) -> u32 {
        self.number
    }

    /// The id of the conversation.
    async fn conversation_id(&self, ctx: &Context<'_>) -> Result<ID> {
        let position = conversation_position(&ctx.app().log, self.conversation).await?;
        Ok(NodeId::Conversation(position).into())
    }

    /// Who said it.
    async fn sender(&self) -> Person {
        Person(self.sender)
    }

    /// When the server accepted it. Messages are ordered by number, never by time.
    async fn sent_at(&self) -> DateTime {
        self.sent_at.into()
    }

    /// What was said.
    async fn content(&self) -> MessageContent {
        MessageContent::Text(TextContent { text: self.text.clone() })
    }
}

/// What can be said.
#[derive(Union)]
pub enum MessageContent {
    /// Plain text.
    Text(TextContent),
}

/// Plain text.
#[derive(SimpleObject)]
pub struct TextContent {
    /// The text exactly as typed; null once it was erased.
    pub text: Option<String>,
}

connection!(MessageConnection, MessageEdge, Message);
