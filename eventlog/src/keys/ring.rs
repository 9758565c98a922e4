//! Sealing keys in use: made on demand, kept in memory, found again by id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use domain::{AccountId, Actor, HandleId, IdempotencyKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use quick_cache::sync::Cache;
use sha2::Sha256;
use sqlx::PgPool;
use zeroize::Zeroizing;

use super::store::StoredKey;
use super::{KeyBytes, KeyId, KeyOwner, MasterKeys, sealing_name, store};
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
    masters: MasterKeys,
    clock: Arc<dyn Clock>,
    /// How often keys were forgotten. A key is remembered only if none was since it was asked for, so that
    /// one that was read before it was destroyed does not come back.
    forgotten: RwLock<u64>,
    by_id: Cache<KeyId, Arc<KeyBytes>>,
    by_owner: Cache<KeyOwner, KeyId>,
    handles: KeyBytes,
    receipts: KeyBytes,
}

impl KeyRing {
    /// Opens the log's own keys, or makes them on the first start.
    pub(crate) async fn open(
        pool: PgPool,
        masters: MasterKeys,
        clock: Arc<dyn Clock>,
        cached_keys_max: usize,
    ) -> Result<Self, LogError> {
        let handles = log_key(&pool, &masters, "handles").await?;
        let receipts = log_key(&pool, &masters, "receipts").await?;
        if store::any_wrapped_by_others(&pool, masters.ids()).await? {
            return Err(LogError::WrongMasterKey);
        }
        let by_id = Cache::new(cached_keys_max);
        let by_owner = Cache::new(cached_keys_max);
        let forgotten = RwLock::default();
        Ok(Self { pool, masters, clock, forgotten, by_id, by_owner, handles, receipts })
    }

    /// The keys of these owners; those that do not exist are made, and are committed when this returns.
    pub(crate) async fn ensure(
        &self,
        owners: &BTreeSet<KeyOwner>,
    ) -> Result<BTreeMap<KeyOwner, (KeyId, Arc<KeyBytes>)>, LogError> {
        let mut keys = BTreeMap::new();
        let mut unknown = Vec::new();
        for owner in owners {
            match self.by_owner.get(owner).and_then(|id| Some((id, self.by_id.get(&id)?))) {
                Some(key) => drop(keys.insert(*owner, key)),
                None => unknown.push(*owner),
            }
        }
        if unknown.is_empty() {
            return Ok(keys);
        }
        let asked = self.times_forgotten();
        for (owner, stored) in unknown.iter().zip(self.stored(&unknown).await?) {
            let wrapped = stored.wrapped.ok_or(LogError::KeyDestroyed)?;
            let key = Arc::new(self.masters.unwrap(&sealing_name(stored.id), &wrapped)?);
            self.remember(asked, || {
                self.by_id.insert(stored.id, key.clone());
                self.by_owner.insert(*owner, stored.id);
            });
            keys.insert(*owner, (stored.id, key));
        }
        Ok(keys)
    }

    /// The stored keys of these owners, in their order; those that do not exist are made, together.
    async fn stored(&self, owners: &[KeyOwner]) -> Result<Vec<StoredKey>, LogError> {
        let stored = store::by_owners(&self.pool, owners).await?;
        let mut new = BTreeMap::new();
        for (owner, _) in owners.iter().zip(&stored).filter(|(_, stored)| stored.is_none()) {
            let (id, key) = (random_key_id(), Zeroizing::new(random_bytes()));
            new.insert(*owner, (id, self.masters.wrap(&sealing_name(id), &key)?));
        }
        if new.is_empty() {
            return Ok(stored.into_iter().flatten().collect());
        }
        store::insert(&self.pool, &new, self.clock.now()).await?;
        // Those that count, whoever was first.
        let stored: Option<Vec<_>> = store::by_owners(&self.pool, owners).await?.into_iter().collect();
        Ok(stored.ok_or(sqlx::Error::RowNotFound)?)
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
        let asked = self.times_forgotten();
        for stored in store::by_ids(&self.pool, &unknown).await? {
            let Some(wrapped) = stored.wrapped else { continue };
            let key = Arc::new(self.masters.unwrap(&sealing_name(stored.id), &wrapped)?);
            self.remember(asked, || self.by_id.insert(stored.id, key.clone()));
            keys.0.insert(stored.id, key);
        }
        Ok(keys)
    }

