//! Joining.

use crate::account::{Account, AccountCommand};
use crate::action::{Action, Streams};
use crate::credential::{CredentialChange, PasswordHash};
use crate::handle::{Handle, HandleCommand};
use crate::ids::{AccountId, HandleId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;
use crate::values::UserName;

use super::NewSession;

/// Registers an account under a user name that nobody holds, and begins its first session.
#[derive(Clone, Debug)]
pub struct Register {
    /// The new account's id.
    pub account: AccountId,
    /// The keyed hash of the normalised name.
    pub handle: HandleId,
    /// The name as typed.
    pub user_name: UserName,
    /// The hash of the chosen password.
    pub password: PasswordHash,
    /// The session of the device that registers, when it is to be signed in at once.
    pub session: Option<NewSession>,
}

impl Action for Register {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Account>(&self.account), StreamRef::of::<Handle>(&self.handle)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let claim = HandleCommand::Claim { account: self.account, reserved: self.user_name.is_reserved() };
        streams.decide::<Handle>(&self.handle, &claim)?;
        let register = AccountCommand::Register {
            handle: self.handle.clone(),
            user_name: self.user_name.clone(),
            device: self.session.as_ref().map(|session| session.device.clone()),
        };
        streams.decide::<Account>(&self.account, &register)?;
        streams
            .credential(CredentialChange::SetPassword { account: self.account, hash: self.password.clone() });
        if let Some(session) = &self.session {
            streams.credential(session.credential(self.account));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::actions::sign_in::tests::new_session;
    use crate::actions::world::World;
    use crate::event::Event;
    use crate::handle::HandleError;
    use uuid::Uuid;

    /// Registers a person under a name made of the id.
    pub(in crate::actions) fn register(account: AccountId) -> Register {
        let name = format!("person{}", account.0.as_u128());
        Register {
            account,
            handle: HandleId(format!("{:064x}", account.0.as_u128())),
            user_name: UserName::parse(&name).unwrap(),
            password: PasswordHash("$argon2id$".into()),
            session: Some(new_session(account.0.as_u128())),
        }
    }

    #[test]
    fn registering_claims_the_name_sets_the_password_and_signs_in() {
        let ann = AccountId(Uuid::from_u128(1));
        let done = World::default().act(&register(ann)).unwrap();
        assert_eq!(
            done.events.iter().map(Event::event_type).collect::<Vec<_>>(),
            ["HandleClaimed", "AccountRegistered", "SignedIn"]
        );
        assert!(matches!(
            done.credentials[..],
            [CredentialChange::SetPassword { .. }, CredentialChange::AddSession { .. }]
        ));
    }

    #[test]
    fn a_taken_name_leaves_nothing_behind() {
        let [ann, bob] = [1, 2].map(|n| AccountId(Uuid::from_u128(n)));
        let mut world = World::with_people(&[ann]);
        let same_name = Register { handle: register(ann).handle, ..register(bob) };
        assert_eq!(world.act(&same_name), Err(HandleError::Taken.into()));
        assert!(world.act(&register(bob)).is_ok());
    }
}
