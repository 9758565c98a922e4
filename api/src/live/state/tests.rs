//! Who hears of a group while members come and go. The first member of these tests is 1; the group is 9.

use domain::conversation::{Content, ConversationEvent};
use domain::{
    Actor, Causation, Client, CommandId, CorrelationId, EventId, MessageNumber, Metadata, Personal, StreamId,
};
use uuid::Uuid;

use super::*;

const LISTENER: ListenerId = 7;

fn member() -> AccountId {
    AccountId(Uuid::from_u128(1))
}

fn group() -> StreamId {
    StreamId::of::<Conversation>(&ConversationId(Uuid::from_u128(9)))
}

fn event(position: i64, event: ConversationEvent) -> Arc<LiveEvent> {
    let id = Uuid::nil();
    Arc::new(LiveEvent::new(Arc::new(Recorded {
        position: Position(position),
        stream: group(),
        sequence: position,
        event: event.into(),
        metadata: Metadata {
            event_id: EventId(id),
            actor: Actor::Anonymous,
            session: None,
            causation: Causation::Command(CommandId(id)),
            correlation: CorrelationId(id),
            client: Client::Graphql,
        },
        recorded_at: chrono::DateTime::UNIX_EPOCH,
    })))
}

fn joined(position: i64) -> Arc<LiveEvent> {
    let (member, by) = (member(), AccountId(Uuid::from_u128(2)));
    event(position, ConversationEvent::MemberJoined { member, by, after: MessageNumber(0) })
}

fn left(position: i64) -> Arc<LiveEvent> {
    event(position, ConversationEvent::MemberLeft { member: member() })
}

fn said(position: i64) -> Arc<LiveEvent> {
    let (sender, content) = (AccountId(Uuid::from_u128(2)), Content::Text { text: Personal::Erased });
    event(position, ConversationEvent::MessageSent { number: MessageNumber(1), sender, content })
}

/// A hub that has delivered everything up to 10, and a device of the member that begins to listen.
fn hub() -> (State, mpsc::Receiver<Arc<LiveEvent>>) {
    let (queue, events) = mpsc::channel(100);
    let mut state = State::new(Position(10), HubLimits::default());
    state.enter(LISTENER, queue);
    state.join(LISTENER, Topic::Account(member()));
    (state, events)
}

/// The group as a view shows it to the member.
fn seen(after: i64, until: Option<i64>) -> [StreamPart; 1] {
    [StreamPart { stream: group(), after: Position(after), until: until.map(Position) }]
}

fn heard(events: &mut mpsc::Receiver<Arc<LiveEvent>>) -> Vec<i64> {
    std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.position().0).collect()
}

#[test]
fn a_member_hears_what_is_said_between_joining_and_leaving_both_included() {
    let (mut state, mut events) = hub();
    state.join_conversations(LISTENER, &[]);
    for event in [said(11), joined(12), said(13), left(14), said(15), joined(16), said(17)] {
        state.deliver(&event);
    }
    assert_eq!(heard(&mut events), [12, 13, 14, 16, 17]);
    let dissolved = ConversationEvent::ConversationDissolved { by: AccountId(Uuid::from_u128(2)) };
    state.deliver(&event(18, dissolved));
    state.deliver(&said(19));
    assert_eq!(heard(&mut events), [18]);
}

#[test]
fn who_left_while_the_listener_began_hears_nothing_though_the_view_does_not_know_yet() {
    let (mut state, mut events) = hub();
    state.deliver(&left(11));
    assert_eq!(state.join_conversations(LISTENER, &seen(3, None)), Position(11));
    state.deliver(&said(12));
    assert!(heard(&mut events).is_empty());
}

#[test]
fn who_came_back_meanwhile_hears_what_is_said() {
    let (mut state, mut events) = hub();
    state.deliver(&left(11));
    state.deliver(&joined(12));
    state.join_conversations(LISTENER, &seen(3, None));
    state.deliver(&said(13));
    assert_eq!(heard(&mut events), [12, 13]);
}

#[test]
fn a_view_that_is_ahead_opens_nothing_before_the_joining_and_hides_no_leaving() {
    let (mut state, mut events) = hub();
    state.join_conversations(LISTENER, &seen(11, None));
    for event in [said(11), joined(12), said(13)] {
        state.deliver(&event);
    }
    assert_eq!(heard(&mut events), [12, 13]);

    let (mut state, mut events) = hub();
    state.join_conversations(LISTENER, &seen(11, Some(12)));
    for event in [said(11), left(12), said(13)] {
        state.deliver(&event);
    }
    assert_eq!(heard(&mut events), [11, 12]);
}
