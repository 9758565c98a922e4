//! Snapshots: the state of an aggregate on disk, so that loading it is one look-up and a short tail.
//!
//! A snapshot is taken when the tail behind the last one outweighs it, from state in memory, and is
//! written by a task of its own after its last event is committed: the writer never waits for it. It is a
//! short cut and never the truth: one that is missing, of another format, or does not fit the log costs a
//! replay and nothing else.

use std::sync::Arc;

use domain::stream::LiveState;
use domain::{Position, StreamRef};
use sqlx::{PgPool, Row as _};
use tokio::sync::Semaphore;

use super::mailbox::Live;
use crate::error::LogError;
use crate::read;
use crate::stored::StoredEvent;
use crate::upcast;
use crate::writer::Chain;

/// Events read at once when a stream is loaded.
const LOAD_EVENTS_MAX: u32 = 1_000;
/// Snapshots written at once; one more is left out, the next events of its stream ask again.
const WRITES_AT_ONCE_MAX: usize = 2;
/// A shorter tail is not worth a snapshot.
const TAIL_EVENTS_MIN: u32 = 128;
/// How many times its snapshot a tail must weigh. The state of a group of 10,000 is half a megabyte: keeping it as
/// soon as the tail weighed as much made each message a quarter dearer; now loading it reads up to two megabytes.
const TAIL_WEIGHT_MIN: usize = 4;

/// What stands behind the last snapshot of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    events: u32,
    bytes: usize,
    snapshot_bytes: usize,
}

impl Tail {
    /// One event more.
    pub(super) fn add(&mut self, bytes: usize) {
        self.events = self.events.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether reading the tail costs more than reading a snapshot would.
    fn outweighs(self) -> bool {
        self.events >= TAIL_EVENTS_MIN && self.bytes >= self.snapshot_bytes.saturating_mul(TAIL_WEIGHT_MIN)
    }
}

/// A state to be kept once its last event is committed.
pub(super) struct Snapshot {
    stream: StreamRef,
    version: i64,
    state: String,
}

impl Snapshot {
    /// Takes a snapshot if it is worth it.
    pub(super) fn take(stream: &StreamRef, live: &mut Live) -> Option<Self> {
        if !live.tail.outweighs() {
            return None;
        }
        let state = match live.state.snapshot() {
            Ok(state) => state,
            Err(error) => {
                tracing::warn!(%error, aggregate_type = stream.id.aggregate_type, "a state cannot be kept");
                return None;
            }
        };
        live.tail = Tail { snapshot_bytes: state.len(), ..Tail::default() };
        Some(Self { stream: stream.clone(), version: live.version, state })
    }
}

/// Loads states and keeps snapshots of them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Snapshots {
    pool: PgPool,
    at_once: Arc<Semaphore>,
}

struct Kept {
    state: Box<dyn LiveState>,
    version: i64,
    position: Position,
    bytes: usize,
}

impl Snapshots {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, at_once: Arc::new(Semaphore::new(WRITES_AT_ONCE_MAX)) }
    }

    /// Builds the state of a stream: from its snapshot and the tail behind it, or from all its events.
    pub(super) async fn load(&self, stream: &StreamRef) -> Result<Live, LogError> {
        let (mut live, mut after) = match self.kept(stream).await? {
            Some(Kept { state, version, position, bytes }) => {
                let tail = Tail { snapshot_bytes: bytes, ..Tail::default() };
                (Live { state, version, chain: Chain::default(), tail }, position)
            }
            None => (Live::fresh(stream), Position::START),
        };
        loop {
            let page = read::by_stream(&self.pool, &stream.id, after, LOAD_EVENTS_MAX).await?;
            for event in &page {
                apply(&mut live, event)?;
                after = event.position;
            }
            if page.len() < LOAD_EVENTS_MAX as usize {
                break;
            }
        }
        // What was loaded is committed: a long tail is replaced at once.
        if let Some(snapshot) = Snapshot::take(stream, &mut live) {
            self.keep(snapshot, after);
        }
        Ok(live)
    }

    async fn kept(&self, stream: &StreamRef) -> Result<Option<Kept>, LogError> {
        let row = sqlx::query(
            "SELECT kept.version, kept.position, kept.state
             FROM snapshots AS kept
             JOIN events AS last ON last.position = kept.position
                AND last.aggregate_type = kept.aggregate_type AND last.aggregate_id = kept.aggregate_id
                AND last.sequence = kept.version
             WHERE kept.aggregate_type = $1 AND kept.aggregate_id = $2 AND kept.format = $3",
        )
        .bind(stream.id.aggregate_type)
        .bind(&stream.id.aggregate_id)
        .bind(stream.state_format)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let state: String = row.try_get("state")?;
        match stream.restore(&state) {
            Ok(restored) => Ok(Some(Kept {
                state: restored,
                version: row.try_get("version")?,
                position: Position(row.try_get("position")?),
                bytes: state.len(),
            })),
            Err(error) => {
                tracing::warn!(%error, aggregate_type = stream.id.aggregate_type, "a snapshot is unreadable");
                Ok(None)
            }
        }
    }

    /// Writes a snapshot, off the caller's way; `position` is that of its last event, which is committed.
    pub(super) fn keep(&self, snapshot: Snapshot, position: Position) {
        let Ok(turn) = self.at_once.clone().try_acquire_owned() else { return };
        let pool = self.pool.clone();
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = write(&pool, &snapshot, position).await {
                tracing::warn!(?error, "a snapshot was not kept");
            }
        });
    }
}

fn apply(live: &mut Live, event: &StoredEvent) -> Result<(), LogError> {
    let payload = upcast::to_current(event)?;
    live.state.apply_stored(&payload).map_err(|source| LogError::Decode {
        position: event.position,
        source: domain::event::DecodeError::Payload(source),
    })?;
    live.version = event.sequence;
    live.tail.add(event.payload.len());
    Ok(())
}

/// An older snapshot never replaces a newer one of the same format.
async fn write(pool: &PgPool, snapshot: &Snapshot, position: Position) -> Result<(), LogError> {
    sqlx::query(
        "INSERT INTO snapshots (aggregate_type, aggregate_id, format, version, position, state)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
         SET format = excluded.format, version = excluded.version, position = excluded.position,
             state = excluded.state
         WHERE snapshots.version < excluded.version OR snapshots.format <> excluded.format",
    )
    .bind(snapshot.stream.id.aggregate_type)
    .bind(&snapshot.stream.id.aggregate_id)
    .bind(snapshot.stream.state_format)
    .bind(snapshot.version)
    .bind(position.0)
    .bind(&snapshot.state)
    .execute(pool)
    .await?;
    Ok(())
}
