//! `account_streams_1`: which parts of which streams may somebody see? For catching up.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::account::AccountEvent;
use domain::contacts::{Contacts, ContactsEvent};
use domain::conversation::{ConversationEvent, ConversationKind};
use domain::friendship::FriendshipEvent;
use domain::{AccountId, Event, Position, Recorded, StreamId};
use eventlog::StreamPart;
use sqlx::PgConnection;

use super::Views;
use crate::error::ProjectionError;
use crate::projection::Projection;

/// The fold of `account_streams_1`.
pub(crate) struct AccountStreams;

#[async_trait]
impl Projection for AccountStreams {
    fn name(&self) -> &'static str {
        "account_streams_1"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["account_streams_1"]
    }

    fn create_sql(&self) -> &'static str {
        "CREATE TABLE account_streams_1 (
             account        uuid   NOT NULL,
             aggregate_type text   NOT NULL,
             aggregate_id   text   NOT NULL,
             after_position bigint NOT NULL,
             until_position bigint,
             PRIMARY KEY (account, aggregate_type, aggregate_id)
         )"
    }

    /// Only the first event that shows a stream to somebody counts, in a batch and over batches.
    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let shown = shown(batch)?;
        if shown.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO account_streams_1 (account, aggregate_type, aggregate_id, after_position)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
             ON CONFLICT (account, aggregate_type, aggregate_id) DO NOTHING",
        )
        .bind(shown.keys().map(|(account, _)| account.0).collect::<Vec<_>>())
        .bind(shown.keys().map(|(_, stream)| stream.aggregate_type).collect::<Vec<_>>())
        .bind(shown.keys().map(|(_, stream)| stream.aggregate_id.as_str()).collect::<Vec<_>>())
        .bind(shown.values().map(|after| after.0).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Who sees which stream since a batch, and from where on: the event that shows it included.
fn shown(batch: &[Recorded]) -> Result<BTreeMap<(AccountId, StreamId), Position>, ProjectionError> {
    let mut shown = BTreeMap::new();
    for recorded in batch {
        for viewer in viewers(recorded)? {
            let before = Position(recorded.position.0 - 1);
            shown.entry((viewer, recorded.stream.clone())).or_insert(before);
        }
    }
    Ok(shown)
}

/// The accounts that may see a stream since this event, at the latest.
fn viewers(recorded: &Recorded) -> Result<Vec<AccountId>, ProjectionError> {
    let damaged = ProjectionError::Damaged(recorded.position);
    match &recorded.event {
        Event::Account(AccountEvent::AccountRegistered { .. }) => {
            let own = recorded.stream.id::<domain::account::Account>();
            own.map(|account| vec![account]).ok_or(damaged)
        }
        Event::Contacts(ContactsEvent::FriendFiled { friend: _ }) => {
            recorded.stream.id::<Contacts>().map(|account| vec![account]).ok_or(damaged)
        }
        Event::Friendship(
            FriendshipEvent::FriendRequested { from: one, to: other }
            | FriendshipEvent::FriendRequestConfirmed { from: one, by: other },
        ) => Ok(vec![*one, *other]),
        Event::Conversation(ConversationEvent::ConversationStarted {
            kind: ConversationKind::Private { members },
        }) => Ok(members.to_vec()),
        Event::Account(
            AccountEvent::SignedIn { .. }
            | AccountEvent::SignInRefused { .. }
            | AccountEvent::SignedOut { .. }
            | AccountEvent::PersonalDataErased {}
            | AccountEvent::ErasureConfirmed {},
        )
        | Event::Handle(_)
        | Event::Conversation(ConversationEvent::MessageSent { .. }) => Ok(vec![]),
    }
}

#[derive(sqlx::FromRow)]
struct StreamRow {
    aggregate_type: String,
    aggregate_id: String,
    after_position: i64,
    until_position: Option<i64>,
}

impl TryFrom<StreamRow> for StreamPart {
    type Error = ProjectionError;

    fn try_from(row: StreamRow) -> Result<Self, ProjectionError> {
        let aggregate_type = domain::event::aggregate_type(&row.aggregate_type)
            .ok_or(ProjectionError::DamagedView("account_streams_1"))?;
        Ok(Self {
            stream: StreamId { aggregate_type, aggregate_id: row.aggregate_id },
            after: Position(row.after_position),
            until: row.until_position.map(Position),
        })
    }
}

impl Views {
    /// Every part of a stream that somebody may see: own account and address book, friendships,
    /// conversations. As many as the person has of them; one index range.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    /// [`ProjectionError::DamagedView`]: rebuild `account_streams_1`.
    pub async fn streams_of(&self, account: AccountId) -> Result<Vec<StreamPart>, ProjectionError> {
        let rows: Vec<StreamRow> = sqlx::query_as(
            "SELECT aggregate_type, aggregate_id, after_position, until_position
             FROM views.account_streams_1 WHERE account = $1 ORDER BY aggregate_type, aggregate_id",
        )
        .bind(account.0)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(StreamPart::try_from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::fixture::{account, confirmed, requested, sent, started};

    #[test]
    fn both_see_their_friendship_from_its_first_event_on() {
        let shown = shown(&[requested(5, 7, 8), confirmed(6, 7, 8)]).unwrap();
        assert_eq!(shown.values().collect::<Vec<_>>(), [&Position(4), &Position(4)]);
        assert_eq!(shown.keys().map(|(who, _)| *who).collect::<Vec<_>>(), [account(7), account(8)]);
    }

    #[test]
    fn a_message_shows_its_conversation_to_nobody_new() {
        assert_eq!(shown(&[started(3, 7, 8), sent(4, 7, 8, 1, 7)]).unwrap().len(), 2);
        assert!(shown(&[sent(4, 7, 8, 1, 7)]).unwrap().is_empty());
    }
}
