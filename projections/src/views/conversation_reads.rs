//! The reads of `conversations_2` and `members_2`. Only present members see a conversation.

use chrono::{DateTime, Utc};
use domain::conversation::Role;
use domain::{AccountId, ConversationId, MessageNumber, Position};
use uuid::Uuid;

use super::{Views, rows};
use crate::error::ProjectionError;

/// A conversation as one of its members sees it in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// The conversation.
    pub conversation: ConversationId,
    /// The position of its start: its public identity.
    pub position: Position,
    /// What kind it is.
    pub kind: ConversationKind,
    /// Both members of a private conversation, the lower id first; none of a group.
    pub members: Vec<AccountId>,
    /// The name of a group; none when it was erased, and of a private conversation.
    pub name: Option<String>,
    /// Who owns a group; none of a private conversation.
    pub owner: Option<AccountId>,
    /// How many are in it.
    pub member_count: u32,
    /// When it was opened.
    pub started_at: DateTime<Utc>,
    /// What the member is in it.
    pub role: Role,
    /// The member sees the messages after this one.
    pub joined_number: MessageNumber,
    /// The number of the newest message; zero before the first.
    pub last_number: MessageNumber,
    /// The position of the newest message; that of the start before the first. Unique: the cursor of lists.
    pub last_position: Position,
    /// When that was.
    pub last_at: DateTime<Utc>,
    /// Up to which message the member has read.
    pub read_number: MessageNumber,
    /// How many messages the member has not read.
    pub unread: u32,
}

/// Shows everything but the name: personal data must not reach a log line.
impl std::fmt::Debug for ConversationRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConversationRow")
            .field("conversation", &self.conversation)
            .field("position", &self.position)
            .field("kind", &self.kind)
            .field("last_number", &self.last_number)
            .field("read_number", &self.read_number)
            .finish_non_exhaustive()
    }
}

/// The kinds of conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConversationKind {
    /// Between two friends.
    Private,
    /// Of many.
    Group,
}

#[derive(sqlx::FromRow)]
struct Row {
    conversation: Uuid,
    position: i64,
    kind: String,
    members: Vec<Uuid>,
    name: Option<String>,
    owner: Option<Uuid>,
    member_count: i64,
    started_at: DateTime<Utc>,
    role: String,
    joined_number: i64,
    last_number: i64,
    last_position: i64,
    last_at: DateTime<Utc>,
    read_number: i64,
}

pub(super) const DAMAGED: ProjectionError = ProjectionError::DamagedView("conversation_list_2");

impl TryFrom<Row> for ConversationRow {
    type Error = ProjectionError;

    fn try_from(row: Row) -> Result<Self, ProjectionError> {
        let number = |stored: i64| u32::try_from(stored).map_err(|_| DAMAGED);
        Ok(Self {
            conversation: ConversationId(row.conversation),
            position: Position(row.position),
            kind: match row.kind.as_str() {
                "private" => ConversationKind::Private,
                "group" => ConversationKind::Group,
                _ => return Err(DAMAGED),
            },
            members: row.members.into_iter().map(AccountId).collect(),
            name: row.name,
            owner: row.owner.map(AccountId),
            member_count: number(row.member_count)?,
            started_at: row.started_at,
            role: role(&row.role)?,
            joined_number: MessageNumber(number(row.joined_number)?),
            last_number: MessageNumber(number(row.last_number)?),
            last_position: Position(row.last_position),
            last_at: row.last_at,
            read_number: MessageNumber(number(row.read_number)?),
            unread: number(row.last_number - row.read_number)?,
        })
    }
}

/// A role as the table holds it.
pub(super) fn role(stored: &str) -> Result<Role, ProjectionError> {
    match stored {
        "member" => Ok(Role::Member),
        "manager" => Ok(Role::Manager),
        "owner" => Ok(Role::Owner),
        _ => Err(DAMAGED),
    }
}

/// The conversations of the account `$1`. Members are gathered after the limit, and only of private ones:
/// a group may have ten thousand.
fn statement(condition: &str) -> String {
    format!(
        "SELECT page.*, ARRAY(SELECT other.account FROM views.members_2 AS other
                              WHERE other.conversation = page.conversation AND page.kind = 'private'
                              ORDER BY other.account) AS members
         FROM (SELECT known.conversation, known.position, known.kind, known.name, known.owner,
                      known.member_count, known.started_at, known.last_number, known.last_position,
                      known.last_at, member.role, member.joined_number, member.read_number
               FROM views.members_2 AS member JOIN views.conversations_2 AS known USING (conversation)
               WHERE member.account = $1 AND member.left_position IS NULL AND {condition}) AS page
         ORDER BY page.last_position DESC"
    )
}

impl Views {
    /// The conversations that somebody is in, the one with the newest activity first: at most `limit`, all
    /// with their last activity before `after`. Costs a probe per conversation of the account.
    ///
    /// A conversation that becomes active while pages are read moves to the front; no page misses another.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    /// [`ProjectionError::DamagedView`]: rebuild `conversation_list_2`.
    pub async fn conversations(
        &self,
        account: AccountId,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<ConversationRow>, ProjectionError> {
        let rows: Vec<Row> =
            sqlx::query_as(&statement("known.last_position < $2 ORDER BY known.last_position DESC LIMIT $3"))
                .bind(account.0)
                .bind(after.map_or(i64::MAX, |after| after.0))
                .bind(rows(limit))
                .fetch_all(&self.pool)
                .await?;
        rows.into_iter().map(ConversationRow::try_from).collect()
    }

    /// The conversation that started at a position; none for everybody but its present members.
    ///
    /// # Errors
    /// As [`Views::conversations`].
    pub async fn conversation(
        &self,
        account: AccountId,
        position: Position,
    ) -> Result<Option<ConversationRow>, ProjectionError> {
        let row: Option<Row> = sqlx::query_as(&statement("known.position = $2"))
            .bind(account.0)
            .bind(position.0)
            .fetch_optional(&self.pool)
            .await?;
        row.map(ConversationRow::try_from).transpose()
    }

    /// Those of these conversations that somebody is in, newest activity first.
    ///
    /// # Errors
    /// As [`Views::conversations`].
    pub async fn conversations_by_id(
        &self,
        account: AccountId,
        conversations: &[ConversationId],
    ) -> Result<Vec<ConversationRow>, ProjectionError> {
        let rows: Vec<Row> = sqlx::query_as(&statement("member.conversation = ANY($2)"))
            .bind(account.0)
            .bind(conversations.iter().map(|conversation| conversation.0).collect::<Vec<_>>())
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(ConversationRow::try_from).collect()
    }

    /// How many messages somebody has not read, over all conversations.
    ///
    /// # Errors
    /// As [`Views::conversations`].
    pub async fn unread_total(&self, account: AccountId) -> Result<u64, ProjectionError> {
        let total: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(known.last_number - member.read_number), 0)::bigint
             FROM views.members_2 AS member JOIN views.conversations_2 AS known USING (conversation)
             WHERE member.account = $1 AND member.left_position IS NULL",
        )
        .bind(account.0)
        .fetch_one(&self.pool)
        .await?;
        u64::try_from(total).map_err(|_| DAMAGED)
    }
}
