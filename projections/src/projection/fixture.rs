//! Events as the log would hand them out, for tests of folds: people are numbers, it is always noon.

use chrono::{DateTime, Utc};
use domain::account::{Account, AccountEvent};
use domain::conversation::{Content, Conversation, ConversationEvent, ConversationKind};
use domain::friendship::{Friendship, FriendshipEvent};
use domain::values::{GroupName, MessageText, UserName};
use domain::{
    AccountId, Actor, Causation, Client, CommandId, ConversationId, CorrelationId, Event, EventId, HandleId,
    MessageNumber, Metadata, Pair, Personal, Position, Recorded, StreamId,
};
use uuid::Uuid;

pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

pub(crate) fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}

fn pair(one: u128, other: u128) -> Pair {
    Pair::of(account(one), account(other)).unwrap()
}

pub(crate) fn conversation(one: u128, other: u128) -> ConversationId {
    ConversationId::private(&pair(one, other))
}

fn recorded(position: i64, stream: StreamId, event: impl Into<Event>) -> Recorded {
    Recorded {
        position: Position(position),
        stream,
        sequence: 1,
        event: event.into(),
        metadata: Metadata {
            event_id: EventId(Uuid::nil()),
            actor: Actor::Anonymous,
            session: None,
            causation: Causation::Command(CommandId(Uuid::nil())),
            correlation: CorrelationId(Uuid::nil()),
            client: Client::Cli,
        },
        recorded_at: noon(),
    }
}

pub(crate) fn in_account(position: i64, who: u128, event: AccountEvent) -> Recorded {
    recorded(position, StreamId::of::<Account>(&account(who)), event)
}

pub(crate) fn registered(position: i64, who: u128, user_name: Personal<UserName>) -> Recorded {
    let handle = HandleId("0".repeat(64));
    in_account(position, who, AccountEvent::AccountRegistered { handle, user_name })
}

pub(crate) fn requested(position: i64, from: u128, to: u128) -> Recorded {
    let event = FriendshipEvent::FriendRequested { from: account(from), to: account(to) };
    recorded(position, StreamId::of::<Friendship>(&pair(from, to)), event)
}

pub(crate) fn confirmed(position: i64, from: u128, by: u128) -> Recorded {
    let event = FriendshipEvent::FriendRequestConfirmed { from: account(from), by: account(by) };
    recorded(position, StreamId::of::<Friendship>(&pair(from, by)), event)
}

pub(crate) fn started(position: i64, one: u128, other: u128) -> Recorded {
    let kind = ConversationKind::Private { members: pair(one, other).members() };
    let stream = StreamId::of::<Conversation>(&conversation(one, other));
    recorded(position, stream, ConversationEvent::ConversationStarted { kind })
}

pub(crate) fn sent(position: i64, one: u128, other: u128, number: u32, sender: u128) -> Recorded {
    let text = Personal::Open(MessageText::parse(format!("message {number}")).unwrap());
    message(position, (one, other), number, sender, text)
}

pub(crate) fn erased(position: i64, one: u128, other: u128, number: u32, sender: u128) -> Recorded {
    message(position, (one, other), number, sender, Personal::Erased)
}

fn message(
    position: i64,
    between: (u128, u128),
    number: u32,
    sender: u128,
    text: Personal<MessageText>,
) -> Recorded {
    let stream = StreamId::of::<Conversation>(&conversation(between.0, between.1));
    let content = Content::Text { text };
    let event =
        ConversationEvent::MessageSent { number: MessageNumber(number), sender: account(sender), content };
    recorded(position, stream, event)
}

/// How a group begins.
pub(crate) fn group(owner: u128) -> ConversationKind {
    let name = Personal::Open(GroupName::parse("周末爬山".into()).unwrap());
    ConversationKind::Group { name, owner: account(owner) }
}

/// Something that happens in the one group there is.
pub(crate) fn in_group(position: i64, event: ConversationEvent) -> Recorded {
    recorded(position, StreamId::of::<Conversation>(&ConversationId(Uuid::from_u128(99))), event)
}
