//! The streams of one action while it is decided.

use domain::credential::CredentialChange;
use domain::{Decider, Event, StreamId, Streams};

use super::mailbox::Held;

/// What an action wants to happen.
#[derive(Default)]
pub(super) struct Decision {
    /// Events with the index of their stream among those held.
    pub(super) events: Vec<(usize, Event)>,
    pub(super) credentials: Vec<CredentialChange>,
}

/// Lets an action look at and decide on the streams that are held for it.
pub(super) struct Deciding<'h> {
    held: &'h [Held],
    decided: Vec<usize>,
    decision: Decision,
}

impl<'h> Deciding<'h> {
    pub(super) fn on(held: &'h [Held]) -> Self {
        Self { held, decided: Vec::new(), decision: Decision::default() }
    }

    pub(super) fn into_decision(self) -> Decision {
        self.decision
    }

    fn index_of(&self, stream: &StreamId) -> usize {
        let index = self.held.iter().position(|held| held.stream.id == *stream);
        index.unwrap_or_else(|| panic!("the action did not name a stream of type {}", stream.aggregate_type))
    }
}

impl Streams for Deciding<'_> {
    fn state<A: Decider>(&self, id: &A::Id) -> &A {
        let held = &self.held[self.index_of(&StreamId::of::<A>(id))];
        let state = held.live().and_then(|live| live.state.as_any().downcast_ref());
        state.expect("a held stream is loaded and has one type")
    }

    fn decide<A: Decider>(&mut self, id: &A::Id, command: &A::Command) -> Result<bool, A::Error> {
        let index = self.index_of(&StreamId::of::<A>(id));
        assert!(!self.decided.contains(&index), "an action decides at most once on a stream");
        let events = self.state::<A>(id).decide(command)?;
        let happened = !events.is_empty();
        self.decided.push(index);
        self.decision.events.extend(events.into_iter().map(|event| (index, event.into())));
        Ok(happened)
    }

    fn credential(&mut self, change: CredentialChange) {
        self.decision.credentials.push(change);
    }
}
