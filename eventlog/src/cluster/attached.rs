//! A cluster seen by a process that does not own it: a command beside a running server, or a test.

use std::path::Path;

use sqlx::postgres::PgConnectOptions;

use super::connect;
use super::layout::Layout;
#[cfg(feature = "testing")]
use {
    super::Cluster,
    super::error::{ClusterError, io},
    super::postmaster::Postmaster,
    std::time::Duration,
};

/// How long a server that is thrown away may take for its shutdown.
#[cfg(feature = "testing")]
const DISCARD_MAX: Duration = Duration::from_secs(5);

/// A cluster that runs, whoever owns it.
#[derive(Debug, Clone)]
pub struct Attached {
    layout: Layout,
}

impl Attached {
    /// The cluster in this folder, if its server answers; changes nothing.
    pub async fn find(folder: &Path) -> Option<Self> {
        let layout = Layout::of(folder).ok()?;
        connect::answers(&layout).await.then_some(Self { layout })
    }

    /// The cluster that this process owns at the moment.
    #[cfg(feature = "testing")]
    pub(crate) fn to(cluster: &Cluster) -> Self {
        Self { layout: cluster.layout.clone() }
    }

    /// See [`Cluster::connect_options`].
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        connect::options(&self.layout, database)
    }

    /// See [`Cluster::url`].
    #[cfg(feature = "testing")]
    pub(crate) fn url(&self, database: &str) -> String {
        connect::url(&self.layout, database)
    }
}

/// Ends the server of a cluster that nobody needs any more, and removes the cluster.
#[cfg(feature = "testing")]
pub(crate) async fn discard(folder: &Path) -> Result<(), ClusterError> {
    let layout = Layout::of(folder)?;
    if let Some(mut server) = Postmaster::running(&layout)? {
        server.stop(&layout, DISCARD_MAX).await?;
    }
    if !layout.socket.starts_with(&layout.folder) && layout.socket.exists() {
        std::fs::remove_dir_all(&layout.socket).map_err(io("remove", &layout.socket))?;
    }
    std::fs::remove_dir_all(&layout.folder).map_err(io("remove", &layout.folder))
}
