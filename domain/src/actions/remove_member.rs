//! Putting a member out of a group.

use crate::action::{Action, Streams};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Puts a member out of a group: the owner everybody, managers plain members.
#[derive(Clone, Copy, Debug)]
pub struct RemoveMember {
    /// The group.
    pub conversation: ConversationId,
    /// Who does it.
    pub by: AccountId,
    /// Whom.
    pub member: AccountId,
}

impl Action for RemoveMember {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = GroupCommand::Remove { by: self.by, member: self.member };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        Ok(())
    }
}
