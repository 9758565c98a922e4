//! `timeline_1`: what was said in a conversation? The table and its fold.

use async_trait::async_trait;
use domain::conversation::{Content, Conversation, ConversationEvent};
use domain::{Event, Recorded};
use sqlx::PgConnection;

use super::timeline_reads::{MessageKind, MessageRow};
use crate::error::ProjectionError;
use crate::projection::{Projection, text_of};

/// The fold of `timeline_1`.
pub(crate) struct Timeline;

#[async_trait]
impl Projection for Timeline {
    fn name(&self) -> &'static str {
        "timeline_1"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["timeline_1"]
    }

    fn create_sql(&self) -> &'static str {
        "CREATE TABLE timeline_1 (
             position     bigint      NOT NULL PRIMARY KEY,
             conversation uuid        NOT NULL,
             number       bigint      NOT NULL,
             sender       uuid        NOT NULL,
             kind         text        NOT NULL CHECK (kind IN ('text')),
             text         text,
             sent_at      timestamptz NOT NULL,
             UNIQUE (conversation, number)
         )"
    }

    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let sent = sent(batch)?;
        if sent.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO timeline_1 (position, conversation, number, sender, kind, text, sent_at)
             SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[],
                                  $7::timestamptz[])",
        )
        .bind(sent.iter().map(|row| row.position.0).collect::<Vec<_>>())
        .bind(sent.iter().map(|row| row.conversation.0).collect::<Vec<_>>())
        .bind(sent.iter().map(|row| i64::from(row.number.0)).collect::<Vec<_>>())
        .bind(sent.iter().map(|row| row.sender.0).collect::<Vec<_>>())
        .bind(sent.iter().map(|row| row.kind.stored()).collect::<Vec<_>>())
        .bind(sent.iter().map(|row| row.text.as_deref()).collect::<Vec<_>>())
        .bind(sent.iter().map(|row| row.sent_at).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// The messages of a batch.
fn sent(batch: &[Recorded]) -> Result<Vec<MessageRow>, ProjectionError> {
    let mut sent = vec![];
    for recorded in batch {
        match &recorded.event {
            Event::Conversation(ConversationEvent::MessageSent { number, sender, content }) => {
                let Content::Text { text } = content;
                sent.push(MessageRow {
                    position: recorded.position,
                    conversation: recorded
                        .stream
                        .id::<Conversation>()
                        .ok_or(ProjectionError::Damaged(recorded.position))?,
                    number: *number,
                    sender: *sender,
                    kind: MessageKind::Text,
                    text: text_of(text, recorded.position)?.map(str::to_owned),
                    sent_at: recorded.recorded_at,
                });
            }
            Event::Conversation(ConversationEvent::ConversationStarted { .. })
            | Event::Account(_)
            | Event::Handle(_)
            | Event::Friendship(_)
            | Event::Contacts(_) => {}
        }
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::fixture::{conversation, erased, sent as says, started};

    #[test]
    fn what_was_said_is_a_row_and_what_was_erased_is_a_row_without_text() {
        let batch = [started(1, 7, 8), says(2, 7, 8, 1, 7), erased(3, 7, 8, 2, 8)];
        let rows = sent(&batch).unwrap();
        assert_eq!(rows.iter().map(|row| row.number.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(rows[0].conversation, conversation(7, 8));
        assert_eq!((rows[0].text.as_deref(), rows[1].text.as_deref()), (Some("message 1"), None));
    }
}
