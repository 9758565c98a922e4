//! Why an account says no.

/// The closed list of refusals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such account.
    #[error("no such account")]
    Unknown,
    /// The id is taken: registering is done once.
    #[error("the account exists already")]
    AlreadyRegistered,
    /// An erasure is confirmed that was not asked for.
    #[error("the account is not erased")]
    NotErased,
    /// The password does not fit.
    #[error("wrong password")]
    WrongPassword,
}
