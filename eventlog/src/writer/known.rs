//! What a writer's connection knows of the streams without asking.

use std::collections::HashMap;

use domain::{Position, StreamId};

use super::batch::Head;

/// Version and last position of a stream; zero and the start for one without events.
pub(super) type Mark = (i64, Position);

/// What the log held for some streams when it ended at `head`. True as long as it ends there: versions change
/// by appends only, and each append moves the head. So a writer that is alone need not ask for the streams
/// that it wrote before, and one that finds the head elsewhere has forgotten them all.
pub(super) struct Known {
    head: Option<Head>,
    /// Whether nobody else appended between the last two looks at the end of the log.
    alone: bool,
    streams: HashMap<StreamId, Mark>,
    streams_max: usize,
}

impl Known {
    pub(super) fn new(streams_max: usize) -> Self {
        Self { head: None, alone: false, streams: HashMap::new(), streams_max }
    }

    /// Takes note of where the log ends, as read under the lock.
    pub(super) fn ends_at(&mut self, head: Head) {
        let position = |head: Head| head.map(|(position, _)| position);
        self.alone = self.head.is_some_and(|known| position(known) == position(head));
        if !self.alone {
            self.streams.clear();
        }
        self.head = Some(head);
    }

    /// Where the log ends, if nobody else is likely to have appended since.
    pub(super) fn head_if_alone(&self) -> Option<Head> {
        self.head.filter(|_| self.alone && self.streams_max > 0)
    }

    /// Takes note that somebody else appended after all.
    pub(super) fn has_company(&mut self) {
        self.alone = false;
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
            if self.streams_max > 0 {
                self.streams.insert(stream, mark);
            }
        }
    }

    /// Takes note of an append that was committed.
    pub(super) fn appended(&mut self, head: Head, streams: impl IntoIterator<Item = (StreamId, Mark)>) {
        self.head = Some(head);
        self.read(streams);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn stream(id: &str) -> StreamId {
        StreamId { aggregate_type: "conversation", aggregate_id: id.to_owned() }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a log may be empty")]
    fn head(position: i64) -> Head {
        Some((Position(position), DateTime::UNIX_EPOCH))
    }

    #[test]
    fn an_append_of_somebody_else_makes_it_forget() {
        let mut known = Known::new(10);
        known.ends_at(head(5));
        known.read([(stream("a"), (2, Position(4)))]);
        known.ends_at(head(5));
        assert_eq!(known.mark(&stream("a")), Some((2, Position(4))));
        known.appended(head(6), [(stream("b"), (1, Position(6)))]);
        known.ends_at(head(6));
        assert_eq!(known.mark(&stream("a")), Some((2, Position(4))));
        assert_eq!(known.mark(&stream("b")), Some((1, Position(6))));
        known.ends_at(head(7));
        assert_eq!((known.mark(&stream("a")), known.mark(&stream("b"))), (None, None));
    }

    #[test]
    fn it_takes_itself_for_alone_only_after_it_found_the_end_where_it_left_it() {
        let mut known = Known::new(10);
        assert_eq!(known.head_if_alone(), None);
        known.ends_at(None);
        assert_eq!(known.head_if_alone(), None, "the first look proves nothing");
        known.appended(head(1), []);
        known.ends_at(head(1));
        assert_eq!(known.head_if_alone(), Some(head(1)));
        known.appended(head(2), []);
        assert_eq!(known.head_if_alone(), Some(head(2)));
        known.has_company();
        assert_eq!(known.head_if_alone(), None);
        known.ends_at(head(3));
        assert_eq!(known.head_if_alone(), None);
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut known = Known::new(2);
        known.ends_at(head(9));
        for id in ["a", "b", "c"] {
            known.read([(stream(id), (1, Position(9)))]);
        }
        let held = ["a", "b", "c"].into_iter().filter(|id| known.mark(&stream(id)).is_some()).count();
        assert!((1..=2).contains(&held));
        assert!(known.mark(&stream("c")).is_some());
    }
}
