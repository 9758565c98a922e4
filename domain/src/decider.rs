//! The shape of an aggregate: decide, then evolve (Chassaing's Decider).

use std::fmt;
use std::str::FromStr;

use cqrs_es::Aggregate;

use crate::event::AggregateEvent;

/// An aggregate whose rules are a pure function.
///
/// `decide` looks and says what happens; `evolve` takes it in. A decision runs to its end before
/// anything is applied, so a refusal leaves the state as it was and nothing needs to be cloned. Rules
/// are idempotent: asking for what is already so answers with no events.
pub trait Decider:
    Aggregate<Services = (), Event: AggregateEvent, Error: Clone + PartialEq> + 'static
{
    /// The aggregate's id.
    type Id: Clone + Ord + fmt::Display + FromStr + fmt::Debug + Send + Sync;

    /// The version of the state's own shape. Raise it with every change of the state's fields: snapshots of
    /// other versions are ignored, and the stream is replayed.
    const STATE_FORMAT: i32 = 1;

    /// What follows from the command in this state; an empty list means "already so".
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Takes one event in. Never fails and never judges: what happened, happened.
    fn evolve(&mut self, event: &Self::Event);
}

/// Makes a [`Decider`] a cqrs-es `Aggregate`, so that the crate's framework and test kit run it.
macro_rules! cqrs_aggregate {
    ($aggregate:ty, $name:literal, $command:ty, $event:ty, $error:ty) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = $name;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                _services: &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in $crate::Decider::decide(self, &command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                $crate::Decider::evolve(self, &event);
            }
        }
    };
}

/// Gives each variant of an event enum its stored name and version. A missing variant does not compile.
macro_rules! event_versions {
    ($event:ty { $($variant:ident: $version:literal),+ $(,)? }) => {
        impl $event {
            /// Every stored name of this aggregate with its current version.
            pub const VERSIONS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($variant), $version)),+];
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($variant)),+ }.to_owned()
            }

            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => $version),+ }.to_owned()
            }
        }
    };
}

pub(crate) use {cqrs_aggregate, event_versions};
