//! Taking note that wrong passwords were refused.

use crate::account::{Account, AccountCommand};
use crate::action::{Action, Streams};
use crate::ids::AccountId;
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Says in the log that somebody tried to sign in with wrong passwords.
#[derive(Clone, Copy, Debug)]
pub struct NoteRefusedSignIns {
    /// The account that they tried to sign in to.
    pub account: AccountId,
    /// How often since the last note.
    pub times: u32,
}

impl Action for NoteRefusedSignIns {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Account>(&self.account)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        streams
            .decide::<Account>(&self.account, &AccountCommand::NoteRefusedSignIns { times: self.times })?;
        Ok(())
    }
}
