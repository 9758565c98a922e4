//! An event as the log holds it.

use chrono::{DateTime, Utc};

use crate::event::Event;
use crate::ids::Position;
use crate::metadata::Metadata;
use crate::stream::StreamId;

/// One event with its place and its circumstances.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// Its place in the whole log.
    pub position: Position,
    /// The stream it stands in.
    pub stream: StreamId,
    /// Its place in the stream: 1, 2, 3 ...
    pub sequence: i64,
    /// What happened.
    pub event: Event,
    /// Who, how and why.
    pub metadata: Metadata,
    /// When the log took it in; microseconds, never earlier than the event before it.
    pub recorded_at: DateTime<Utc>,
}
