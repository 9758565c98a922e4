//! Tries that must not be without end: counted in the database, so that they hold over nodes and restarts.
//!
//! A try is counted **before** it is known whether it succeeds, in one statement. So a thousand tries at the
//! same instant are a thousand, and not one; a caller that goes away has tried as well. Who succeeds takes
//! its count back.

mod allowance;
mod lockout;

use std::sync::Arc;

use chrono::TimeDelta;
use sqlx::PgPool;

pub use allowance::Allowance;
pub use lockout::Lockout;

use crate::error::LogError;
use crate::fresh::Clock;
use crate::keys::KeyRing;

/// Worthless rows that one try deletes at most. More than one try adds, so the tables hold little more than
/// what still counts.
const SWEPT_ROWS_MAX: i64 = 16;

/// The shortest wait that is told, so that nobody is told to come back at once and is refused again.
const WAIT_MIN: TimeDelta = TimeDelta::milliseconds(1);

/// What tries are counted against: a keyed hash, so that no table holds a name or an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptKey(Vec<u8>);

/// Whether somebody may try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Go ahead: the try is counted.
    Granted,
    /// Not before this time has passed, at least a millisecond. Nothing was counted.
    Wait(TimeDelta),
}

/// Counts tries. Cheap to clone.
#[derive(Clone)]
pub struct Attempts {
    pool: PgPool,
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
}

impl Attempts {
    pub(crate) fn new(pool: PgPool, keys: Arc<KeyRing>, clock: Arc<dyn Clock>) -> Self {
        Self { pool, keys, clock }
    }

    /// The key of what tries are counted against: of an address, of an account, of a name. The same text of
    /// another kind is another key.
    pub fn key(&self, kind: &'static str, of: &str) -> AttemptKey {
        AttemptKey(self.keys.attempt_key(kind, of).to_vec())
    }

    /// Counts a try with a secret as wrong, in advance. One round trip; one more when it is to wait.
    ///
    /// # Errors
    /// [`LogError::Database`]: it may be counted; turn the caller away.
    pub async fn begin(&self, key: &AttemptKey, lockout: &Lockout) -> Result<Turn, LogError> {
        lockout::begin(&self.pool, &key.0, lockout, self.clock.now()).await
    }

    /// The secret was right: whatever was counted is forgotten.
    pub async fn forgive(&self, key: &AttemptKey) -> Result<(), LogError> {
        lockout::forgive(&self.pool, &key.0).await
    }

    /// The secret was not looked at: the try did not happen.
    pub async fn undo(&self, key: &AttemptKey) -> Result<(), LogError> {
        lockout::undo(&self.pool, &key.0, self.clock.now()).await
    }

    /// Spends one of what is allowed per hour. One round trip; one more when it is to wait.
    ///
    /// # Errors
    /// [`LogError::Database`]: it may be spent; turn the caller away.
    pub async fn spend(&self, key: &AttemptKey, allowance: &Allowance) -> Result<Turn, LogError> {
        allowance::spend(&self.pool, &key.0, allowance, self.clock.now()).await
    }

    /// Gives back what was spent.
    pub async fn give_back(&self, key: &AttemptKey, allowance: &Allowance) -> Result<(), LogError> {
        allowance::give_back(&self.pool, &key.0, allowance).await
    }
}
