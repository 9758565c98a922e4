//! Making a manager a plain member again.

use crate::action::{Action, Streams};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Makes a manager a plain member again; only the owner may.
#[derive(Clone, Copy, Debug)]
pub struct DismissManager {
    /// The group.
    pub conversation: ConversationId,
    /// Who dismisses.
    pub by: AccountId,
    /// Whom.
    pub member: AccountId,
}

impl Action for DismissManager {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = GroupCommand::DismissManager { by: self.by, member: self.member };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        Ok(())
    }
}
