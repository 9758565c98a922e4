//! What may be asked of a conversation, and how it says no.

use super::Content;
use crate::ids::AccountId;
use crate::values::GroupName;

/// What may be asked of a conversation.
#[derive(Clone, PartialEq, Debug)]
pub enum ConversationCommand {
    /// Have the private conversation of two friends.
    OpenPrivate {
        /// The two, the lower id first.
        members: [AccountId; 2],
    },
    /// Have a group.
    StartGroup {
        /// Who will own it.
        owner: AccountId,
        /// Its name.
        name: GroupName,
        /// Who else is in it from the beginning; the owner and repetitions are passed over.
        members: Vec<AccountId>,
    },
    /// Say something.
    Send {
        /// Who.
        sender: AccountId,
        /// What.
        content: Content,
    },
    /// Change a group.
    Group(GroupCommand),
}

/// What may be asked of a group.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupCommand {
    /// Let people in at once.
    AddMembers {
        /// Who lets them in.
        by: AccountId,
        /// Whom; members and repetitions are passed over.
        members: Vec<AccountId>,
    },
    /// Go.
    Leave {
        /// Who.
        member: AccountId,
    },
    /// Put a member out.
    Remove {
        /// Who does.
        by: AccountId,
        /// Whom.
        member: AccountId,
    },
    /// Let a member help the owner.
    AppointManager {
        /// Who appoints.
        by: AccountId,
        /// Whom.
        member: AccountId,
    },
    /// Make a manager a plain member again.
    DismissManager {
        /// Who dismisses.
        by: AccountId,
        /// Whom.
        member: AccountId,
    },
    /// Hand the group over; the owner stays as a plain member.
    TransferOwnership {
        /// Who hands it over.
        by: AccountId,
        /// To whom.
        to: AccountId,
    },
    /// Give the group another name.
    Rename {
        /// Who does.
        by: AccountId,
        /// The new name.
        name: GroupName,
    },
    /// End the group for everybody.
    Dissolve {
        /// Who does.
        by: AccountId,
    },
}

impl GroupCommand {
    /// Who asks.
    pub fn by(&self) -> AccountId {
        match self {
            Self::Leave { member } => *member,
            Self::AddMembers { by, .. }
            | Self::Remove { by, .. }
            | Self::AppointManager { by, .. }
            | Self::DismissManager { by, .. }
            | Self::TransferOwnership { by, .. }
            | Self::Rename { by, .. }
            | Self::Dissolve { by } => *by,
        }
    }
}

/// Why a conversation says no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConversationError {
    /// Not a member; also the answer when there is no such conversation, so that nobody learns of one.
    #[error("not a member of the conversation")]
    NotMember,
    /// A private conversation has no roles, no name and always the same two members.
    #[error("the conversation is not a group")]
    NotAGroup,
    /// Only the owner may do this.
    #[error("only the owner of the group may do this")]
    OwnerOnly,
    /// Only the owner and managers may do this. Members cannot invite.
    #[error("only the owner and managers of the group may do this")]
    ManagersOnly,
    /// The other's role is not below one's own.
    #[error("the other's role is not below one's own")]
    Outranked,
    /// The owner has to hand the group over or dissolve it.
    #[error("the owner cannot leave the group")]
    OwnerStays,
    /// The person who is to get a role is not in the group.
    #[error("the person is not a member of the group")]
    PersonNotMember,
    /// The owner cannot be a manager too.
    #[error("the person owns the group")]
    PersonIsOwner,
    /// No room for so many more.
    #[error("at most {members_max} members")]
    Full {
        /// The most members of a group.
        members_max: usize,
    },
    /// Too many people in one command.
    #[error("at most {members_max} people at once")]
    TooManyAtOnce {
        /// The most people in one command.
        members_max: usize,
    },
}
