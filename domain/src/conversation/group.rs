//! What decisions about a group need to remember.

use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Serialize};

use super::ConversationEvent;
use crate::ids::{AccountId, MessageNumber};

/// The most members of a group, the owner included.
pub const GROUP_MEMBERS_MAX: usize = 10_000;
/// The most people that one command lets into a group.
pub const MEMBERS_PER_COMMAND_MAX: usize = 100;

/// What a member is in a group, the lowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Takes part.
    Member,
    /// Lets people in and puts members out.
    Manager,
    /// Decides about roles and the end of the group.
    Owner,
}

/// A member who is not the owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rank {
    Member,
    Manager,
}

/// A group that goes on. The owner stands apart, so that there is always exactly one.
///
/// The members are a persistent map: looking one up takes a few steps however many there are, and a copy
/// of the state shares them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Group {
    owner: AccountId,
    others: RedBlackTreeMapSync<AccountId, Rank>,
    last: MessageNumber,
}

impl Group {
    pub(super) fn of(owner: AccountId) -> Self {
        Self { owner, others: RedBlackTreeMapSync::new_sync(), last: MessageNumber::default() }
    }

    /// What somebody is in the group; none for everybody else.
    pub fn role(&self, account: AccountId) -> Option<Role> {
        if account == self.owner {
            return Some(Role::Owner);
        }
        self.others.get(&account).map(|rank| match rank {
            Rank::Member => Role::Member,
            Rank::Manager => Role::Manager,
        })
    }

    /// How many are in the group, the owner included.
    pub fn size(&self) -> usize {
        self.others.size() + 1
    }

    /// The number of the newest message; zero before the first.
    pub fn last(&self) -> MessageNumber {
        self.last
    }

    pub(super) fn take_in(&mut self, event: &ConversationEvent) {
        match event {
            ConversationEvent::MessageSent { number, .. } => self.last = *number,
            ConversationEvent::MemberJoined { member, .. }
            | ConversationEvent::ManagerDismissed { member, .. } => {
                self.others.insert_mut(*member, Rank::Member);
            }
            ConversationEvent::ManagerAppointed { member, .. } => {
                self.others.insert_mut(*member, Rank::Manager);
            }
            ConversationEvent::MemberLeft { member } | ConversationEvent::MemberRemoved { member, .. } => {
                self.others.remove_mut(member);
            }
            ConversationEvent::OwnershipTransferred { from, to } => {
                self.others.remove_mut(to);
                self.others.insert_mut(*from, Rank::Member);
                self.owner = *to;
            }
            ConversationEvent::ConversationStarted { .. }
            | ConversationEvent::ConversationRenamed { .. }
            | ConversationEvent::ConversationDissolved { .. } => {}
        }
    }
}
