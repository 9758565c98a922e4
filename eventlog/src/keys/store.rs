//! The rows of the schema `keys`.

use std::collections::{BTreeMap, BTreeSet};

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

fn columns_of(owner: &KeyOwner) -> (&'static str, Uuid, Option<NaiveDate>) {
    match owner {
        KeyOwner::Account(account) => ("account", account.0, None),
        KeyOwner::Conversation(conversation, month) => ("conversation", conversation.0, Some(*month)),
    }
}

/// The columns of some owners.
struct Columns {
    kinds: Vec<&'static str>,
    owners: Vec<Uuid>,
    months: Vec<Option<NaiveDate>>,
}

impl Columns {
    fn of<'o>(owners: impl IntoIterator<Item = &'o KeyOwner>) -> Self {
        let mut columns = Self { kinds: vec![], owners: vec![], months: vec![] };
        for (kind, owner, month) in owners.into_iter().map(columns_of) {
            columns.kinds.push(kind);
            columns.owners.push(owner);
            columns.months.push(month);
        }
        columns
    }
}

/// Stores new keys, each unless its owner has one: when two nodes make a key at once, the first one counts.
/// One statement and one flush; given in the order of their owners, so that two of them never wait for each
/// other in a circle.
pub(super) async fn insert(
    pool: &PgPool,
    new: &BTreeMap<KeyOwner, (KeyId, WrappedKey)>,
    now: DateTime<Utc>,
) -> Result<(), LogError> {
    let Columns { kinds, owners, months } = Columns::of(new.keys());
    sqlx::query(
        "INSERT INTO keys.sealing_keys (key_id, owner_kind, owner, month, wrapped, master_id, created_at)
         SELECT *, $7::timestamptz
         FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::date[], $5::bytea[], $6::bigint[])
         ON CONFLICT (owner_kind, owner, month) DO NOTHING",
    )
    .bind(new.values().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(kinds)
    .bind(owners)
    .bind(months)
    .bind(new.values().map(|(_, wrapped)| wrapped.bytes.as_slice()).collect::<Vec<_>>())
    .bind(new.values().map(|(_, wrapped)| wrapped.master.map(|master| master.0)).collect::<Vec<_>>())
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

/// The keys of these owners, in their order; none for one that never had a key. One query.
pub(super) async fn by_owners(pool: &PgPool, of: &[KeyOwner]) -> Result<Vec<Option<StoredKey>>, LogError> {
    let Columns { kinds, owners, months } = Columns::of(of);
    let rows = sqlx::query(
        "SELECT key_id, wrapped, master_id
         FROM unnest($1::text[], $2::uuid[], $3::date[]) WITH ORDINALITY AS wanted (kind, owner, month, place)
         LEFT JOIN LATERAL (
             SELECT * FROM keys.sealing_keys AS stored
             WHERE stored.owner_kind = wanted.kind AND stored.owner = wanted.owner
               AND stored.month IS NOT DISTINCT FROM wanted.month
         ) AS stored ON true
         ORDER BY place",
    )
    .bind(kinds)
    .bind(owners)
    .bind(months)
    .fetch_all(pool)
    .await?;
    let stored = |row: &PgRow| match row.try_get::<Option<KeyId>, _>("key_id")? {
        Some(_) => StoredKey::from_row(row).map(Some),
        None => Ok(None),
    };
    rows.iter().map(stored).collect()
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
