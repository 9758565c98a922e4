//! Every rule of a group, refused once and asked twice; and what always holds.

use cqrs_es::test::TestFramework;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::conversation::{Content, Conversation, ConversationCommand};
use crate::decider::Decider as _;
use crate::values::MessageText;

/// In the group of these tests 1 is the owner, 2 and 3 are managers, 4 and 5 are members, 6 is a stranger.
fn person(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}

fn name() -> GroupName {
    GroupName::parse("周末爬山".into()).unwrap()
}

fn start_with(members: &[u128]) -> ConversationCommand {
    let members = members.iter().copied().map(person).collect();
    ConversationCommand::StartGroup { owner: person(1), name: name(), members }
}

fn started() -> ConversationEvent {
    let kind = ConversationKind::Group { name: Personal::Open(name()), owner: person(1) };
    ConversationEvent::ConversationStarted { kind }
}

fn joined(n: u128, after: u32) -> ConversationEvent {
    ConversationEvent::MemberJoined { member: person(n), by: person(1), after: MessageNumber(after) }
}

fn appointed(n: u128) -> ConversationEvent {
    ConversationEvent::ManagerAppointed { member: person(n), by: person(1) }
}

fn past() -> Vec<ConversationEvent> {
    let joined = (2..=5).map(|n| joined(n, 0));
    [started()].into_iter().chain(joined).chain([appointed(2), appointed(3)]).collect()
}

fn with(event: ConversationEvent) -> Vec<ConversationEvent> {
    past().into_iter().chain([event]).collect()
}

fn hello() -> Content {
    Content::Text { text: Personal::Open(MessageText::parse("hello 你好".into()).unwrap()) }
}

fn send(n: u128) -> ConversationCommand {
    ConversationCommand::Send { sender: person(n), content: hello() }
}

fn sent(number: u32, n: u128) -> ConversationEvent {
    ConversationEvent::MessageSent { number: MessageNumber(number), sender: person(n), content: hello() }
}

fn add(by: u128, n: u128) -> GroupCommand {
    GroupCommand::AddMembers { by: person(by), members: vec![person(n), person(4), person(n)] }
}

fn leave(n: u128) -> GroupCommand {
    GroupCommand::Leave { member: person(n) }
}

fn remove(by: u128, n: u128) -> GroupCommand {
    GroupCommand::Remove { by: person(by), member: person(n) }
}

fn appoint(by: u128, n: u128) -> GroupCommand {
    GroupCommand::AppointManager { by: person(by), member: person(n) }
}

fn dismiss(by: u128, n: u128) -> GroupCommand {
    GroupCommand::DismissManager { by: person(by), member: person(n) }
}

fn transfer(by: u128, n: u128) -> GroupCommand {
    GroupCommand::TransferOwnership { by: person(by), to: person(n) }
}

fn rename(by: u128) -> GroupCommand {
    GroupCommand::Rename { by: person(by), name: name() }
}

fn dissolve(by: u128) -> GroupCommand {
    GroupCommand::Dissolve { by: person(by) }
}

fn group(past: Vec<ConversationEvent>) -> cqrs_es::test::AggregateTestExecutor<Conversation> {
    TestFramework::<Conversation>::with(()).given(past)
}

fn happens(past: Vec<ConversationEvent>, command: GroupCommand, events: Vec<ConversationEvent>) {
    group(past).when(ConversationCommand::Group(command)).then_expect_events(events);
}

fn refused(command: GroupCommand, error: ConversationError) {
    group(past()).when(ConversationCommand::Group(command)).then_expect_error(error);
}

#[test]
fn a_group_begins_with_its_owner_and_those_who_join_once() {
    let events = vec![started(), joined(2, 0), joined(3, 0)];
    TestFramework::<Conversation>::with(())
        .given_no_previous_events()
        .when(start_with(&[2, 1, 3, 2]))
        .then_expect_events(events);
    group(past()).when(start_with(&[9])).then_expect_events(vec![]);
}

#[test]
fn members_send_and_nobody_else() {
    group(past()).when(send(5)).then_expect_events(vec![sent(1, 5)]);
    group(with(sent(1, 5))).when(send(1)).then_expect_events(vec![sent(2, 1)]);
    group(past()).when(send(6)).then_expect_error(ConversationError::NotMember);
    let left = ConversationEvent::MemberLeft { member: person(5) };
    group(with(left)).when(send(5)).then_expect_error(ConversationError::NotMember);
}

#[test]
fn owner_and_managers_let_people_in_who_see_what_comes_then() {
    let by_manager =
        ConversationEvent::MemberJoined { member: person(6), by: person(2), after: MessageNumber(1) };
    happens(with(sent(1, 5)), add(2, 6), vec![by_manager]);
    happens(past(), add(1, 6), vec![joined(6, 0)]);
    happens(with(joined(6, 0)), add(1, 6), vec![]);
    refused(add(4, 6), ConversationError::ManagersOnly);
    refused(add(6, 6), ConversationError::NotMember);
}

#[test]
fn a_group_has_room_for_ten_thousand_and_a_command_for_a_hundred() {
    let mut many = vec![started()];
    many.extend((2..=GROUP_MEMBERS_MAX as u128).map(|n| joined(n, 0)));
    let full = ConversationError::Full { members_max: GROUP_MEMBERS_MAX };
    let command = ConversationCommand::Group(add(1, 20_000));
    group(many.clone()).when(command).then_expect_error(full);
    happens(many, add(1, 5), vec![]);
    let too_many = GroupCommand::AddMembers {
        by: person(1),
        members: (100..=100 + MEMBERS_PER_COMMAND_MAX as u128).map(person).collect(),
    };
    refused(too_many, ConversationError::TooManyAtOnce { members_max: MEMBERS_PER_COMMAND_MAX });
}

