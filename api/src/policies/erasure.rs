//! The end of an erasure: the key is destroyed, and the log says so.

use async_trait::async_trait;
use domain::account::{Account, AccountEvent};
use domain::actions::ConfirmErasure;
use domain::{Event, Recorded};
use eventlog::{EventLog, Outcome};

use super::{Policy, PolicyError, following};

/// Destroys the key of an account that was erased, then confirms it in the log: first the wish, then the deed,
/// then the proof. A crash between any two of them leaves the rest to the next start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Erasure;

#[async_trait]
impl Policy for Erasure {
    fn name(&self) -> &'static str {
        "erasure"
    }

    fn concerns(&self, event: &Event) -> bool {
        matches!(event, Event::Account(AccountEvent::PersonalDataErased {}))
    }

    async fn react(&self, log: &EventLog, recorded: &Recorded) -> Result<(), PolicyError> {
        let account = recorded.stream.id::<Account>().ok_or(PolicyError::Damaged(recorded.position))?;
        log.destroy_account_key(account).await?;
        let context = following(self.name(), recorded, "confirm");
        match log.execute(ConfirmErasure { account }, context).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(refusal) => Err(PolicyError::Refused(refusal)),
        }
    }
}
