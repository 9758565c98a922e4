//! What was written of one event.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::OnceCell;

/// Different payloads kept of one event; further ones are made for every socket anew.
const WRITINGS_MAX: usize = 8;

/// One payload: made by the first who needs it, awaited by the others.
pub(crate) type Writing = Arc<OnceCell<Utf8Bytes>>;

/// The payloads of one event, by the plan that made them; at most eight.
#[derive(Debug, Default)]
pub struct Writings(Mutex<Vec<(u64, Writing)>>);

impl Writings {
    /// The payload of a plan, maybe still to be made.
    pub(crate) fn of(&self, plan: u64) -> Writing {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, writing)) = kept.iter().find(|(by, _)| *by == plan) {
            return Arc::clone(writing);
        }
        let writing = Writing::default();
        if kept.len() < WRITINGS_MAX {
            kept.push((plan, Arc::clone(&writing)));
        }
        writing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_keeps_a_bounded_number_of_payloads() {
        let writings = Writings::default();
        let first = writings.of(0);
        assert!(Arc::ptr_eq(&first, &writings.of(0)), "shared");
        for plan in 0..100 {
            writings.of(plan).set(Utf8Bytes::from_static("{}")).unwrap();
        }
        assert!(first.initialized());
        assert_eq!(writings.0.lock().unwrap().len(), WRITINGS_MAX);
        assert!(!writings.of(99).initialized(), "beyond the limit nothing is kept");
    }
}
