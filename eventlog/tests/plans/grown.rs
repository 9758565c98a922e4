//! A log that has been in use for years, made in seconds.

use domain::StreamId;
use sqlx::PgPool;

/// How much foreign history there is.
#[derive(Clone, Copy)]
pub(crate) struct History {
    pub(crate) streams: i64,
    pub(crate) events: i64,
}

/// The id of the conversation that [`make_hot`] writes.
pub(crate) const HOT: &str = "00000000000000000000000000000007";

/// The stream of this number in the history that [`grow`] makes.
pub(crate) fn foreign(number: i64) -> StreamId {
    StreamId { aggregate_type: "conversation", aggregate_id: format!("{:032x}", number * 7919 + 8) }
}

/// Columns of an erased message; only its place differs from one to the next.
const REST: &str = r#"'MessageSent', '1.0',
     '{"MessageSent":{"number":1,"sender":"00000000000000000000000000000001","content":{"text":{"text":null}}}}',
     '{"event_id":"00000000000000000000000000000002","actor":"anonymous","causation":"event:1",
       "correlation":"00000000000000000000000000000003","client":"graphql"}',
     '2026-11-23 11:00:00+00'::timestamptz"#;

/// Puts foreign history behind what there is: conversations whose events stand mixed, each with a receipt.
/// No statistics are taken, and nobody takes them later.
pub(crate) async fn grow(pool: &PgPool, history: History) {
    for statement in [
        "ALTER TABLE events SET (autovacuum_enabled = false)".to_owned(),
        "ALTER TABLE streams SET (autovacuum_enabled = false)".to_owned(),
        "ALTER TABLE receipts SET (autovacuum_enabled = false)".to_owned(),
        "ALTER TABLE snapshots SET (autovacuum_enabled = false)".to_owned(),
        format!(
            "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                                 payload, metadata, recorded_at)
             SELECT head.position + n + 1, 'conversation', lpad(to_hex(n % {streams} * 7919 + 8), 32, '0'), n / {streams} + 1, {REST}
             FROM generate_series(0::bigint, {events} - 1) AS n,
                  (SELECT coalesce(max(position), 0) AS position FROM events) AS head",
            streams = history.streams,
            events = history.events,
        ),
        "INSERT INTO streams (aggregate_type, aggregate_id, version, last_position)
         SELECT aggregate_type, aggregate_id, count(*), max(position) FROM events
         GROUP BY 1, 2 ON CONFLICT DO NOTHING"
            .to_owned(),
        "INSERT INTO receipts (actor, key, input_hash, aggregate_type, aggregate_id, first_position,
                               last_position)
         SELECT 'account:' || aggregate_id, md5(aggregate_type || aggregate_id)::uuid, sha256(aggregate_id::bytea),
                aggregate_type, aggregate_id, last_position, last_position
         FROM streams"
            .to_owned(),
        // Of a build with other states: found, and left aside.
        "INSERT INTO snapshots (aggregate_type, aggregate_id, format, version, position, state)
         SELECT aggregate_type, aggregate_id, -1, version, last_position, '' FROM streams
         ON CONFLICT DO NOTHING"
            .to_owned(),
    ] {
        sqlx::query(&statement).execute(pool).await.unwrap();
    }
}

/// Puts one conversation behind what there is that is most of the log: the planner sees it in most rows
/// of its sample, and there is nothing of it in the older part.
pub(crate) async fn make_hot(pool: &PgPool, events: i64) {
    let statement = format!(
        "WITH new AS (
             INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                                 payload, metadata, recorded_at)
             SELECT head.position + n, 'conversation', '{HOT}', n, {REST}
             FROM generate_series(1::bigint, {events}) AS n,
                  (SELECT coalesce(max(position), 0) AS position FROM events) AS head
             RETURNING aggregate_type, aggregate_id, position
         )
         INSERT INTO streams (aggregate_type, aggregate_id, version, last_position)
         SELECT aggregate_type, aggregate_id, count(*), max(position) FROM new GROUP BY 1, 2"
    );
    sqlx::query(&statement).execute(pool).await.unwrap();
}

/// Takes the statistics that a server takes now and then.
pub(crate) async fn analyze(pool: &PgPool) {
    sqlx::query("ANALYZE events, streams, receipts, snapshots").execute(pool).await.unwrap();
}
