//! Letting friends into a group.

use crate::action::{Action, Streams};
use crate::contacts::{Contacts, ContactsError};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Lets friends of the owner or of a manager into a group, at once.
#[derive(Clone, Debug)]
pub struct AddMembers {
    /// The group.
    pub conversation: ConversationId,
    /// Who lets them in.
    pub by: AccountId,
    /// Whom, at most [`MEMBERS_PER_COMMAND_MAX`](crate::conversation::MEMBERS_PER_COMMAND_MAX).
    pub members: Vec<AccountId>,
}

impl Action for AddMembers {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation), StreamRef::of::<Contacts>(&self.by)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        // The group's own rules first: whoever is not in it learns nothing else.
        let command = GroupCommand::AddMembers { by: self.by, members: self.members.clone() };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        let group = streams.state::<Conversation>(&self.conversation);
        let contacts = streams.state::<Contacts>(&self.by);
        if self.members.iter().all(|member| group.has(*member) || contacts.has(*member)) {
            Ok(())
        } else {
            Err(ContactsError::NotAFriend.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::create_group::tests::{create, world_of_friends};
    use crate::conversation::ConversationError;
    use crate::event::Event;
    use uuid::Uuid;

    #[test]
    fn friends_are_let_in_once_and_strangers_are_not() {
        let people = [1, 2, 3, 4].map(|n| AccountId(Uuid::from_u128(n)));
        let [ann, bob, cat, stranger] = people;
        let mut world = world_of_friends(&people);
        let create = create(ann, &[bob]);
        world.act(&create).unwrap();
        let add = |by, members: &[AccountId]| AddMembers {
            conversation: create.conversation,
            by,
            members: members.to_vec(),
        };
        assert_eq!(world.act(&add(ann, &[cat, stranger])), Err(ContactsError::NotAFriend.into()));
        assert_eq!(world.act(&add(stranger, &[cat])), Err(ConversationError::NotMember.into()));
        assert_eq!(world.act(&add(bob, &[ann])), Err(ConversationError::ManagersOnly.into()));
        let done = world.act(&add(ann, &[cat, bob])).unwrap();
        assert_eq!(done.events.iter().map(Event::event_type).collect::<Vec<_>>(), ["MemberJoined"]);
        assert!(world.act(&add(ann, &[cat, bob])).unwrap().events.is_empty());
    }
}
