//! Personal data: free text and contact data that a person typed, open or sealed or erased.
//!
//! Invariant: an open value cannot be written. [`Personal::Open`] refuses to serialise, so that no
//! log row, snapshot or view can hold plain personal text by mistake; it has to be sealed first.

use std::fmt;

use serde::de::Deserializer;
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ConversationId};

/// A personal value in one of its three lives.
///
/// `decide` and `evolve` never look inside: the rules are the same for open, sealed and erased text.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal<T> {
    /// Readable. Only in memory, never stored.
    Open(T),
    /// Encrypted, as stored in the log.
    Sealed(Sealed),
    /// Its key was destroyed; nobody can read it again.
    Erased,
}

/// A sealed value as stored: base64url text that only the holder of its keys can open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl<T> Personal<T> {
    /// The value when it is open; `None` when sealed or erased.
    pub fn open(&self) -> Option<&T> {
        match self {
            Self::Open(value) => Some(value),
            Self::Sealed(_) | Self::Erased => None,
        }
    }
}

/// Shows the state, never the value: personal data must not reach a log line.
impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open(_) => "Personal(open)",
            Self::Sealed(_) => "Personal(sealed)",
            Self::Erased => "Personal(erased)",
        })
    }
}

impl<T> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open(_) => Err(S::Error::custom("personal data must be sealed before it is written")),
            Self::Sealed(sealed) => serializer.serialize_some(sealed),
            Self::Erased => serializer.serialize_none(),
        }
    }
}

impl<'de, T> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Sealed>::deserialize(deserializer)?.map_or(Self::Erased, Self::Sealed))
    }
}

/// Whose keys together seal a field: destroying any of them erases it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyOwners {
    /// The person's key alone: account data.
    Account(AccountId),
    /// The writer's key and the conversation's key of the month: what is said in a conversation.
    AccountIn(AccountId, ConversationId),
    /// The conversation's key of the month alone: data that belongs to no single person.
    Conversation(ConversationId),
}

/// What a visitor may do with a personal field, whatever type is inside.
pub trait PersonalField {
    /// The text to seal; `None` unless open.
    fn text(&self) -> Option<&str>;
    /// The sealed form to open; `None` unless sealed.
    fn sealed(&self) -> Option<&Sealed>;
    /// Replaces the value by its sealed form.
    fn seal(&mut self, sealed: Sealed);
    /// Replaces the value by its opened text.
    fn unseal(&mut self, text: String);
    /// Replaces the value by "erased".
    fn erase(&mut self);
}

impl<T: AsRef<str> + From<String>> PersonalField for Personal<T> {
    fn text(&self) -> Option<&str> {
        self.open().map(AsRef::as_ref)
    }

    fn sealed(&self) -> Option<&Sealed> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::Open(_) | Self::Erased => None,
        }
    }

    fn seal(&mut self, sealed: Sealed) {
        *self = Self::Sealed(sealed);
    }

    fn unseal(&mut self, text: String) {
        *self = Self::Open(T::from(text));
    }

    fn erase(&mut self) {
        *self = Self::Erased;
    }
}

/// Walks over the personal fields of an event; `eventlog` seals and opens through it.
pub trait PersonalVisitor {
    /// Called once per personal field; `name` is unique within the event and part of the stored format.
    fn field(&mut self, name: &str, owners: KeyOwners, value: &mut dyn PersonalField);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_value_cannot_be_written() {
        assert!(serde_json::to_string(&Personal::Open("secret".to_owned())).is_err());
    }

    #[test]
    fn sealed_and_erased_survive_storage() {
        for (value, json) in
            [(Personal::<String>::Sealed(Sealed("abc".into())), "\"abc\""), (Personal::Erased, "null")]
        {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::from_str::<Personal<String>>(json).unwrap(), value);
        }
    }

    #[test]
    fn debug_output_never_shows_the_value() {
        assert_eq!(format!("{:?}", Personal::Open("secret".to_owned())), "Personal(open)");
    }
}
