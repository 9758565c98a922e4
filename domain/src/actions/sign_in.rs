//! Beginning a session.

use chrono::{DateTime, Utc};

use crate::account::{Account, AccountCommand, Device, PasswordCheck};
use crate::action::{Action, Streams};
use crate::credential::{CredentialChange, TokenHash};
use crate::ids::AccountId;
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// A session to begin: the device and what its token hashes to.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The device.
    pub device: Device,
    /// What the token hashes to.
    pub token: TokenHash,
    /// The moment from which the token is worth nothing.
    pub expires_at: DateTime<Utc>,
}

impl NewSession {
    /// The change that lets the token's bearer act as the account.
    pub(super) fn credential(&self, account: AccountId) -> CredentialChange {
        CredentialChange::AddSession {
            session: self.device.session,
            account,
            token: self.token,
            expires_at: self.expires_at,
        }
    }
}

/// Begins a session for an account whose password was compared.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The account.
    pub account: AccountId,
    /// What came of comparing the password.
    pub password: PasswordCheck,
    /// The session to begin.
    pub session: NewSession,
}

impl Action for SignIn {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Account>(&self.account)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let too_many = streams.state::<Account>(&self.account).session_to_end();
        let begun = streams.decide::<Account>(
            &self.account,
            &AccountCommand::SignIn { password: self.password, device: self.session.device.clone() },
        )?;
        if begun {
            if let Some(session) = too_many {
                streams.credential(CredentialChange::EndSession { session });
            }
            streams.credential(self.session.credential(self.account));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::account::{AccountError, SESSIONS_PER_ACCOUNT_MAX};
    use crate::actions::world::World;
    use crate::ids::SessionId;
    use crate::values::{DeviceName, NetworkAddress};
    use uuid::Uuid;

    pub(in crate::actions) fn new_session(n: u128) -> NewSession {
        NewSession {
            device: Device {
                session: SessionId(Uuid::from_u128(n)),
                name: DeviceName::lenient("a laptop"),
                address: NetworkAddress::from("127.0.0.1".to_owned()),
            },
            token: TokenHash([7; 32]),
            expires_at: DateTime::UNIX_EPOCH,
        }
    }

    fn sign_in(n: u128, password: PasswordCheck) -> SignIn {
        SignIn { account: AccountId(Uuid::from_u128(1)), password, session: new_session(n) }
    }

    #[test]
    fn the_token_is_good_exactly_when_the_session_began() {
        let mut world = World::with_people(&[AccountId(Uuid::from_u128(1))]);
        assert_eq!(world.act(&sign_in(2, PasswordCheck::Wrong)), Err(AccountError::WrongPassword.into()));
        let done = world.act(&sign_in(2, PasswordCheck::Right)).unwrap();
        assert!(matches!(done.credentials[..], [CredentialChange::AddSession { .. }]));
        let again = world.act(&sign_in(2, PasswordCheck::Right)).unwrap();
        assert!(again.events.is_empty() && again.credentials.is_empty());
    }

    #[test]
    fn one_session_too_many_makes_the_oldest_token_worthless() {
        let mut world = World::with_people(&[AccountId(Uuid::from_u128(1))]);
        for n in 2..=SESSIONS_PER_ACCOUNT_MAX as u128 {
            world.act(&sign_in(n, PasswordCheck::Right)).unwrap();
        }
        let done = world.act(&sign_in(1000, PasswordCheck::Right)).unwrap();
        let oldest = SessionId(Uuid::from_u128(1));
        assert_eq!(done.credentials[0], CredentialChange::EndSession { session: oldest });
    }
}
