//! The model: all states in memory, one event after the other, nothing else.

use std::collections::BTreeMap;

use domain::credential::CredentialChange;
use domain::stream::LiveState;
use domain::{Action, Decider, Event, Position, Recorded, Refusal, StreamId, Streams};

/// The states after the events up to a position.
#[derive(Default)]
pub(crate) struct World {
    states: BTreeMap<StreamId, Box<dyn LiveState>>,
    last: BTreeMap<StreamId, Position>,
}

/// What an action comes to in this world.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Refused(Refusal),
    /// With the last position of the action's own stream.
    AlreadySo(Position),
    Events(Vec<Event>),
}

impl World {
    /// Takes one event in.
    pub(crate) fn take_in(&mut self, recorded: &Recorded) {
        let state = self.states.get_mut(&recorded.stream).expect("made ready");
        state.apply_event(&recorded.event);
        self.last.insert(recorded.stream.clone(), recorded.position);
    }

    /// Makes the streams of an action ready; those of all actions have to be before the first event.
    pub(crate) fn prepare(&mut self, action: &impl Action) {
        for stream in action.streams() {
            let fresh = stream.fresh();
            self.states.entry(stream.id).or_insert(fresh);
        }
    }

    pub(crate) fn decide(&self, action: &impl Action) -> Verdict {
        let mut deciding = Deciding { world: self, events: vec![] };
        match action.decide(&mut deciding) {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(()) if deciding.events.is_empty() => {
                let own = &action.streams()[0].id;
                Verdict::AlreadySo(self.last.get(own).copied().unwrap_or(Position::START))
            }
            Ok(()) => Verdict::Events(deciding.events),
        }
    }

    pub(crate) fn state<A: Decider>(&self, id: &A::Id) -> Option<&A> {
        self.states.get(&StreamId::of::<A>(id))?.as_any().downcast_ref()
    }
}

struct Deciding<'w> {
    world: &'w World,
    events: Vec<Event>,
}

impl Streams for Deciding<'_> {
    fn state<A: Decider>(&self, id: &A::Id) -> &A {
        self.world.state::<A>(id).expect("made ready")
    }

    fn decide<A: Decider>(&mut self, id: &A::Id, command: &A::Command) -> Result<bool, A::Error> {
        let events = self.state::<A>(id).decide(command)?;
        let happened = !events.is_empty();
        self.events.extend(events.into_iter().map(Into::into));
        Ok(happened)
    }

    fn credential(&mut self, _: CredentialChange) {}
}
