//! The writes of `conversation_list_2`: a few statements per batch, of which a batch of messages needs two.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::conversation::Role;
use domain::{AccountId, ConversationId, MessageNumber, Position};
use sqlx::PgConnection;
use uuid::Uuid;

use super::conversation_list::{Changes, Joined, Member, Started};
use crate::error::ProjectionError;

/// Conversations that began, then what changed of them, the newest messages apart.
pub(super) async fn conversations(
    connection: &mut PgConnection,
    changes: &Changes,
) -> Result<(), ProjectionError> {
    if !changes.started.is_empty() {
        started(connection, &changes.started).await?;
    }
    if !changes.names.is_empty() {
        names(connection, &changes.names).await?;
    }
    if !changes.owners.is_empty() {
        owners(connection, &changes.owners).await?;
    }
    if !changes.sizes.is_empty() {
        sizes(connection, &changes.sizes).await?;
    }
    Ok(())
}

/// Who joined, then what became of members, in the order in which the fold forgets.
pub(super) async fn members(connection: &mut PgConnection, changes: &Changes) -> Result<(), ProjectionError> {
    if !changes.joined.is_empty() {
        joined(connection, &changes.joined).await?;
    }
    if !changes.roles.is_empty() {
        roles(connection, &changes.roles).await?;
    }
    if !changes.left.is_empty() {
        left(connection, &changes.left).await?;
    }
    if !changes.dissolved.is_empty() {
        dissolved(connection, &changes.dissolved).await?;
    }
    Ok(())
}

/// A role as the table holds it.
pub(super) fn stored(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Manager => "manager",
        Role::Owner => "owner",
    }
}

fn ids<V>(of: &BTreeMap<ConversationId, V>) -> Vec<Uuid> {
    of.keys().map(|conversation| conversation.0).collect()
}

/// The conversations and the accounts of members, as two columns.
fn columns<V>(of: &BTreeMap<Member, V>) -> (Vec<Uuid>, Vec<Uuid>) {
    of.keys().map(|(conversation, account)| (conversation.0, account.0)).unzip()
}

async fn started(connection: &mut PgConnection, started: &[Started]) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO conversations_2 (conversation, position, kind, name, owner, member_count, started_at,
                                      last_number, last_position, last_at)
         SELECT conversation, position, kind, name, owner, 0, at, 0, position, at
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[])
              AS new (conversation, position, kind, name, owner, at)",
    )
    .bind(started.iter().map(|row| row.conversation.0).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.position.0).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.kind).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.name.as_deref()).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.owner.map(|owner| owner.0)).collect::<Vec<_>>())
    .bind(started.iter().map(|row| row.at).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn names(
    connection: &mut PgConnection,
    names: &BTreeMap<ConversationId, Option<String>>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE conversations_2 AS known SET name = new.name
         FROM unnest($1::uuid[], $2::text[]) AS new (conversation, name)
         WHERE known.conversation = new.conversation",
    )
    .bind(ids(names))
    .bind(names.values().map(Option::as_deref).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn owners(
    connection: &mut PgConnection,
    owners: &BTreeMap<ConversationId, AccountId>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE conversations_2 AS known SET owner = new.owner
         FROM unnest($1::uuid[], $2::uuid[]) AS new (conversation, owner)
         WHERE known.conversation = new.conversation",
    )
    .bind(ids(owners))
    .bind(owners.values().map(|owner| owner.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn sizes(
    connection: &mut PgConnection,
    sizes: &BTreeMap<ConversationId, i64>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE conversations_2 AS known SET member_count = known.member_count + new.members
         FROM unnest($1::uuid[], $2::bigint[]) AS new (conversation, members)
         WHERE known.conversation = new.conversation",
    )
    .bind(ids(sizes))
    .bind(sizes.values().copied().collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Who comes back has one row as before: only the newest membership counts.
async fn joined(
    connection: &mut PgConnection,
    joined: &BTreeMap<Member, Joined>,
) -> Result<(), ProjectionError> {
    let (conversations, accounts) = columns(joined);
    sqlx::query(
        "INSERT INTO members_2 (conversation, account, role, joined_position, joined_at, joined_number,
                                left_position, read_number)
         SELECT conversation, account, role, position, at, number, NULL, number
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bigint[])
              AS new (conversation, account, role, position, at, number)
         ON CONFLICT (conversation, account) DO UPDATE SET
             role = excluded.role, joined_position = excluded.joined_position,
             joined_at = excluded.joined_at, joined_number = excluded.joined_number,
             left_position = NULL, read_number = excluded.read_number",
    )
    .bind(conversations)
    .bind(accounts)
    .bind(joined.values().map(|row| stored(row.role)).collect::<Vec<_>>())
    .bind(joined.values().map(|row| row.position.0).collect::<Vec<_>>())
    .bind(joined.values().map(|row| row.at).collect::<Vec<_>>())
    .bind(joined.values().map(|row| i64::from(row.after.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn roles(connection: &mut PgConnection, roles: &BTreeMap<Member, Role>) -> Result<(), ProjectionError> {
    let (conversations, accounts) = columns(roles);
    sqlx::query(
        "UPDATE members_2 AS known SET role = new.role
         FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS new (conversation, account, role)
         WHERE known.conversation = new.conversation AND known.account = new.account",
    )
    .bind(conversations)
    .bind(accounts)
    .bind(roles.values().map(|role| stored(*role)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn left(
    connection: &mut PgConnection,
    left: &BTreeMap<Member, Position>,
) -> Result<(), ProjectionError> {
    let (conversations, accounts) = columns(left);
    sqlx::query(
        "UPDATE members_2 AS known SET left_position = new.position
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS new (conversation, account, position)
         WHERE known.conversation = new.conversation AND known.account = new.account",
    )
    .bind(conversations)
    .bind(accounts)
    .bind(left.values().map(|position| position.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whoever was still there left with the end.
async fn dissolved(
    connection: &mut PgConnection,
    dissolved: &BTreeMap<ConversationId, Position>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE members_2 AS known SET left_position = gone.position
         FROM unnest($1::uuid[], $2::bigint[]) AS gone (conversation, position)
         WHERE known.conversation = gone.conversation AND known.left_position IS NULL",
    )
    .bind(ids(dissolved))
    .bind(dissolved.values().map(|position| position.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn newest(
    connection: &mut PgConnection,
    newest: &BTreeMap<ConversationId, (MessageNumber, Position, DateTime<Utc>)>,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "UPDATE conversations_2 AS known
         SET last_number = newest.number, last_position = newest.position, last_at = newest.at
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[])
              AS newest (conversation, number, position, at)
         WHERE known.conversation = newest.conversation",
    )
    .bind(ids(newest))
    .bind(newest.values().map(|(number, _, _)| i64::from(number.0)).collect::<Vec<_>>())
    .bind(newest.values().map(|(_, position, _)| position.0).collect::<Vec<_>>())
    .bind(newest.values().map(|(_, _, at)| *at).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn read(
    connection: &mut PgConnection,
    read: &BTreeMap<Member, MessageNumber>,
) -> Result<(), ProjectionError> {
    let (conversations, accounts) = columns(read);
    sqlx::query(
        "UPDATE members_2 AS known SET read_number = greatest(known.read_number, read.number)
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS read (conversation, account, number)
         WHERE known.conversation = read.conversation AND known.account = read.account",
    )
    .bind(conversations)
    .bind(accounts)
    .bind(read.values().map(|number| i64::from(number.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
