//! What can go wrong between a caller and the log.

use domain::Position;

/// A fault of the log. Never carries personal data; database texts stay inside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The database did not do what it was asked. Retry; when it lasts, look at the database.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date. Stop and look at the migration.
    #[error("the schema could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A position is missing: the log was damaged. Stop and raise the alarm.
    #[error("the log has a hole: expected position {expected}, found {found}")]
    Hole {
        /// The position that should have come.
        expected: Position,
        /// The one that came.
        found: Position,
    },
    /// This build cannot read a stored event. Stop, never skip.
    #[error("the event at position {position} cannot be read")]
    Decode {
        /// Where it stands.
        position: Position,
        /// Why.
        #[source]
        source: domain::event::DecodeError,
    },
    /// The metadata or the stream of a stored event is not of our format. Stop, never skip.
    #[error("the event at position {0} has a damaged envelope")]
    Envelope(Position),
    /// A sealed field does not open with its own keys: it was altered. Stop and raise the alarm.
    #[error("a sealed field of the event at position {0} was altered")]
    Unsealable(Position),
    /// A personal field could not be sealed, because its owner's key was destroyed.
    #[error("the key that should seal a field was destroyed")]
    KeyDestroyed,
    /// A wrapped key does not open: no master key at hand is the one it was wrapped with. After a change of
    /// the master key use the new one; during it use both.
    #[error(
        "the master key does not fit this database; if it was changed, use the new one, and the old one as well \
         until the change is through"
    )]
    WrongMasterKey,
    /// A rotation found new keys wrapped by the old master key again and again. Restart the servers with both
    /// master keys, then rotate again.
    #[error("a server still wraps keys by the old master key: restart it with both keys, then try again")]
    StillWrapped,
    /// An event could not be written as JSON: a personal field was not shown to the visitor.
    #[error("an event could not be encoded")]
    Encode(#[source] serde_json::Error),
    /// The writer gave up on a batch whose fate is unknown. Retry with the same idempotency key.
    #[error("the outcome of the append is unknown")]
    OutcomeUnknown,
    /// The database refused what was to be appended: a writer outside of the lock, or a fault of ours.
    /// Nothing was appended. Raise the alarm.
    #[error("the database refused an append")]
    Refused,
    /// A decision panicked: a fault of ours. Nothing was appended.
    #[error("a decision panicked")]
    Panicked,
    /// The log is closing. Retry on another node or after the restart.
    #[error("the log is closed")]
    Closed,
}

impl LogError {
    /// Whether the database refused a statement for what it holds (SQLSTATE classes 22, 23 and 42), so
    /// that trying again cannot help.
    pub(crate) fn is_of_the_data(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| ["22", "23", "42"].iter().any(|class| code.starts_with(class)))
    }
}

/// Why a command came to no outcome. All of them can be retried as they are, but for
/// [`ExecuteError::KeyReused`].
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The idempotency key was used before with another input. Choose a new key.
    #[error("the idempotency key was used with another input")]
    KeyReused,
    /// Too many commands are waiting. Retry later.
    #[error("the log is overloaded")]
    Overloaded,
    /// Other writers were faster, again and again. Retry.
    #[error("the streams changed too often while deciding")]
    Contended,
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}
