//! Keeps a cluster's server running: one that dies is started again.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Cluster, ClusterConfig, ClusterError};

/// Pause between looks at the server's process.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Pause before a server that did not start is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A cluster in the care of a task of this process.
///
/// Dropping it lets go of the cluster and leaves the server running, as with [`Cluster`].
#[derive(Debug)]
pub struct Keeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ClusterError>>,
}

impl Keeper {
    /// Takes care of a running cluster.
    pub fn of(cluster: Cluster) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(keep(cluster, stopped)) }
    }

    /// Stops the server in order; see [`Cluster::stop`]. One that is just being started again is stopped
    /// once it runs.
    pub async fn stop(self) -> Result<(), ClusterError> {
        if self.stop.send(()).is_err() {
            tracing::warn!("nobody was taking care of PostgreSQL any more");
        }
        self.task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the care of PostgreSQL did not end well");
            Ok(())
        })
    }
}

async fn keep(mut cluster: Cluster, mut stop: oneshot::Receiver<()>) -> Result<(), ClusterError> {
    loop {
        tokio::select! {
            told = &mut stop => return match told {
                Ok(()) => cluster.stop().await,
                // Let go of: the server stays for the next owner.
                Err(_) => Ok(()),
            },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if !cluster.has_died() {
            continue;
        }
        tracing::error!("PostgreSQL died; starting it again");
        let config = cluster.config.clone();
        drop(cluster);
        match start_again(config, &mut stop).await {
            Some(again) => cluster = again,
            None => return Ok(()),
        }
    }
}

/// Tries until the server runs; none when told to stop meanwhile.
async fn start_again(config: ClusterConfig, stop: &mut oneshot::Receiver<()>) -> Option<Cluster> {
    loop {
        match Cluster::start(config.clone()).await {
            Ok(cluster) => return Some(cluster),
            Err(error) => tracing::error!(%error, "PostgreSQL does not start; trying again"),
        }
        tokio::select! {
            _ = &mut *stop => return None,
            () = tokio::time::sleep(RETRY_AFTER) => {}
        }
    }
}
