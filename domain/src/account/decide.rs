//! The rules of an account.

use super::{Account, AccountError, AccountEvent};
use crate::decider::{Decider, cqrs_aggregate};
use crate::ids::{AccountId, HandleId, SessionId};
use crate::personal::Personal;
use crate::values::{DeviceName, NetworkAddress, UserName};

/// What may be asked of an account.
#[derive(Clone, PartialEq, Debug)]
pub enum AccountCommand {
    /// Join under a user name.
    Register {
        /// The claim on the name.
        handle: HandleId,
        /// The name as typed.
        user_name: UserName,
        /// The device to sign in at once, if any.
        device: Option<Device>,
    },
    /// Begin a session on a device.
    SignIn {
        /// What came of comparing the password; hashing is slow and done before the decision.
        password: PasswordCheck,
        /// The device.
        device: Device,
    },
    /// Take note that wrong passwords were refused.
    NoteRefusedSignIns {
        /// How often since the last note.
        times: u32,
    },
    /// End a session.
    SignOut {
        /// The session.
        session: SessionId,
    },
    /// Forget the person.
    Erase,
    /// Take note that the account's key was destroyed.
    ConfirmErasure,
}

/// A device that is to act for the person.
#[derive(Clone, PartialEq, Debug)]
pub struct Device {
    /// The session it will have.
    pub session: SessionId,
    /// What it calls itself.
    pub name: DeviceName,
    /// Where it calls from.
    pub address: NetworkAddress,
}

impl Device {
    fn signed_in(&self) -> AccountEvent {
        AccountEvent::SignedIn {
            session: self.session,
            device: Personal::Open(self.name.clone()),
            address: Personal::Open(self.address.clone()),
        }
    }
}

/// What came of comparing a password with the stored hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordCheck {
    /// It fits.
    Right,
    /// It does not.
    Wrong,
}

cqrs_aggregate!(Account, "account", AccountCommand, AccountEvent, AccountError);

impl Decider for Account {
    type Id = AccountId;

    // 2: the claim on the user name, and the phase after an erasure.
    const STATE_FORMAT: i32 = 2;

    fn decide(&self, command: &AccountCommand) -> Result<Vec<AccountEvent>, AccountError> {
        match command {
            AccountCommand::Register { handle, user_name, device } => match self {
                Self::Unregistered => {
                    let registered = AccountEvent::AccountRegistered {
                        handle: handle.clone(),
                        user_name: Personal::Open(user_name.clone()),
                    };
                    Ok([registered].into_iter().chain(device.as_ref().map(Device::signed_in)).collect())
                }
                Self::Active { .. } | Self::Erased { .. } => Err(AccountError::AlreadyRegistered),
            },
            AccountCommand::SignIn { password, device } => {
                let Self::Active { sessions, .. } = self else { return Err(AccountError::Unknown) };
                if *password == PasswordCheck::Wrong {
                    return Err(AccountError::WrongPassword);
                }
                if sessions.contains(&device.session) {
                    return Ok(vec![]);
                }
                let oldest = self.session_to_end().map(|session| AccountEvent::SignedOut { session });
                Ok(oldest.into_iter().chain([device.signed_in()]).collect())
            }
            AccountCommand::NoteRefusedSignIns { times } => match self {
                Self::Unregistered | Self::Erased { .. } => Err(AccountError::Unknown),
                Self::Active { .. } if *times == 0 => Ok(vec![]),
                Self::Active { .. } => Ok(vec![AccountEvent::SignInRefused { times: *times }]),
            },
            AccountCommand::SignOut { session } => match self {
                Self::Unregistered | Self::Erased { .. } => Err(AccountError::Unknown),
                Self::Active { sessions, .. } if !sessions.contains(session) => Ok(vec![]),
                Self::Active { .. } => Ok(vec![AccountEvent::SignedOut { session: *session }]),
            },
            AccountCommand::Erase => match self {
                Self::Unregistered => Err(AccountError::Unknown),
                Self::Active { sessions, .. } => {
                    // Each device hears that its session ended.
                    let ended = sessions.iter().map(|session| AccountEvent::SignedOut { session: *session });
                    Ok(ended.chain([AccountEvent::PersonalDataErased {}]).collect())
                }
                Self::Erased { .. } => Ok(vec![]),
            },
            AccountCommand::ConfirmErasure => match self {
                Self::Unregistered | Self::Active { .. } => Err(AccountError::NotErased),
                Self::Erased { confirmed: false } => Ok(vec![AccountEvent::ErasureConfirmed {}]),
                Self::Erased { confirmed: true } => Ok(vec![]),
            },
        }
    }

