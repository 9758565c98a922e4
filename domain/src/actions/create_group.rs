//! Making a group of friends.

use crate::action::{Action, Streams};
use crate::contacts::{Contacts, ContactsError};
use crate::conversation::{Conversation, ConversationCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;
use crate::values::GroupName;

/// Makes a group: its owner and some of the owner's friends are in it at once.
#[derive(Clone, Debug)]
pub struct CreateGroup {
    /// The id that the group will have.
    pub conversation: ConversationId,
    /// Who will own it.
    pub owner: AccountId,
    /// Its name.
    pub name: GroupName,
    /// Who else is in it, at most [`MEMBERS_PER_COMMAND_MAX`](crate::conversation::MEMBERS_PER_COMMAND_MAX).
    pub members: Vec<AccountId>,
}

impl Action for CreateGroup {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation), StreamRef::of::<Contacts>(&self.owner)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let start = ConversationCommand::StartGroup {
            owner: self.owner,
            name: self.name.clone(),
            members: self.members.clone(),
        };
        // One look into the owner's address book, not one stream per friend.
        if streams.decide::<Conversation>(&self.conversation, &start)? {
            let contacts = streams.state::<Contacts>(&self.owner);
            if !self.members.iter().all(|member| *member == self.owner || contacts.has(*member)) {
                return Err(ContactsError::NotAFriend.into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::actions::world::World;
    use crate::actions::{ConfirmFriend, RequestFriend};
    use crate::event::Event;
    use uuid::Uuid;

    pub(in crate::actions) fn create(owner: AccountId, members: &[AccountId]) -> CreateGroup {
        let name = GroupName::parse("周末爬山".into()).unwrap();
        CreateGroup {
            conversation: ConversationId(Uuid::from_u128(9)),
            owner,
            name,
            members: members.to_vec(),
        }
    }

    /// People of whom the first is a friend of all but the last.
    pub(in crate::actions) fn world_of_friends(people: &[AccountId]) -> World {
        let mut world = World::with_people(people);
        let Some(([first, friends @ ..], _)) = people.split_last().map(|(last, all)| (all, last)) else {
            return world;
        };
        for friend in friends {
            world.act(&RequestFriend::new(*first, *friend).unwrap()).unwrap();
            world.act(&ConfirmFriend::new(*friend, *first).unwrap()).unwrap();
        }
        world
    }

    #[test]
    fn a_group_is_made_of_friends_once() {
        let people = [1, 2, 3, 4].map(|n| AccountId(Uuid::from_u128(n)));
        let [ann, bob, cat, stranger] = people;
        let mut world = world_of_friends(&people);
        let refused = world.act(&create(ann, &[bob, stranger]));
        assert_eq!(refused, Err(ContactsError::NotAFriend.into()));
        let done = world.act(&create(ann, &[bob, cat])).unwrap();
        let names: Vec<_> = done.events.iter().map(Event::event_type).collect();
        assert_eq!(names, ["ConversationStarted", "MemberJoined", "MemberJoined"]);
        assert!(world.act(&create(ann, &[bob, cat])).unwrap().events.is_empty());
    }
}
