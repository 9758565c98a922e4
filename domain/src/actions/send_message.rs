//! Saying something.

use crate::action::{Action, Streams};
use crate::conversation::{Content, Conversation, ConversationCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Sends a message to a conversation.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// Who says it.
    pub sender: AccountId,
    /// Where.
    pub conversation: ConversationId,
    /// What.
    pub content: Content,
}

impl Action for SendMessage {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let send = ConversationCommand::Send { sender: self.sender, content: self.content.clone() };
        streams.decide::<Conversation>(&self.conversation, &send)?;
        Ok(())
    }
}
