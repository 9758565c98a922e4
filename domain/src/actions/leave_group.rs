//! Going from a group.

use crate::action::{Action, Streams};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Leaves a group. Its owner has to hand it over first, or dissolve it.
#[derive(Clone, Copy, Debug)]
pub struct LeaveGroup {
    /// The group.
    pub conversation: ConversationId,
    /// Who goes.
    pub by: AccountId,
}

impl Action for LeaveGroup {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = GroupCommand::Leave { member: self.by };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        Ok(())
    }
}
