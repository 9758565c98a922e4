//! A wait that grows with every wrong secret.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgPool, Row as _};

use super::{SWEPT_ROWS_MAX, Turn, WAIT_MIN};
use crate::error::LogError;

/// Doublings after which a wait is as long as it gets; 2^32 of the shortest wait is longer than any.
const DOUBLINGS_MAX: usize = 32;

/// How wrong secrets are answered with waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lockout {
    /// Wrong secrets in a row without a wait: 1 or more.
    pub free: u32,
    /// The wait after one more, to the millisecond; each further one doubles it.
    pub wait_first: TimeDelta,
    /// The longest wait.
    pub wait_max: TimeDelta,
    /// How long after the end of its wait a wrong secret still counts.
    pub remembered: TimeDelta,
}

impl Lockout {
    /// The waits in milliseconds from the last free failure on, growing up to the longest.
    fn waits_ms(&self) -> Vec<i64> {
        let most = self.wait_max.num_milliseconds().max(0);
        let first = self.wait_first.num_milliseconds().clamp(0, most);
        let mut waits = vec![first];
        while let Some(last) = waits.last().copied().filter(|last| *last < most && *last > 0)
            && waits.len() < DOUBLINGS_MAX
        {
            waits.push(last.saturating_mul(2).min(most));
        }
        waits
    }

    fn free(&self) -> i32 {
        i32::try_from(self.free).unwrap_or(i32::MAX).max(1)
    }
}

/// Counts a failure unless the key is locked. The row's lock makes simultaneous tries one after the other.
pub(super) async fn begin(
    pool: &PgPool,
    key: &[u8],
    lockout: &Lockout,
    now: DateTime<Utc>,
) -> Result<Turn, LogError> {
    let counted = sqlx::query(
        "WITH swept AS (
             DELETE FROM credentials.failures WHERE key IN (
                 SELECT key FROM credentials.failures WHERE forgotten_at <= $2 AND key <> $1
                 ORDER BY forgotten_at LIMIT $6 FOR UPDATE SKIP LOCKED))
         INSERT INTO credentials.failures AS held (key, failures, locked_until, forgotten_at)
         SELECT $1, 1, free_from, free_from + $5 * interval '1 ms'
         FROM (SELECT $2 + coalesce(($4::bigint[])[2 - $3], 0) * interval '1 ms' AS free_from) AS fresh
         ON CONFLICT (key) DO UPDATE SET (failures, locked_until, forgotten_at) = (
             SELECT now_failed, free_from, free_from + $5 * interval '1 ms'
             FROM (SELECT CASE WHEN held.forgotten_at <= $2 THEN 1 ELSE held.failures + 1 END AS now_failed)
                  AS counted,
                  LATERAL (SELECT $2 + interval '1 ms' * coalesce(
                      ($4::bigint[])[least(now_failed - $3 + 1, cardinality($4::bigint[]))], 0) AS free_from)
                  AS waited)
         WHERE held.locked_until <= $2
         RETURNING failures",
    )
    .bind(key)
    .bind(now)
    .bind(lockout.free())
    .bind(lockout.waits_ms())
    .bind(lockout.remembered.num_milliseconds())
    .bind(SWEPT_ROWS_MAX)
    .fetch_optional(pool)
    .await?;
    if counted.is_some() {
        return Ok(Turn::Granted);
    }
    let locked = sqlx::query("SELECT locked_until FROM credentials.failures WHERE key = $1")
        .bind(key)
        .fetch_optional(pool)
        .await?;
    let until = locked.map(|row| row.try_get::<DateTime<Utc>, _>("locked_until")).transpose()?;
    Ok(Turn::Wait(until.map_or(WAIT_MIN, |until| until - now).max(WAIT_MIN)))
}

pub(super) async fn forgive(pool: &PgPool, key: &[u8]) -> Result<(), LogError> {
    sqlx::query("DELETE FROM credentials.failures WHERE key = $1").bind(key).execute(pool).await?;
    Ok(())
}

/// Takes one failure back, and the wait that it caused.
pub(super) async fn undo(pool: &PgPool, key: &[u8], now: DateTime<Utc>) -> Result<(), LogError> {
    sqlx::query(
        "UPDATE credentials.failures SET failures = greatest(failures - 1, 0), locked_until = $2
         WHERE key = $1",
    )
    .bind(key)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lockout(wait_first: TimeDelta, wait_max: TimeDelta) -> Lockout {
        Lockout { free: 5, wait_first, wait_max, remembered: TimeDelta::hours(1) }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let (second, longest) = (TimeDelta::seconds(5), TimeDelta::minutes(15));
        let waits = lockout(second, longest).waits_ms();
        assert_eq!(waits[..3], [5_000, 10_000, 20_000]);
        assert_eq!(waits[waits.len() - 2..], [640_000, 900_000]);
    }

    #[test]
    fn odd_settings_give_waits_that_end() {
        assert_eq!(lockout(TimeDelta::zero(), TimeDelta::minutes(1)).waits_ms(), [0]);
        assert_eq!(lockout(TimeDelta::minutes(2), TimeDelta::minutes(1)).waits_ms(), [60_000]);
        assert_eq!(lockout(TimeDelta::seconds(1), TimeDelta::seconds(-1)).waits_ms(), [0]);
        let longest = lockout(TimeDelta::milliseconds(1), TimeDelta::days(365_000)).waits_ms();
        assert_eq!(longest.len(), DOUBLINGS_MAX);
    }
}
