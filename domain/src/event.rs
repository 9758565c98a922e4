//! Every fact there is, over all streams.

use cqrs_es::DomainEvent;

use crate::account::{Account, AccountEvent};
use crate::contacts::{Contacts, ContactsEvent};
use crate::conversation::{Conversation, ConversationEvent};
use crate::friendship::{Friendship, FriendshipEvent};
use crate::handle::{Handle, HandleEvent};
use crate::ids::AccountId;
use crate::personal::PersonalVisitor;
use crate::stream::StreamId;
use cqrs_es::Aggregate as _;

/// Why a stored event cannot be read by this build.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The log holds an aggregate type that this build does not know: stop, never skip.
    #[error("unknown aggregate type {0:?}")]
    UnknownAggregate(String),
    /// The payload does not fit the event's current version: stop, never skip.
    #[error("unreadable event payload")]
    Payload(#[from] serde_json::Error),
}

/// What every event enum offers beside its serde form.
pub trait AggregateEvent: DomainEvent + Into<Event> + 'static {
    /// The event as one of this aggregate; `None` when it belongs to another.
    fn of(event: &Event) -> Option<&Self>;

    /// Shows every personal field to the visitor; `stream` is where the event stands.
    fn personal(&mut self, stream: &StreamId, visitor: &mut dyn PersonalVisitor);
}

macro_rules! union {
    ($($(#[$doc:meta])* $variant:ident($event:ty) of $aggregate:ty),+ $(,)?) => {
        /// One fact of any stream.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Event {
            $($(#[$doc])* $variant($event)),+
        }

        $(impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })+

        impl Event {
            /// The aggregate types of the log, each with the stored names and current versions of its events.
            pub const CATALOGUE: &'static [(&'static str, &'static [(&'static str, &'static str)])] =
                &[$((<$aggregate>::TYPE, <$event>::VERSIONS)),+];

            /// Reads a stored payload of the current version.
            pub fn decode(aggregate_type: &str, payload: &str) -> Result<Self, DecodeError> {
                $(if aggregate_type == <$aggregate>::TYPE {
                    return Ok(Self::$variant(serde_json::from_str(payload)?));
                })+
                Err(DecodeError::UnknownAggregate(aggregate_type.to_owned()))
            }

            /// The payload as stored; fails while a personal field is still open.
            pub fn encode(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(event) => serde_json::to_string(event)),+ }
            }

            /// The stored name, unique over all aggregates.
            pub fn event_type(&self) -> String {
                match self { $(Self::$variant(event) => event.event_type()),+ }
            }

            /// The version of the stored format.
            pub fn event_version(&self) -> String {
                match self { $(Self::$variant(event) => event.event_version()),+ }
            }

            /// Shows every personal field to the visitor; `stream` is where the event stands.
            pub fn personal(&mut self, stream: &StreamId, visitor: &mut dyn PersonalVisitor) {
                match self { $(Self::$variant(event) => AggregateEvent::personal(event, stream, visitor)),+ }
            }
        }

        /// The constant of a stored aggregate type; `None` when this build does not know it.
        pub fn aggregate_type(stored: &str) -> Option<&'static str> {
            $(if stored == <$aggregate>::TYPE { return Some(<$aggregate>::TYPE); })+
            None
        }
    };
}

union! {
    /// Of a person's account.
    Account(AccountEvent) of Account,
    /// Of a user name or e-mail as a thing that only one account can hold.
    Handle(HandleEvent) of Handle,
    /// Of what is between two people.
    Friendship(FriendshipEvent) of Friendship,
    /// Of one person's address book.
    Contacts(ContactsEvent) of Contacts,
    /// Of a conversation and what is said in it.
    Conversation(ConversationEvent) of Conversation,
}

impl Event {
    /// Whose key must not be kept in memory any longer once this event was seen; `stream` is where it
    /// stands. Also told again when the key was destroyed: it may have been read from the database between.
    pub fn erases(&self, stream: &StreamId) -> Option<AccountId> {
        match self {
            Self::Account(AccountEvent::PersonalDataErased {} | AccountEvent::ErasureConfirmed {}) => {
                stream.id::<Account>()
            }
            Self::Account(
                AccountEvent::AccountRegistered { .. }
                | AccountEvent::SignedIn { .. }
                | AccountEvent::SignInRefused { .. }
                | AccountEvent::SignedOut { .. },
            )
            | Self::Handle(_)
            | Self::Friendship(_)
            | Self::Contacts(_)
            | Self::Conversation(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn stored_names_are_unique_over_all_aggregates() {
        let names: Vec<_> = Event::CATALOGUE.iter().flat_map(|(_, events)| *events).map(|(n, _)| n).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn an_unknown_aggregate_is_an_error_and_not_a_skip() {
        assert!(matches!(Event::decode("parrot", "{}"), Err(DecodeError::UnknownAggregate(_))));
    }
}
