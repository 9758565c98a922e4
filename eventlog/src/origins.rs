//! Where streams begin: the position of a stream's first event is its public identity.
//!
//! Both directions never change once they exist, so they are kept in memory.

use std::sync::Arc;

use domain::{Position, StreamId};
use quick_cache::sync::Cache;
use sqlx::{PgPool, Row as _};

use crate::error::LogError;

/// Finds the stream that began at a position, and the position at which a stream began.
#[derive(Clone)]
pub(crate) struct Origins {
    pool: PgPool,
    streams: Arc<Cache<Position, StreamId>>,
    positions: Arc<Cache<StreamId, Position>>,
}

impl Origins {
    pub(crate) fn new(pool: PgPool, origins_max: usize) -> Self {
        let (streams, positions) = (Cache::new(origins_max), Cache::new(origins_max));
        Self { pool, streams: Arc::new(streams), positions: Arc::new(positions) }
    }

    /// The stream whose first event stands at the position. One probe of the primary key at most.
    pub(crate) async fn stream_begun_at(&self, position: Position) -> Result<Option<StreamId>, LogError> {
        if let Some(stream) = self.streams.get(&position) {
            return Ok(Some(stream));
        }
        let row = sqlx::query(
            "SELECT aggregate_type, aggregate_id FROM events WHERE position = $1 AND sequence = 1",
        )
        .bind(position.0)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let stored_type: String = row.try_get("aggregate_type")?;
        let aggregate_type =
            domain::event::aggregate_type(&stored_type).ok_or(LogError::Envelope(position))?;
        let stream = StreamId { aggregate_type, aggregate_id: row.try_get("aggregate_id")? };
        self.remember(&stream, position);
        Ok(Some(stream))
    }

    /// The position of a stream's first event. One probe of the stream's index at most.
    pub(crate) async fn beginning_of(&self, stream: &StreamId) -> Result<Option<Position>, LogError> {
        if let Some(position) = self.positions.get(stream) {
            return Ok(Some(position));
        }
        let row = sqlx::query(
            "SELECT position FROM events WHERE aggregate_type = $1 AND aggregate_id = $2 ORDER BY position LIMIT 1",
        )
        .bind(stream.aggregate_type)
        .bind(&stream.aggregate_id)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let position = Position(row.try_get("position")?);
        self.remember(stream, position);
        Ok(Some(position))
    }

    fn remember(&self, stream: &StreamId, position: Position) {
        self.streams.insert(position, stream.clone());
        self.positions.insert(stream.clone(), position);
    }
}
