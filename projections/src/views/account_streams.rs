//! `account_streams_2`: which parts of which streams may somebody see? For catching up.
//!
//! A conversation is seen from the newest joining on. Of one that somebody is no longer in, only the event
//! is left that says so: a device that was away learns of it, and of nothing that was said before.

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

/// The fold of `account_streams_2`.
pub(crate) struct AccountStreams;

#[async_trait]
impl Projection for AccountStreams {
    fn name(&self) -> &'static str {
        "account_streams_2"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["account_streams_2"]
    }

    fn create_sql(&self) -> &'static str {
        "CREATE TABLE account_streams_2 (
             account        uuid   NOT NULL,
             aggregate_type text   NOT NULL,
             aggregate_id   text   NOT NULL,
             after_position bigint NOT NULL,
             until_position bigint,
             PRIMARY KEY (account, aggregate_type, aggregate_id)
         );
         CREATE INDEX account_streams_2_members ON account_streams_2 (aggregate_id)
             WHERE aggregate_type = 'conversation'"
    }

    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let changes = changes(batch)?;
        if !changes.shown.is_empty() {
            write_shown(connection, &changes.shown).await?;
        }
        if !changes.dissolved.is_empty() {
            write_dissolved(connection, &changes.dissolved).await?;
        }
        Ok(())
    }
}

/// The part of a stream: behind the first position, up to the second or without end.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Part(Position, Option<Position>);

impl Part {
    /// From an event on.
    fn since(recorded: &Recorded) -> Self {
        Self(Position(recorded.position.0 - 1), None)
    }

    /// An event alone.
    fn only(recorded: &Recorded) -> Self {
        Self(Position(recorded.position.0 - 1), Some(recorded.position))
    }
}

/// What a batch makes of what people see.
#[derive(Default)]
struct Changes {
    /// The part that somebody sees of a stream, the newest one.
    shown: BTreeMap<(AccountId, StreamId), Part>,
    /// Groups that ended.
    dissolved: BTreeMap<StreamId, Part>,
}

fn changes(batch: &[Recorded]) -> Result<Changes, ProjectionError> {
    let mut changes = Changes::default();
    for recorded in batch {
        if let Event::Conversation(ConversationEvent::ConversationDissolved { .. }) = &recorded.event {
            changes.dissolved.insert(recorded.stream.clone(), Part::only(recorded));
        }
        for (viewer, part) in viewers(recorded)? {
            let key = (viewer, recorded.stream.clone());
            if matches!(recorded.event, Event::Conversation(_)) {
                changes.shown.insert(key, part);
            } else {
                changes.shown.entry(key).or_insert(part);
            }
        }
    }
    Ok(changes)
}

/// The accounts whose part of the stream begins or ends with this event.
fn viewers(recorded: &Recorded) -> Result<Vec<(AccountId, Part)>, ProjectionError> {
    let damaged = ProjectionError::Damaged(recorded.position);
    let since = Part::since(recorded);
    match &recorded.event {
        Event::Account(AccountEvent::AccountRegistered { .. }) => {
            let own = recorded.stream.id::<domain::account::Account>();
            own.map(|account| vec![(account, since)]).ok_or(damaged)
        }
        Event::Contacts(ContactsEvent::FriendFiled { friend: _ }) => {
            recorded.stream.id::<Contacts>().map(|account| vec![(account, since)]).ok_or(damaged)
        }
        Event::Friendship(
            FriendshipEvent::FriendRequested { from: one, to: other }
            | FriendshipEvent::FriendRequestConfirmed { from: one, by: other },
        ) => Ok(vec![(*one, since), (*other, since)]),
        Event::Conversation(event) => Ok(members(recorded, event)),
        Event::Account(
            AccountEvent::SignedIn { .. }
            | AccountEvent::SignInRefused { .. }
            | AccountEvent::SignedOut { .. }
            | AccountEvent::PersonalDataErased {}
            | AccountEvent::ErasureConfirmed {},
        )
        | Event::Handle(_) => Ok(vec![]),
    }
}

/// Whose membership begins or ends.
fn members(recorded: &Recorded, event: &ConversationEvent) -> Vec<(AccountId, Part)> {
    let since = Part::since(recorded);
    match event {
        ConversationEvent::ConversationStarted { kind: ConversationKind::Private { members } } => {
            members.map(|member| (member, since)).to_vec()
        }
        ConversationEvent::ConversationStarted { kind: ConversationKind::Group { name: _, owner } } => {
            vec![(*owner, since)]
        }
        ConversationEvent::MemberJoined { member, .. } => vec![(*member, since)],
        ConversationEvent::MemberLeft { member } | ConversationEvent::MemberRemoved { member, .. } => {
            vec![(*member, Part::only(recorded))]
        }
        ConversationEvent::MessageSent { .. }
        | ConversationEvent::ManagerAppointed { .. }
        | ConversationEvent::ManagerDismissed { .. }
        | ConversationEvent::OwnershipTransferred { .. }
        | ConversationEvent::ConversationRenamed { .. }
        | ConversationEvent::ConversationDissolved { .. } => vec![],
    }
}

