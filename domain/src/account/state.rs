//! What decisions about an account need to remember.

use serde::{Deserialize, Serialize};

use super::AccountEvent;
use crate::ids::{HandleId, SessionId};

/// The most devices signed in at once; one more ends the oldest.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 50;

/// An account in one of its phases.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum Account {
    /// Nobody registered under this id.
    #[default]
    Unregistered,
    /// In use.
    Active {
        /// The claim on the user name.
        handle: HandleId,
        /// Signed-in devices, oldest first, at most [`SESSIONS_PER_ACCOUNT_MAX`].
        sessions: Vec<SessionId>,
    },
    /// The person was forgotten: nobody can deal with this account again, nor register under its id.
    Erased {
        /// Whether the account's key is known to be destroyed.
        confirmed: bool,
    },
}

impl Account {
    /// Whether people can deal with this account.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// The claim on the user name; none unless the account is active.
    pub fn handle(&self) -> Option<&HandleId> {
        match self {
            Self::Active { handle, .. } => Some(handle),
            Self::Unregistered | Self::Erased { .. } => None,
        }
    }

    /// The session that has to end before another can begin.
    pub fn session_to_end(&self) -> Option<SessionId> {
        match self {
            Self::Active { sessions, .. } if sessions.len() >= SESSIONS_PER_ACCOUNT_MAX => {
                sessions.first().copied()
            }
            Self::Active { .. } | Self::Unregistered | Self::Erased { .. } => None,
        }
    }

    pub(super) fn take_in(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::AccountRegistered { handle, .. } => {
                *self = Self::Active { handle: handle.clone(), sessions: Vec::new() };
            }
            AccountEvent::SignedIn { session, .. } => {
                if let Self::Active { sessions, .. } = self {
                    sessions.push(*session);
                }
            }
            AccountEvent::SignedOut { session } => {
                if let Self::Active { sessions, .. } = self {
                    sessions.retain(|s| s != session);
                }
            }
            AccountEvent::SignInRefused { .. } => {}
            AccountEvent::PersonalDataErased {} => *self = Self::Erased { confirmed: false },
            AccountEvent::ErasureConfirmed {} => *self = Self::Erased { confirmed: true },
        }
    }
}
