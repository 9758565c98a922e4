//! Changes to secrets that travel with an append.
//!
//! Invariant: no secret is in an event. A command says what becomes of credentials, and the log carries
//! it out in the transaction that appends the command's events: an account never exists without its
//! password, and an ended session never outlives the event that ended it.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::ids::{AccountId, SessionId};

/// A password hash in PHC string format; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// The SHA-256 of a session token; the token itself is kept nowhere. Never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(hidden)")
    }
}

/// One change from a closed set, executed in the append transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CredentialChange {
    /// Sets or replaces the password of an account.
    SetPassword {
        /// Whose.
        account: AccountId,
        /// The new hash.
        hash: PasswordHash,
    },
    /// Lets the bearer of a token act as the account.
    AddSession {
        /// The session that begins.
        session: SessionId,
        /// Whose.
        account: AccountId,
        /// What the bearer's token hashes to.
        token: TokenHash,
        /// The moment from which the token is worth nothing.
        expires_at: DateTime<Utc>,
    },
    /// Makes the token of one session worthless.
    EndSession {
        /// The session that ends.
        session: SessionId,
    },
    /// Makes every token of an account worthless.
    EndAllSessions {
        /// Whose.
        account: AccountId,
    },
    /// Takes the password away: nobody can sign in to the account.
    RemovePassword {
        /// Whose.
        account: AccountId,
    },
}
