//! `friends_1`: who is friends with whom, and who asked whom? The tables and their fold.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::friendship::FriendshipEvent;
use domain::{AccountId, ConversationId, Event, Pair, Position, Recorded};
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::projection::Projection;

/// The fold of `friends_1` and `friend_requests_1`.
pub(crate) struct Friends;

/// A place in the log and its moment.
type Moment = (Position, DateTime<Utc>);

/// What a batch makes of friendships.
#[derive(Debug, Default, PartialEq)]
struct Changes {
    /// The newest request of a pair with its answer, when that is in the batch too.
    requests: BTreeMap<Pair, Request>,
    /// Answers to requests of earlier batches.
    answers: BTreeMap<Pair, Moment>,
    /// Those who became friends.
    friends: BTreeMap<Pair, Moment>,
}

#[derive(Debug, PartialEq)]
struct Request {
    from: AccountId,
    to: AccountId,
    requested: Moment,
    answered: Option<Moment>,
}

#[async_trait]
impl Projection for Friends {
    fn name(&self) -> &'static str {
        "friends_1"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["friends_1", "friend_requests_1"]
    }

    /// A friendship is a row for each of both, so that a list is one index range; a request is one row
    /// per pair, found from either end.
    fn create_sql(&self) -> &'static str {
        "CREATE TABLE friends_1 (
             account        uuid        NOT NULL,
             friend         uuid        NOT NULL,
             since_position bigint      NOT NULL,
             since          timestamptz NOT NULL,
             conversation   uuid        NOT NULL,
             PRIMARY KEY (account, friend)
         );
         CREATE UNIQUE INDEX friends_1_newest ON friends_1 (account, since_position DESC);
         CREATE TABLE friend_requests_1 (
             low               uuid        NOT NULL,
             high              uuid        NOT NULL,
             requester         uuid        NOT NULL,
             addressee         uuid        NOT NULL,
             position          bigint      NOT NULL UNIQUE,
             requested_at      timestamptz NOT NULL,
             state             text        NOT NULL CHECK (state IN ('open', 'confirmed')),
             answered_position bigint,
             answered_at       timestamptz,
             PRIMARY KEY (low, high)
         );
         CREATE INDEX friend_requests_1_sent ON friend_requests_1 (requester, position DESC);
         CREATE INDEX friend_requests_1_received ON friend_requests_1 (addressee, position DESC)"
    }

    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError> {
        let changes = changes(batch)?;
        if !changes.requests.is_empty() {
            write_requests(connection, &changes.requests).await?;
        }
        if !changes.answers.is_empty() {
            write_answers(connection, &changes.answers).await?;
        }
        if !changes.friends.is_empty() {
            write_friends(connection, &changes.friends).await?;
        }
        Ok(())
    }
}

/// Folds a batch: the newest request of a pair counts.
fn changes(batch: &[Recorded]) -> Result<Changes, ProjectionError> {
    let mut changes = Changes::default();
    for recorded in batch {
        let now = (recorded.position, recorded.recorded_at);
        let pair_of = |one, other| Pair::of(one, other).ok_or(ProjectionError::Damaged(recorded.position));
        match &recorded.event {
            Event::Friendship(FriendshipEvent::FriendRequested { from, to }) => {
                let request = Request { from: *from, to: *to, requested: now, answered: None };
                let pair = pair_of(*from, *to)?;
                changes.answers.remove(&pair);
                changes.requests.insert(pair, request);
            }
            Event::Friendship(FriendshipEvent::FriendRequestConfirmed { from, by }) => {
                let pair = pair_of(*from, *by)?;
                if let Some(request) = changes.requests.get_mut(&pair) {
                    request.answered = Some(now);
                } else {
                    changes.answers.insert(pair, now);
                }
                changes.friends.insert(pair, now);
            }
            Event::Account(_) | Event::Handle(_) | Event::Contacts(_) | Event::Conversation(_) => {}
        }
    }
    Ok(changes)
}

