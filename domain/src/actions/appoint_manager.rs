//! Letting a member help the owner of a group.

use crate::action::{Action, Streams};
use crate::conversation::{Conversation, ConversationCommand, GroupCommand};
use crate::ids::{AccountId, ConversationId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Makes a member a manager; only the owner may.
#[derive(Clone, Copy, Debug)]
pub struct AppointManager {
    /// The group.
    pub conversation: ConversationId,
    /// Who appoints.
    pub by: AccountId,
    /// Whom.
    pub member: AccountId,
}

impl Action for AppointManager {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.conversation)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = GroupCommand::AppointManager { by: self.by, member: self.member };
        streams.decide::<Conversation>(&self.conversation, &ConversationCommand::Group(command))?;
        Ok(())
    }
}
