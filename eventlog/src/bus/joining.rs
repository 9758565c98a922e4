//! Two requests in flight with one idempotency key: the second waits for the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

type Key = (String, Uuid);

/// The keys in flight. Bounded by the number of requests in flight.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<Key, Weak<AsyncMutex<()>>>>>);

/// Holds a key until dropped.
pub(super) struct Joined {
    guard: Option<OwnedMutexGuard<()>>,
    key: Key,
    in_flight: InFlight,
}

impl InFlight {
    /// Waits until nobody else is in flight with this key. The one who waited finds the receipt.
    pub(super) async fn join(&self, actor: String, key: Uuid) -> Joined {
        let key = (actor, key);
        let lock = {
            let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(lock) = keys.get(&key).and_then(Weak::upgrade) {
                lock
            } else {
                let lock = Arc::new(AsyncMutex::new(()));
                keys.insert(key.clone(), Arc::downgrade(&lock));
                lock
            }
        };
        Joined { guard: Some(lock.lock_owned().await), key, in_flight: self.clone() }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let mut keys = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.guard.take());
        if keys.get(&self.key).is_some_and(|lock| lock.strong_count() == 0) {
            keys.remove(&self.key);
        }
    }
}
