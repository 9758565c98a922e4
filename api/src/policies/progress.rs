//! How far a policy is, for operators.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Position;

/// Below every position.
const NOWHERE: i64 = -1;

/// Where a policy of this process stands. The checkpoint in the database may lie behind it.
#[derive(Debug)]
pub struct Progress {
    policy: &'static str,
    position: AtomicI64,
    resting_at: AtomicI64,
}

impl Progress {
    pub(super) fn new(policy: &'static str) -> Self {
        Self { policy, position: AtomicI64::new(0), resting_at: AtomicI64::new(NOWHERE) }
    }

    /// The policy's name.
    pub fn policy(&self) -> &'static str {
        self.policy
    }

    /// The last event that it has dealt with.
    pub fn position(&self) -> Position {
        Position(self.position.load(Ordering::Relaxed))
    }

    /// Whether it failed too often at its next event, and has not got past it since.
    pub fn is_stuck(&self) -> bool {
        self.resting_at.load(Ordering::Relaxed) == self.position.load(Ordering::Relaxed)
    }

    pub(super) fn reach(&self, position: Position) {
        self.position.fetch_max(position.0, Ordering::Relaxed);
    }

    pub(super) fn rest(&self) {
        self.resting_at.store(self.position.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_rests_is_stuck_until_it_gets_further() {
        let progress = Progress::new("erasure");
        assert!(!progress.is_stuck());
        progress.reach(Position(7));
        progress.rest();
        progress.reach(Position(3));
        assert!(progress.is_stuck(), "reading again from a checkpoint is no progress");
        progress.reach(Position(8));
        assert!(!progress.is_stuck());
        assert_eq!(progress.position(), Position(8));
    }
}
