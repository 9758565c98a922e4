//! Ending a session.

use crate::account::{Account, AccountCommand};
use crate::action::{Action, Streams};
use crate::credential::CredentialChange;
use crate::ids::{AccountId, SessionId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Ends a session; its token is worth nothing from the same moment on.
#[derive(Clone, Debug)]
pub struct SignOut {
    /// The account.
    pub account: AccountId,
    /// The session to end.
    pub session: SessionId,
}

impl Action for SignOut {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Account>(&self.account)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let command = AccountCommand::SignOut { session: self.session };
        if streams.decide::<Account>(&self.account, &command)? {
            streams.credential(CredentialChange::EndSession { session: self.session });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::world::World;
    use uuid::Uuid;

    #[test]
    fn the_token_dies_with_the_session() {
        let ann = AccountId(Uuid::from_u128(1));
        let mut world = World::with_people(&[ann]);
        let sign_out = SignOut { account: ann, session: SessionId(Uuid::from_u128(1)) };
        let done = world.act(&sign_out).unwrap();
        assert_eq!(done.credentials, [CredentialChange::EndSession { session: sign_out.session }]);
        assert!(world.act(&sign_out).unwrap().events.is_empty());
    }
}