    fn evolve(&mut self, event: &AccountEvent) {
        self.take_in(event);
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;
    use crate::account::SESSIONS_PER_ACCOUNT_MAX;

    fn account() -> TestFramework<Account> {
        TestFramework::with(())
    }

    fn session(n: u128) -> SessionId {
        SessionId(Uuid::from_u128(n))
    }

    fn handle() -> HandleId {
        HandleId("0".repeat(64))
    }

    fn user_name() -> UserName {
        UserName::parse("alice01").unwrap()
    }

    fn registered() -> AccountEvent {
        AccountEvent::AccountRegistered { handle: handle(), user_name: Personal::Open(user_name()) }
    }

    fn phone(n: u128) -> Device {
        Device {
            session: session(n),
            name: DeviceName::lenient("a phone"),
            address: NetworkAddress::from("127.0.0.1".to_owned()),
        }
    }

    fn sign_in(n: u128, password: PasswordCheck) -> AccountCommand {
        AccountCommand::SignIn { password, device: phone(n) }
    }

    fn signed_in(n: u128) -> AccountEvent {
        phone(n).signed_in()
    }

    #[test]
    fn a_person_registers_once() {
        let register = AccountCommand::Register { handle: handle(), user_name: user_name(), device: None };
        account().given_no_previous_events().when(register.clone()).then_expect_events(vec![registered()]);
        account().given(vec![registered()]).when(register).then_expect_error(AccountError::AlreadyRegistered);
    }

    #[test]
    fn a_device_may_be_signed_in_while_registering() {
        let register =
            AccountCommand::Register { handle: handle(), user_name: user_name(), device: Some(phone(1)) };
        account()
            .given_no_previous_events()
            .when(register)
            .then_expect_events(vec![registered(), signed_in(1)]);
    }

    #[test]
    fn the_right_password_begins_a_session() {
        account()
            .given(vec![registered()])
            .when(sign_in(1, PasswordCheck::Right))
            .then_expect_events(vec![signed_in(1)]);
    }

    #[test]
    fn the_wrong_password_is_refused() {
        account()
            .given(vec![registered()])
            .when(sign_in(1, PasswordCheck::Wrong))
            .then_expect_error(AccountError::WrongPassword);
    }

    #[test]
    fn refused_sign_ins_are_noted_with_their_number() {
        let note = |times| AccountCommand::NoteRefusedSignIns { times };
        let noted = AccountEvent::SignInRefused { times: 3 };
        account().given(vec![registered()]).when(note(3)).then_expect_events(vec![noted.clone()]);
        account().given(vec![registered(), noted]).when(note(0)).then_expect_events(vec![]);
        account().given_no_previous_events().when(note(3)).then_expect_error(AccountError::Unknown);
        let erased = vec![registered(), AccountEvent::PersonalDataErased {}];
        account().given(erased).when(note(3)).then_expect_error(AccountError::Unknown);
    }

    #[test]
    fn nobody_signs_in_to_an_account_that_does_not_exist() {
        account()
            .given_no_previous_events()
            .when(sign_in(1, PasswordCheck::Right))
            .then_expect_error(AccountError::Unknown);
    }

    #[test]
    fn beginning_the_same_session_twice_adds_nothing() {
        account()
            .given(vec![registered(), signed_in(1)])
            .when(sign_in(1, PasswordCheck::Right))
            .then_expect_events(vec![]);
    }

    #[test]
    fn one_session_too_many_ends_the_oldest() {
        let full = SESSIONS_PER_ACCOUNT_MAX as u128;
        let mut past = vec![registered()];
        past.extend((1..full).map(signed_in));
        account()
            .given(past.clone())
            .when(sign_in(full, PasswordCheck::Right))
            .then_expect_events(vec![signed_in(full)]);
        past.push(signed_in(full));
        account()
            .given(past)
            .when(sign_in(full + 1, PasswordCheck::Right))
            .then_expect_events(vec![AccountEvent::SignedOut { session: session(1) }, signed_in(full + 1)]);
    }

    #[test]
    fn erasing_ends_every_session_and_twice_adds_nothing() {
        let past = vec![registered(), signed_in(1), signed_in(2)];
        let erased = vec![
            AccountEvent::SignedOut { session: session(1) },
            AccountEvent::SignedOut { session: session(2) },
            AccountEvent::PersonalDataErased {},
        ];
        account().given(past.clone()).when(AccountCommand::Erase).then_expect_events(erased.clone());
        let all = [past, erased].concat();
        account().given(all).when(AccountCommand::Erase).then_expect_events(vec![]);
        account()
            .given_no_previous_events()
            .when(AccountCommand::Erase)
            .then_expect_error(AccountError::Unknown);
    }

    #[test]
    fn an_erasure_is_confirmed_once_and_only_after_it() {
        let confirm = || AccountCommand::ConfirmErasure;
        let erased = vec![registered(), AccountEvent::PersonalDataErased {}];
        let confirmed = AccountEvent::ErasureConfirmed {};
        account().given(vec![registered()]).when(confirm()).then_expect_error(AccountError::NotErased);
        account().given(erased.clone()).when(confirm()).then_expect_events(vec![confirmed.clone()]);
        account().given([erased, vec![confirmed]].concat()).when(confirm()).then_expect_events(vec![]);
    }

    #[test]
    fn an_erased_account_is_as_unknown_as_one_that_never_was_and_its_id_stays_taken() {
        let register = AccountCommand::Register { handle: handle(), user_name: user_name(), device: None };
        for last in [AccountEvent::PersonalDataErased {}, AccountEvent::ErasureConfirmed {}] {
            let erased = || account().given(vec![registered(), signed_in(1), last.clone()]);
            erased().when(sign_in(2, PasswordCheck::Right)).then_expect_error(AccountError::Unknown);
            erased()
                .when(AccountCommand::SignOut { session: session(1) })
                .then_expect_error(AccountError::Unknown);
            erased().when(register.clone()).then_expect_error(AccountError::AlreadyRegistered);
        }
    }

    #[test]
    fn signing_out_ends_the_session_and_twice_adds_nothing() {
        let sign_out = AccountCommand::SignOut { session: session(1) };
        let signed_out = AccountEvent::SignedOut { session: session(1) };
        account()
            .given(vec![registered(), signed_in(1)])
            .when(sign_out.clone())
            .then_expect_events(vec![signed_out.clone()]);
        account()
            .given(vec![registered(), signed_in(1), signed_out])
            .when(sign_out)
            .then_expect_events(vec![]);
    }
}
