//! An event on its way to the people whom it concerns.

use std::sync::Arc;

use domain::conversation::{Content, ConversationEvent};
use domain::{Event, Position, Recorded};

use crate::transport::{Shareable, Writings};

/// What an event weighs without its text, in bytes.
const BARE_BYTES: usize = 512;

/// A committed event, and the payloads that were made of it for sockets.
#[derive(Debug)]
pub struct LiveEvent {
    recorded: Arc<Recorded>,
    writings: Writings,
}

impl LiveEvent {
    /// An event of which nothing was made yet.
    pub(super) fn new(recorded: Arc<Recorded>) -> Self {
        Self { recorded, writings: Writings::default() }
    }

    /// The event itself.
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Its place in the log.
    pub(super) fn position(&self) -> Position {
        self.recorded.position
    }

    /// About how much memory it takes, in bytes; payloads not counted.
    pub(super) fn weight(&self) -> usize {
        let text = match &self.recorded.event {
            Event::Conversation(ConversationEvent::MessageSent {
                content: Content::Text { text }, ..
            }) => text.open().map_or(0, |text| text.as_ref().len()),
            Event::Conversation(
                ConversationEvent::ConversationStarted { .. }
                | ConversationEvent::MemberJoined { .. }
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
            | Event::Contacts(_) => 0,
        };
        BARE_BYTES + text
    }
}

impl Shareable for LiveEvent {
    fn writings(&self) -> &Writings {
        &self.writings
    }
}
