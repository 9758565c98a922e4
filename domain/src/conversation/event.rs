//! Facts about a conversation, stored for ever: names and fields are a file format.

use serde::{Deserialize, Serialize};

use super::Conversation;
use crate::decider::event_versions;
use crate::event::{AggregateEvent, Event};
use crate::ids::{AccountId, MessageNumber};
use crate::personal::{KeyOwners, Personal, PersonalVisitor};
use crate::stream::StreamId;
use crate::values::MessageText;

/// What happens in a conversation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ConversationEvent {
    /// The conversation exists from here on. Its position is its public identity.
    ConversationStarted {
        /// Between whom.
        kind: ConversationKind,
    },
    /// Somebody said something. Its position is the message's public identity.
    MessageSent {
        /// Its place in the conversation.
        number: MessageNumber,
        /// Who said it.
        sender: AccountId,
        /// What was said.
        content: Content,
    },
}

/// The kinds of conversation, with what each begins with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Between two friends, for ever the same one.
    Private {
        /// The two, the lower id first.
        members: [AccountId; 2],
    },
}

/// What can be said.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Plain text, kept exactly as typed.
    Text {
        /// The text.
        text: Personal<MessageText>,
    },
}

event_versions!(ConversationEvent { ConversationStarted: "1.0", MessageSent: "1.0" });

impl AggregateEvent for ConversationEvent {
    fn of(event: &Event) -> Option<&Self> {
        if let Event::Conversation(event) = event { Some(event) } else { None }
    }

    fn personal(&mut self, stream: &StreamId, visitor: &mut dyn PersonalVisitor) {
        let Some(conversation) = stream.id::<Conversation>() else { return };
        match self {
            Self::ConversationStarted { kind: ConversationKind::Private { members: _ } } => {}
            Self::MessageSent { number: _, sender, content: Content::Text { text } } => {
                visitor.field("text", KeyOwners::AccountIn(*sender, conversation), text);
            }
        }
    }
}
