//! Facts about an account, stored for ever: names and fields are a file format.

use serde::{Deserialize, Serialize};

use super::Account;
use crate::decider::event_versions;
use crate::event::{AggregateEvent, Event};
use crate::ids::{HandleId, SessionId};
use crate::personal::{KeyOwners, Personal, PersonalVisitor};
use crate::stream::StreamId;
use crate::values::{DeviceName, NetworkAddress, UserName};

/// What happens to an account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum AccountEvent {
    /// A person joined under a user name.
    AccountRegistered {
        /// The claim on the name.
        handle: HandleId,
        /// The name as typed.
        user_name: Personal<UserName>,
    },
    /// A device began to act for the person.
    SignedIn {
        /// The device's session.
        session: SessionId,
        /// What the device calls itself.
        device: Personal<DeviceName>,
        /// Where it called from.
        address: Personal<NetworkAddress>,
    },
    /// Somebody tried to sign in with a wrong password. Told for the first time at once, then gathered; it
    /// says nothing of who tried, because the account's person could read it.
    SignInRefused {
        /// How often since the event of this kind before: 1 or more.
        times: u32,
    },
    /// A device stopped acting for the person.
    SignedOut {
        /// The session that ended.
        session: SessionId,
    },
    /// The person is to be forgotten: from here on everything that was sealed for the account counts as
    /// erased, in every view and wherever it stands in the log.
    PersonalDataErased {},
    /// The account's key was destroyed: what it sealed cannot be read by anybody again.
    ErasureConfirmed {},
}

event_versions!(AccountEvent {
    AccountRegistered: "1.0",
    SignedIn: "1.0",
    SignInRefused: "1.0",
    SignedOut: "1.0",
    PersonalDataErased: "1.0",
    ErasureConfirmed: "1.0",
});

impl AggregateEvent for AccountEvent {
    fn of(event: &Event) -> Option<&Self> {
        if let Event::Account(event) = event { Some(event) } else { None }
    }

    fn personal(&mut self, stream: &StreamId, visitor: &mut dyn PersonalVisitor) {
        let Some(account) = stream.id::<Account>() else { return };
        let owners = KeyOwners::Account(account);
        match self {
            Self::AccountRegistered { handle: _, user_name } => visitor.field("user_name", owners, user_name),
            Self::SignedIn { session: _, device, address } => {
                visitor.field("device", owners, device);
                visitor.field("address", owners, address);
            }
            Self::SignInRefused { times: _ }
            | Self::SignedOut { session: _ }
            | Self::PersonalDataErased {}
            | Self::ErasureConfirmed {} => {}
        }
    }
}