/// Only the first event that shows a stream to somebody counts, but for conversations the newest one.
async fn write_shown(
    connection: &mut PgConnection,
    shown: &BTreeMap<(AccountId, StreamId), Part>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO account_streams_2 (account, aggregate_type, aggregate_id, after_position, until_position)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
         ON CONFLICT (account, aggregate_type, aggregate_id) DO UPDATE
         SET after_position = excluded.after_position, until_position = excluded.until_position
         WHERE excluded.aggregate_type = 'conversation'",
    )
    .bind(shown.keys().map(|(account, _)| account.0).collect::<Vec<_>>())
    .bind(shown.keys().map(|(_, stream)| stream.aggregate_type).collect::<Vec<_>>())
    .bind(shown.keys().map(|(_, stream)| stream.aggregate_id.as_str()).collect::<Vec<_>>())
    .bind(shown.values().map(|Part(after, _)| after.0).collect::<Vec<_>>())
    .bind(shown.values().map(|Part(_, until)| until.map(|until| until.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whoever was still there sees the end and nothing else.
async fn write_dissolved(
    connection: &mut PgConnection,
    dissolved: &BTreeMap<StreamId, Part>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE account_streams_2 AS known SET after_position = gone.after, until_position = gone.until
         FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS gone (id, after, until)
         WHERE known.aggregate_type = 'conversation' AND known.aggregate_id = gone.id
           AND known.until_position IS NULL",
    )
    .bind(dissolved.keys().map(|stream| stream.aggregate_id.as_str()).collect::<Vec<_>>())
    .bind(dissolved.values().map(|Part(after, _)| after.0).collect::<Vec<_>>())
    .bind(dissolved.values().map(|Part(_, until)| until.map(|until| until.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
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
            .ok_or(ProjectionError::DamagedView("account_streams_2"))?;
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
    /// [`ProjectionError::DamagedView`]: rebuild `account_streams_2`.
    pub async fn streams_of(&self, account: AccountId) -> Result<Vec<StreamPart>, ProjectionError> {
        let rows: Vec<StreamRow> = sqlx::query_as(
            "SELECT aggregate_type, aggregate_id, after_position, until_position
             FROM views.account_streams_2 WHERE account = $1 ORDER BY aggregate_type, aggregate_id",
        )
        .bind(account.0)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(StreamPart::try_from).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::MessageNumber;

    use super::*;
    use crate::projection::fixture::{account, confirmed, group, in_group, requested, sent, started};

    #[test]
    fn both_see_their_friendship_from_its_first_event_on() {
        let shown = changes(&[requested(5, 7, 8), confirmed(6, 7, 8)]).unwrap().shown;
        assert!(shown.values().all(|part| *part == Part(Position(4), None)));
        assert_eq!(shown.keys().map(|(who, _)| *who).collect::<Vec<_>>(), [account(7), account(8)]);
    }

    #[test]
    fn a_message_shows_its_conversation_to_nobody_new() {
        assert_eq!(changes(&[started(3, 7, 8), sent(4, 7, 8, 1, 7)]).unwrap().shown.len(), 2);
        assert!(changes(&[sent(4, 7, 8, 1, 7)]).unwrap().shown.is_empty());
    }

    #[test]
    fn who_left_a_group_sees_that_alone_and_who_comes_back_what_comes_then() {
        let member = account(8);
        let joined = ConversationEvent::MemberJoined { member, by: account(7), after: MessageNumber(0) };
        let mut batch = vec![
            in_group(3, ConversationEvent::ConversationStarted { kind: group(7) }),
            in_group(4, joined.clone()),
            in_group(6, ConversationEvent::MemberLeft { member }),
        ];
        let part = |batch: &[Recorded]| {
            let shown = changes(batch).unwrap().shown;
            shown.into_iter().find(|((who, _), _)| *who == member).unwrap().1
        };
        assert_eq!(part(&batch), Part(Position(5), Some(Position(6))));
        batch.push(in_group(9, joined));
        assert_eq!(part(&batch), Part(Position(8), None));
    }
}
