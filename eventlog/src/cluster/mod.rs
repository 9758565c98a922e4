//! A private PostgreSQL cluster: a server of our own in a folder of our own, reachable through a Unix socket in
//! that folder by nobody else.
//!
//! Invariants:
//! - One owner: a process holds `owner.lock` for as long as it has the cluster, so there are never two servers on
//!   one folder.
//! - Nothing half made: a new cluster is made beside and renamed.
//! - The server outlives an owner that is killed; the next owner adopts it.
//! - No TCP port is opened, no password exists, and no statement or parameter is written to the server's log.

mod account;
mod attached;
mod binaries;
mod connect;
mod error;
mod initialise;
mod keeper;
mod layout;
mod log;
mod postmaster;
mod settings;

use account::Account;
use binaries::Binaries;
use layout::{Layout, Ownership};
use log::LogKeeper;
use postmaster::Postmaster;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::time::{Duration, Instant};

pub use attached::Attached;
pub use error::ClusterError;
pub use keeper::Keeper;
pub use settings::{ClusterConfig, Durability};

#[cfg(feature = "testing")]
pub(crate) use {
    attached::discard, connect::MAINTENANCE, layout::short_hash, postmaster::exists as process_exists,
};

/// The one database user of a private cluster.
const SUPERUSER: &str = "annal";
/// How long to wait for the last sessions of a killed server to let go of its memory, between two attempts.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// How the server says that sessions of its killed predecessor still run; no translation, as we set `LC_ALL=C`.
const PREDECESSOR_STILL_THERE: &str = "is still in use";

/// A running private PostgreSQL cluster that belongs to this process.
///
/// Dropping it lets go of the cluster and leaves the server running, as a killed process would; use
/// [`Cluster::stop`] for an orderly end. Needs a Tokio runtime with time and I/O.
#[derive(Debug)]
pub struct Cluster {
    config: ClusterConfig,
    layout: Layout,
    postmaster: Postmaster,
    _log_keeper: LogKeeper,
    _ownership: Ownership,
}

impl Cluster {
    /// Takes the cluster in this folder, makes it when there is none, and returns when its server takes connections.
    ///
    /// A server that a killed owner left behind is adopted when it runs with the same settings, else restarted.
    /// As root the server runs as the owner of the folder, for a new one as `postgres` or else `nobody`.
    ///
    /// # Errors
    /// Each variant of [`ClusterError`] says in its text what to do; [`ClusterError::InUse`] when another process has
    /// the cluster. After an error of a first start nothing half made is left.
    pub async fn start(config: ClusterConfig) -> Result<Self, ClusterError> {
        let deadline = Instant::now() + config.start_timeout();
        let account = Account::for_folder(&config.data)?;
        let layout = Layout::prepare(&config.data, account)?;
        let ownership = Ownership::take(&layout, account)?;
        let made_by = layout.made_by()?;
        let binaries = Binaries::find(made_by.map(|major| (layout.folder.as_path(), major)))?;
        initialise::initialise(&binaries, &layout, account, &config).await?;
        let postmaster = match adopt(&layout, &config, deadline).await? {
            Some(adopted) => adopted,
            None => launch(&binaries, &layout, account, &config, deadline).await?,
        };
        let log_keeper = LogKeeper::watch(layout.log.clone(), config.log_bytes_max);
        Ok(Self { config, layout, postmaster, _log_keeper: log_keeper, _ownership: ownership })
    }

    /// How to connect to one of the cluster's databases.
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        connect::options(&self.layout, database)
    }

    /// The same as an address that `psql` and `DATABASE_URL` take.
    pub fn url(&self, database: &str) -> String {
        connect::url(&self.layout, database)
    }

    /// Makes a database unless it is there.
    ///
    /// # Errors
    /// [`ClusterError::BadDatabaseName`] for a name that would need quoting, [`ClusterError::Database`] when the
    /// server refuses.
    pub async fn ensure_database(&self, name: &str) -> Result<(), ClusterError> {
        connect::ensure_database(&self.layout, name).await
    }

    /// The cluster's folder, absolute.
    pub fn data(&self) -> &Path {
        &self.layout.folder
    }

    /// The process number of the server, for supervision and for tests that kill it.
    pub fn server_pid(&self) -> u32 {
        self.postmaster.id()
    }

    /// Whether the server's process is gone.
    fn has_died(&mut self) -> bool {
        self.postmaster.has_ended(&self.layout)
    }

    /// Ends the server without any order, for crash tests; the cluster stays ours until dropped.
    #[cfg(feature = "testing")]
    pub(crate) async fn kill(&mut self) -> Result<(), ClusterError> {
        self.postmaster.kill(&self.layout, self.config.stop_timeout()).await
    }

    /// Stops the server in order and waits until it is gone: sessions are cut, the last checkpoint is written.
    ///
    /// # Errors
    /// [`ClusterError::StopTimedOut`] when the server does not even end at once after the limit.
    pub async fn stop(mut self) -> Result<(), ClusterError> {
        self.postmaster.stop(&self.layout, self.config.stop_timeout()).await
    }
}

/// Takes over a server that an earlier owner left running. One with other settings is stopped, one that is on its way
/// up or down is waited for.
async fn adopt(
    layout: &Layout,
    config: &ClusterConfig,
    deadline: Instant,
) -> Result<Option<Postmaster>, ClusterError> {
    let Some(mut found) = Postmaster::running(layout)? else { return Ok(None) };
    if !Postmaster::was_started_with(layout, &config.arguments(layout)) {
        tracing::info!(pid = found.id(), "a PostgreSQL server with other settings is restarted");
        found.stop(layout, config.stop_timeout()).await?;
        return Ok(None);
    }
    if ready(&mut found, layout, deadline).await? {
        tracing::info!(pid = found.id(), "a running PostgreSQL server is taken over");
        return Ok(Some(found));
    }
    if found.has_ended(layout) {
        return Ok(None);
    }
    Err(ClusterError::StartTimedOut { limit_s: config.start_timeout_s, log: log::tail(&layout.log, 0) })
}

/// Starts a server and waits until it takes connections.
async fn launch(
    binaries: &Binaries,
    layout: &Layout,
    account: Account,
    config: &ClusterConfig,
    deadline: Instant,
) -> Result<Postmaster, ClusterError> {
    loop {
        let (log_file, begin) = log::open(layout, account, config.log_bytes_max)?;
        let mut command = account.command(&binaries.postgres(), &layout.folder);
        command.args(config.arguments(layout));
        let mut postmaster = Postmaster::spawn(command, log_file)?;
        if ready(&mut postmaster, layout, deadline).await? {
            return Ok(postmaster);
        }
        let ended = postmaster.has_ended(layout);
        let log = log::tail(&layout.log, begin);
        if !ended {
            postmaster.stop(layout, config.stop_timeout()).await?;
            return Err(ClusterError::StartTimedOut { limit_s: config.start_timeout_s, log });
        }
        if !log.contains(PREDECESSOR_STILL_THERE) || Instant::now() >= deadline {
            return Err(ClusterError::StartFailed { log });
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// Waits until the server takes connections; false when it ended first, or the deadline passed.
async fn ready(
    postmaster: &mut Postmaster,
    layout: &Layout,
    deadline: Instant,
) -> Result<bool, ClusterError> {
    while Instant::now() < deadline && !postmaster.has_ended(layout) {
        if postmaster.says_ready(layout)? && connect::answers(layout).await {
            return Ok(true);
        }
        tokio::time::sleep(postmaster::LOOK_EVERY).await;
    }
    Ok(false)
}
