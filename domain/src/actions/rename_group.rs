//! Giving a group another name.

use crate::action::{Action, Streams};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;
use crate::values::GroupName;

/// Gives a group another name; the owner and managers may.
#[derive(Clone, Debug)]
pub struct RenameGroup {
    /// The group.
    pub conversation: ConversationId,
    /// Who does it.
    pub by: AccountId,
    /// The new name.
    pub name: GroupName,
}

impl Action for RenameGroup {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = GroupCommand::Rename { by: self.by, name: self.name.clone() };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        Ok(())
    }
}
