//! The rules of a conversation.

use super::{
    Conversation, ConversationCommand, ConversationError, ConversationEvent, ConversationKind, Group,
    group_rules,
};
use crate::decider::{Decider, cqrs_aggregate};
use crate::ids::{ConversationId, MessageNumber};

cqrs_aggregate!(Conversation, "conversation", ConversationCommand, ConversationEvent, ConversationError);

impl Decider for Conversation {
    type Id = ConversationId;

    // 2: groups.
    const STATE_FORMAT: i32 = 2;

    fn decide(&self, command: &ConversationCommand) -> Result<Vec<ConversationEvent>, ConversationError> {
        match command {
            ConversationCommand::OpenPrivate { members } => match self {
                Self::NotStarted => Ok(vec![ConversationEvent::ConversationStarted {
                    kind: ConversationKind::Private { members: *members },
                }]),
                Self::Private { .. } => Ok(vec![]),
                Self::Group(_) | Self::Dissolved { .. } => Err(ConversationError::NotMember),
            },
            ConversationCommand::StartGroup { owner, name, members } => match self {
                Self::NotStarted => group_rules::start(*owner, name, members),
                Self::Group(group) if group.role(*owner).is_some() => Ok(vec![]),
                Self::Private { .. } | Self::Group(_) | Self::Dissolved { .. } => {
                    Err(ConversationError::NotMember)
                }
            },
            ConversationCommand::Send { sender, content } => {
                let last = match self {
                    Self::Private { last, .. } => *last,
                    Self::Group(group) => group.last(),
                    Self::NotStarted | Self::Dissolved { .. } => MessageNumber::default(),
                };
                if !self.has(*sender) {
                    return Err(ConversationError::NotMember);
                }
                let (number, sender, content) = (last.next(), *sender, content.clone());
                Ok(vec![ConversationEvent::MessageSent { number, sender, content }])
            }
            ConversationCommand::Group(command) => match self {
                Self::Group(group) => group.decide(command),
                Self::Private { members, .. } if members.contains(&command.by()) => {
                    Err(ConversationError::NotAGroup)
                }
                Self::Dissolved { by }
                    if matches!(command, super::GroupCommand::Dissolve { .. }) && command.by() == *by =>
                {
                    Ok(vec![])
                }
                Self::NotStarted | Self::Private { .. } | Self::Dissolved { .. } => {
                    Err(ConversationError::NotMember)
                }
            },
        }
    }

    fn evolve(&mut self, event: &ConversationEvent) {
        match (event, self) {
            (ConversationEvent::ConversationStarted { kind }, state) => {
                *state = match kind {
                    ConversationKind::Private { members } => {
                        Self::Private { members: *members, last: MessageNumber::default() }
                    }
                    ConversationKind::Group { name: _, owner } => Self::Group(Group::of(*owner)),
                }
            }
            (ConversationEvent::ConversationDissolved { by }, state @ Self::Group(_)) => {
                *state = Self::Dissolved { by: *by };
            }
            (ConversationEvent::MessageSent { number, .. }, Self::Private { last, .. }) => *last = *number,
            (event, Self::Group(group)) => group.take_in(event),
            (_, Self::NotStarted | Self::Private { .. } | Self::Dissolved { .. }) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;
    use crate::conversation::Content;
    use crate::ids::AccountId;
    use crate::personal::Personal;
    use crate::values::MessageText;

    fn conversation() -> TestFramework<Conversation> {
        TestFramework::with(())
    }

    fn person(n: u128) -> AccountId {
        AccountId(Uuid::from_u128(n))
    }

    fn open() -> ConversationCommand {
        ConversationCommand::OpenPrivate { members: [person(1), person(2)] }
    }

    fn started() -> ConversationEvent {
        ConversationEvent::ConversationStarted {
            kind: ConversationKind::Private { members: [person(1), person(2)] },
        }
    }

    fn hello() -> Content {
        Content::Text { text: Personal::Open(MessageText::parse("hello 你好".into()).unwrap()) }
    }

    fn send(sender: u128) -> ConversationCommand {
        ConversationCommand::Send { sender: person(sender), content: hello() }
    }

    fn sent(number: u32, sender: u128) -> ConversationEvent {
        ConversationEvent::MessageSent {
            number: MessageNumber(number),
            sender: person(sender),
            content: hello(),
        }
    }

    #[test]
    fn a_private_conversation_opens_once() {
        conversation().given_no_previous_events().when(open()).then_expect_events(vec![started()]);
        conversation().given(vec![started()]).when(open()).then_expect_events(vec![]);
    }

    #[test]
    fn both_members_send_and_messages_are_numbered_without_a_gap() {
        conversation().given(vec![started()]).when(send(1)).then_expect_events(vec![sent(1, 1)]);
        conversation().given(vec![started(), sent(1, 1)]).when(send(2)).then_expect_events(vec![sent(2, 2)]);
    }

    #[test]
    fn nobody_else_sends() {
        conversation().given(vec![started()]).when(send(3)).then_expect_error(ConversationError::NotMember);
    }

    #[test]
    fn a_conversation_that_does_not_exist_answers_like_a_foreign_one() {
        conversation()
            .given_no_previous_events()
            .when(send(1))
            .then_expect_error(ConversationError::NotMember);
    }
}
