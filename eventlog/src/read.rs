//! Reading the log: by position, by stream, and the merged tails of some streams.
//!
//! The planner must not know how many events of a stream are asked for: if it believes the stream to be
//! short, it fetches all of it and sorts. `LIMIT (SELECT ...)` tells it nothing, so it follows the stream's
//! index in order and stops (`tests/plans`; see also the migration on statistics).

use domain::{Position, StreamId};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};

use crate::error::LogError;
use crate::stored::{COLUMNS, StoredEvent};

/// A stream and the part of it that somebody may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamPart {
    /// The stream.
    pub stream: StreamId,
    /// Only events above this position.
    pub after: Position,
    /// Only events up to this position; none for "without end".
    pub until: Option<Position>,
}

/// The last position of the log, zero when it is empty. One probe of the primary key.
pub(crate) async fn head(pool: &PgPool) -> Result<Position, LogError> {
    let row = sqlx::query("SELECT position FROM events ORDER BY position DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    row.map_or(Ok(Position::START), |row| Ok(Position(row.try_get("position")?)))
}

/// Events above `after` in commit order, at most `limit`. A hole is an error, never a skip.
pub(crate) async fn by_position(
    pool: &PgPool,
    after: Position,
    limit: u32,
) -> Result<Vec<StoredEvent>, LogError> {
    let statement = format!("SELECT {COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT $2");
    let rows = sqlx::query(&statement).bind(after.0).bind(i64::from(limit)).fetch_all(pool).await?;
    let events = from_rows(&rows)?;
    let mut expected = after.next();
    for event in &events {
        if event.position != expected {
            return Err(LogError::Hole { expected, found: event.position });
        }
        expected = expected.next();
    }
    Ok(events)
}

/// Events of one stream above `after`, at most `limit`, in order.
pub(crate) async fn by_stream(
    pool: &PgPool,
    stream: &StreamId,
    after: Position,
    limit: u32,
) -> Result<Vec<StoredEvent>, LogError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM events
         WHERE aggregate_type = $1 AND aggregate_id = $2 AND position > $3
         ORDER BY position LIMIT (SELECT $4::bigint)"
    );
    let rows = sqlx::query(&statement)
        .bind(stream.aggregate_type)
        .bind(&stream.aggregate_id)
        .bind(after.0)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    from_rows(&rows)
}

/// The events of some streams above `after` and up to `until`, merged in commit order, at most `limit`.
/// Streams without news are passed over by their last position; the others are read from their tails, which
/// name that position, so that the planner has to look for news first.
pub(crate) async fn merged(
    pool: &PgPool,
    parts: &[StreamPart],
    after: Position,
    until: Position,
    limit: u32,
) -> Result<Vec<StoredEvent>, LogError> {
    let statement = format!(
        "SELECT tail.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
              AS wanted (type, id, after, until)
         JOIN LATERAL (
             SELECT last_position FROM streams
             WHERE aggregate_type = wanted.type AND aggregate_id = wanted.id
               AND last_position > greatest(wanted.after, $5)
         ) AS news ON true
         CROSS JOIN LATERAL (
             SELECT {COLUMNS} FROM events
             WHERE aggregate_type = wanted.type AND aggregate_id = wanted.id
               AND position > greatest(wanted.after, $5) AND position <= least(wanted.until, $6, news.last_position)
             ORDER BY position LIMIT (SELECT $7::bigint)
         ) AS tail
         ORDER BY tail.position LIMIT $7"
    );
    let rows = sqlx::query(&statement)
        .bind(parts.iter().map(|part| part.stream.aggregate_type).collect::<Vec<_>>())
        .bind(parts.iter().map(|part| part.stream.aggregate_id.as_str()).collect::<Vec<_>>())
        .bind(parts.iter().map(|part| part.after.0).collect::<Vec<_>>())
        .bind(parts.iter().map(|part| part.until.map_or(i64::MAX, |until| until.0)).collect::<Vec<_>>())
        .bind(after.0)
        .bind(until.0)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    from_rows(&rows)
}

fn from_rows(rows: &[PgRow]) -> Result<Vec<StoredEvent>, LogError> {
    rows.iter().map(StoredEvent::from_row).collect()
}
