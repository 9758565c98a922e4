//! What happens, live.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription, Union};
use domain::account::AccountEvent;
use domain::contacts::ContactsEvent;
use domain::conversation::{Conversation, ConversationEvent, ConversationKind as Kind};
use domain::friendship::FriendshipEvent;
use domain::{Event, Recorded};
use futures_util::{Stream, StreamExt as _};
use std::future::ready;
use std::sync::Arc;

use super::context::ContextExt as _;
use super::faults;
use super::group_updates::{
    GroupDissolvedUpdate, GroupRenamedUpdate, ManagerAppointedUpdate, ManagerDismissedUpdate,
    MemberJoinedUpdate, MemberLeftUpdate, MemberRemovedUpdate, OwnershipTransferredUpdate, group_update,
};
use super::ids::NodeId;
use super::model::{ConversationKind, Message, Person};
use super::scalars::{DateTime, Position};
use crate::live::{FeedError, LiveEvent};
use crate::transport::{Audience, Shareable, Sharing};

/// Something that happened and concerns the viewer.
#[derive(SimpleObject, Clone)]
pub struct Update {
    /// Its place in the log. Remember the last one: `updates(after:)` goes on behind it.
    position: Position,
    /// When it happened.
    at: DateTime,
    /// What happened.
    event: UpdateEvent,
}

/// What can happen. Nothing in here depends on who is looking.
#[derive(Union, Clone)]
pub enum UpdateEvent {
    /// A person joined.
    Registered(RegisteredUpdate),
    /// A device was signed in.
    SignedIn(SignedInUpdate),
    /// Somebody tried to sign in with a wrong password.
    SignInRefused(SignInRefusedUpdate),
    /// A device was signed out.
    SignedOut(SignedOutUpdate),
    /// Somebody asked somebody to be friends.
    FriendRequested(FriendRequestedUpdate),
    /// Two people became friends.
    FriendConfirmed(FriendConfirmedUpdate),
    /// A conversation was opened.
    ConversationStarted(ConversationStartedUpdate),
    /// Somebody said something.
    MessageSent(MessageSentUpdate),
    /// Somebody is in a group from here on.
    MemberJoined(MemberJoinedUpdate),
    /// A member left a group.
    MemberLeft(MemberLeftUpdate),
    /// A member was put out of a group.
    MemberRemoved(MemberRemovedUpdate),
    /// A member of a group is a manager from here on.
    ManagerAppointed(ManagerAppointedUpdate),
    /// A manager of a group is a plain member again.
    ManagerDismissed(ManagerDismissedUpdate),
    /// A group has another owner.
    OwnershipTransferred(OwnershipTransferredUpdate),
    /// A group has another name.
    GroupRenamed(GroupRenamedUpdate),
    /// A group ended for everybody.
    GroupDissolved(GroupDissolvedUpdate),
}

/// A person joined.
#[derive(SimpleObject, Clone)]
pub struct RegisteredUpdate {
    /// The person.
    person: Person,
}

/// A device was signed in.
#[derive(SimpleObject, Clone)]
pub struct SignedInUpdate {
    /// The id of its session.
    session_id: ID,
    /// What the device calls itself; null once it was erased.
    device: Option<String>,
}

/// Somebody tried to sign in with a wrong password: told at once for the first time, then at most once a
/// minute by each server.
#[derive(SimpleObject, Clone)]
pub struct SignInRefusedUpdate {
    /// How often since it was told before.
    times: u32,
}

/// A device was signed out.
#[derive(SimpleObject, Clone)]
pub struct SignedOutUpdate {
    /// The id of its session.
    session_id: ID,
}

/// Somebody asked somebody to be friends.
#[derive(SimpleObject, Clone)]
pub struct FriendRequestedUpdate {
    /// The id of the friend request.
    friend_request_id: ID,
    /// Who asks.
    from: Person,
    /// Who is asked.
    to: Person,
}

/// Two people became friends.
#[derive(SimpleObject, Clone)]
pub struct FriendConfirmedUpdate {
    /// Who had asked.
    from: Person,
    /// Who agreed.
    by: Person,
}

/// A conversation was opened.
#[derive(SimpleObject, Clone)]
pub struct ConversationStartedUpdate {
    /// The id of the conversation.
    conversation_id: ID,
    /// Its kind.
    kind: ConversationKind,
    /// Who is in it from the beginning: both members of a private conversation, the owner of a group.
    members: Vec<Person>,
    /// The name of a group; null once it was erased, and of a private conversation.
    name: Option<String>,
}

/// Somebody said something.
#[derive(SimpleObject, Clone)]
pub struct MessageSentUpdate {
    /// The message.
    message: Message,
}

/// What happens, live.
pub struct Subscription;

