//! Hashing passwords: slow by intent, so off the async threads and bounded.

use std::sync::Arc;

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier as _, Version};
use domain::account::PasswordCheck;
use domain::credential::PasswordHash;
use domain::values::{PASSWORD_CHARS_MAX, Password};
use tokio::sync::Semaphore;

/// Argon2id with 19 MiB, two passes and one lane: OWASP Password Storage Cheat Sheet, 2025.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Limits of password hashing.
#[derive(Clone, Copy, Debug)]
pub struct PasswordLimits {
    /// Passwords hashed at once; each takes 19 MiB and a core for tens of milliseconds.
    pub at_once_max: usize,
    /// Callers that may wait for their turn; one more is told to come back.
    pub waiting_max: usize,
}

impl Default for PasswordLimits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { at_once_max: cores, waiting_max: 256 }
    }
}

/// Why a password was not hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting. Retry later.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded,
    /// The hash function failed: a fault.
    #[error("hashing a password failed")]
    Hashing,
}

/// Hashes and compares passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The hash of a random password, compared against when there is no account.
    nobody: PasswordHash,
}

impl Passwords {
    /// Prepares hashing; takes as long as one password.
    pub fn new(limits: PasswordLimits) -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Hashing)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon2, &eventlog::fresh::random_bytes::<32>())?;
        let at_once = Arc::new(Semaphore::new(limits.at_once_max));
        let waiting = Arc::new(Semaphore::new(limits.at_once_max + limits.waiting_max));
        Ok(Self { argon2, at_once, waiting, nobody })
    }

    /// Hashes a chosen password with a fresh salt.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        let argon2 = self.argon2.clone();
        self.run(move || hash(&argon2, password.reveal().as_bytes())).await?
    }

    /// Compares a typed password with an account's hash. Without an account it compares with the hash of
    /// nobody, so that the time taken does not tell whether there is one.
    pub async fn compare(
        &self,
        typed: String,
        stored: Option<PasswordHash>,
    ) -> Result<PasswordCheck, PasswordError> {
        // Nobody has a longer one; hashing megabytes would be work for an attacker to hand out.
        if typed.chars().take(PASSWORD_CHARS_MAX + 1).count() > PASSWORD_CHARS_MAX {
            return Ok(PasswordCheck::Wrong);
        }
        let known = stored.is_some();
        let (argon2, stored) = (self.argon2.clone(), stored.unwrap_or_else(|| self.nobody.clone()));
        let fits = self.run(move || fits(&argon2, &typed, &stored)).await??;
        Ok(if fits && known { PasswordCheck::Right } else { PasswordCheck::Wrong })
    }

    async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, PasswordError> {
        let _place = self.waiting.clone().try_acquire_owned().map_err(|_| PasswordError::Overloaded)?;
        let turn = self.at_once.clone().acquire_owned().await.map_err(|_| PasswordError::Hashing)?;
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        task.await.map_err(|_| PasswordError::Hashing)
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<PasswordHash, PasswordError> {
    let hash = argon2.hash_password(password).map_err(|_| PasswordError::Hashing)?;
    Ok(PasswordHash(hash.to_string()))
}

fn fits(argon2: &Argon2<'_>, typed: &str, stored: &PasswordHash) -> Result<bool, PasswordError> {
    let stored = Phc::new(&stored.0).map_err(|_| PasswordError::Hashing)?;
    match argon2.verify_password(typed.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::Hashing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(at_once_max: usize, waiting_max: usize) -> Passwords {
        Passwords::new(PasswordLimits { at_once_max, waiting_max }).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_fits_and_another_does_not() {
        let passwords = passwords(2, 8);
        let stored = passwords.hash(Password::parse("密码 correct horse".into()).unwrap()).await.unwrap();
        assert!(stored.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        for (typed, check) in
            [("密码 correct horse", PasswordCheck::Right), ("密码 correct horsE", PasswordCheck::Wrong)]
        {
            assert_eq!(passwords.compare(typed.into(), Some(stored.clone())).await.unwrap(), check);
        }
        assert_eq!(passwords.compare("anything".into(), None).await.unwrap(), PasswordCheck::Wrong);
    }

    #[tokio::test]
    async fn one_too_many_is_turned_away_at_once() {
        let passwords = passwords(1, 0);
        let typed = || passwords.compare("anything".into(), None);
        let (one, other) = tokio::join!(typed(), typed());
        assert!(one.is_ok() && matches!(other, Err(PasswordError::Overloaded)));
    }
}
