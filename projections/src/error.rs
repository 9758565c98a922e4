//! What can go wrong between the log and a view.

use domain::Position;
use eventlog::LogError;

/// A fault of a projection or of a read. Never shows data: database texts stay inside.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The database did not do what it was asked. Retry; when it lasts, look at the database.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Somebody else moved the checkpoint meanwhile. Nothing was written; read the checkpoint again.
    #[error("another projector moved the checkpoint")]
    Fenced,
    /// An event does not fit its stream, or still holds a sealed field. Stop, never skip.
    #[error("the event at position {0} cannot be projected")]
    Damaged(Position),
    /// A row of a view holds what no fold writes. Rebuild the view.
    #[error("a row of the view {0} is damaged")]
    DamagedView(&'static str),
    /// A checkpoint stands behind the end of the log, as after a restore to an earlier moment. Rebuild
    /// the view.
    #[error("a checkpoint stands at {checkpoint}, behind the log's last position {head}")]
    AheadOfLog {
        /// The checkpoint.
        checkpoint: Position,
        /// The last position of the log.
        head: Position,
    },
    /// This build knows no projection of that name; `views status` lists them.
    #[error("no projection has this name")]
    UnknownProjection,
    /// Another process builds the same shadow. Wait until it is done.
    #[error("the projection is being built by another process")]
    Busy,
    /// Readers held the view for so long that it could not be swapped. The rebuild was undone; try again.
    #[error("the view was in use for too long")]
    SwapTimedOut,
}

/// SQLSTATE classes of connection faults, lack of resources and operator intervention (shutdown, ended
/// session), and the code of a session that was ended because it stood idle in a transaction.
const SERVER_FAULTS: [&str; 4] = ["08", "53", "57", "25P03"];
/// SQLSTATE of a statement that took too long: the fault of the work, although of an operator's class.
const STATEMENT_CANCELLED: &str = "57014";
/// SQLSTATE of a lock that was not granted in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// SQLSTATE of the one that was chosen to end a deadlock.
const DEADLOCK_DETECTED: &str = "40P01";

impl ProjectionError {
    /// Whether the connection or the server failed and not the work, so that the work is not to blame.
    pub(crate) fn is_of_the_connection(&self) -> bool {
        let (Self::Database(error) | Self::Log(LogError::Database(error))) = self else { return false };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                code != STATEMENT_CANCELLED && SERVER_FAULTS.iter().any(|class| code.starts_with(class))
            }),
            _ => false,
        }
    }

    /// Whether a lock was not to be had in time.
    pub(crate) fn is_of_a_lock(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| code == LOCK_NOT_AVAILABLE || code == DEADLOCK_DETECTED)
    }

    /// The kind of fault in a few words without any data, for the log and for `views status`.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Database(sqlx::Error::Database(error)) => match error.code() {
                Some(code) => format!("{self}: SQLSTATE {code}"),
                None => self.to_string(),
            },
            _ => self.to_string(),
        }
    }
}