/// What happens, live.
#[Subscription]
impl Subscription {
    /// Everything that concerns the viewer, in one order, each exactly once: first what happened after the
    /// given position, then what happens, without end. Without `after` only what happens from now on.
    ///
    /// Errors: `POSITION_AHEAD` when the position lies beyond the end of the log (after a restore): forget
    /// it and read everything anew. A socket that takes updates in too slowly is closed with 4410:
    /// subscribe again after the last position.
    #[expect(clippy::unused_async, reason = "subscriptions are async functions")]
    async fn updates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The last position that the client has seen.")] after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Update>> + use<>> {
        let open = || {
            let caller = ctx.caller()?;
            let feed = ctx.app().feeds.open(caller.account, after.map(|after| after.0));
            Ok(feed.filter_map(|event| ready(told(event))).boxed())
        };
        ctx.data::<Sharing>()?.payloads(MEMBERS, open, |event: &LiveEvent| update(event.recorded()))
    }
}

/// Everybody whom an event concerns is shown the same of it.
const MEMBERS: Audience = Audience("members");

fn told(event: Result<Arc<LiveEvent>, FeedError>) -> Option<Result<Arc<dyn Shareable>>> {
    match event {
        Ok(event) => is_told(&event.recorded().event).then_some(Ok(event)),
        Err(error) => Some(Err(faults::feed(&error))),
    }
}

/// Whether an event is an update at all: exactly when [`event`] makes something of it.
fn is_told(event: &Event) -> bool {
    match event {
        Event::Account(
            AccountEvent::AccountRegistered { .. }
            | AccountEvent::SignInRefused { .. }
            | AccountEvent::SignedIn { .. }
            | AccountEvent::SignedOut { .. },
        )
        | Event::Friendship(
            FriendshipEvent::FriendRequested { .. } | FriendshipEvent::FriendRequestConfirmed { .. },
        )
        | Event::Conversation(_) => true,
        // Nobody is signed in to an erased account to hear it; each session was told that it ended. That a
        // friend was filed is told by FriendRequestConfirmed.
        Event::Account(AccountEvent::PersonalDataErased {} | AccountEvent::ErasureConfirmed {})
        | Event::Contacts(ContactsEvent::FriendFiled { .. })
        | Event::Handle(_) => false,
    }
}

fn update(recorded: &Recorded) -> Option<Update> {
    let event = event(recorded)?;
    Some(Update { position: recorded.position.into(), at: recorded.recorded_at.into(), event })
}

/// The event as clients see it; none when it says nothing that another event does not say.
fn event(recorded: &Recorded) -> Option<UpdateEvent> {
    match &recorded.event {
        Event::Account(event) => account_event(recorded, event),
        Event::Friendship(FriendshipEvent::FriendRequested { from, to }) => {
            Some(UpdateEvent::FriendRequested(FriendRequestedUpdate {
                friend_request_id: NodeId::FriendRequest(recorded.position).into(),
                from: Person(*from),
                to: Person(*to),
            }))
        }
        Event::Friendship(FriendshipEvent::FriendRequestConfirmed { from, by }) => {
            let (from, by) = (Person(*from), Person(*by));
            Some(UpdateEvent::FriendConfirmed(FriendConfirmedUpdate { from, by }))
        }
        Event::Conversation(ConversationEvent::ConversationStarted { kind: Kind::Private { members } }) => {
            Some(UpdateEvent::ConversationStarted(ConversationStartedUpdate {
                conversation_id: NodeId::Conversation(recorded.position).into(),
                kind: ConversationKind::Private,
                members: members.map(Person).to_vec(),
                name: None,
            }))
        }
        Event::Conversation(ConversationEvent::ConversationStarted { kind: Kind::Group { name, owner } }) => {
            Some(UpdateEvent::ConversationStarted(ConversationStartedUpdate {
                conversation_id: NodeId::Conversation(recorded.position).into(),
                kind: ConversationKind::Group,
                members: vec![Person(*owner)],
                name: name.open().map(|name| name.as_ref().to_owned()),
            }))
        }
        Event::Conversation(ConversationEvent::MessageSent { .. }) => Message::from_event(recorded)
            .map(|message| UpdateEvent::MessageSent(MessageSentUpdate { message })),
        Event::Conversation(event) => group_update(recorded.stream.id::<Conversation>()?, event),
        // Told by FriendRequestConfirmed.
        Event::Contacts(ContactsEvent::FriendFiled { .. }) | Event::Handle(_) => None,
    }
}

fn account_event(recorded: &Recorded, event: &AccountEvent) -> Option<UpdateEvent> {
    let account = recorded.stream.id::<domain::account::Account>()?;
    Some(match event {
        AccountEvent::AccountRegistered { .. } => {
            UpdateEvent::Registered(RegisteredUpdate { person: Person(account) })
        }
        AccountEvent::SignedIn { session, device, address: _ } => UpdateEvent::SignedIn(SignedInUpdate {
            session_id: ID(session.to_string()),
            device: device.open().map(|device| device.as_ref().to_owned()),
        }),
        AccountEvent::SignInRefused { times } => {
            UpdateEvent::SignInRefused(SignInRefusedUpdate { times: *times })
        }
        AccountEvent::SignedOut { session } => {
            UpdateEvent::SignedOut(SignedOutUpdate { session_id: ID(session.to_string()) })
        }
        // Nobody is signed in to this account to hear it; each session was told that it ended.
        AccountEvent::PersonalDataErased {} | AccountEvent::ErasureConfirmed {} => return None,
    })
}