    /// Destroys the key of an account, for everybody and for ever; flushed when this returns. Safe to repeat.
    pub(crate) async fn destroy(&self, account: AccountId) -> Result<(), LogError> {
        store::destroy_of_account(&self.pool, account, random_key_id(), self.clock.now()).await?;
        self.forget(account).await
    }

    /// Drops the key of an account from memory. Who needs it next asks the database whether it still is.
    pub(crate) async fn forget(&self, account: AccountId) -> Result<(), LogError> {
        let owner = KeyOwner::Account(account);
        let stored = store::by_owners(&self.pool, &[owner]).await?.into_iter().flatten().next();
        self.drop_from_memory(owner, stored.map(|stored| stored.id));
        Ok(())
    }

    fn drop_from_memory(&self, owner: KeyOwner, id: Option<KeyId>) {
        let mut forgotten = self.forgotten.write().unwrap_or_else(PoisonError::into_inner);
        *forgotten += 1;
        self.by_owner.remove(&owner);
        if let Some(id) = id {
            self.by_id.remove(&id);
        }
    }

    fn times_forgotten(&self) -> u64 {
        *self.forgotten.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what was read from the database, unless keys were forgotten since it was asked for.
    fn remember(&self, asked: u64, insert: impl FnOnce()) {
        let forgotten = self.forgotten.read().unwrap_or_else(PoisonError::into_inner);
        if *forgotten == asked {
            insert();
        }
    }

    /// The stream id of a normalised user name: a keyed hash, so that the log holds no name in clear.
    pub(crate) fn handle_id(&self, normalised: &str) -> HandleId {
        let hash = keyed_hash(&self.handles, &[b"user_name", normalised.as_bytes()]);
        HandleId(hex(&hash))
    }

    /// What tries are counted against: a keyed hash, so that no table holds a name or an address in clear.
    pub(crate) fn attempt_key(&self, kind: &'static str, of: &str) -> [u8; 32] {
        keyed_hash(&self.handles, &[b"attempt", kind.as_bytes(), of.as_bytes()])
    }

    /// What a command's canonical input hashes to; keyed, because inputs hold personal data.
    pub(crate) fn input_hash(&self, actor: &Actor, key: IdempotencyKey, canonical_input: &str) -> [u8; 32] {
        let actor = actor.to_string();
        keyed_hash(&self.receipts, &[actor.as_bytes(), key.0.as_bytes(), canonical_input.as_bytes()])
    }
}

async fn log_key(pool: &PgPool, masters: &MasterKeys, name: &str) -> Result<KeyBytes, LogError> {
    let proposal = masters.wrap(name, &Zeroizing::new(random_bytes()))?;
    masters.unwrap(name, &store::log_key(pool, name, &proposal).await?)
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh::{SystemClock, new_uuid};
    use crate::keys::MasterKey;

    #[tokio::test]
    async fn a_key_that_was_read_before_it_was_forgotten_does_not_come_back() {
        let ring = KeyRing {
            pool: PgPool::connect_lazy("postgres://nobody@localhost/nothing").unwrap(),
            masters: MasterKey::generate().into(),
            clock: Arc::new(SystemClock),
            forgotten: RwLock::default(),
            by_id: Cache::new(10),
            by_owner: Cache::new(10),
            handles: Zeroizing::new([0; 32]),
            receipts: Zeroizing::new([0; 32]),
        };
        let (owner, key) = (KeyOwner::Account(AccountId(new_uuid())), Arc::new(Zeroizing::new([7; 32])));
        let read = ring.times_forgotten();
        ring.remember(read, || ring.by_id.insert(1, key.clone()));
        assert!(ring.by_id.contains_key(&1));
        ring.drop_from_memory(owner, Some(1));
        assert!(!ring.by_id.contains_key(&1));
        ring.remember(read, || ring.by_id.insert(1, key.clone()));
        assert!(!ring.by_id.contains_key(&1), "the slow read brought it back");
        ring.remember(ring.times_forgotten(), || ring.by_id.insert(2, key.clone()));
        assert!(ring.by_id.contains_key(&2));
    }
}
