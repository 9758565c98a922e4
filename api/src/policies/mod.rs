//! Policies: what follows from events by itself.
//!
//! A policy reacts to every event of the log in order, at least once: what it does it may do twice, so its
//! commands carry idempotency keys that follow from the event. Its checkpoint moves after the reaction. Every
//! node runs every policy; the checkpoint's fence keeps them from repeating each other's work for long, and
//! repeating it does no harm.

mod erasure;
mod follow;
mod progress;
mod run;

pub use erasure::Erasure;
pub use progress::Progress;
pub use run::{PolicyConfig, PolicyError, PolicyTask, start};

use async_trait::async_trait;
use domain::{Actor, Causation, Client, Event, IdempotencyKey, Position, Recorded};
use eventlog::{CommandContext, EventLog};
use uuid::Uuid;

/// The namespace of the idempotency keys of policies (UUIDv5 of "policies.annal" in the DNS namespace).
const NAMESPACE: Uuid = Uuid::from_u128(0x509e_d75b_1459_5aa9_bd93_a4b0_8513_483f);

/// Reacts to events.
#[async_trait]
pub trait Policy: Send + Sync + 'static {
    /// Its name for ever: in its checkpoint, in its keys and as the actor of its events.
    fn name(&self) -> &'static str;

    /// Whether it reacts to an event at all.
    fn concerns(&self, event: &Event) -> bool;

    /// Does what follows from an event. May be called again for the same event, also at the same time by
    /// another node.
    ///
    /// # Errors
    /// Any error makes it be called again, after a pause.
    async fn react(&self, log: &EventLog, recorded: &Recorded) -> Result<(), PolicyError>;
}

/// The circumstances of a command that follows from an event: the same step gives the same idempotency key.
fn following(policy: &'static str, cause: &Recorded, step: &str) -> CommandContext {
    CommandContext {
        actor: Actor::Policy(policy.to_owned()),
        session: None,
        causation: Causation::Event(cause.position),
        correlation: cause.metadata.correlation,
        client: Client::Policy,
        idempotency: Some((key(policy, cause.position, step), step.to_owned())),
    }
}

fn key(policy: &str, cause: Position, step: &str) -> IdempotencyKey {
    IdempotencyKey(Uuid::new_v5(&NAMESPACE, format!("{policy}/{cause}/{step}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_step_never_changes_and_belongs_to_it_alone() {
        assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"policies.annal"));
        let keys = [key("a", Position(1), "x"), key("a", Position(2), "x"), key("a", Position(1), "y")];
        assert_eq!(keys[0], key("a", Position(1), "x"));
        assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[0] != key("b", Position(1), "x"));
    }
}
