//! Asking somebody to be friends.

use crate::account::{Account, AccountError};
use crate::action::{Action, Streams};
use crate::contacts::{Contacts, ContactsCommand};
use crate::conversation::{Conversation, ConversationCommand};
use crate::friendship::{Friendship, FriendshipCommand, FriendshipError};
use crate::ids::{AccountId, ConversationId, Pair};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Asks for friendship; becomes it at once when the other asked before.
#[derive(Clone, Debug)]
pub struct RequestFriend {
    from: AccountId,
    to: AccountId,
    pair: Pair,
}

impl RequestFriend {
    /// Refused when both are the same.
    pub fn new(from: AccountId, to: AccountId) -> Result<Self, FriendshipError> {
        let pair = Pair::of(from, to).ok_or(FriendshipError::WithOneself)?;
        Ok(Self { from, to, pair })
    }
}

impl Action for RequestFriend {
    fn streams(&self) -> Vec<StreamRef> {
        let mut streams = befriending_streams(&self.pair);
        streams.push(StreamRef::of::<Account>(&self.to));
        streams
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        if !streams.state::<Account>(&self.to).is_active() {
            return Err(AccountError::Unknown.into());
        }
        let crossing =
            matches!(streams.state::<Friendship>(&self.pair), Friendship::Requested { by } if *by == self.to);
        streams
            .decide::<Friendship>(&self.pair, &FriendshipCommand::Request { from: self.from, to: self.to })?;
        if crossing { befriend(streams, &self.pair) } else { Ok(()) }
    }
}

/// The streams that two people becoming friends touches.
pub(super) fn befriending_streams(pair: &Pair) -> Vec<StreamRef> {
    let [low, high] = pair.members();
    vec![
        StreamRef::of::<Friendship>(pair),
        StreamRef::of::<Contacts>(&low),
        StreamRef::of::<Contacts>(&high),
        StreamRef::of::<Conversation>(&ConversationId::private(pair)),
    ]
}

/// What follows when two people become friends: each is filed with the other, and they can talk.
pub(super) fn befriend<S: Streams>(streams: &mut S, pair: &Pair) -> Result<(), Refusal> {
    let [low, high] = pair.members();
    streams.decide::<Contacts>(&low, &ContactsCommand::File { friend: high })?;
    streams.decide::<Contacts>(&high, &ContactsCommand::File { friend: low })?;
    let open = ConversationCommand::OpenPrivate { members: pair.members() };
    streams.decide::<Conversation>(&ConversationId::private(pair), &open)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::world::World;
    use crate::event::Event;
    use uuid::Uuid;

    fn people() -> [AccountId; 2] {
        [1, 2].map(|n| AccountId(Uuid::from_u128(n)))
    }

    #[test]
    fn asking_is_one_event() {
        let [ann, bob] = people();
        let mut world = World::with_people(&[ann, bob]);
        let done = world.act(&RequestFriend::new(ann, bob).unwrap()).unwrap();
        assert_eq!(done.events.iter().map(Event::event_type).collect::<Vec<_>>(), ["FriendRequested"]);
    }

    #[test]
    fn crossing_requests_make_friends_at_once() {
        let [ann, bob] = people();
        let mut world = World::with_people(&[ann, bob]);
        world.act(&RequestFriend::new(ann, bob).unwrap()).unwrap();
        let done = world.act(&RequestFriend::new(bob, ann).unwrap()).unwrap();
        assert_eq!(
            done.events.iter().map(Event::event_type).collect::<Vec<_>>(),
            ["FriendRequestConfirmed", "FriendFiled", "FriendFiled", "ConversationStarted"]
        );
    }

    #[test]
    fn nobody_asks_oneself_or_an_account_that_does_not_exist() {
        let [ann, bob] = people();
        assert_eq!(RequestFriend::new(ann, ann).err(), Some(FriendshipError::WithOneself));
        let mut world = World::with_people(&[ann]);
        let refused = world.act(&RequestFriend::new(ann, bob).unwrap());
        assert_eq!(refused, Err(AccountError::Unknown.into()));
    }
}
