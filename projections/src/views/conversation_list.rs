//! `conversation_list_1`: which conversations is somebody in, which is the newest, and what is unread?
//! The tables and their fold.
//!
//! Invariant: a message costs one update of its conversation and one of its sender's membership, however
//! many members there are. Unread is the difference of two numbers and stored nowhere.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::conversation::{Conversation, ConversationEvent, ConversationKind};
use domain::{AccountId, ConversationId, Event, MessageNumber, Position, Recorded};
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::projection::Projection;

/// The fold of `conversations_1` and `members_1`.
pub(crate) struct ConversationList;

/// What a batch makes of conversations.
#[derive(Debug, Default, PartialEq)]
struct Changes {
    started: Vec<Started>,
    joined: Vec<(ConversationId, AccountId, Position)>,
    /// The newest message of each conversation.
    newest: BTreeMap<ConversationId, (MessageNumber, Position, DateTime<Utc>)>,
    /// How far members have read: who sends has read up to there.
    read: BTreeMap<(ConversationId, AccountId), MessageNumber>,
}

#[derive(Debug, PartialEq)]
struct Started {
    conversation: ConversationId,
    position: Position,
    kind: &'static str,
    at: DateTime<Utc>,
}

#[async_trait]
impl Projection for ConversationList {
    fn name(&self) -> &'static str {
        "conversation_list_1"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["conversations_1", "members_1"]
    }

    /// No index holds what a message changes, so that its updates stay in their pages (HOT). Lists are
    /// sorted when read: as many probes as the reader has conversations.
    fn create_sql(&self) -> &'static str {
        "CREATE TABLE conversations_1 (
             conversation  uuid        NOT NULL PRIMARY KEY,
             position      bigint      NOT NULL UNIQUE,
             kind          text        NOT NULL CHECK (kind IN ('private')),
             last_number   bigint      NOT NULL,
             last_position bigint      NOT NULL,
             last_at       timestamptz NOT NULL
         ) WITH (fillfactor = 80);
         CREATE TABLE members_1 (
             conversation    uuid   NOT NULL,
             account         uuid   NOT NULL,
             joined_position bigint NOT NULL,
             left_position   bigint,
             read_number     bigint NOT NULL,
             PRIMARY KEY (conversation, account)
         ) WITH (fillfactor = 80);
         CREATE INDEX members_1_account ON members_1 (account)"
    }

    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let changes = changes(batch)?;
        if !changes.started.is_empty() {
            write_started(connection, &changes.started).await?;
            write_joined(connection, &changes.joined).await?;
        }
        if !changes.newest.is_empty() {
            write_newest(connection, &changes.newest).await?;
            write_read(connection, &changes.read).await?;
        }
        Ok(())
    }
}

/// Folds a batch: of all messages of a conversation only the newest leaves a trace.
fn changes(batch: &[Recorded]) -> Result<Changes, ProjectionError> {
    let mut changes = Changes::default();
    for recorded in batch {
        let (position, at) = (recorded.position, recorded.recorded_at);
        let conversation =
            || recorded.stream.id::<Conversation>().ok_or(ProjectionError::Damaged(recorded.position));
        match &recorded.event {
            Event::Conversation(ConversationEvent::ConversationStarted {
                kind: ConversationKind::Private { members },
            }) => {
                let conversation = conversation()?;
                changes.started.push(Started { conversation, position, kind: "private", at });
                changes.joined.extend(members.map(|member| (conversation, member, position)));
            }
            Event::Conversation(ConversationEvent::MessageSent { number, sender, content: _ }) => {
                let conversation = conversation()?;
                changes.newest.insert(conversation, (*number, position, at));
                changes.read.insert((conversation, *sender), *number);
            }
            Event::Account(_) | Event::Handle(_) | Event::Friendship(_) | Event::Contacts(_) => {}
        }
    }
    Ok(changes)
}

async fn write_started(connection: &mut PgConnection, started: &[Started]) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO conversations_1 (conversation, position, kind, last_number, last_position, last_at)
         SELECT conversation, position, kind, 0, position, at
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[])
              AS new (conversation, position, kind, at)",
    )
    .bind(started.iter().map(|row| row.conversation.0).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.position.0).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.kind).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.at).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_joined(
    connection: &mut PgConnection,
    joined: &[(ConversationId, AccountId, Position)],
) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO members_1 (conversation, account, joined_position, left_position, read_number)
         SELECT conversation, account, position, NULL, 0
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS new (conversation, account, position)",
    )
    .bind(joined.iter().map(|(conversation, _, _)| conversation.0).collect::<Vec<_>>())
    .bind(joined.iter().map(|(_, account, _)| account.0).collect::<Vec<_>>())
    .bind(joined.iter().map(|(_, _, position)| position.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_newest(
    connection: &mut PgConnection,
    newest: &BTreeMap<ConversationId, (MessageNumber, Position, DateTime<Utc>)>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE conversations_1 AS known
         SET last_number = newest.number, last_position = newest.position, last_at = newest.at
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[])
              AS newest (conversation, number, position, at)
         WHERE known.conversation = newest.conversation",
    )
    .bind(newest.keys().map(|conversation| conversation.0).collect::<Vec<_>>())
    .bind(newest.values().map(|(number, _, _)| i64::from(number.0)).collect::<Vec<_>>())
    .bind(newest.values().map(|(_, position, _)| position.0).collect::<Vec<_>>())
    .bind(newest.values().map(|(_, _, at)| *at).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_read(
    connection: &mut PgConnection,
    read: &BTreeMap<(ConversationId, AccountId), MessageNumber>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE members_1 AS known SET read_number = greatest(known.read_number, read.number)
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS read (conversation, account, number)
         WHERE known.conversation = read.conversation AND known.account = read.account",
    )
    .bind(read.keys().map(|(conversation, _)| conversation.0).collect::<Vec<_>>())
    .bind(read.keys().map(|(_, account)| account.0).collect::<Vec<_>>())
    .bind(read.values().map(|number| i64::from(number.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::fixture::{account, conversation, noon, sent, started};

    #[test]
    fn a_hundred_messages_are_one_conversation_and_one_row_per_sender() {
        let mut batch = vec![started(1, 7, 8)];
        batch.extend((1..=100).map(|n| sent(1 + i64::from(n), 7, 8, n, if n % 2 == 0 { 7 } else { 8 })));
        let changes = changes(&batch).unwrap();
        let id = conversation(7, 8);
        assert_eq!(changes.newest[&id], (MessageNumber(100), Position(101), noon()));
        assert_eq!(
            changes.read,
            [((id, account(7)), MessageNumber(100)), ((id, account(8)), MessageNumber(99))].into()
        );
        assert_eq!((changes.started.len(), changes.joined.len()), (1, 2));
    }
}
