//! Taking note that a person is forgotten.

use crate::account::{Account, AccountCommand};
use crate::action::{Action, Streams};
use crate::ids::AccountId;
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Says in the log that an erased account's key was destroyed. Only after it was: the event is the proof.
#[derive(Clone, Copy, Debug)]
pub struct ConfirmErasure {
    /// The erased account.
    pub account: AccountId,
}

impl Action for ConfirmErasure {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Account>(&self.account)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        streams.decide::<Account>(&self.account, &AccountCommand::ConfirmErasure)?;
        Ok(())
    }
}
