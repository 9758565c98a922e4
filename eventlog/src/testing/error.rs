//! What keeps a test from getting its database.

use crate::cluster::ClusterError;

/// Why a test got no database.
#[derive(Debug, thiserror::Error)]
pub enum TestingError {
    /// The cluster could not be started or stopped.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The cluster refused a connection or a statement.
    #[error("the test cluster refused: {0}")]
    Database(#[from] sqlx::Error),
    /// The template's migrations failed.
    #[error("the template cannot be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The folder of the test cluster cannot be used.
    #[error("the test cluster's folder cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// Another process holds the shared cluster, but its server did not come up in time.
    #[error("the shared test cluster was not ready after {limit_s} s")]
    SharedClusterTimedOut {
        /// The limit in seconds.
        limit_s: u64,
    },
}
