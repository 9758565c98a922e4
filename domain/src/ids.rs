//! Identities as types, so that two of them never change places unnoticed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidId(pub &'static str);

/// Declares a UUID newtype. Its text is 32 hex digits without hyphens: it sorts like the UUID,
/// PostgreSQL casts it to `uuid` as it is, and stream indexes stay smaller than with 36 characters.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "uuid::serde::simple")] pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.simple().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId(stringify!($name)))
            }
        }
    };
}

uuid_id!(
    /// A person's account, for ever; UUIDv7, given when the account is registered.
    AccountId
);
uuid_id!(
    /// A conversation: UUIDv7 for a group, derived from the pair for a private one.
    ConversationId
);
uuid_id!(
    /// One signed-in device of an account. Not a secret: the token is, and never enters the log.
    SessionId
);
uuid_id!(
    /// One event, wherever it is copied to; also an input of the keys that seal its personal fields.
    EventId
);
uuid_id!(
    /// One command as received, before it became events.
    CommandId
);
uuid_id!(
    /// Everything that follows from one outside request shares this id.
    CorrelationId
);
uuid_id!(
    /// A key chosen by the caller: the same key never makes two events.
    IdempotencyKey
);

/// Namespace of the ids of private conversations (UUIDv5, RFC 9562 section 5.5). Never changes.
const PRIVATE_CONVERSATIONS: Uuid = Uuid::from_u128(0x6b1f_0c1e_52d5_4a0f_9d53_3b8f_6a1e_c0de);

impl ConversationId {
    /// The one private conversation of a pair, for ever the same.
    pub fn private(pair: &Pair) -> Self {
        Self(Uuid::new_v5(&PRIVATE_CONVERSATIONS, pair.to_string().as_bytes()))
    }
}

/// Two different accounts in a fixed order; the id of their friendship.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pair {
    low: AccountId,
    high: AccountId,
}

impl Pair {
    /// Orders two accounts; `None` when they are the same.
    pub fn of(one: AccountId, other: AccountId) -> Option<Self> {
        match one.cmp(&other) {
            std::cmp::Ordering::Less => Some(Self { low: one, high: other }),
            std::cmp::Ordering::Greater => Some(Self { low: other, high: one }),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// Both accounts, the lower id first.
    pub fn members(&self) -> [AccountId; 2] {
        [self.low, self.high]
    }

    /// The other one of the two; `None` when `account` is neither.
    pub fn other(&self, account: AccountId) -> Option<AccountId> {
        match account {
            a if a == self.low => Some(self.high),
            a if a == self.high => Some(self.low),
            _ => None,
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.low, self.high)
    }
}

impl FromStr for Pair {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (low, high) = text.split_once('-').ok_or(InvalidId("Pair"))?;
        Self::of(low.parse()?, high.parse()?).ok_or(InvalidId("Pair"))
    }
}

/// The stream of a user name or e-mail: a keyed hash of its normalised form in hex.
/// The name itself stands in no stream id, so that it can be erased.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandleId(pub String);

impl fmt::Display for HandleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for HandleId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if hex { Ok(Self(text.to_owned())) } else { Err(InvalidId("HandleId")) }
    }
}

/// A place in the log: 1, 2, 3 ... in commit order, without a gap. Zero is "before the first event".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub i64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The position right behind this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of a message in its conversation: 1, 2, 3 ... without a gap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageNumber(pub u32);

impl MessageNumber {
    /// The number right behind this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u128) -> AccountId {
        AccountId(Uuid::from_u128(n))
    }

    #[test]
    fn a_pair_is_the_same_from_both_sides() {
        assert_eq!(Pair::of(account(1), account(2)), Pair::of(account(2), account(1)));
        assert_eq!(Pair::of(account(1), account(1)), None);
    }

    #[test]
    fn a_pair_survives_its_text() {
        let pair = Pair::of(account(7), account(3)).unwrap();
        assert_eq!(pair.to_string().parse(), Ok(pair));
        assert!("7-7".parse::<Pair>().is_err());
    }

    #[test]
    fn the_private_conversation_of_a_pair_never_changes() {
        let pair = Pair::of(account(1), account(2)).unwrap();
        assert_eq!(ConversationId::private(&pair).to_string(), "4280c873dad250798967e9ba249a207a");
    }
}
