//! The circumstances of an event: who caused it, how, and what it follows from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, CommandId, CorrelationId, EventId, InvalidId, Position, SessionId};

/// Stored with every event. A flat object of strings, as cqrs-es reads metadata.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Metadata {
    /// The event's own id.
    pub event_id: EventId,
    /// Who acted.
    #[serde(with = "as_text")]
    pub actor: Actor,
    /// The device, when a person acted from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What made it happen.
    #[serde(with = "as_text")]
    pub causation: Causation,
    /// The outside request at the root of it all.
    pub correlation: CorrelationId,
    /// The way in.
    #[serde(with = "as_text")]
    pub client: Client,
}

/// Who acted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// A person.
    Account(AccountId),
    /// Somebody who has not signed in yet.
    Anonymous,
    /// A named policy of the server.
    Policy(String),
}

/// What made an event happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Causation {
    /// A command from outside.
    Command(CommandId),
    /// An earlier event, to which a policy reacted.
    Event(Position),
}

/// The way in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// The GraphQL API.
    Graphql,
    /// The adapter for the original web client.
    Legacy,
    /// A policy of the server.
    Policy,
    /// The command line.
    Cli,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Policy(name) => write!(f, "policy:{name}"),
        }
    }
}

impl FromStr for Actor {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once(':') {
            None if text == "anonymous" => Ok(Self::Anonymous),
            Some(("account", id)) => Ok(Self::Account(id.parse()?)),
            Some(("policy", name)) => Ok(Self::Policy(name.to_owned())),
            None | Some(_) => Err(InvalidId("Actor")),
        }
    }
}

impl fmt::Display for Causation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(id) => write!(f, "command:{id}"),
            Self::Event(position) => write!(f, "event:{position}"),
        }
    }
}

impl FromStr for Causation {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once(':') {
            Some(("command", id)) => Ok(Self::Command(id.parse()?)),
            Some(("event", position)) => {
                position.parse().map(|p| Self::Event(Position(p))).map_err(|_| InvalidId("Causation"))
            }
            None | Some(_) => Err(InvalidId("Causation")),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Graphql => "graphql",
            Self::Legacy => "legacy",
            Self::Policy => "policy",
            Self::Cli => "cli",
        })
    }
}

impl FromStr for Client {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text {
            "graphql" => Ok(Self::Graphql),
            "legacy" => Ok(Self::Legacy),
            "policy" => Ok(Self::Policy),
            "cli" => Ok(Self::Cli),
            _ => Err(InvalidId("Client")),
        }
    }
}

/// Stores a value as its text.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn metadata_is_a_flat_object_of_strings_and_survives_storage() {
        let metadata = Metadata {
            event_id: EventId(Uuid::from_u128(1)),
            actor: Actor::Account(AccountId(Uuid::from_u128(2))),
            session: None,
            causation: Causation::Event(Position(7)),
            correlation: CorrelationId(Uuid::from_u128(3)),
            client: Client::Policy,
        };
        let json = serde_json::to_string(&metadata).unwrap();
        assert!(serde_json::from_str::<HashMap<String, String>>(&json).is_ok());
        assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap(), metadata);
    }
}
