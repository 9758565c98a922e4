//! What a writer's connection knows of the streams without asking.

use std::collections::HashMap;

use domain::{Position, StreamId};

/// Version and last position of a stream; zero and the start for one without events.
pub(super) type Mark = (i64, Position);

/// What the log held for some streams when it ended at `head`. True as long as it ends there: versions change
/// by appends only, and each append moves the head. So a writer that is alone need not ask for the streams
/// that it wrote before, and one that finds the head elsewhere has forgotten them all.
pub(super) struct Known {
    head: Position,
    streams: HashMap<StreamId, Mark>,
    streams_max: usize,
}

impl Known {
    pub(super) fn new(streams_max: usize) -> Self {
        Self { head: Position::START, streams: HashMap::new(), streams_max }
    }

    /// Takes note of where the log ends, as read under the lock.
    pub(super) fn ends_at(&mut self, head: Position) {
        if self.head != head {
            self.streams.clear();
            self.head = head;
        }
    }

    pub(super) fn mark(&self, stream: &StreamId) -> Option<Mark> {
        self.streams.get(stream).copied()
    }

    /// Takes note of what was read under the lock.
    pub(super) fn read(&mut self, streams: impl IntoIterator<Item = (StreamId, Mark)>) {
        for (stream, mark) in streams {
            if self.streams.len() >= self.streams_max {
                self.streams.clear();
            }
            self.streams.insert(stream, mark);
        }
    }

    /// Takes note of an append that was committed.
    pub(super) fn appended(&mut self, head: Position, streams: impl IntoIterator<Item = (StreamId, Mark)>) {
        self.head = head;
        self.read(streams);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(id: &str) -> StreamId {
        StreamId { aggregate_type: "conversation", aggregate_id: id.to_owned() }
    }

    #[test]
    fn an_append_of_somebody_else_makes_it_forget() {
        let mut known = Known::new(10);
        known.ends_at(Position(5));
        known.read([(stream("a"), (2, Position(4)))]);
        known.ends_at(Position(5));
        assert_eq!(known.mark(&stream("a")), Some((2, Position(4))));
        known.appended(Position(6), [(stream("b"), (1, Position(6)))]);
        known.ends_at(Position(6));
        assert_eq!(known.mark(&stream("a")), Some((2, Position(4))));
        assert_eq!(known.mark(&stream("b")), Some((1, Position(6))));
        known.ends_at(Position(7));
        assert_eq!((known.mark(&stream("a")), known.mark(&stream("b"))), (None, None));
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut known = Known::new(2);
        known.ends_at(Position(9));
        for id in ["a", "b", "c"] {
            known.read([(stream(id), (1, Position(9)))]);
        }
        let held = ["a", "b", "c"].into_iter().filter(|id| known.mark(&stream(id)).is_some()).count();
        assert!((1..=2).contains(&held));
        assert!(known.mark(&stream("c")).is_some());
    }
}
