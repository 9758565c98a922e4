//! The statement that appends.

use sqlx::postgres::PgConnection;

use super::batch::{Placed, Plan};
use super::request::{AppendRequest, NewEvent};
use super::sql::APPEND_LOCK;
use crate::error::LogError;

/// Events, stream versions and receipts in one statement, which takes the lock before it writes anything.
///
/// A transaction of its own when there is none. It may then be run without knowing where the log ends: if the
/// log ends elsewhere, the first position is taken, the primary key refuses it, and nothing is written.
pub(super) async fn append(
    connection: &mut PgConnection,
    plan: &Plan,
    batch: &[AppendRequest],
) -> Result<(), LogError> {
    let statement = format!(
        "WITH locked AS MATERIALIZED (
             SELECT 1 FROM (SELECT pg_advisory_xact_lock({APPEND_LOCK})) AS lock
         ), moved AS (
             INSERT INTO streams (aggregate_type, aggregate_id, version, last_position)
             SELECT new.* FROM locked CROSS JOIN
                 unnest($10::text[], $11::text[], $12::bigint[], $13::bigint[]) AS new
             ON CONFLICT (aggregate_type, aggregate_id)
             DO UPDATE SET version = excluded.version, last_position = excluded.last_position
         ), received AS (
             INSERT INTO receipts (actor, key, input_hash, aggregate_type, aggregate_id, first_position,
                                   last_position)
             SELECT new.* FROM locked CROSS JOIN
                 unnest($14::text[], $15::uuid[], $16::bytea[], $17::text[], $18::text[], $19::bigint[],
                        $20::bigint[]) AS new
         )
         INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                             payload, metadata, recorded_at)
         SELECT position, type, id, sequence, name, version, payload::json, metadata::json, $9::timestamptz
         FROM locked CROSS JOIN
             unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                    $8::text[]) AS new (position, type, id, sequence, name, version, payload, metadata)"
    );
    let events: Vec<Placed<'_>> = plan.events(batch).collect();
    let of = |text: fn(&NewEvent) -> &str| events.iter().map(|event| text(event.new)).collect::<Vec<_>>();
    let (streams, receipts) = (&plan.streams, &plan.receipts);
    sqlx::query(&statement)
        .bind(events.iter().map(|event| event.position.0).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.stream.aggregate_type).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.stream.aggregate_id.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.new.opened.sequence).collect::<Vec<_>>())
        .bind(of(|new| &new.event_type))
        .bind(of(|new| &new.event_version))
        .bind(of(|new| &new.payload))
        .bind(of(|new| &new.metadata))
        .bind(plan.recorded_at)
        .bind(streams.iter().map(|(stream, _)| stream.aggregate_type).collect::<Vec<_>>())
        .bind(streams.iter().map(|(stream, _)| stream.aggregate_id.as_str()).collect::<Vec<_>>())
        .bind(streams.iter().map(|(_, (version, _))| *version).collect::<Vec<_>>())
        .bind(streams.iter().map(|(_, (_, last))| last.0).collect::<Vec<_>>())
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
