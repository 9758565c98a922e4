//! The rules of a group: who may do what.

use std::collections::BTreeSet;

use super::{
    ConversationError, ConversationEvent, ConversationKind, GROUP_MEMBERS_MAX, Group, GroupCommand,
    MEMBERS_PER_COMMAND_MAX, Role,
};
use crate::ids::{AccountId, MessageNumber};
use crate::personal::Personal;
use crate::values::GroupName;

type Decision = Result<Vec<ConversationEvent>, ConversationError>;

/// How a group begins: with its owner, and everybody else joining.
pub(super) fn start(owner: AccountId, name: &GroupName, members: &[AccountId]) -> Decision {
    let name = Personal::Open(name.clone());
    let started = ConversationEvent::ConversationStarted { kind: ConversationKind::Group { name, owner } };
    let joined = Group::of(owner).admit(owner, members)?;
    Ok([started].into_iter().chain(joined).collect())
}

impl Group {
    /// Decides on a command of a member.
    pub(super) fn decide(&self, command: &GroupCommand) -> Decision {
        let by = command.by();
        let Some(role) = self.role(by) else { return Err(ConversationError::NotMember) };
        match command {
            GroupCommand::AddMembers { members, .. } => {
                managers_only(role)?;
                self.admit(by, members)
            }
            GroupCommand::Leave { member } => match role {
                Role::Owner => Err(ConversationError::OwnerStays),
                Role::Manager | Role::Member => Ok(vec![ConversationEvent::MemberLeft { member: *member }]),
            },
            GroupCommand::Remove { member, .. } => {
                managers_only(role)?;
                match self.role(*member) {
                    None => Ok(vec![]),
                    Some(other) if other >= role => Err(ConversationError::Outranked),
                    Some(_) => Ok(vec![ConversationEvent::MemberRemoved { member: *member, by }]),
                }
            }
            GroupCommand::AppointManager { member, .. } => {
                owner_only(role)?;
                match self.role(*member) {
                    None => Err(ConversationError::PersonNotMember),
                    Some(Role::Owner) => Err(ConversationError::PersonIsOwner),
                    Some(Role::Manager) => Ok(vec![]),
                    Some(Role::Member) => {
                        Ok(vec![ConversationEvent::ManagerAppointed { member: *member, by }])
                    }
                }
            }
            GroupCommand::DismissManager { member, .. } => {
                owner_only(role)?;
                match self.role(*member) {
                    Some(Role::Manager) => {
                        Ok(vec![ConversationEvent::ManagerDismissed { member: *member, by }])
                    }
                    Some(Role::Member | Role::Owner) | None => Ok(vec![]),
                }
            }
            GroupCommand::TransferOwnership { to, .. } => match self.role(*to) {
                // Handed over before.
                Some(Role::Owner) => Ok(vec![]),
                person => {
                    owner_only(role)?;
                    person.ok_or(ConversationError::PersonNotMember)?;
                    Ok(vec![ConversationEvent::OwnershipTransferred { from: by, to: *to }])
                }
            },
            GroupCommand::Rename { name, .. } => {
                managers_only(role)?;
                // Names are sealed, so nobody can tell whether it is the same again.
                Ok(vec![ConversationEvent::ConversationRenamed { name: Personal::Open(name.clone()), by }])
            }
            GroupCommand::Dissolve { .. } => {
                owner_only(role)?;
                Ok(vec![ConversationEvent::ConversationDissolved { by }])
            }
        }
    }

    /// Lets those in who are not yet.
    fn admit(&self, by: AccountId, members: &[AccountId]) -> Decision {
        if members.len() > MEMBERS_PER_COMMAND_MAX {
            return Err(ConversationError::TooManyAtOnce { members_max: MEMBERS_PER_COMMAND_MAX });
        }
        let mut seen = BTreeSet::new();
        let new = |member: &&AccountId| self.role(**member).is_none() && seen.insert(**member);
        let after: MessageNumber = self.last();
        let joined: Vec<_> = members
            .iter()
            .filter(new)
            .map(|member| ConversationEvent::MemberJoined { member: *member, by, after })
            .collect();
        if self.size() + joined.len() > GROUP_MEMBERS_MAX && !joined.is_empty() {
            return Err(ConversationError::Full { members_max: GROUP_MEMBERS_MAX });
        }
        Ok(joined)
    }
}

fn managers_only(role: Role) -> Result<(), ConversationError> {
    if role < Role::Manager { Err(ConversationError::ManagersOnly) } else { Ok(()) }
}

fn owner_only(role: Role) -> Result<(), ConversationError> {
    if role < Role::Owner { Err(ConversationError::OwnerOnly) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
