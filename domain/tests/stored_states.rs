//! Snapshots hold the state of an aggregate: when its shape changes, `STATE_FORMAT` has to change too.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use domain::account::Account;
use domain::contacts::Contacts;
use domain::conversation::Conversation;
use domain::friendship::Friendship;
use domain::handle::Handle;
use domain::{AccountId, ConversationId, Decider, Event, HandleId, Pair, StreamRef};
use uuid::Uuid;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Folds the stored fixtures of the aggregate's events, in the order of the catalogue, and compares the
/// state at every step with what the format's file says. Where an event has a fixture of this shape, it
/// stands in for the plain one.
fn check<A: Decider>(id: &A::Id, shape: &str) {
    let stream = StreamRef::of::<A>(id);
    let mut state = stream.fresh();
    let mut states = vec![state.snapshot().unwrap()];
    let (_, events) = Event::CATALOGUE.iter().find(|(aggregate, _)| *aggregate == A::TYPE).unwrap();
    for (event, version) in *events {
        let fixture = |shape| folder("stored").join(format!("{}.{event}.{version}{shape}.json", A::TYPE));
        let file = if fixture(shape).exists() { fixture(shape) } else { fixture("") };
        state.apply_stored(&fs::read_to_string(file).unwrap()).unwrap();
        states.push(state.snapshot().unwrap());
    }
    states.dedup();
    for kept in &states {
        assert_eq!(stream.restore(kept).unwrap().snapshot().unwrap(), *kept, "a snapshot restores to itself");
    }
    let states = format!("{}\n", states.join("\n"));
    let file = folder("stored_states").join(format!("{}.{}{shape}.jsonl", A::TYPE, A::STATE_FORMAT));
    let known = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        known == states,
        "the state of {} changed its shape: raise STATE_FORMAT and keep {} with\n{states}",
        A::TYPE,
        file.display()
    );
}

#[test]
fn a_state_of_another_shape_has_another_format() {
    let account = |n| AccountId(Uuid::from_u128(n));
    check::<Account>(&account(1), "");
    check::<Contacts>(&account(1), "");
    check::<Conversation>(&ConversationId(Uuid::from_u128(1)), "");
    check::<Conversation>(&ConversationId(Uuid::from_u128(1)), ".group");
    check::<Friendship>(&Pair::of(account(1), account(2)).unwrap(), "");
    check::<Handle>(&HandleId("0".repeat(64)), "");
    assert_eq!(Event::CATALOGUE.len(), 5, "every aggregate is checked here");
}
