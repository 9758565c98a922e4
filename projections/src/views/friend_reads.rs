//! The reads of `friends_1` and `friend_requests_1`.

use chrono::{DateTime, Utc};
use domain::{AccountId, ConversationId, Pair, Position};
use uuid::Uuid;

use super::{Views, rows};
use crate::error::ProjectionError;

/// A friend of somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Friend {
    /// Whose friend.
    pub account: AccountId,
    /// The friend.
    pub friend: AccountId,
    /// The position of the confirmation; unique among the friends of an account.
    pub since_position: Position,
    /// When they became friends.
    pub since: DateTime<Utc>,
    /// Their conversation.
    pub conversation: ConversationId,
}

/// A friend request, the newest one of its pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FriendRequest {
    /// Who asked.
    pub from: AccountId,
    /// Who was asked.
    pub to: AccountId,
    /// The position of the request: its public identity.
    pub position: Position,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// What became of it.
    pub state: RequestState,
    /// The position and the time of the answer; none while it is open.
    pub answered: Option<(Position, DateTime<Utc>)>,
}

/// What became of a friend request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestState {
    /// Nobody answered yet.
    Open,
    /// They are friends.
    Confirmed,
}

/// Which end of a friend request somebody stands at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Asked by others.
    Received,
    /// Asked by oneself.
    Sent,
}

const FRIEND: &str = "SELECT account, friend, since_position, since, conversation FROM views.friends_1";
const REQUEST: &str =
    "SELECT requester, addressee, position, requested_at, state, answered_position, answered_at
     FROM views.friend_requests_1";

#[derive(sqlx::FromRow)]
struct FriendRow {
    account: Uuid,
    friend: Uuid,
    since_position: i64,
    since: DateTime<Utc>,
    conversation: Uuid,
}

impl From<FriendRow> for Friend {
    fn from(row: FriendRow) -> Self {
        Self {
            account: AccountId(row.account),
            friend: AccountId(row.friend),
            since_position: Position(row.since_position),
            since: row.since,
            conversation: ConversationId(row.conversation),
        }
    }
}

#[derive(sqlx::FromRow)]
struct RequestRow {
    requester: Uuid,
    addressee: Uuid,
    position: i64,
    requested_at: DateTime<Utc>,
    state: String,
    answered_position: Option<i64>,
    answered_at: Option<DateTime<Utc>>,
}

impl TryFrom<RequestRow> for FriendRequest {
    type Error = ProjectionError;

    fn try_from(row: RequestRow) -> Result<Self, ProjectionError> {
        Ok(Self {
            from: AccountId(row.requester),
            to: AccountId(row.addressee),
            position: Position(row.position),
            requested_at: row.requested_at,
            state: match row.state.as_str() {
                "open" => RequestState::Open,
                "confirmed" => RequestState::Confirmed,
                _ => return Err(ProjectionError::DamagedView("friend_requests_1")),
            },
            answered: row.answered_position.map(Position).zip(row.answered_at),
        })
    }
}

impl Views {
    /// The friends of an account, newest first: at most `limit`, all older than the friendship at `after`.
    /// One index range.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    pub async fn friends(
        &self,
        account: AccountId,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Friend>, ProjectionError> {
        let statement = format!(
            "{FRIEND} WHERE account = $1 AND since_position < $2 ORDER BY since_position DESC LIMIT $3"
        );
        let rows: Vec<FriendRow> = sqlx::query_as(&statement)
            .bind(account.0)
            .bind(after.map_or(i64::MAX, |after| after.0))
            .bind(rows(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(Friend::from).collect())
    }

    /// The friendship of two people as the first of them sees it; none when they are no friends.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    pub async fn friend(
        &self,
        account: AccountId,
        other: AccountId,
    ) -> Result<Option<Friend>, ProjectionError> {
        let statement = format!("{FRIEND} WHERE account = $1 AND friend = $2");
        let row: Option<FriendRow> =
            sqlx::query_as(&statement).bind(account.0).bind(other.0).fetch_optional(&self.pool).await?;
        Ok(row.map(Friend::from))
    }

    /// The requests that somebody received or sent, open or answered, newest first: at most `limit`, all
    /// older than the request at `after`. One index range.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    /// [`ProjectionError::DamagedView`]: rebuild `friends_1`.
    pub async fn friend_requests(
        &self,
        account: AccountId,
        direction: Direction,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<FriendRequest>, ProjectionError> {
        let end = match direction {
            Direction::Received => "addressee",
            Direction::Sent => "requester",
        };
        let statement =
            format!("{REQUEST} WHERE {end} = $1 AND position < $2 ORDER BY position DESC LIMIT $3");
        let rows: Vec<RequestRow> = sqlx::query_as(&statement)
            .bind(account.0)
            .bind(after.map_or(i64::MAX, |after| after.0))
            .bind(rows(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(FriendRequest::try_from).collect()
    }

    /// The newest request of a pair.
    ///
    /// # Errors
    /// As [`Views::friend_requests`].
    pub async fn friend_request(&self, pair: Pair) -> Result<Option<FriendRequest>, ProjectionError> {
        let statement = format!("{REQUEST} WHERE low = $1 AND high = $2");
        let [low, high] = pair.members();
        let row: Option<RequestRow> =
            sqlx::query_as(&statement).bind(low.0).bind(high.0).fetch_optional(&self.pool).await?;
        row.map(FriendRequest::try_from).transpose()
    }

    /// Those of the requests at these positions that are the newest of their pair, in no particular
    /// order. The caller checks that the viewer is one of the two.
    ///
    /// # Errors
    /// As [`Views::friend_requests`].
    pub async fn friend_requests_by_position(
        &self,
        positions: &[Position],
    ) -> Result<Vec<FriendRequest>, ProjectionError> {
        let statement = format!("{REQUEST} WHERE position = ANY($1)");
        let rows: Vec<RequestRow> = sqlx::query_as(&statement)
            .bind(positions.iter().map(|position| position.0).collect::<Vec<_>>())
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(FriendRequest::try_from).collect()
    }
}
