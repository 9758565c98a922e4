//! Handing a group over.

use crate::action::{Action, Streams};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Makes a member the owner of a group; only the owner may, and stays as a plain member.
#[derive(Clone, Copy, Debug)]
pub struct TransferOwnership {
    /// The group.
    pub conversation: ConversationId,
    /// Who hands it over.
    pub by: AccountId,
    /// To whom.
    pub to: AccountId,
}

impl Action for TransferOwnership {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = GroupCommand::TransferOwnership { by: self.by, to: self.to };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        Ok(())
    }
}
