//! The smallest world in which actions can be tested: streams in memory, no log.

use std::collections::BTreeMap;

use crate::action::{Action, STREAMS_PER_ACTION_MAX, Streams};
use crate::credential::CredentialChange;
use crate::decider::Decider;
use crate::event::Event;
use crate::ids::AccountId;
use crate::refusal::Refusal;
use crate::stream::{LiveState, StreamId};

/// What an action did.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    pub(super) events: Vec<Event>,
    pub(super) credentials: Vec<CredentialChange>,
}

/// All streams of a small world.
#[derive(Default)]
pub(super) struct World {
    states: BTreeMap<StreamId, Box<dyn LiveState>>,
}

struct Deciding<'w> {
    states: &'w BTreeMap<StreamId, Box<dyn LiveState>>,
    events: Vec<(StreamId, Event)>,
    credentials: Vec<CredentialChange>,
}

impl World {
    /// Performs an action as the log would: all of it or nothing.
    pub(super) fn act(&mut self, action: &impl Action) -> Result<Done, Refusal> {
        let streams = action.streams();
        assert!(streams.len() <= STREAMS_PER_ACTION_MAX, "too many streams");
        for stream in streams {
            self.states.entry(stream.id.clone()).or_insert_with(|| stream.fresh());
        }
        let mut deciding = Deciding { states: &self.states, events: vec![], credentials: vec![] };
        action.decide(&mut deciding)?;
        let Deciding { events, credentials, .. } = deciding;
        for (stream, event) in &events {
            self.states.get_mut(stream).expect("decided on").apply_event(event);
        }
        Ok(Done { events: events.into_iter().map(|(_, event)| event).collect(), credentials })
    }

    /// Makes accounts exist.
    pub(super) fn with_people(people: &[AccountId]) -> Self {
        let mut world = Self::default();
        for person in people {
            let register = super::register::tests::register(*person);
            world.act(&register).expect("a new name");
        }
        world
    }
}

impl Streams for Deciding<'_> {
    fn state<A: Decider>(&self, id: &A::Id) -> &A {
        let state = self.states.get(&StreamId::of::<A>(id)).expect("the action names its streams");
        state.as_any().downcast_ref().expect("a stream has one type")
    }

    fn decide<A: Decider>(&mut self, id: &A::Id, command: &A::Command) -> Result<bool, A::Error> {
        let stream = StreamId::of::<A>(id);
        assert!(self.events.iter().all(|(s, _)| *s != stream), "one decision per stream");
        let events = self.state::<A>(id).decide(command)?;
        let happened = !events.is_empty();
        self.events.extend(events.into_iter().map(|event| (stream.clone(), event.into())));
        Ok(happened)
    }

    fn credential(&mut self, change: CredentialChange) {
        self.credentials.push(change);
    }
}
