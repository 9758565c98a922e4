//! The statements of an append. Each is one round trip; a batch of events is four of them.

use std::io::ErrorKind;
use std::time::Duration;

use domain::{IdempotencyKey, Position, StreamId};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::time::timeout;

use super::batch::{Found, Plan, StoredReceipt};
use super::request::{AppendRequest, Receipt};
use crate::config::LogConfig;
use crate::credentials;
use crate::error::LogError;
use crate::stored::StoredEvent;

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

/// Begins a transaction and waits for the lock. The lock is a statement of its own: read in the same
/// statement, the last position would be that of before the wait.
pub(super) async fn begin_locked(connection: &mut PgConnection) -> Result<(), LogError> {
    let statement = format!("BEGIN; SELECT pg_advisory_xact_lock({APPEND_LOCK})");
    connection.execute(sqlx::raw_sql(&statement)).await?;
    Ok(())
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
pub(super) async fn find(
    connection: &mut PgConnection,
    requests: &[AppendRequest],
) -> Result<Found, LogError> {
    let mut found = find_streams(connection, requests).await?;
    let receipts: Vec<&Receipt> = requests.iter().filter_map(|request| request.receipt.as_ref()).collect();
    if !receipts.is_empty() {
        find_receipts(connection, &receipts, &mut found).await?;
    }
    Ok(found)
}

async fn find_streams(connection: &mut PgConnection, requests: &[AppendRequest]) -> Result<Found, LogError> {
    let mut streams: Vec<&StreamId> =
        requests.iter().flat_map(|request| &request.streams).map(|stream| &stream.id).collect();
    streams.sort_unstable();
    streams.dedup();
    let types: Vec<&str> = streams.iter().map(|stream| stream.aggregate_type).collect();
    let ids: Vec<&str> = streams.iter().map(|stream| stream.aggregate_id.as_str()).collect();
    // LATERAL makes each look-up a probe of the primary key, whatever the planner guesses of the arrays.
    let rows = sqlx::query(
        "SELECT wanted.place, stream.version, stream.last_position, head.position, head.recorded_at
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (type, id, place)
         LEFT JOIN LATERAL (
             SELECT version, last_position FROM streams
             WHERE aggregate_type = wanted.type AND aggregate_id = wanted.id
         ) AS stream ON true
         LEFT JOIN (SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1) AS head ON true",
    )
    .bind(&types)
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    let mut found = Found::default();
    for row in rows {
        if let Some(position) = row.try_get::<Option<i64>, _>("position")? {
            found.head = Some((Position(position), row.try_get("recorded_at")?));
        }
        if let Some(version) = row.try_get::<Option<i64>, _>("version")? {
            let place: i64 = row.try_get("place")?;
            let stream = usize::try_from(place - 1).ok().and_then(|place| streams.get(place));
            let stream = stream.ok_or(sqlx::Error::RowNotFound)?;
            found.streams.insert((*stream).clone(), (version, Position(row.try_get("last_position")?)));
        }
    }
    Ok(found)
}

async fn find_receipts(
    connection: &mut PgConnection,
    receipts: &[&Receipt],
    found: &mut Found,
) -> Result<(), LogError> {
    let actors: Vec<&str> = receipts.iter().map(|receipt| receipt.actor.as_str()).collect();
    let keys: Vec<uuid::Uuid> = receipts.iter().map(|receipt| receipt.key.0).collect();
    let rows = sqlx::query(
        "SELECT stored.* FROM unnest($1::text[], $2::uuid[]) AS wanted (actor, key)
         CROSS JOIN LATERAL (
             SELECT * FROM receipts WHERE actor = wanted.actor AND key = wanted.key
         ) AS stored",
    )
    .bind(&actors)
    .bind(&keys)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let hash: Vec<u8> = row.try_get("input_hash")?;
        let receipt = Receipt {
            actor: row.try_get("actor")?,
            key: IdempotencyKey(row.try_get("key")?),
            input_hash: hash.try_into().unwrap_or([0; 32]),
        };
        let stored_type: String = row.try_get("aggregate_type")?;
        let stream = StreamId {
            aggregate_type: domain::event::aggregate_type(&stored_type).ok_or(sqlx::Error::RowNotFound)?,
            aggregate_id: row.try_get("aggregate_id")?,
        };
        let first = row.try_get::<Option<i64>, _>("first_position")?.map(Position);
        let last = Position(row.try_get("last_position")?);
        found
            .receipts
            .insert((receipt.actor.clone(), receipt.key.0), StoredReceipt { receipt, stream, first, last });
    }
    Ok(())
}

