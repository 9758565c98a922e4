//! Who asks, and what they are told.

use std::sync::Arc;

use domain::{
    Actor, Causation, Client, CorrelationId, IdempotencyKey, Position, Recorded, Refusal, SessionId,
};

/// The circumstances of a command, written into the metadata of its events.
#[derive(Clone, Debug)]
pub struct CommandContext {
    /// Who asks.
    pub actor: Actor,
    /// From which device, when a person asks from one.
    pub session: Option<SessionId>,
    /// What made it be asked.
    pub causation: Causation,
    /// The outside request at the root of it.
    pub correlation: CorrelationId,
    /// The way in.
    pub client: Client,
    /// The caller's idempotency key with the canonical form of the input it came with.
    pub idempotency: Option<(IdempotencyKey, String)>,
}

/// What came of a command.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// It was done, or was so already.
    Done(Done),
    /// The rules say no. Nothing happened.
    Refused(Refusal),
}

/// A command that was done; everything here is committed and flushed.
#[derive(Clone, PartialEq, Debug)]
pub struct Done {
    /// Its events with their personal fields open; empty when nothing had to change. When the command
    /// was a repeat, these are the events of the first time.
    pub events: Vec<Arc<Recorded>>,
    /// The position of its last event; when nothing changed, the last position of its own stream.
    pub position: Position,
    /// Whether its idempotency key had been used before.
    pub repeated: bool,
}
