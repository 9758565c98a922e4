//! A conversation: who is in it and what is said, numbered 1, 2, 3 ...

mod decide;
mod event;

use serde::{Deserialize, Serialize};

pub use decide::{ConversationCommand, ConversationError};
pub use event::{Content, ConversationEvent, ConversationKind};

use crate::ids::{AccountId, MessageNumber};

/// What decisions about a conversation need to remember. Never a message: what becomes of one is a
/// stream of its own.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum Conversation {
    /// Nothing was ever said or opened here.
    #[default]
    NotStarted,
    /// Between two friends.
    Private {
        /// The two.
        members: [AccountId; 2],
        /// The number of the newest message; zero before the first.
        last: MessageNumber,
    },
}