/// Writes what a batch came to.
pub(super) async fn write(connection: &mut PgConnection, plan: &Plan) -> Result<(), LogError> {
    if !plan.events.is_empty() {
        write_events(connection, plan).await?;
    }
    if !plan.receipts.is_empty() {
        write_receipts(connection, &plan.receipts).await?;
    }
    for change in &plan.credentials {
        credentials::apply(connection, change).await?;
    }
    Ok(())
}

/// Events and stream versions in one statement.
async fn write_events(connection: &mut PgConnection, plan: &Plan) -> Result<(), LogError> {
    let events = &plan.events;
    let of = |text: fn(&StoredEvent) -> &str| events.iter().map(text).collect::<Vec<_>>();
    sqlx::query(
        "WITH moved AS (
             INSERT INTO streams (aggregate_type, aggregate_id, version, last_position)
             SELECT * FROM unnest($10::text[], $11::text[], $12::bigint[], $13::bigint[])
             ON CONFLICT (aggregate_type, aggregate_id)
             DO UPDATE SET version = excluded.version, last_position = excluded.last_position
         )
         INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                             payload, metadata, recorded_at)
         SELECT position, type, id, sequence, name, version, payload::json, metadata::json, recorded_at
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[],
                     $7::text[], $8::text[], $9::timestamptz[])
              AS new (position, type, id, sequence, name, version, payload, metadata, recorded_at)",
    )
    .bind(events.iter().map(|event| event.position.0).collect::<Vec<_>>())
    .bind(of(|event| event.stream.aggregate_type))
    .bind(of(|event| &event.stream.aggregate_id))
    .bind(events.iter().map(|event| event.sequence).collect::<Vec<_>>())
    .bind(of(|event| &event.event_type))
    .bind(of(|event| &event.event_version))
    .bind(of(|event| &event.payload))
    .bind(of(|event| &event.metadata))
    .bind(events.iter().map(|event| event.recorded_at).collect::<Vec<_>>())
    .bind(plan.streams.keys().map(|stream| stream.aggregate_type).collect::<Vec<_>>())
    .bind(plan.streams.keys().map(|stream| stream.aggregate_id.as_str()).collect::<Vec<_>>())
    .bind(plan.streams.values().map(|(version, _)| *version).collect::<Vec<_>>())
    .bind(plan.streams.values().map(|(_, last)| last.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_receipts(connection: &mut PgConnection, receipts: &[StoredReceipt]) -> Result<(), LogError> {
    sqlx::query(
        "INSERT INTO receipts (actor, key, input_hash, aggregate_type, aggregate_id, first_position,
                               last_position)
         SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::bigint[],
                              $7::bigint[])",
    )
    .bind(receipts.iter().map(|stored| stored.receipt.actor.as_str()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|stored| stored.receipt.key.0).collect::<Vec<_>>())
    .bind(receipts.iter().map(|stored| stored.receipt.input_hash.to_vec()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|stored| stored.stream.aggregate_type).collect::<Vec<_>>())
    .bind(receipts.iter().map(|stored| stored.stream.aggregate_id.as_str()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|stored| stored.first.map(|first| first.0)).collect::<Vec<_>>())
    .bind(receipts.iter().map(|stored| stored.last.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a batch whose commit was cut off is in the log after all. Asked under the lock, so that the
/// old transaction has ended one way or the other.
pub(super) async fn was_committed(connection: &mut PgConnection, plan: &Plan) -> Result<bool, LogError> {
    let Some(first) = plan.events.first() else { return Ok(false) };
    let row = sqlx::query("SELECT metadata::text AS metadata FROM events WHERE position = $1")
        .bind(first.position.0)
        .fetch_optional(connection)
        .await?;
    match row {
        // Metadata holds the event's id, which nobody else can have chosen.
        Some(row) => Ok(row.try_get::<String, _>("metadata")? == first.metadata),
        None => Ok(false),
    }
}
