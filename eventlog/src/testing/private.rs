//! A durable cluster for one test, which may crash it.

use super::detached;
use super::error::TestingError;
use super::template::Template;
use crate::cluster::{Cluster, ClusterConfig, discard, process_exists};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// How its folder is called, before the process' number and one's own.
const PREFIX: &str = "annal-crash-";

/// A cluster with full durability that belongs to one test; stopped and removed when dropped. When the test is killed,
/// a later test process does it.
#[derive(Debug)]
pub struct PrivateCluster {
    folder: PathBuf,
    cluster: Option<Cluster>,
}

impl PrivateCluster {
    /// Makes and starts the cluster in the system's folder for temporary files.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn start() -> Result<Self, TestingError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        sweep().await?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}-{number}", std::process::id()));
        let mut private = Self { folder, cluster: None };
        private.restart().await?;
        Ok(private)
    }

    /// Makes a database and runs the template's migrations on it; says how to connect. Connections outlive
    /// [`PrivateCluster::restart`] no better than any.
    ///
    /// # Errors
    /// The server is killed or refuses, or the migrations fail.
    pub async fn database(&self, name: &str, template: &Template) -> Result<PgConnectOptions, TestingError> {
        let cluster = self.cluster.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        cluster.ensure_database(name).await?;
        let options = cluster.connect_options(name);
        let mut connection = PgConnection::connect_with(&options).await?;
        template.migrator().run(&mut connection).await?;
        connection.close().await?;
        Ok(options)
    }

    /// Kills the server's main process with SIGKILL: no checkpoint, no farewell to its sessions.
    ///
    /// # Errors
    /// The process does not end.
    pub async fn kill_server(&mut self) -> Result<(), TestingError> {
        if let Some(cluster) = &mut self.cluster {
            cluster.kill().await?;
        }
        Ok(())
    }

    /// Starts the server again where it was killed, with recovery; a running one goes on.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn restart(&mut self) -> Result<(), TestingError> {
        self.cluster = None;
        self.cluster = Some(Cluster::start(ClusterConfig::new(&self.folder)).await?);
        Ok(())
    }

    /// The running cluster; none after a restart that failed.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }
}

impl Drop for PrivateCluster {
    fn drop(&mut self) {
        self.cluster = None;
        let folder = &self.folder;
        detached::finish("a test's cluster", async || discard(folder).await);
    }
}

/// Ends and removes the clusters of test processes that are gone.
async fn sweep() -> Result<(), TestingError> {
    for entry in std::fs::read_dir(std::env::temp_dir())? {
        let entry = entry?;
        let name = entry.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        if number.is_some_and(|pid: u32| !process_exists(pid))
            && let Err(error) = discard(&entry.path()).await
        {
            tracing::warn!(%error, "a test's old cluster stays");
        }
    }
    Ok(())
}
