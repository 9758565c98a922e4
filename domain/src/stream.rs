//! Streams: one sequence of events per aggregate.

use std::any::Any;
use std::fmt;
use std::str::FromStr;

use crate::decider::Decider;
use crate::event::{AggregateEvent, Event};

/// Names one stream: the type and the id of its aggregate. Sorts by type, then id; commands over
/// several streams take them in this order, so that two of them never wait for each other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId {
    /// The aggregate's type, from a closed set of constants.
    pub aggregate_type: &'static str,
    /// The aggregate's id as text.
    pub aggregate_id: String,
}

impl StreamId {
    /// The stream of the aggregate `A` with this id.
    pub fn of<A: Decider>(id: &A::Id) -> Self {
        Self { aggregate_type: A::TYPE, aggregate_id: id.to_string() }
    }

    /// The id as the type that `A` uses; `None` when this is no stream of `A`.
    pub fn id<A: Decider>(&self) -> Option<A::Id> {
        if self.aggregate_type == A::TYPE { A::Id::from_str(&self.aggregate_id).ok() } else { None }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.aggregate_type, self.aggregate_id)
    }
}

/// An aggregate's state without its type, as the event log keeps it in memory.
pub trait LiveState: Any + Send + Sync {
    /// Applies a stored event (its payload as JSON of the current version); fails when this build
    /// cannot read it.
    fn apply_stored(&mut self, payload: &str) -> Result<(), serde_json::Error>;
    /// Applies an event in memory; an event of another aggregate changes nothing.
    fn apply_event(&mut self, event: &Event);
    /// The state as JSON, to be taken up again by [`StreamRef::restore`].
    fn snapshot(&self) -> Result<String, serde_json::Error>;
    /// For the downcast to the aggregate.
    fn as_any(&self) -> &dyn Any;
    /// For the downcast to the aggregate.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<A: Decider> LiveState for A {
    fn apply_stored(&mut self, payload: &str) -> Result<(), serde_json::Error> {
        self.evolve(&serde_json::from_str(payload)?);
        Ok(())
    }

    fn apply_event(&mut self, event: &Event) {
        if let Some(event) = A::Event::of(event) {
            self.evolve(event);
        }
    }

    fn snapshot(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// A stream together with the way to build its aggregate's state.
#[derive(Clone)]
pub struct StreamRef {
    /// The stream.
    pub id: StreamId,
    /// The version of the shape in which the aggregate's state is kept as a snapshot.
    pub state_format: i32,
    fresh: fn() -> Box<dyn LiveState>,
    restore: fn(&str) -> Result<Box<dyn LiveState>, serde_json::Error>,
}

impl StreamRef {
    /// The stream of the aggregate `A` with this id.
    pub fn of<A: Decider>(id: &A::Id) -> Self {
        Self {
            id: StreamId::of::<A>(id),
            state_format: A::STATE_FORMAT,
            fresh: || Box::new(A::default()),
            restore: |json| Ok(Box::new(serde_json::from_str::<A>(json)?)),
        }
    }

    /// The state before the first event.
    pub fn fresh(&self) -> Box<dyn LiveState> {
        (self.fresh)()
    }

    /// The state from a snapshot; fails when this build cannot read it (then replay the stream).
    pub fn restore(&self, snapshot: &str) -> Result<Box<dyn LiveState>, serde_json::Error> {
        (self.restore)(snapshot)
    }
}

impl fmt::Debug for StreamRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamRef({})", self.id)
    }
}
