//! Tries with a secret, and registrations: counted over all nodes.

use std::net::IpAddr;

use chrono::TimeDelta;
use domain::AccountId;
use eventlog::{AttemptKey, Attempts, LogError, Turn};

use super::config::TryLimits;
use super::source::Source;

/// Whose secret is tried.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// An account's: whatever shows that one is its person (signing in, confirming the password) counts
    /// together.
    Account(AccountId),
    /// That of a name that nobody holds, normalised as far as it can be. It is counted like an account's,
    /// so that a wait does not tell whether there is one.
    Name(&'a str),
}

/// Why somebody may not try.
#[derive(Debug, thiserror::Error)]
pub enum TurnedAway {
    /// Too many tries. Tell the caller when to come back; say nothing about the secret.
    #[error("too many tries")]
    Wait {
        /// When to try again, in milliseconds from now; at least 1.
        retry_after_ms: u64,
    },
    /// They cannot be counted now, so there are none.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl TurnedAway {
    fn wait(time: TimeDelta) -> Self {
        Self::Wait { retry_after_ms: u64::try_from(time.num_milliseconds()).unwrap_or(0).max(1) }
    }
}

/// The guard before every secret that people type. Cheap to clone.
///
/// Ask it before the secret is looked at: right or wrong, whoever has to wait learns nothing.
#[derive(Clone)]
pub struct Tries {
    attempts: Attempts,
    limits: TryLimits,
}

/// A counted try. It stays counted as a wrong one unless it is told otherwise, so also when the caller goes
/// away while the secret is compared.
pub struct Try {
    tries: Tries,
    subject: AttemptKey,
    address: Option<AttemptKey>,
}

impl Tries {
    /// Counts by `attempts`, within `limits`.
    pub fn new(attempts: Attempts, limits: TryLimits) -> Self {
        Self { attempts, limits }
    }

    /// Takes a turn to try a secret. The address is asked first: when it has to wait, nothing is counted
    /// against the account.
    ///
    /// # Errors
    /// [`TurnedAway::Wait`]: too many tries at this account or from this address.
    pub async fn begin(&self, subject: Subject<'_>, peer: Option<IpAddr>) -> Result<Try, TurnedAway> {
        let address = self.address("sign in", peer);
        if let Some(address) = &address
            && let Turn::Wait(time) = self.attempts.spend(address, &self.limits.address).await?
        {
            return Err(TurnedAway::wait(time));
        }
        let subject = match subject {
            Subject::Account(account) => self.attempts.key("account", &account.to_string()),
            Subject::Name(name) => self.attempts.key("name", name),
        };
        match self.attempts.begin(&subject, &self.limits.account).await? {
            Turn::Granted => Ok(Try { tries: self.clone(), subject, address }),
            Turn::Wait(time) => Err(TurnedAway::wait(time)),
        }
    }

    /// Takes a turn to register. Refused registrations count as well: each one costs a password's hash.
    ///
    /// # Errors
    /// [`TurnedAway::Wait`]: too many registrations from this address.
    pub async fn register(&self, peer: Option<IpAddr>) -> Result<(), TurnedAway> {
        let Some(address) = self.address("register", peer) else { return Ok(()) };
        match self.attempts.spend(&address, &self.limits.registrations).await? {
            Turn::Granted => Ok(()),
            Turn::Wait(time) => Err(TurnedAway::wait(time)),
        }
    }

    fn address(&self, kind: &'static str, peer: Option<IpAddr>) -> Option<AttemptKey> {
        Source::of(peer).map(|source| self.attempts.key(kind, &source.to_string()))
    }
}

impl Try {
    /// The secret was right: the account starts anew, and the address gets its try back. A fault is logged
    /// and nothing more: who was right is let in.
    pub async fn succeeded(self) {
        let forgiven = self.tries.attempts.forgive(&self.subject).await;
        self.give_back(forgiven).await;
    }

    /// The secret could not be compared, which is no fault of the caller's: the try did not happen.
    pub async fn undone(self) {
        let undone = self.tries.attempts.undo(&self.subject).await;
        self.give_back(undone).await;
    }

    async fn give_back(self, of_subject: Result<(), LogError>) {
        let of_address = match &self.address {
            Some(address) => self.tries.attempts.give_back(address, &self.tries.limits.address).await,
            None => Ok(()),
        };
        if let Err(error) = of_subject.and(of_address) {
            tracing::warn!(?error, "a try with a right password stays counted");
        }
    }
}
