//! The statements of an append. Each is one round trip; a batch of events is three or four of them.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

use domain::{Position, StreamId};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::time::timeout;

use super::append::append;
use super::batch::{Found, Head, Plan};
use super::known::Known;
use super::receipts;
use super::request::{AppendRequest, Receipt};
use crate::config::LogConfig;
use crate::credentials;
use crate::error::LogError;

/// The advisory lock that orders all appends of a database ("annallog" in ASCII).
pub(crate) const APPEND_LOCK: i64 = 0x616e_6e61_6c6c_6f67;

/// A connection of the writer's own, with the settings that its promises rest on.
pub(super) async fn connect(
    options: &PgConnectOptions,
    config: &LogConfig,
) -> Result<PgConnection, LogError> {
    let settings = [
        // Acknowledged means durable, whatever the server's default is.
        ("synchronous_commit", "on".to_owned()),
        // Compiling a plan has cost more than a hundred appends.
        ("jit", "off".to_owned()),
        // All look-ups are by key; a stale statistic must not turn one into a scan.
        ("enable_seqscan", "off".to_owned()),
        ("lock_timeout", format!("{}ms", config.lock_timeout.as_millis())),
        // A writer that froze with the lock is ended, and its transaction with it.
        ("idle_in_transaction_session_timeout", format!("{}ms", config.frozen_writer_timeout.as_millis())),
        ("application_name", "annal-writer".to_owned()),
    ];
    let connecting = async { Ok(options.clone().options(settings).connect().await?) };
    within(config.statement_timeout, connecting).await
}

/// Gives the database a limit to do something: one that neither answers nor fails must not hold all
/// callers. The connection is of no use after that.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, LogError>>,
) -> Result<T, LogError> {
    let late = |_| Err(LogError::Database(sqlx::Error::Io(ErrorKind::TimedOut.into())));
    timeout(limit, work).await.unwrap_or_else(late)
}

/// Begins a transaction, waits for the lock and reads where the log ends, in one round trip of three
/// statements: read in the statement that takes the lock, the end would be that of before the wait. At this
/// isolation each statement sees what was committed before it.
pub(super) async fn begin_locked(connection: &mut PgConnection) -> Result<Head, LogError> {
    let statements = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED;
         SELECT pg_advisory_xact_lock({APPEND_LOCK});
         SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1"
    );
    let rows = connection.fetch_all(sqlx::raw_sql(&statements)).await?;
    // The first row is that of the lock.
    let head = |row: &PgRow| Ok((Position(row.try_get("position")?), row.try_get("recorded_at")?));
    rows.get(1).map(head).transpose()
}

pub(super) async fn commit(connection: &mut PgConnection) -> Result<(), LogError> {
    connection.execute(sqlx::raw_sql("COMMIT")).await?;
    Ok(())
}

pub(super) async fn rollback(connection: &mut PgConnection) -> Result<(), LogError> {
    connection.execute(sqlx::raw_sql("ROLLBACK")).await?;
    Ok(())
}

/// Closes the connection in good order.
pub(super) async fn close(connection: PgConnection) -> Result<(), LogError> {
    Ok(connection.close().await?)
}

/// What the log holds for the streams and idempotency keys of a batch.
pub(super) async fn find<'b>(
    connection: &mut PgConnection,
    requests: &'b [AppendRequest],
    head: Head,
    known: &mut Known,
) -> Result<Found<'b>, LogError> {
    let mut found = Found { head, ..Found::default() };
    let mut unknown = BTreeSet::new();
    for stream in requests.iter().flat_map(|request| &request.streams) {
        match known.mark(&stream.id) {
            Some(mark) => drop(found.streams.insert(&stream.id, mark)),
            None => drop(unknown.insert(&stream.id)),
        }
    }
    if !unknown.is_empty() {
        find_streams(connection, unknown.into_iter().collect(), &mut found).await?;
        known.read(found.streams.iter().map(|(stream, mark)| ((*stream).clone(), *mark)));
    }
    let receipts: Vec<&Receipt> = requests.iter().filter_map(|request| request.receipt.as_ref()).collect();
    if !receipts.is_empty() {
        receipts::find(connection, &receipts, &mut found).await?;
    }
    Ok(found)
}

async fn find_streams<'b>(
    connection: &mut PgConnection,
    streams: Vec<&'b StreamId>,
    found: &mut Found<'b>,
) -> Result<(), LogError> {
    let types: Vec<&str> = streams.iter().map(|stream| stream.aggregate_type).collect();
    let ids: Vec<&str> = streams.iter().map(|stream| stream.aggregate_id.as_str()).collect();
    // LATERAL makes each look-up a probe of the primary key, whatever the planner guesses of the arrays.
    let rows = sqlx::query(
        "SELECT wanted.place, stream.version, stream.last_position
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (type, id, place)
         CROSS JOIN LATERAL (
             SELECT version, last_position FROM streams
             WHERE aggregate_type = wanted.type AND aggregate_id = wanted.id
         ) AS stream",
    )
    .bind(&types)
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    // Those without a row have no events yet.
    found.streams.extend(streams.iter().map(|stream| (*stream, (0, Position::START))));
    for row in rows {
        let place: i64 = row.try_get("place")?;
        let stream = usize::try_from(place - 1).ok().and_then(|place| streams.get(place));
        let mark = (row.try_get("version")?, Position(row.try_get("last_position")?));
        found.streams.insert(stream.ok_or(sqlx::Error::RowNotFound)?, mark);
    }
    Ok(())
}

/// Writes what a batch came to, under the lock.
pub(super) async fn write(
    connection: &mut PgConnection,
    plan: &Plan,
    batch: &[AppendRequest],
) -> Result<(), LogError> {
    if !plan.streams.is_empty() || !plan.receipts.is_empty() {
        append(connection, plan, batch).await?;
    }
    for change in plan.credentials(batch) {
        credentials::apply(connection, change).await?;
    }
    Ok(())
}

/// Whether a batch whose commit was cut off is in the log after all. Asked under the lock, so that the
/// old transaction has ended one way or the other.
pub(super) async fn was_committed(
    connection: &mut PgConnection,
    plan: &Plan,
    batch: &[AppendRequest],
) -> Result<bool, LogError> {
    // Receipts alone are found when the batch is planned again.
    let Some(first) = plan.events(batch).next() else { return Ok(false) };
    let row = sqlx::query("SELECT metadata::text AS metadata FROM events WHERE position = $1")
        .bind(first.position.0)
        .fetch_optional(connection)
        .await?;
    match row {
        // Metadata holds the event's id, which nobody else can have chosen.
        Some(row) => Ok(row.try_get::<String, _>("metadata")? == first.new.metadata),
        None => Ok(false),
    }
}
