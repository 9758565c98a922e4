//! `timeline_1`: what was said in a conversation? The table and its fold.

use async_trait::async_trait;
use domain::account::{Account, AccountEvent};
use domain::conversation::{Content, Conversation, ConversationEvent};
use domain::{AccountId, Event, Recorded};
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
        &["timeline_1", "timeline_erased_1"]
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
         );
         CREATE INDEX timeline_1_sender ON timeline_1 (sender);
         CREATE TABLE timeline_erased_1 (sender uuid NOT NULL PRIMARY KEY)"
    }

    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let Changes { sent, erased } = changes(batch)?;
        if !erased.is_empty() {
            write_erased(connection, &erased).await?;
        }
        if !sent.is_empty() {
            write_sent(connection, &sent).await?;
        }
        Ok(())
    }
}

/// Takes the text of everything these people said, and remembers them: a message that was decided before
/// the erasure of its sender may stand behind it in the log.
async fn write_erased(connection: &mut PgConnection, erased: &[AccountId]) -> Result<(), ProjectionError> {
    let erased: Vec<_> = erased.iter().map(|account| account.0).collect();
    sqlx::query("INSERT INTO timeline_erased_1 SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING")
        .bind(&erased)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE timeline_1 SET text = NULL WHERE sender = ANY($1) AND text IS NOT NULL")
        .bind(&erased)
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds messages; those of erased senders without a text, whatever is still readable.
async fn write_sent(connection: &mut PgConnection, sent: &[MessageRow]) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO timeline_1 (position, conversation, number, sender, kind, text, sent_at)
         SELECT new.position, new.conversation, new.number, new.sender, new.kind,
                CASE WHEN erased.sender IS NULL THEN new.text END, new.sent_at
         FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[],
                     $7::timestamptz[]) AS new (position, conversation, number, sender, kind, text, sent_at)
         LEFT JOIN timeline_erased_1 AS erased ON erased.sender = new.sender",
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

/// What a batch changes. Whoever is erased in it has no text in any of its messages, before or after, so
/// the order within the batch does not matter.
#[derive(Default)]
struct Changes {
    sent: Vec<MessageRow>,
    erased: Vec<AccountId>,
}

fn changes(batch: &[Recorded]) -> Result<Changes, ProjectionError> {
    let mut changes = Changes::default();
    for recorded in batch {
        let damaged = ProjectionError::Damaged(recorded.position);
        match &recorded.event {
            Event::Conversation(ConversationEvent::MessageSent { number, sender, content }) => {
                let Content::Text { text } = content;
                changes.sent.push(MessageRow {
                    position: recorded.position,
                    conversation: recorded.stream.id::<Conversation>().ok_or(damaged)?,
                    number: *number,
                    sender: *sender,
                    kind: MessageKind::Text,
                    text: text_of(text, recorded.position)?.map(str::to_owned),
                    sent_at: recorded.recorded_at,
                });
            }
            Event::Account(AccountEvent::PersonalDataErased {}) => {
                changes.erased.push(recorded.stream.id::<Account>().ok_or(damaged)?);
            }
            Event::Account(
                AccountEvent::AccountRegistered { .. }
                | AccountEvent::SignedIn { .. }
                | AccountEvent::SignInRefused { .. }
                | AccountEvent::SignedOut { .. }
                | AccountEvent::ErasureConfirmed {},
            )
            | Event::Conversation(
                ConversationEvent::ConversationStarted { .. }
                | ConversationEvent::MemberJoined { .. }
                | ConversationEvent::MemberLeft { .. }
                | ConversationEvent::MemberRemoved { .. }
                | ConversationEvent::ManagerAppointed { .. }
                | ConversationEvent::ManagerDismissed { .. }
                | ConversationEvent::OwnershipTransferred { .. }
                | ConversationEvent::ConversationRenamed { .. }
                | ConversationEvent::ConversationDissolved { .. },
            )
            | Event::Handle(_)
            | Event::Friendship(_)
            | Event::Contacts(_) => {}
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::fixture::{conversation, erased, sent as says, started};

    #[test]
    fn what_was_said_is_a_row_and_what_was_erased_is_a_row_without_text() {
        let batch = [started(1, 7, 8), says(2, 7, 8, 1, 7), erased(3, 7, 8, 2, 8)];
        let rows = changes(&batch).unwrap().sent;
        assert_eq!(rows.iter().map(|row| row.number.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(rows[0].conversation, conversation(7, 8));
        assert_eq!((rows[0].text.as_deref(), rows[1].text.as_deref()), (Some("message 1"), None));
    }
}
