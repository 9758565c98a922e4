//! Keys: one master key outside the database wraps all others, which live in the schema `keys`.

mod master;
mod masters;
mod ring;
mod rotate;
mod store;

pub use master::{MasterKey, MasterKeyError, MasterKeyId};
pub use masters::MasterKeys;
#[cfg(test)]
pub(crate) use ring::hex;
pub(crate) use ring::{KeyRing, KeySet};
pub use rotate::{Rotation, rotate_master_key};

use domain::{AccountId, ConversationId};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use zeroize::Zeroizing;

use crate::error::LogError;

/// 256 bits of key, wiped when dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; 32]>;

/// The random name of a sealing key, stored with everything it sealed.
pub(crate) type KeyId = i64;

/// A key as stored: wrapped, with the id of the master key that did it; none in rows from before ids were
/// stored.
#[derive(Clone)]
struct WrappedKey {
    bytes: Vec<u8>,
    master: Option<MasterKeyId>,
}

/// Whose sealing key it is. A conversation has one for each month, so that retention can destroy the old.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum KeyOwner {
    Account(AccountId),
    /// With the first day of the month.
    Conversation(ConversationId, chrono::NaiveDate),
}

/// Whether a migrated database belongs to a master key already; a new one would not fit it.
pub async fn has_keys(options: &PgConnectOptions) -> Result<bool, LogError> {
    store::any(&mut options.connect().await?).await
}

/// What a sealing key is bound to when it is wrapped.
fn sealing_name(id: KeyId) -> String {
    format!("sealing:{id}")
}
