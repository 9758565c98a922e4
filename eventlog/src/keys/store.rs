//! The rows of the schema `keys`.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use super::{KeyId, KeyOwner};
use crate::error::LogError;

/// A stored sealing key; `wrapped` is none when it was destroyed.
pub(super) struct StoredKey {
    pub(super) id: KeyId,
    pub(super) wrapped: Option<Vec<u8>>,
}

fn columns(owner: &KeyOwner) -> (&'static str, Uuid, Option<NaiveDate>) {
    match owner {
        KeyOwner::Account(account) => ("account", account.0, None),
        KeyOwner::Conversation(conversation, month) => ("conversation", conversation.0, Some(*month)),
    }
}

/// Stores a new key for an owner unless there is one, and returns the one that counts: when two nodes
/// make a key at once, both use the first.
pub(super) async fn insert_or_get(
    pool: &PgPool,
    owner: &KeyOwner,
    new: (KeyId, &[u8]),
    now: DateTime<Utc>,
) -> Result<StoredKey, LogError> {
    let (kind, id, month) = columns(owner);
    sqlx::query(
        "INSERT INTO keys.sealing_keys (key_id, owner_kind, owner, month, wrapped, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner_kind, owner, month) DO NOTHING",
    )
    .bind(new.0)
    .bind(kind)
    .bind(id)
    .bind(month)
    .bind(new.1)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(by_owner(pool, owner).await?.ok_or(sqlx::Error::RowNotFound)?)
}

/// The key of an owner, if there ever was one.
pub(super) async fn by_owner(pool: &PgPool, owner: &KeyOwner) -> Result<Option<StoredKey>, LogError> {
    let (kind, id, month) = columns(owner);
    let row = sqlx::query(
        "SELECT key_id, wrapped FROM keys.sealing_keys
         WHERE owner_kind = $1 AND owner = $2 AND month IS NOT DISTINCT FROM $3",
    )
    .bind(kind)
    .bind(id)
    .bind(month)
    .fetch_optional(pool)
    .await?;
    row.map(|row| Ok(StoredKey { id: row.try_get("key_id")?, wrapped: row.try_get("wrapped")? })).transpose()
}

/// The keys of these ids; those that never existed are missing from the answer.
pub(super) async fn by_ids(pool: &PgPool, ids: &BTreeSet<KeyId>) -> Result<Vec<StoredKey>, LogError> {
    let ids: Vec<KeyId> = ids.iter().copied().collect();
    let rows = sqlx::query("SELECT key_id, wrapped FROM keys.sealing_keys WHERE key_id = ANY($1)")
        .bind(&ids)
        .fetch_all(pool)
        .await?;
    rows.into_iter()
        .map(|row| Ok(StoredKey { id: row.try_get("key_id")?, wrapped: row.try_get("wrapped")? }))
        .collect()
}

/// The wrapped key of the whole log with this name; the first caller's proposal becomes it.
pub(super) async fn log_key(pool: &PgPool, name: &str, proposal: &[u8]) -> Result<Vec<u8>, LogError> {
    sqlx::query("INSERT INTO keys.log_keys (name, wrapped) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(proposal)
        .execute(pool)
        .await?;
    let row =
        sqlx::query("SELECT wrapped FROM keys.log_keys WHERE name = $1").bind(name).fetch_one(pool).await?;
    Ok(row.try_get("wrapped")?)
}

/// Whether the database holds keys, and so belongs to a master key already.
pub(super) async fn any(connection: &mut PgConnection) -> Result<bool, LogError> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM keys.log_keys) AS any").fetch_one(connection).await?;
    Ok(row.try_get("any")?)
}
