//! A new master key: every stored key is wrapped anew, while other processes go on.
//!
//! What is sealed stays as it is: only the wrapping of the keys that sealed it changes. A process that holds
//! both master keys reads the rows before and after.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::master::MasterKeyId;
use super::masters::MasterKeys;
use super::{KeyId, WrappedKey, sealing_name, store};
use crate::error::LogError;

/// Keys wrapped anew in one transaction: short ones, since whoever destroys one of these keys waits for it.
const PAGE_KEYS: i64 = 200;
/// Walks over all keys. Each finds only what others wrapped by the old master key since the one before.
const WALKS_MAX: u32 = 10;

/// How far a rotation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rotation {
    /// Keys that were wrapped anew by this rotation.
    pub rewrapped: u64,
    /// Keys that were wrapped by another master key when it began.
    pub found: u64,
}

/// Wraps every key by the current master key of `keys`, in transactions of 200. May be cut off at any moment
/// and called again: what is done already is left alone. `progress` is called after every transaction.
///
/// Processes that serve meanwhile must hold both master keys.
///
/// # Errors
/// [`LogError::WrongMasterKey`]: a key was wrapped by neither of them.
/// [`LogError::StillWrapped`]: another process keeps wrapping new keys by the old master key.
/// [`LogError::Database`]: try again.
pub async fn rotate_master_key(
    options: &PgConnectOptions,
    keys: &MasterKeys,
    progress: &mut (dyn FnMut(Rotation) + Send),
) -> Result<Rotation, LogError> {
    let mut connection = options.connect().await?;
    let mut rotation = Rotation { rewrapped: 0, found: count(&mut connection, keys.current_id()).await? };
    progress(rotation);
    if store::any_wrapped_by_others(&mut connection, keys.ids()).await? {
        return Err(LogError::WrongMasterKey);
    }
    for _ in 0..WALKS_MAX {
        let before = rotation.rewrapped;
        let mut after: KeyId = 0;
        while let Some(page) = rewrap_page(&mut connection, keys, after).await? {
            rotation.rewrapped += page.rewrapped;
            after = page.last;
            progress(rotation);
        }
        if rotation.rewrapped == before {
            // Last: with the wrong keys, nothing has been touched before this is known.
            rotation.rewrapped += rewrap_log_keys(&mut connection, keys).await?;
            progress(rotation);
            connection.close().await?;
            return Ok(rotation);
        }
    }
    Err(LogError::StillWrapped)
}

async fn count(connection: &mut PgConnection, current: MasterKeyId) -> Result<u64, LogError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM keys.log_keys WHERE master_id IS DISTINCT FROM $1)
              + (SELECT count(*) FROM keys.sealing_keys
                 WHERE wrapped IS NOT NULL AND master_id IS DISTINCT FROM $1)",
    )
    .bind(current.0)
    .fetch_one(connection)
    .await?;
    Ok(count.unsigned_abs())
}

async fn rewrap_log_keys(connection: &mut PgConnection, keys: &MasterKeys) -> Result<u64, LogError> {
    let mut transaction = connection.begin().await?;
    let rows = sqlx::query(
        "SELECT name, wrapped, master_id FROM keys.log_keys WHERE master_id IS DISTINCT FROM $1 FOR UPDATE",
    )
    .bind(keys.current_id().0)
    .fetch_all(&mut *transaction)
    .await?;
    for row in &rows {
        let (name, master): (String, Option<i64>) = (row.try_get("name")?, row.try_get("master_id")?);
        let old = WrappedKey { bytes: row.try_get("wrapped")?, master: master.map(MasterKeyId) };
        let new = keys.wrap(&name, &keys.unwrap(&name, &old)?)?;
        sqlx::query("UPDATE keys.log_keys SET wrapped = $2, master_id = $3 WHERE name = $1")
            .bind(&name)
            .bind(&new.bytes)
            .bind(keys.current_id().0)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(rows.len() as u64)
}

/// A page of keys that were wrapped anew.
struct Page {
    rewrapped: u64,
    last: KeyId,
}

/// Wraps the next keys above `after` anew; none when there are none left. A key that is being destroyed is
/// waited for, and left alone.
async fn rewrap_page(
    connection: &mut PgConnection,
    keys: &MasterKeys,
    after: KeyId,
) -> Result<Option<Page>, LogError> {
    let mut transaction = connection.begin().await?;
    let rows = sqlx::query(
        "SELECT key_id, wrapped, master_id FROM keys.sealing_keys
         WHERE key_id > $1 AND wrapped IS NOT NULL AND master_id IS DISTINCT FROM $2
         ORDER BY key_id LIMIT $3 FOR UPDATE",
    )
    .bind(after)
    .bind(keys.current_id().0)
    .bind(PAGE_KEYS)
    .fetch_all(&mut *transaction)
    .await?;
    let (mut ids, mut wrapped): (Vec<KeyId>, Vec<Vec<u8>>) = (vec![], vec![]);
    for row in &rows {
        let (id, master): (KeyId, Option<i64>) = (row.try_get("key_id")?, row.try_get("master_id")?);
        let old = WrappedKey { bytes: row.try_get("wrapped")?, master: master.map(MasterKeyId) };
        let name = sealing_name(id);
        wrapped.push(keys.wrap(&name, &keys.unwrap(&name, &old)?)?.bytes);
        ids.push(id);
    }
    let Some(last) = ids.last().copied() else { return Ok(None) };
    sqlx::query(
        "UPDATE keys.sealing_keys AS stored SET wrapped = new.wrapped, master_id = $3
         FROM unnest($1::bigint[], $2::bytea[]) AS new (key_id, wrapped) WHERE stored.key_id = new.key_id",
    )
    .bind(&ids)
    .bind(&wrapped)
    .bind(keys.current_id().0)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Some(Page { rewrapped: ids.len() as u64, last }))
}
