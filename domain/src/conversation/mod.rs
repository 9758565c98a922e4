//! A conversation: who is in it and what is said, numbered 1, 2, 3 ...

mod command;
mod decide;
mod event;
mod group;
mod group_rules;

use serde::{Deserialize, Serialize};

pub use command::{ConversationCommand, ConversationError, GroupCommand};
pub use event::{Content, ConversationEvent, ConversationKind};
pub use group::{GROUP_MEMBERS_MAX, Group, MEMBERS_PER_COMMAND_MAX, Role};

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
    /// Of many, with an owner.
    Group(Group),
    /// A group that its owner ended: nobody is in it any more.
    Dissolved {
        /// Who ended it.
        by: AccountId,
    },
}

impl Conversation {
    /// Whether somebody is in it now.
    pub fn has(&self, account: AccountId) -> bool {
        match self {
            Self::NotStarted | Self::Dissolved { .. } => false,
            Self::Private { members, .. } => members.contains(&account),
            Self::Group(group) => group.role(account).is_some(),
        }
    }
}
