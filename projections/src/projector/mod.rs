//! The projector: the one task that keeps the views.
//!
//! Leadership is per projection, by a session's advisory lock on the very connection that writes: nodes of
//! different builds each lead what only they know. Correctness rests on the fence alone
//! ([`checkpoint::advance`](crate::checkpoint::advance)).

mod apply;
mod lead;
mod run;
mod slots;

use std::sync::Arc;

use eventlog::EventLog;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ahead::Ahead;
use crate::config::ProjectorConfig;
use crate::error::ProjectionError;
use crate::position::Reached;
use crate::projection::Catalogue;
use crate::views::Views;

/// Keeps views up to date with the log.
pub struct Projector {
    log: EventLog,
    ahead: Ahead,
    catalogue: Catalogue,
    config: ProjectorConfig,
    reached: Arc<Reached>,
    stop: watch::Receiver<bool>,
}

/// The projector's task; awaited at shutdown.
pub struct ProjectorTask(JoinHandle<()>);

impl ProjectorTask {
    /// Whether the projector is no more; before it was asked to stop, that is a fault of ours and the node
    /// is not ready.
    pub fn has_ended(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits until the projector has ended, at most one batch after it was asked to. It lets go of the log
    /// then.
    pub async fn finish(self) {
        if let Err(error) = self.0.await {
            tracing::error!(%error, "the projector did not end well");
        }
    }
}

impl Projector {
    /// Makes the tables that are missing, drops the shadows that killed processes left, and starts to
    /// follow the log. The task ends when `stop` becomes true or its sender is dropped.
    ///
    /// On a node where another one leads, the task waits and takes over when that one is gone.
    ///
    /// # Errors
    /// [`ProjectionError::Database`]: the database cannot be reached, or a table cannot be made.
    pub async fn start(
        log: EventLog,
        catalogue: Catalogue,
        config: ProjectorConfig,
        stop: watch::Receiver<bool>,
    ) -> Result<(Views, ProjectorTask), ProjectionError> {
        let names = catalogue.iter().map(|projection| projection.name()).collect();
        let reached = Arc::new(Reached::new(names));
        let views = Views::with(log.pool().clone(), reached.clone());
        let projector = Self { ahead: Ahead::of(log.clone()), log, catalogue, config, reached, stop };
        // Readers need the tables before anybody leads.
        sqlx::Connection::close(projector.connect().await?).await?;
        Ok((views, ProjectorTask(tokio::spawn(projector.run()))))
    }
}
