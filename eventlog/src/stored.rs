//! A row of the table `events`, and how it becomes an event again.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{Event, Metadata, Position, Recorded, StreamId};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::error::LogError;
use crate::keys::KeyRing;
use crate::seal;
use crate::upcast;

/// An event exactly as stored: sealed, its payload and metadata byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub sequence: i64,
    /// Its name.
    pub event_type: String,
    /// The version of its stored format.
    pub event_version: String,
    /// The payload's bytes.
    pub payload: String,
    /// The metadata's bytes.
    pub metadata: String,
    /// When the log took it in, in microseconds.
    pub recorded_at: DateTime<Utc>,
}

/// The columns of a [`StoredEvent`], in the order that [`StoredEvent::from_row`] expects. The JSON
/// columns are read as text: they are hashed byte for byte.
pub(crate) const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
     payload::text AS payload, metadata::text AS metadata, recorded_at";

impl StoredEvent {
    pub(crate) fn from_row(row: &PgRow) -> Result<Self, LogError> {
        let position = Position(row.try_get("position")?);
        let stored_type: String = row.try_get("aggregate_type")?;
        let aggregate_type = domain::event::aggregate_type(&stored_type).ok_or_else(|| LogError::Decode {
            position,
            source: domain::event::DecodeError::UnknownAggregate(stored_type.clone()),
        })?;
        Ok(Self {
            position,
            stream: StreamId { aggregate_type, aggregate_id: row.try_get("aggregate_id")? },
            sequence: row.try_get("sequence")?,
            event_type: row.try_get("event_type")?,
            event_version: row.try_get("event_version")?,
            payload: row.try_get("payload")?,
            metadata: row.try_get("metadata")?,
            recorded_at: row.try_get("recorded_at")?,
        })
    }

    /// The event, upcast to the current version, its personal fields still sealed.
    fn decode(&self) -> Result<Recorded, LogError> {
        let payload = upcast::to_current(self)?;
        let event = Event::decode(self.stream.aggregate_type, &payload)
            .map_err(|source| LogError::Decode { position: self.position, source })?;
        let metadata: Metadata =
            serde_json::from_str(&self.metadata).map_err(|_| LogError::Envelope(self.position))?;
        Ok(Recorded {
            position: self.position,
            stream: self.stream.clone(),
            sequence: self.sequence,
            event,
            metadata,
            recorded_at: self.recorded_at,
        })
    }
}

/// Opens stored events: decodes, upcasts, unseals. At most one query for keys.
pub(crate) async fn open(stored: &[StoredEvent], keys: &KeyRing) -> Result<Vec<Recorded>, LogError> {
    let mut events = stored.iter().map(StoredEvent::decode).collect::<Result<Vec<_>, _>>()?;
    let mut ids = BTreeSet::new();
    for recorded in &mut events {
        seal::key_ids(&mut recorded.event, &recorded.stream, &mut ids)
            .map_err(|_| LogError::Unsealable(recorded.position))?;
    }
    let keys = keys.fetch(&ids).await?;
    for recorded in &mut events {
        let Recorded { event, stream, sequence, metadata, .. } = recorded;
        seal::unseal(event, stream, *sequence, metadata.event_id, &keys)
            .map_err(|_| LogError::Unsealable(recorded.position))?;
    }
    Ok(events)
}
