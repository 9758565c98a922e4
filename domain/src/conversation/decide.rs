//! The rules of a conversation.

use super::{Content, Conversation, ConversationEvent, ConversationKind};
use crate::decider::{Decider, cqrs_aggregate};
use crate::ids::{AccountId, ConversationId, MessageNumber};

/// What may be asked of a conversation.
#[derive(Clone, PartialEq, Debug)]
pub enum ConversationCommand {
    /// Have the private conversation of two friends.
    OpenPrivate {
        /// The two, the lower id first.
        members: [AccountId; 2],
    },
    /// Say something.
    Send {
        /// Who.
        sender: AccountId,
        /// What.
        content: Content,
    },
}

/// Why a conversation says no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConversationError {
    /// Not a member; also the answer when there is no such conversation, so that nobody learns of one.
    #[error("not a member of the conversation")]
    NotMember,
}

cqrs_aggregate!(Conversation, "conversation", ConversationCommand, ConversationEvent, ConversationError);

impl Decider for Conversation {
    type Id = ConversationId;

    fn decide(&self, command: &ConversationCommand) -> Result<Vec<ConversationEvent>, ConversationError> {
        match (command, self) {
            (ConversationCommand::OpenPrivate { members }, Self::NotStarted) => {
                Ok(vec![ConversationEvent::ConversationStarted {
                    kind: ConversationKind::Private { members: *members },
                }])
            }
            (ConversationCommand::OpenPrivate { .. }, Self::Private { .. }) => Ok(vec![]),
            (ConversationCommand::Send { sender, content }, Self::Private { members, last })
                if members.contains(sender) =>
            {
                Ok(vec![ConversationEvent::MessageSent {
                    number: last.next(),
                    sender: *sender,
                    content: content.clone(),
                }])
            }
            (ConversationCommand::Send { .. }, Self::Private { .. } | Self::NotStarted) => {
                Err(ConversationError::NotMember)
            }
        }
    }

    fn evolve(&mut self, event: &ConversationEvent) {
        match event {
            ConversationEvent::ConversationStarted { kind: ConversationKind::Private { members } } => {
                *self = Self::Private { members: *members, last: MessageNumber::default() };
            }
            ConversationEvent::MessageSent { number, .. } => {
                if let Self::Private { last, .. } = self {
                    *last = *number;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;
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
