//! Agreeing to a friend request.

use crate::account::{Account, AccountError};
use crate::action::{Action, Streams};
use crate::friendship::{Friendship, FriendshipCommand, FriendshipError};
use crate::ids::{AccountId, Pair};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

use super::request_friend::{befriend, befriending_streams};

/// Agrees to the request of another: both are filed with each other and their conversation opens.
#[derive(Clone, Debug)]
pub struct ConfirmFriend {
    by: AccountId,
    requester: AccountId,
    pair: Pair,
}

impl ConfirmFriend {
    /// Refused when both are the same.
    pub fn new(by: AccountId, requester: AccountId) -> Result<Self, FriendshipError> {
        let pair = Pair::of(by, requester).ok_or(FriendshipError::WithOneself)?;
        Ok(Self { by, requester, pair })
    }
}

impl Action for ConfirmFriend {
    fn streams(&self) -> Vec<StreamRef> {
        let mut streams = befriending_streams(&self.pair);
        streams.push(StreamRef::of::<Account>(&self.requester));
        streams
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        // Who asked may have been erased since.
        if matches!(streams.state::<Account>(&self.requester), Account::Erased { .. }) {
            return Err(AccountError::Unknown.into());
        }
        if streams.decide::<Friendship>(&self.pair, &FriendshipCommand::Confirm { by: self.by })? {
            befriend(streams, &self.pair)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::RequestFriend;
    use crate::actions::world::World;
    use crate::event::Event;
    use uuid::Uuid;

    #[test]
    fn confirming_files_both_friends_and_opens_their_conversation_once() {
        let [ann, bob] = [1, 2].map(|n| AccountId(Uuid::from_u128(n)));
        let mut world = World::with_people(&[ann, bob]);
        world.act(&RequestFriend::new(ann, bob).unwrap()).unwrap();
        let confirm = ConfirmFriend::new(bob, ann).unwrap();
        let done = world.act(&confirm).unwrap();
        assert_eq!(
            done.events.iter().map(Event::event_type).collect::<Vec<_>>(),
            ["FriendRequestConfirmed", "FriendFiled", "FriendFiled", "ConversationStarted"]
        );
        assert!(world.act(&confirm).unwrap().events.is_empty());
    }

    #[test]
    fn a_refused_confirmation_opens_nothing() {
        let [ann, bob] = [1, 2].map(|n| AccountId(Uuid::from_u128(n)));
        let mut world = World::with_people(&[ann, bob]);
        let refused = world.act(&ConfirmFriend::new(bob, ann).unwrap());
        assert_eq!(refused, Err(FriendshipError::NoRequest.into()));
    }
}
