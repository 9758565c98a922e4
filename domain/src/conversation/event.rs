//! Facts about a conversation, stored for ever: names and fields are a file format.

use serde::{Deserialize, Serialize};

use super::Conversation;
use crate::decider::event_versions;
use crate::event::{AggregateEvent, Event};
use crate::ids::{AccountId, MessageNumber};
use crate::personal::{KeyOwners, Personal, PersonalVisitor};
use crate::stream::StreamId;
use crate::values::{GroupName, MessageText};

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
    /// Somebody is in the group from here on, as a plain member.
    MemberJoined {
        /// Who.
        member: AccountId,
        /// Who let them in.
        by: AccountId,
        /// The member sees the messages after this one.
        after: MessageNumber,
    },
    /// A member went.
    MemberLeft {
        /// Who.
        member: AccountId,
    },
    /// A member was put out.
    MemberRemoved {
        /// Who.
        member: AccountId,
        /// Who did it.
        by: AccountId,
    },
    /// A member helps the owner from here on.
    ManagerAppointed {
        /// Who.
        member: AccountId,
        /// Who appointed them.
        by: AccountId,
    },
    /// A manager is a plain member again.
    ManagerDismissed {
        /// Who.
        member: AccountId,
        /// Who dismissed them.
        by: AccountId,
    },
    /// The group has another owner; the former one is a plain member.
    OwnershipTransferred {
        /// The former owner.
        from: AccountId,
        /// The new owner.
        to: AccountId,
    },
    /// The group has another name.
    ConversationRenamed {
        /// The new name.
        name: Personal<GroupName>,
        /// Who gave it.
        by: AccountId,
    },
    /// The group ended for everybody.
    ConversationDissolved {
        /// Who ended it.
        by: AccountId,
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
    /// Of many. Who is in it beside the owner joins by events of their own.
    Group {
        /// Its name.
        name: Personal<GroupName>,
        /// Who owns it.
        owner: AccountId,
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

event_versions!(ConversationEvent {
    ConversationStarted: "1.0",
    MessageSent: "1.0",
    MemberJoined: "1.0",
    ManagerAppointed: "1.0",
    ManagerDismissed: "1.0",
    OwnershipTransferred: "1.0",
    MemberRemoved: "1.0",
    MemberLeft: "1.0",
    ConversationRenamed: "1.0",
    ConversationDissolved: "1.0",
});

impl AggregateEvent for ConversationEvent {
    fn of(event: &Event) -> Option<&Self> {
        if let Event::Conversation(event) = event { Some(event) } else { None }
    }

    /// The name of a group belongs to nobody who was in it: only the conversation's key seals it.
    fn personal(&mut self, stream: &StreamId, visitor: &mut dyn PersonalVisitor) {
        let Some(conversation) = stream.id::<Conversation>() else { return };
        match self {
            Self::ConversationStarted { kind: ConversationKind::Group { name, owner: _ } }
            | Self::ConversationRenamed { name, by: _ } => {
                visitor.field("name", KeyOwners::Conversation(conversation), name);
            }
            Self::MessageSent { number: _, sender, content: Content::Text { text } } => {
                visitor.field("text", KeyOwners::AccountIn(*sender, conversation), text);
            }
            Self::ConversationStarted { kind: ConversationKind::Private { members: _ } }
            | Self::MemberJoined { member: _, by: _, after: _ }
            | Self::MemberLeft { member: _ }
            | Self::MemberRemoved { member: _, by: _ }
            | Self::ManagerAppointed { member: _, by: _ }
            | Self::ManagerDismissed { member: _, by: _ }
            | Self::OwnershipTransferred { from: _, to: _ }
            | Self::ConversationDissolved { by: _ } => {}
        }
    }
}