#[test]
fn everybody_but_the_owner_leaves() {
    for n in [2, 5] {
        happens(past(), leave(n), vec![ConversationEvent::MemberLeft { member: person(n) }]);
    }
    refused(leave(1), ConversationError::OwnerStays);
    refused(leave(6), ConversationError::NotMember);
}

#[test]
fn one_is_put_out_by_those_above() {
    let removed = |by: u128, n: u128| ConversationEvent::MemberRemoved { member: person(n), by: person(by) };
    for (by, n) in [(1, 2), (1, 5), (2, 5)] {
        happens(past(), remove(by, n), vec![removed(by, n)]);
    }
    happens(with(removed(1, 5)), remove(1, 5), vec![]);
    refused(remove(2, 3), ConversationError::Outranked);
    refused(remove(2, 1), ConversationError::Outranked);
    refused(remove(1, 1), ConversationError::Outranked);
    refused(remove(4, 5), ConversationError::ManagersOnly);
    refused(remove(6, 5), ConversationError::NotMember);
}

#[test]
fn the_owner_appoints_and_dismisses_managers() {
    happens(past(), appoint(1, 4), vec![appointed(4)]);
    happens(past(), appoint(1, 2), vec![]);
    refused(appoint(2, 4), ConversationError::OwnerOnly);
    refused(appoint(1, 6), ConversationError::PersonNotMember);
    refused(appoint(1, 1), ConversationError::PersonIsOwner);
    let dismissed = ConversationEvent::ManagerDismissed { member: person(2), by: person(1) };
    happens(past(), dismiss(1, 2), vec![dismissed]);
    happens(past(), dismiss(1, 4), vec![]);
    refused(dismiss(3, 2), ConversationError::OwnerOnly);
}

#[test]
fn the_owner_hands_the_group_over_and_becomes_a_member() {
    let handed_over = ConversationEvent::OwnershipTransferred { from: person(1), to: person(4) };
    happens(past(), transfer(1, 4), vec![handed_over.clone()]);
    happens(with(handed_over.clone()), transfer(1, 4), vec![]);
    happens(with(handed_over.clone()), leave(1), vec![ConversationEvent::MemberLeft { member: person(1) }]);
    let command = ConversationCommand::Group(appoint(1, 5));
    group(with(handed_over)).when(command).then_expect_error(ConversationError::OwnerOnly);
    refused(transfer(2, 3), ConversationError::OwnerOnly);
    refused(transfer(1, 6), ConversationError::PersonNotMember);
}

#[test]
fn owner_and_managers_rename() {
    let name = Personal::Open(name());
    happens(past(), rename(2), vec![ConversationEvent::ConversationRenamed { name, by: person(2) }]);
    refused(rename(5), ConversationError::ManagersOnly);
}

#[test]
fn nothing_happens_in_a_dissolved_group() {
    let dissolved = ConversationEvent::ConversationDissolved { by: person(1) };
    happens(past(), dissolve(1), vec![dissolved.clone()]);
    happens(with(dissolved.clone()), dissolve(1), vec![]);
    refused(dissolve(2), ConversationError::OwnerOnly);
    for command in [send(1), ConversationCommand::Group(add(1, 6)), ConversationCommand::Group(rename(1))] {
        group(with(dissolved.clone())).when(command).then_expect_error(ConversationError::NotMember);
    }
}

#[test]
fn a_private_conversation_is_not_a_group() {
    let kind = ConversationKind::Private { members: [person(1), person(2)] };
    let private = vec![ConversationEvent::ConversationStarted { kind }];
    for (who, error) in [(1, ConversationError::NotAGroup), (3, ConversationError::NotMember)] {
        group(private.clone()).when(ConversationCommand::Group(rename(who))).then_expect_error(error);
    }
}

fn any_command() -> impl Strategy<Value = GroupCommand> {
    (0..16_u8, 1..7_u128, 1..7_u128).prop_map(|(what, by, n)| match what {
        0..5 => add(by, n),
        5 | 6 => leave(by),
        7 | 8 => remove(by, n),
        9..11 => appoint(by, n),
        11 => dismiss(by, n),
        12 | 13 => transfer(by, n),
        14 => rename(by),
        _ => dissolve(by),
    })
}

proptest! {
    #[test]
    fn there_is_one_owner_and_everybody_has_one_role_whatever_is_asked(
        commands in proptest::collection::vec(any_command(), 0..60)
    ) {
        let mut state = Conversation::default();
        for event in state.decide(&start_with(&[2, 3, 4])).unwrap() {
            state.evolve(&event);
        }
        for command in commands {
            let asked = ConversationCommand::Group(command.clone());
            let before = state.clone();
            // Nobody can tell whether a sealed name is the same again.
            let renames = matches!(command, GroupCommand::Rename { .. });
            let Ok(events) = state.decide(&asked) else { continue };
            for event in &events {
                state.evolve(event);
            }
            prop_assert_eq!(events.is_empty(), before == state && !renames);
            if let Conversation::Group(group) = &state {
                let roles: Vec<_> = (1..7).filter_map(|n| group.role(person(n))).collect();
                prop_assert_eq!(roles.len(), group.size());
                prop_assert_eq!(roles.iter().filter(|role| **role == Role::Owner).count(), 1);
            }
            let again = state.decide(&asked).unwrap_or_default();
            prop_assert!(again.is_empty() || renames);
            let kept = serde_json::to_string(&state).unwrap();
            prop_assert_eq!(serde_json::from_str::<Conversation>(&kept).unwrap(), state.clone());
        }
    }
}
