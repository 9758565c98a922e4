//! What can go wrong with a private cluster, each told so that the reader knows what to do next.

use std::path::{Path, PathBuf};

/// Why a cluster could not be started, reached or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL server is installed here.
    #[error("no PostgreSQL server (version {needed} or newer) found; install one with: {install}")]
    ServerMissing {
        /// The oldest major version that will do.
        needed: u32,
        /// The exact line to type on this system.
        install: String,
    },
    /// Only servers older than what Annal needs are installed.
    #[error("PostgreSQL {found} is too old, version {needed} or newer is needed; install it with: {install}")]
    ServerTooOld {
        /// The newest major version found.
        found: u32,
        /// The oldest major version that will do.
        needed: u32,
        /// The exact line to type on this system.
        install: String,
    },
    /// The cluster was made by another major version than those installed: PostgreSQL cannot read its files.
    #[error(
        "the cluster in {} was made by PostgreSQL {made_by}, but only {installed} is installed: \
         install version {made_by}, or move the data with pg_upgrade", folder.display()
    )]
    OtherMajorVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// The major version that made the cluster.
        made_by: u32,
        /// The major versions installed, such as "16, 17".
        installed: String,
    },
    /// Another process runs this cluster: stop it first, or use another folder.
    #[error("the cluster in {} is in use by another process{}", folder.display(), by(*owner))]
    InUse {
        /// The cluster's folder.
        folder: PathBuf,
        /// The process that has it, where known.
        owner: Option<u32>,
    },
    /// The folder holds files that are not a cluster of ours: name another folder.
    #[error("{} holds other files and is no cluster of Annal; choose an empty or new folder", folder.display())]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder belongs to another user: run as that user, or name another folder.
    #[error("{} belongs to user {owner}, but this process runs as user {user}", folder.display())]
    NotOurFolder {
        /// The folder.
        folder: PathBuf,
        /// The numeric user that owns the folder.
        owner: u32,
        /// The numeric user of this process.
        user: u32,
    },
    /// Run as root, but there is no unprivileged user to run PostgreSQL as.
    #[error("PostgreSQL refuses to run as root, and neither user postgres nor nobody exists: create one")]
    NoUnprivilegedUser,
    /// The unprivileged user cannot reach the data folder.
    #[error(
        "user {user}, who runs PostgreSQL, cannot enter {}; choose a folder elsewhere, or: chmod o+x {}",
        path.display(), path.display()
    )]
    Unreachable {
        /// The topmost folder on the way that cannot be entered.
        path: PathBuf,
        /// The numeric user that runs the server.
        user: u32,
    },
    /// `initdb` failed; nothing is left behind.
    #[error("initdb failed: {output}")]
    InitialiseFailed {
        /// The end of what it printed.
        output: String,
    },
    /// The server ended while starting.
    #[error("PostgreSQL did not start: {log}")]
    StartFailed {
        /// The end of the server's log.
        log: String,
    },
    /// The server was not ready in time; recovery of a large cluster may need a longer limit.
    #[error("PostgreSQL was not ready after {limit_s} s: {log}")]
    StartTimedOut {
        /// The limit in seconds.
        limit_s: u64,
        /// The end of the server's log.
        log: String,
    },
    /// The server did not end in time, not even at once after the limit; it still runs.
    #[error("PostgreSQL (process {pid}) did not stop within {limit_s} s")]
    StopTimedOut {
        /// The limit in seconds.
        limit_s: u64,
        /// The server's process.
        pid: u32,
    },
    /// A database name has to be 1 to 63 of a-z, 0-9 and underscore, and start with a letter.
    #[error("{name:?} is no database name: 1 to 63 of a-z, 0-9 and _, a letter first")]
    BadDatabaseName {
        /// The name asked for.
        name: String,
    },
    /// The system refused a file or process operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The server runs, but refused a connection or statement.
    #[error("PostgreSQL refused: {0}")]
    Database(#[from] sqlx::Error),
}

/// Adds the owner's process id, where known, to the text of [`ClusterError::InUse`].
fn by(owner: Option<u32>) -> String {
    owner.map_or_else(String::new, |pid| format!(" ({pid})"))
}

/// Names the operation and the file of an `io::Error`, for use in `map_err`.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ClusterError {
    let path = path.to_owned();
    move |source| ClusterError::Io { action, path, source }
}
