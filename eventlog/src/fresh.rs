//! The process' one clock and one source of randomness.
//!
//! Invariant: nothing else in the house asks the time or throws dice; clippy's `disallowed-methods`
//! keeps it so. Time and new ids reach a decision as part of its command.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the microsecond: the precision of PostgreSQL's `timestamptz`.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug)]
pub struct StoppedClock(AtomicI64);

impl StoppedClock {
    /// Stands at the given moment.
    pub fn at(moment: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(moment.timestamp_micros()))
    }

    /// Moves forward.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// A new UUIDv7: unique, and sorted by time, so that indexes grow at one end.
#[expect(clippy::disallowed_methods, reason = "this is the one source of ids")]
pub fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

/// Random bytes from the operating system's generator, for keys, nonces and tokens.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    rand::random()
}

/// A random positive number, for key ids.
pub(crate) fn random_key_id() -> i64 {
    i64::from_be_bytes(random_bytes::<8>()).checked_abs().unwrap_or(1).max(1)
}
