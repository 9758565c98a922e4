//! Whom an event concerns.

use domain::account::{Account, AccountEvent};
use domain::contacts::{Contacts, ContactsEvent};
use domain::conversation::{Conversation, ConversationEvent, ConversationKind};
use domain::friendship::FriendshipEvent;
use domain::handle::HandleEvent;
use domain::{AccountId, ConversationId, Event, Recorded};

/// A group of listeners.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Topic {
    /// One person's devices.
    Account(AccountId),
    /// The members of a conversation.
    Conversation(ConversationId),
}

/// The topics of an event; none when it concerns nobody live.
pub(super) fn topics(recorded: &Recorded) -> Vec<Topic> {
    match &recorded.event {
        Event::Account(
            AccountEvent::AccountRegistered { .. }
            | AccountEvent::SignedIn { .. }
            | AccountEvent::SignInRefused { .. }
            | AccountEvent::SignedOut { .. }
            | AccountEvent::PersonalDataErased {}
            | AccountEvent::ErasureConfirmed {},
        ) => recorded.stream.id::<Account>().map(Topic::Account).into_iter().collect(),
        Event::Handle(HandleEvent::HandleClaimed { .. } | HandleEvent::HandleReleased { .. }) => vec![],
        Event::Friendship(FriendshipEvent::FriendRequested { from, to }) => {
            vec![Topic::Account(*from), Topic::Account(*to)]
        }
        Event::Friendship(FriendshipEvent::FriendRequestConfirmed { from, by }) => {
            vec![Topic::Account(*from), Topic::Account(*by)]
        }
        Event::Contacts(ContactsEvent::FriendFiled { .. }) => {
            recorded.stream.id::<Contacts>().map(Topic::Account).into_iter().collect()
        }
        // Told to the members as people: they are not in the topic yet.
        Event::Conversation(ConversationEvent::ConversationStarted {
            kind: ConversationKind::Private { members },
        }) => members.map(Topic::Account).to_vec(),
        Event::Conversation(ConversationEvent::MessageSent { .. }) => {
            conversation(recorded).map(Topic::Conversation).into_iter().collect()
        }
    }
}

/// Who joins the conversation's topic with this event.
pub(super) fn joining(recorded: &Recorded) -> Option<(ConversationId, Vec<AccountId>)> {
    match &recorded.event {
        Event::Conversation(ConversationEvent::ConversationStarted {
            kind: ConversationKind::Private { members },
        }) => Some((conversation(recorded)?, members.to_vec())),
        Event::Conversation(ConversationEvent::MessageSent { .. })
        | Event::Account(_)
        | Event::Handle(_)
        | Event::Friendship(_)
        | Event::Contacts(_) => None,
    }
}

fn conversation(recorded: &Recorded) -> Option<ConversationId> {
    recorded.stream.id::<Conversation>()
}
