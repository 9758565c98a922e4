//! One person's address book: the friends, as this person files them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::decider::{Decider, cqrs_aggregate, event_versions};
use crate::event::{AggregateEvent, Event};
use crate::ids::AccountId;
use crate::personal::PersonalVisitor;
use crate::stream::StreamId;

/// The most friends one person can have.
pub const FRIENDS_PER_ACCOUNT_MAX: usize = 5_000;

/// Facts about an address book, stored for ever: names and fields are a file format.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ContactsEvent {
    /// A friend was filed, in the default group.
    FriendFiled {
        /// The friend.
        friend: AccountId,
    },
}

event_versions!(ContactsEvent { FriendFiled: "1.0" });

impl AggregateEvent for ContactsEvent {
    fn of(event: &Event) -> Option<&Self> {
        if let Event::Contacts(event) = event { Some(event) } else { None }
    }

    fn personal(&mut self, _stream: &StreamId, _visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::FriendFiled { friend: _ } => {}
        }
    }
}

/// Who is filed in the address book.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Contacts {
    friends: BTreeSet<AccountId>,
}

impl Contacts {
    /// Whether somebody is filed as a friend.
    pub fn has(&self, account: AccountId) -> bool {
        self.friends.contains(&account)
    }
}

/// What may be asked of an address book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContactsCommand {
    /// File a friend in the default group.
    File {
        /// The friend.
        friend: AccountId,
    },
}

/// Why an address book says no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ContactsError {
    /// No room for another friend.
    #[error("at most {friends_max} friends")]
    Full {
        /// The most friends one person can have.
        friends_max: usize,
    },
    /// Somebody who is dealt with as a friend is none.
    #[error("not a friend")]
    NotAFriend,
}

cqrs_aggregate!(Contacts, "contacts", ContactsCommand, ContactsEvent, ContactsError);

impl Decider for Contacts {
    type Id = AccountId;

    fn decide(&self, command: &ContactsCommand) -> Result<Vec<ContactsEvent>, ContactsError> {
        match command {
            ContactsCommand::File { friend } if self.friends.contains(friend) => Ok(vec![]),
            ContactsCommand::File { .. } if self.friends.len() >= FRIENDS_PER_ACCOUNT_MAX => {
                Err(ContactsError::Full { friends_max: FRIENDS_PER_ACCOUNT_MAX })
            }
            ContactsCommand::File { friend } => Ok(vec![ContactsEvent::FriendFiled { friend: *friend }]),
        }
    }

    fn evolve(&mut self, event: &ContactsEvent) {
        match event {
            ContactsEvent::FriendFiled { friend } => {
                self.friends.insert(*friend);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    fn filed(n: u128) -> ContactsEvent {
        ContactsEvent::FriendFiled { friend: AccountId(Uuid::from_u128(n)) }
    }

    fn file(n: u128) -> ContactsCommand {
        ContactsCommand::File { friend: AccountId(Uuid::from_u128(n)) }
    }

    #[test]
    fn a_friend_is_filed_and_twice_adds_nothing() {
        let contacts = TestFramework::<Contacts>::with(());
        contacts.given_no_previous_events().when(file(1)).then_expect_events(vec![filed(1)]);
        TestFramework::<Contacts>::with(()).given(vec![filed(1)]).when(file(1)).then_expect_events(vec![]);
    }

    #[test]
    fn a_full_address_book_refuses_one_more_but_not_one_it_has() {
        let full = FRIENDS_PER_ACCOUNT_MAX as u128;
        let past: Vec<_> = (1..=full).map(filed).collect();
        TestFramework::<Contacts>::with(())
            .given(past.clone())
            .when(file(full + 1))
            .then_expect_error(ContactsError::Full { friends_max: FRIENDS_PER_ACCOUNT_MAX });
        TestFramework::<Contacts>::with(()).given(past).when(file(1)).then_expect_events(vec![]);
    }
}
