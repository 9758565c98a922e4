//! Forgetting a person.

use crate::account::{Account, AccountCommand};
use crate::action::{Action, Streams};
use crate::credential::CredentialChange;
use crate::handle::{Handle, HandleCommand, HandleError};
use crate::ids::{AccountId, HandleId};
use crate::refusal::Refusal;
use crate::stream::StreamRef;

/// Erases a person: the sessions end, the password goes, the user name is free again. What the person wrote
/// stays in the log as events that nobody can read once the account's key is destroyed; destroying it is
/// the work of whoever follows the log. Cannot be undone.
#[derive(Clone, Debug)]
pub struct ErasePerson {
    /// Who is to be forgotten.
    pub account: AccountId,
    /// The claim on the user name, from [`Account::handle`].
    pub handle: HandleId,
}

impl Action for ErasePerson {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Account>(&self.account), StreamRef::of::<Handle>(&self.handle)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let held = streams.state::<Account>(&self.account).handle().cloned();
        if !streams.decide::<Account>(&self.account, &AccountCommand::Erase)? {
            return Ok(());
        }
        if held.as_ref() != Some(&self.handle) {
            return Err(HandleError::NotHolder.into());
        }
        streams.decide::<Handle>(&self.handle, &HandleCommand::Release { account: self.account })?;
        streams.credential(CredentialChange::RemovePassword { account: self.account });
        streams.credential(CredentialChange::EndAllSessions { account: self.account });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountError;
    use crate::actions::register::tests::register;
    use crate::actions::world::World;
    use crate::actions::{ConfirmErasure, ConfirmFriend, RequestFriend};
    use crate::event::Event;
    use uuid::Uuid;

    fn person(n: u128) -> AccountId {
        AccountId(Uuid::from_u128(n))
    }

    fn erase(account: AccountId) -> ErasePerson {
        ErasePerson { account, handle: register(account).handle }
    }

    #[test]
    fn erasing_frees_the_name_and_takes_password_and_sessions() {
        let [ann, bob] = [1, 2].map(person);
        let mut world = World::with_people(&[ann]);
        let done = world.act(&erase(ann)).unwrap();
        assert_eq!(
            done.events.iter().map(Event::event_type).collect::<Vec<_>>(),
            ["SignedOut", "PersonalDataErased", "HandleReleased"]
        );
        assert_eq!(
            done.credentials,
            [
                CredentialChange::RemovePassword { account: ann },
                CredentialChange::EndAllSessions { account: ann }
            ]
        );
        let again = world.act(&erase(ann)).unwrap();
        assert!(again.events.is_empty() && again.credentials.is_empty());
        let same_name = crate::actions::Register { handle: register(ann).handle, ..register(bob) };
        assert!(world.act(&same_name).is_ok());
        assert!(world.act(&erase(ann)).unwrap().events.is_empty(), "the name is another's now");
        assert_eq!(world.act(&ConfirmErasure { account: ann }).unwrap().events.len(), 1);
    }

    #[test]
    fn nobody_is_erased_in_the_name_of_another() {
        let [ann, bob] = [1, 2].map(person);
        let mut world = World::with_people(&[ann, bob]);
        let wrong = ErasePerson { handle: register(bob).handle, ..erase(ann) };
        assert_eq!(world.act(&wrong), Err(HandleError::NotHolder.into()));
        assert_eq!(world.act(&erase(person(3))), Err(AccountError::Unknown.into()));
    }

    #[test]
    fn nobody_becomes_friends_with_the_erased() {
        let [ann, bob, cat] = [1, 2, 3].map(person);
        let mut world = World::with_people(&[ann, bob, cat]);
        world.act(&RequestFriend::new(ann, bob).unwrap()).unwrap();
        world.act(&erase(ann)).unwrap();
        let asked = world.act(&RequestFriend::new(cat, ann).unwrap());
        assert_eq!(asked, Err(AccountError::Unknown.into()));
        let confirmed = world.act(&ConfirmFriend::new(bob, ann).unwrap());
        assert_eq!(confirmed, Err(AccountError::Unknown.into()));
    }
}
