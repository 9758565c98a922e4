//! The rows of the schema `keys`.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use domain::AccountId;
use sqlx::postgres::PgRow;
use sqlx::{Executor as _, PgConnection, PgExecutor, PgPool, Row as _};
use uuid::Uuid;

use super::master::MasterKeyId;
use super::{KeyId, KeyOwner, WrappedKey};
use crate::error::LogError;

/// A stored sealing key; `wrapped` is none when it was destroyed.
pub(super) struct StoredKey {
    pub(super) id: KeyId,
    pub(super) wrapped: Option<WrappedKey>,
}

impl StoredKey {
    fn from_row(row: &PgRow) -> Result<Self, LogError> {
        let bytes: Option<Vec<u8>> = row.try_get("wrapped")?;
        let master: Option<i64> = row.try_get("master_id")?;
        let wrapped = bytes.map(|bytes| WrappedKey { bytes, master: master.map(MasterKeyId) });
        Ok(Self { id: row.try_get("key_id")?, wrapped })
    }
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
    new: (KeyId, &WrappedKey),
    now: DateTime<Utc>,
) -> Result<StoredKey, LogError> {
    let (kind, id, month) = columns(owner);
    sqlx::query(
        "INSERT INTO keys.sealing_keys (key_id, owner_kind, owner, month, wrapped, master_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (owner_kind, owner, month) DO NOTHING",
    )
    .bind(new.0)
    .bind(kind)
    .bind(id)
    .bind(month)
    .bind(&new.1.bytes)
    .bind(new.1.master.map(|master| master.0))
    .bind(now)
    .execute(pool)
    .await?;
    Ok(by_owner(pool, owner).await?.ok_or(sqlx::Error::RowNotFound)?)
}

/// The key of an owner, if there ever was one.
pub(super) async fn by_owner(pool: &PgPool, owner: &KeyOwner) -> Result<Option<StoredKey>, LogError> {
    let (kind, id, month) = columns(owner);
    let row = sqlx::query(
        "SELECT key_id, wrapped, master_id FROM keys.sealing_keys
         WHERE owner_kind = $1 AND owner = $2 AND month IS NOT DISTINCT FROM $3",
    )
    .bind(kind)
    .bind(id)
    .bind(month)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(StoredKey::from_row).transpose()
}

/// The keys of these ids; those that never existed are missing from the answer.
pub(super) async fn by_ids(pool: &PgPool, ids: &BTreeSet<KeyId>) -> Result<Vec<StoredKey>, LogError> {
    let ids: Vec<KeyId> = ids.iter().copied().collect();
    let rows = sqlx::query("SELECT key_id, wrapped, master_id FROM keys.sealing_keys WHERE key_id = ANY($1)")
        .bind(&ids)
        .fetch_all(pool)
        .await?;
    rows.iter().map(StoredKey::from_row).collect()
}

/// Destroys the key of an account; flushed when this returns. An account without a key gets a row for a
/// destroyed one, so that no key is ever made for it; that row takes the id `unused`.
pub(super) async fn destroy_of_account(
    pool: &PgPool,
    account: AccountId,
    unused: KeyId,
    now: DateTime<Utc>,
) -> Result<(), LogError> {
    let mut transaction = pool.begin().await?;
    // A key that came back with a crash would be worse than a wait.
    transaction.execute("SET LOCAL synchronous_commit = on").await?;
    sqlx::query(
        "INSERT INTO keys.sealing_keys (key_id, owner_kind, owner, month, wrapped, created_at)
         VALUES ($1, 'account', $2, NULL, NULL, $3)
         ON CONFLICT (owner_kind, owner, month) DO UPDATE SET wrapped = NULL, master_id = NULL",
    )
    .bind(unused)
    .bind(account.0)
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// The wrapped key of the whole log with this name; the first caller's proposal becomes it.
pub(super) async fn log_key(
    pool: &PgPool,
    name: &str,
    proposal: &WrappedKey,
) -> Result<WrappedKey, LogError> {
    sqlx::query(
        "INSERT INTO keys.log_keys (name, wrapped, master_id) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(&proposal.bytes)
    .bind(proposal.master.map(|master| master.0))
    .execute(pool)
    .await?;
    let row = sqlx::query("SELECT wrapped, master_id FROM keys.log_keys WHERE name = $1")
        .bind(name)
        .fetch_one(pool)
        .await?;
    let master: Option<i64> = row.try_get("master_id")?;
    Ok(WrappedKey { bytes: row.try_get("wrapped")?, master: master.map(MasterKeyId) })
}

/// Whether there is a sealing key that was wrapped by another master key than these two (sorted). Some
/// probes of an index.
pub(super) async fn any_wrapped_by_others(
    executor: impl PgExecutor<'_>,
    known: [MasterKeyId; 2],
) -> Result<bool, LogError> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT FROM keys.sealing_keys WHERE wrapped IS NOT NULL AND master_id < $1)
             OR EXISTS (SELECT FROM keys.sealing_keys WHERE wrapped IS NOT NULL
                        AND master_id > $1 AND master_id < $2)
             OR EXISTS (SELECT FROM keys.sealing_keys WHERE wrapped IS NOT NULL AND master_id > $2) AS others",
    )
    .bind(known[0].0)
    .bind(known[1].0)
    .fetch_one(executor)
    .await?;
    Ok(row.try_get("others")?)
}

/// Whether the database holds keys, and so belongs to a master key already.
pub(super) async fn any(connection: &mut PgConnection) -> Result<bool, LogError> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM keys.log_keys) AS any").fetch_one(connection).await?;
    Ok(row.try_get("any")?)
}
