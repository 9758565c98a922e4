//! The last events of the log, kept so that who was away for a moment costs no database.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::Position;

use super::event::LiveEvent;

/// A ring of the newest events, in order and without a gap; bounded in number and bytes.
pub(super) struct Recent {
    events: VecDeque<Arc<LiveEvent>>,
    bytes: usize,
    events_max: usize,
    bytes_max: usize,
}

impl Recent {
    pub(super) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { events: VecDeque::new(), bytes: 0, events_max, bytes_max }
    }

    /// Takes the next event in and forgets the oldest, with everything made of them.
    pub(super) fn push(&mut self, event: Arc<LiveEvent>) {
        self.bytes += event.weight();
        self.events.push_back(event);
        while self.events.len() > self.events_max || self.bytes > self.bytes_max {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.weight();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    /// All events above `after` and up to `until`; none when some of them are forgotten already.
    pub(super) fn range(&self, after: Position, until: Position) -> Option<Vec<Arc<LiveEvent>>> {
        if after >= until {
            return Some(vec![]);
        }
        let first = self.events.front().map(|oldest| oldest.position())?;
        let begin = usize::try_from(after.next().0 - first.0).ok()?;
        let end = usize::try_from(until.next().0 - first.0).ok()?;
        (end <= self.events.len()).then(|| self.events.range(begin..end).cloned().collect())
    }
}
