//! The reads of `members_2` by conversation: who is in a group. They know nothing of the viewer: the caller
//! checks that the viewer is in it.

use chrono::{DateTime, Utc};
use domain::conversation::Role;
use domain::{AccountId, ConversationId, Position};
use uuid::Uuid;

use super::conversation_reads::role;
use super::{Views, rows};
use crate::error::ProjectionError;

/// Somebody who is in a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemberRow {
    /// Who.
    pub account: AccountId,
    /// What the member is in it.
    pub role: Role,
    /// The position of the joining: unique in a group, the cursor of lists.
    pub joined_position: Position,
    /// When that was.
    pub joined_at: DateTime<Utc>,
}

/// A part of a group's members.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemberPage {
    /// The group.
    pub conversation: ConversationId,
    /// Only who joined after this.
    pub after: Position,
    /// At most so many, up to [`ROWS_MAX`](crate::ROWS_MAX).
    pub limit: u32,
}

#[derive(sqlx::FromRow)]
struct Row {
    page: i64,
    account: Uuid,
    role: String,
    joined_position: i64,
    joined_at: DateTime<Utc>,
}

impl Views {
    /// The present members of groups, those who joined first in front: one list per page, in the same
    /// order. One statement for all pages, one index range each.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the query failed; retry.
    /// [`ProjectionError::DamagedView`]: rebuild `conversation_list_2`.
    pub async fn members(&self, pages: &[MemberPage]) -> Result<Vec<Vec<MemberRow>>, ProjectionError> {
        let found: Vec<Row> = sqlx::query_as(
            "SELECT wanted.page, found.* FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])
                 WITH ORDINALITY AS wanted (conversation, after, items, page)
             CROSS JOIN LATERAL (
                 SELECT account, role, joined_position, joined_at FROM views.members_2 AS member
                 WHERE member.conversation = wanted.conversation AND member.left_position IS NULL
                   AND member.joined_position > wanted.after
                 ORDER BY member.joined_position LIMIT wanted.items
             ) AS found
             ORDER BY wanted.page, found.joined_position",
        )
        .bind(pages.iter().map(|page| page.conversation.0).collect::<Vec<_>>())
        .bind(pages.iter().map(|page| page.after.0).collect::<Vec<_>>())
        .bind(pages.iter().map(|page| rows(page.limit)).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let mut members = vec![vec![]; pages.len()];
        for row in found {
            let place = usize::try_from(row.page - 1).unwrap_or(usize::MAX);
            if let Some(page) = members.get_mut(place) {
                page.push(MemberRow {
                    account: AccountId(row.account),
                    role: role(&row.role)?,
                    joined_position: Position(row.joined_position),
                    joined_at: row.joined_at,
                });
            }
        }
        Ok(members)
    }
}
