//! Sealing keys in use: made on demand, kept in memory, found again by id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use domain::{Actor, HandleId, IdempotencyKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use moka::sync::Cache;
use sha2::Sha256;
use sqlx::PgPool;
use zeroize::Zeroizing;

use super::{KeyBytes, KeyId, KeyOwner, MasterKey, store};
use crate::error::LogError;
use crate::fresh::{Clock, random_bytes, random_key_id};

/// The keys that some events need, by id; a key that is missing was destroyed.
#[derive(Default)]
pub(crate) struct KeySet(BTreeMap<KeyId, Arc<KeyBytes>>);

impl KeySet {
    pub(crate) fn get(&self, id: KeyId) -> Option<&KeyBytes> {
        self.0.get(&id).map(AsRef::as_ref)
    }
}

/// All keys of one process.
pub(crate) struct KeyRing {
    pool: PgPool,
    master: MasterKey,
    clock: Arc<dyn Clock>,
    by_id: Cache<KeyId, Arc<KeyBytes>>,
    by_owner: Cache<KeyOwner, KeyId>,
    handles: KeyBytes,
    receipts: KeyBytes,
}

impl KeyRing {
    /// Opens the log's own keys, or makes them on the first start.
    pub(crate) async fn open(
        pool: PgPool,
        master: MasterKey,
        clock: Arc<dyn Clock>,
        cached_keys_max: u64,
    ) -> Result<Self, LogError> {
        let handles = log_key(&pool, &master, "handles").await?;
        let receipts = log_key(&pool, &master, "receipts").await?;
        let by_id = Cache::new(cached_keys_max);
        let by_owner = Cache::new(cached_keys_max);
        Ok(Self { pool, master, clock, by_id, by_owner, handles, receipts })
    }

    /// The keys of these owners; those that do not exist are made, and are committed when this returns.
    pub(crate) async fn ensure(
        &self,
        owners: &BTreeSet<KeyOwner>,
    ) -> Result<BTreeMap<KeyOwner, (KeyId, Arc<KeyBytes>)>, LogError> {
        let mut keys = BTreeMap::new();
        for owner in owners {
            keys.insert(*owner, self.ensure_one(*owner).await?);
        }
        Ok(keys)
    }

    async fn ensure_one(&self, owner: KeyOwner) -> Result<(KeyId, Arc<KeyBytes>), LogError> {
        if let Some(id) = self.by_owner.get(&owner)
            && let Some(key) = self.by_id.get(&id)
        {
            return Ok((id, key));
        }
        let stored = if let Some(stored) = store::by_owner(&self.pool, &owner).await? {
            stored
        } else {
            let (id, key) = (random_key_id(), Zeroizing::new(random_bytes()));
            let wrapped = self.master.wrap(&sealing_name(id), &key)?;
            store::insert_or_get(&self.pool, &owner, (id, &wrapped), self.clock.now()).await?
        };
        let wrapped = stored.wrapped.ok_or(LogError::KeyDestroyed)?;
        let key = Arc::new(self.master.unwrap(&sealing_name(stored.id), &wrapped)?);
        self.by_id.insert(stored.id, key.clone());
        self.by_owner.insert(owner, stored.id);
        Ok((stored.id, key))
    }

    /// The keys with these ids; at most one query.
    pub(crate) async fn fetch(&self, ids: &BTreeSet<KeyId>) -> Result<KeySet, LogError> {
        let mut keys = KeySet::default();
        let mut unknown = BTreeSet::new();
        for id in ids {
            match self.by_id.get(id) {
                Some(key) => drop(keys.0.insert(*id, key)),
                None => drop(unknown.insert(*id)),
            }
        }
        if unknown.is_empty() {
            return Ok(keys);
        }
        for stored in store::by_ids(&self.pool, &unknown).await? {
            let Some(wrapped) = stored.wrapped else { continue };
            let key = Arc::new(self.master.unwrap(&sealing_name(stored.id), &wrapped)?);
            self.by_id.insert(stored.id, key.clone());
            keys.0.insert(stored.id, key);
        }
        Ok(keys)
    }

    /// The stream id of a normalised user name: a keyed hash, so that the log holds no name in clear.
    pub(crate) fn handle_id(&self, normalised: &str) -> HandleId {
        let hash = keyed_hash(&self.handles, &[b"user_name", normalised.as_bytes()]);
        HandleId(hex(&hash))
    }

    /// What a command's canonical input hashes to; keyed, because inputs hold personal data.
    pub(crate) fn input_hash(&self, actor: &Actor, key: IdempotencyKey, canonical_input: &str) -> [u8; 32] {
        let actor = actor.to_string();
        keyed_hash(&self.receipts, &[actor.as_bytes(), key.0.as_bytes(), canonical_input.as_bytes()])
    }
}

async fn log_key(pool: &PgPool, master: &MasterKey, name: &str) -> Result<KeyBytes, LogError> {
    let proposal = master.wrap(name, &Zeroizing::new(random_bytes()))?;
    master.unwrap(name, &store::log_key(pool, name, &proposal).await?)
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn sealing_name(id: KeyId) -> String {
    format!("sealing:{id}")
}

/// HMAC-SHA256 over length-prefixed parts, so that no two lists of parts hash alike.
fn keyed_hash(key: &KeyBytes, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
