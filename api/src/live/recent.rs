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

#[cfg(test)]
mod tests {
    use domain::account::AccountEvent;
    use domain::{
        AccountId, Actor, Causation, Client, CommandId, CorrelationId, Event, EventId, Metadata, Recorded,
        SessionId, StreamId,
    };

    use super::*;

    fn event(position: i64) -> Arc<LiveEvent> {
        let id = uuid::Uuid::from_u128(1);
        Arc::new(LiveEvent::new(Arc::new(Recorded {
            position: Position(position),
            stream: StreamId::of::<domain::account::Account>(&AccountId(id)),
            sequence: position,
            event: Event::Account(AccountEvent::SignedOut { session: SessionId(id) }),
            metadata: Metadata {
                event_id: EventId(id),
                actor: Actor::Anonymous,
                session: None,
                causation: Causation::Command(CommandId(id)),
                correlation: CorrelationId(id),
                client: Client::Graphql,
            },
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        })))
    }

    fn positions(recent: &Recent, after: i64, until: i64) -> Option<Vec<i64>> {
        let events = recent.range(Position(after), Position(until))?;
        Some(events.iter().map(|event| event.position().0).collect())
    }

    #[test]
    fn what_is_forgotten_is_not_passed_over() {
        let mut recent = Recent::new(3, usize::MAX);
        assert_eq!(positions(&recent, 5, 5), Some(vec![]));
        assert_eq!(positions(&recent, 4, 5), None);
        for position in 6..=10 {
            recent.push(event(position));
        }
        assert_eq!(positions(&recent, 7, 10), Some(vec![8, 9, 10]));
        assert_eq!(positions(&recent, 8, 9), Some(vec![9]));
        assert_eq!(positions(&recent, 6, 10), None, "7 is forgotten");
        assert_eq!(positions(&recent, 8, 11), None, "11 is not there yet");
        recent.clear();
        assert_eq!(positions(&recent, 9, 10), None);
    }

    #[test]
    fn it_is_bounded_in_bytes_too() {
        let mut recent = Recent::new(100, event(1).weight() * 2);
        (1..=50).for_each(|position| recent.push(event(position)));
        assert_eq!(positions(&recent, 48, 50), Some(vec![49, 50]));
        assert_eq!(positions(&recent, 47, 50), None);
    }
}
