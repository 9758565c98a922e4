//! Ending a group.

use crate::action::{Action, Streams};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Ends a group for everybody in it; only the owner may. Cannot be undone.
#[derive(Clone, Copy, Debug)]
pub struct DissolveGroup {
    /// The group.
    pub conversation: ConversationId,
    /// Who does it.
    pub by: AccountId,
}

impl Action for DissolveGroup {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = GroupCommand::Dissolve { by: self.by };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        Ok(())
    }
}
