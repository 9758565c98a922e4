//! How many sockets each caller holds open, counted in memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// So many places for each caller. Cheap to clone: clones count together.
///
/// Bounded by the open sockets of the process: a caller without any is forgotten.
pub(crate) struct Places<K> {
    max: u32,
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K> Clone for Places<K> {
    fn clone(&self) -> Self {
        Self { max: self.max, taken: Arc::clone(&self.taken) }
    }
}

impl<K: Hash + Eq + Copy> Places<K> {
    /// Places for each caller; 0 means without limit.
    pub(crate) fn new(max: u32) -> Self {
        Self { max: if max == 0 { u32::MAX } else { max }, taken: Arc::default() }
    }

    /// A place for one more socket; none when all of this caller's are taken.
    pub(crate) fn take(&self, caller: K) -> Option<Place<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(caller).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Place { caller, taken: Arc::clone(&self.taken) })
    }
}

/// A taken place; free again when this is dropped.
pub struct Place<K: Hash + Eq> {
    caller: K,
    taken: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_socket_closes() {
        let places = Places::new(2);
        let (one, _two) = (places.take(1).unwrap(), places.take(1).unwrap());
        assert!(places.take(1).is_none());
        let other = places.clone().take(7).unwrap();
        drop(one);
        assert!(places.take(1).is_some());
        drop(other);
        assert_eq!(places.taken.lock().unwrap().len(), 1, "who has no socket is forgotten");
    }

    #[test]
    fn zero_is_without_limit() {
        let places = Places::new(0);
        let open: Vec<_> = (0..1_000).map(|_| places.take(1).unwrap()).collect();
        assert_eq!(open.len(), 1_000);
    }
}