fn lows<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Vec<uuid::Uuid> {
    pairs.map(|pair| pair.members()[0].0).collect()
}

fn highs<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Vec<uuid::Uuid> {
    pairs.map(|pair| pair.members()[1].0).collect()
}

async fn write_requests(
    connection: &mut PgConnection,
    requests: &BTreeMap<Pair, Request>,
) -> Result<(), ProjectionError> {
    let answered = |request: &Request| request.answered;
    sqlx::query(
        "INSERT INTO friend_requests_1
             (low, high, requester, addressee, position, requested_at, state, answered_position, answered_at)
         SELECT low, high, requester, addressee, position, requested_at,
                CASE WHEN answered_position IS NULL THEN 'open' ELSE 'confirmed' END,
                answered_position, answered_at
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::timestamptz[],
                     $7::bigint[], $8::timestamptz[])
              AS new (low, high, requester, addressee, position, requested_at, answered_position, answered_at)
         ON CONFLICT (low, high) DO UPDATE SET
             requester = excluded.requester, addressee = excluded.addressee, position = excluded.position,
             requested_at = excluded.requested_at, state = excluded.state,
             answered_position = excluded.answered_position, answered_at = excluded.answered_at",
    )
    .bind(lows(requests.keys()))
    .bind(highs(requests.keys()))
    .bind(requests.values().map(|request| request.from.0).collect::<Vec<_>>())
    .bind(requests.values().map(|request| request.to.0).collect::<Vec<_>>())
    .bind(requests.values().map(|request| request.requested.0.0).collect::<Vec<_>>())
    .bind(requests.values().map(|request| request.requested.1).collect::<Vec<_>>())
    .bind(requests.values().map(|request| answered(request).map(|at| at.0.0)).collect::<Vec<_>>())
    .bind(requests.values().map(|request| answered(request).map(|at| at.1)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_answers(
    connection: &mut PgConnection,
    answers: &BTreeMap<Pair, Moment>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE friend_requests_1 AS request
         SET state = 'confirmed', answered_position = answer.position, answered_at = answer.at
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[]) AS answer (low, high, position, at)
         WHERE request.low = answer.low AND request.high = answer.high",
    )
    .bind(lows(answers.keys()))
    .bind(highs(answers.keys()))
    .bind(answers.values().map(|at| at.0.0).collect::<Vec<_>>())
    .bind(answers.values().map(|at| at.1).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_friends(
    connection: &mut PgConnection,
    friends: &BTreeMap<Pair, Moment>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO friends_1 (account, friend, since_position, since, conversation)
         SELECT side.account, side.friend, new.position, new.at, new.conversation
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::uuid[])
              AS new (low, high, position, at, conversation)
         CROSS JOIN LATERAL (VALUES (low, high), (high, low)) AS side (account, friend)",
    )
    .bind(lows(friends.keys()))
    .bind(highs(friends.keys()))
    .bind(friends.values().map(|at| at.0.0).collect::<Vec<_>>())
    .bind(friends.values().map(|at| at.1).collect::<Vec<_>>())
    .bind(friends.keys().map(|pair| ConversationId::private(pair).0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::fixture::{account, confirmed, noon, requested};

    #[test]
    fn a_request_and_its_answer_in_one_batch_are_one_row() {
        let changes = changes(&[requested(1, 7, 8), confirmed(2, 7, 8)]).unwrap();
        let pair = Pair::of(account(7), account(8)).unwrap();
        assert_eq!(changes.requests[&pair].answered, Some((Position(2), noon())));
        assert_eq!((changes.answers.len(), changes.friends.len()), (0, 1));
    }

    #[test]
    fn an_answer_to_an_older_request_is_an_answer() {
        let changes = changes(&[confirmed(2, 7, 8)]).unwrap();
        assert_eq!((changes.requests.len(), changes.answers.len(), changes.friends.len()), (0, 1, 1));
    }
}
