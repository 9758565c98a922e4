//! So many at once, and then so many per hour.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgPool, Row as _};

use super::{SWEPT_ROWS_MAX, Turn, WAIT_MIN};
use crate::error::LogError;

/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;

/// How often something may be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// How often at once, after a long pause: 1 or more.
    pub at_once: u32,
    /// How often per hour in the long run: 1 to 3,600,000.
    pub per_hour: u32,
}

impl Allowance {
    /// The time after which one more is allowed, in milliseconds.
    fn interval_ms(self) -> i64 {
        (HOUR_MS / i64::from(self.per_hour.max(1))).max(1)
    }

    /// How far ahead of time one may be and still go on, in milliseconds.
    fn ahead_ms(self) -> i64 {
        self.interval_ms().saturating_mul(i64::from(self.at_once.max(1)) - 1)
    }
}

/// Moves the moment until which all is spent by one interval, unless it lies too far ahead (the generic cell
/// rate algorithm of ATM: one time stamp per key).
pub(super) async fn spend(
    pool: &PgPool,
    key: &[u8],
    allowance: &Allowance,
    now: DateTime<Utc>,
) -> Result<Turn, LogError> {
    let spent = sqlx::query(
        "WITH swept AS (
             DELETE FROM credentials.allowances WHERE key IN (
                 SELECT key FROM credentials.allowances WHERE spent_until <= $2 AND key <> $1
                 ORDER BY spent_until LIMIT $5 FOR UPDATE SKIP LOCKED))
         INSERT INTO credentials.allowances AS held (key, spent_until)
         VALUES ($1, $2 + $3 * interval '1 ms')
         ON CONFLICT (key) DO UPDATE
             SET spent_until = greatest(held.spent_until, $2) + $3 * interval '1 ms'
             WHERE held.spent_until <= $2 + $4 * interval '1 ms'
         RETURNING spent_until",
    )
    .bind(key)
    .bind(now)
    .bind(allowance.interval_ms())
    .bind(allowance.ahead_ms())
    .bind(SWEPT_ROWS_MAX)
    .fetch_optional(pool)
    .await?;
    if spent.is_some() {
        return Ok(Turn::Granted);
    }
    let held = sqlx::query("SELECT spent_until FROM credentials.allowances WHERE key = $1")
        .bind(key)
        .fetch_optional(pool)
        .await?;
    let until = held.map(|row| row.try_get::<DateTime<Utc>, _>("spent_until")).transpose()?;
    let ahead = TimeDelta::milliseconds(allowance.ahead_ms());
    Ok(Turn::Wait(until.map_or(WAIT_MIN, |until| until - ahead - now).max(WAIT_MIN)))
}

pub(super) async fn give_back(pool: &PgPool, key: &[u8], allowance: &Allowance) -> Result<(), LogError> {
    sqlx::query(
        "UPDATE credentials.allowances SET spent_until = spent_until - $2 * interval '1 ms' WHERE key = $1",
    )
    .bind(key)
    .bind(allowance.interval_ms())
    .execute(pool)
    .await?;
    Ok(())
}
