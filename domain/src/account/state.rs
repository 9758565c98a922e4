//! What decisions about an account need to remember.

use serde::{Deserialize, Serialize};

use super::AccountEvent;
use crate::ids::SessionId;

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
        /// Signed-in devices, oldest first, at most [`SESSIONS_PER_ACCOUNT_MAX`].
        sessions: Vec<SessionId>,
    },
}

impl Account {
    /// Whether people can deal with this account.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// The session that has to end before another can begin.
    pub fn session_to_end(&self) -> Option<SessionId> {
        match self {
            Self::Active { sessions } if sessions.len() >= SESSIONS_PER_ACCOUNT_MAX => {
                sessions.first().copied()
            }
            Self::Active { .. } | Self::Unregistered => None,
        }
    }

    pub(super) fn take_in(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::AccountRegistered { .. } => *self = Self::Active { sessions: Vec::new() },
            AccountEvent::SignedIn { session, .. } => {
                if let Self::Active { sessions } = self {
                    sessions.push(*session);
                }
            }
            AccountEvent::SignedOut { session } => {
                if let Self::Active { sessions } = self {
                    sessions.retain(|s| s != session);
                }
            }
        }
    }
}
