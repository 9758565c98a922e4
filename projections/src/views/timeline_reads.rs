//! The reads of `timeline_1`. They know nothing of membership: the caller checks that the viewer is in the
//! conversation.

use chrono::{DateTime, Utc};
use domain::{AccountId, ConversationId, MessageNumber, Position};
use uuid::Uuid;

use super::{Views, rows};
use crate::error::ProjectionError;

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The position of its sending: its public identity.
    pub position: Position,
    /// Where it was sent.
    pub conversation: ConversationId,
    /// Its place in the conversation.
    pub number: MessageNumber,
    /// Who sent it.
    pub sender: AccountId,
    /// What kind it is.
    pub kind: MessageKind,
    /// The text; none when it was erased.
    pub text: Option<String>,
    /// When the log took it in.
    pub sent_at: DateTime<Utc>,
}

/// Shows everything but the text: personal data must not reach a log line.
impl std::fmt::Debug for MessageRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageRow")
            .field("position", &self.position)
            .field("conversation", &self.conversation)
            .field("number", &self.number)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

/// The kinds of message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// Plain text.
    Text,
}

impl MessageKind {
    /// The kind as the view's table holds it.
    pub(crate) fn stored(self) -> &'static str {
        match self {
            Self::Text => "text",
        }
    }
}

/// A part of a conversation's messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimelinePage {
    /// Only messages before this one; none for no bound.
    pub before: Option<MessageNumber>,
    /// Only messages after this one; none for no bound.
    pub after: Option<MessageNumber>,
    /// At most so many (up to [`ROWS_MAX`](crate::ROWS_MAX)), from the end that comes first.
    pub limit: u32,
    /// Which end comes first.
    pub order: Order,
}

/// Which end of a list comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// From the newest back.
    NewestFirst,
    /// From the oldest on.
    OldestFirst,
}

const MESSAGE: &str =
    "SELECT position, conversation, number, sender, kind, text, sent_at FROM views.timeline_1 AS message";
const DAMAGED: ProjectionError = ProjectionError::DamagedView("timeline_1");

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    conversation: Uuid,
    number: i64,
    sender: Uuid,
    kind: String,
    text: Option<String>,
    sent_at: DateTime<Utc>,
}

impl TryFrom<Row> for MessageRow {
    type Error = ProjectionError;

    fn try_from(row: Row) -> Result<Self, ProjectionError> {
        Ok(Self {
            position: Position(row.position),
            conversation: ConversationId(row.conversation),
            number: MessageNumber(u32::try_from(row.number).map_err(|_| DAMAGED)?),
            sender: AccountId(row.sender),
            kind: if row.kind == MessageKind::Text.stored() {
                MessageKind::Text
            } else {
                return Err(DAMAGED);
            },
            text: row.text,
            sent_at: row.sent_at,
        })
    }
}

impl Views {
    /// A page of the messages of a conversation. One index range.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    /// [`ProjectionError::DamagedView`]: rebuild `timeline_1`.
    pub async fn timeline(
        &self,
        conversation: ConversationId,
        page: TimelinePage,
    ) -> Result<Vec<MessageRow>, ProjectionError> {
        let order = match page.order {
            Order::NewestFirst => "DESC",
            Order::OldestFirst => "ASC",
        };
        let statement = format!(
            "{MESSAGE} WHERE conversation = $1 AND number > $2 AND number < $3 ORDER BY number {order} LIMIT $4"
        );
        let found: Vec<Row> = sqlx::query_as(&statement)
            .bind(conversation.0)
            .bind(page.after.map_or(0, |after| i64::from(after.0)))
            .bind(page.before.map_or(i64::MAX, |before| i64::from(before.0)))
            .bind(rows(page.limit))
            .fetch_all(&self.pool)
            .await?;
        found.into_iter().map(MessageRow::try_from).collect()
    }

    /// The message that was sent at a position.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn message(&self, position: Position) -> Result<Option<MessageRow>, ProjectionError> {
        Ok(self.messages(&[position]).await?.pop())
    }

    /// Those of the messages at these positions that exist, by position. One probe each.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn messages(&self, positions: &[Position]) -> Result<Vec<MessageRow>, ProjectionError> {
        let found: Vec<Row> =
            sqlx::query_as(&format!("{MESSAGE} WHERE position = ANY($1) ORDER BY position"))
                .bind(positions.iter().map(|position| position.0).collect::<Vec<_>>())
                .fetch_all(&self.pool)
                .await?;
        found.into_iter().map(MessageRow::try_from).collect()
    }

    /// The newest message of each of these conversations that has one, in no particular order. One
    /// statement for a page of a list, one probe each.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn last_messages(
        &self,
        conversations: &[ConversationId],
    ) -> Result<Vec<MessageRow>, ProjectionError> {
        let statement = format!(
            "SELECT newest.* FROM unnest($1::uuid[]) AS wanted (id)
             CROSS JOIN LATERAL ({MESSAGE} WHERE message.conversation = wanted.id
                                 ORDER BY number DESC LIMIT 1) AS newest"
        );
        let found: Vec<Row> = sqlx::query_as(&statement)
            .bind(conversations.iter().map(|conversation| conversation.0).collect::<Vec<_>>())
            .fetch_all(&self.pool)
            .await?;
        found.into_iter().map(MessageRow::try_from).collect()
    }
}
