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
        Event::Conversation(ConversationEvent::ConversationStarted {
            kind: ConversationKind::Group { name: _, owner },
        }) => vec![Topic::Account(*owner)],
        Event::Conversation(ConversationEvent::MemberJoined { member, .. }) => {
            let others = conversation(recorded).map(Topic::Conversation);
            others.into_iter().chain([Topic::Account(*member)]).collect()
        }
        Event::Conversation(
            ConversationEvent::MessageSent { .. }
            | ConversationEvent::MemberLeft { .. }
            | ConversationEvent::MemberRemoved { .. }
            | ConversationEvent::ManagerAppointed { .. }
            | ConversationEvent::ManagerDismissed { .. }
            | ConversationEvent::OwnershipTransferred { .. }
            | ConversationEvent::ConversationRenamed { .. }
            | ConversationEvent::ConversationDissolved { .. },
        ) => conversation(recorded).map(Topic::Conversation).into_iter().collect(),
    }
}

/// Who joins the conversation's topic with this event.
pub(super) fn joining(recorded: &Recorded) -> Option<(ConversationId, Vec<AccountId>)> {
    match &recorded.event {
        Event::Conversation(ConversationEvent::ConversationStarted {
            kind: ConversationKind::Private { members },
        }) => Some((conversation(recorded)?, members.to_vec())),
        Event::Conversation(
            ConversationEvent::ConversationStarted {
                kind: ConversationKind::Group { name: _, owner: member },
            }
            | ConversationEvent::MemberJoined { member, .. },
        ) => Some((conversation(recorded)?, vec![*member])),
        Event::Conversation(
            ConversationEvent::MessageSent { .. }
            | ConversationEvent::MemberLeft { .. }
            | ConversationEvent::MemberRemoved { .. }
            | ConversationEvent::ManagerAppointed { .. }
            | ConversationEvent::ManagerDismissed { .. }
            | ConversationEvent::OwnershipTransferred { .. }
            | ConversationEvent::ConversationRenamed { .. }
            | ConversationEvent::ConversationDissolved { .. },
        )
        | Event::Account(_)
        | Event::Handle(_)
        | Event::Friendship(_)
        | Event::Contacts(_) => None,
    }
}

/// Who is no longer in a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leaving {
    /// One of its members.
    Member(AccountId),
    /// All of them: it ended.
    Everybody,
}

/// Who leaves the conversation's topic with this event: behind it they hear nothing more.
pub(super) fn leaving(recorded: &Recorded) -> Option<(ConversationId, Leaving)> {
    let leaving = match &recorded.event {
        Event::Conversation(
            ConversationEvent::MemberLeft { member } | ConversationEvent::MemberRemoved { member, .. },
        ) => Leaving::Member(*member),
        Event::Conversation(ConversationEvent::ConversationDissolved { .. }) => Leaving::Everybody,
        Event::Conversation(_)
        | Event::Account(_)
        | Event::Handle(_)
        | Event::Friendship(_)
        | Event::Contacts(_) => return None,
    };
    Some((conversation(recorded)?, leaving))
}

fn conversation(recorded: &Recorded) -> Option<ConversationId> {
    recorded.stream.id::<Conversation>()
}
