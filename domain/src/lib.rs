//! The rules of Annal: what people may do, and the facts that follow.
//!
//! Everything here is pure. There is no clock, no randomness, no I/O and no SQL: whatever a decision
//! needs arrives in its command. An aggregate is four short files in a fixed order: the facts
//! (`event`), what a decision needs to remember of them (`state`), the rules (`decide`) and the closed
//! list of refusals (`error`). An [`Action`](action::Action) is what a person asks for: one decision
//! over one or a few streams, all or nothing.
//!
//! Invariant: this crate depends on no other room of the house.

pub mod account;
pub mod action;
pub mod actions;
pub mod contacts;
pub mod conversation;
pub mod credential;
pub mod decider;
pub mod event;
pub mod friendship;
pub mod handle;
pub mod ids;
pub mod metadata;
pub mod personal;
pub mod recorded;
pub mod refusal;
pub mod stream;
pub mod values;

pub use action::{Action, Streams};
pub use decider::Decider;
pub use event::Event;
pub use ids::{
    AccountId, CommandId, ConversationId, CorrelationId, EventId, HandleId, IdempotencyKey, MessageNumber,
    Pair, Position, SessionId,
};
pub use metadata::{Actor, Causation, Client, Metadata};
pub use personal::{KeyOwners, Personal, PersonalField, PersonalVisitor, Sealed};
pub use recorded::Recorded;
pub use refusal::Refusal;
pub use stream::{StreamId, StreamRef};
