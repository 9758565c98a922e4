//! All rooms of one process, joined.

use std::sync::Arc;

use axum::Router;
use eventlog::{EventLog, LogError, LogTasks, SystemClock};
use projections::{ProjectionError, Projector, ProjectorConfig, ProjectorTask, catalogue};
use tokio::sync::watch;

use super::readiness::Health;
use super::routes;
use super::storage::{Storage, StorageError};
use crate::accounts::{PasswordError, Passwords, RefusedSignIns, RefusedTask, Sessions};
use crate::graphql::{App, schema, sdl};
use crate::limits::Tries;
use crate::live::{Feeds, Hub, Told};
use crate::observe::Sampler;
use crate::policies::{self, Erasure, PolicyConfig, PolicyTask};
use crate::settings::ServeSettings;
use crate::transport::{DocumentsError, Transport, persisted_documents};

/// Why the house does not stand.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    /// The data cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log does not open.
    #[error("the log cannot be opened: {0}")]
    Log(#[from] LogError),
    /// The views do not start.
    #[error("the views cannot be started: {0}")]
    Views(#[from] ProjectionError),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The file of persisted documents cannot be used.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
}

/// A running house.
pub struct House {
    router: Router,
    log_tasks: LogTasks,
    projector: ProjectorTask,
    stop_projector: watch::Sender<bool>,
    policies: Vec<PolicyTask>,
    refused_task: RefusedTask,
    sampler: Sampler,
    checks: Router,
    leaving: watch::Sender<bool>,
}

impl House {
    /// Opens the log, starts the projector and the hub, and joins them behind the routes.
    pub async fn build(
        settings: &ServeSettings,
        storage: &Storage,
        draining: watch::Receiver<bool>,
    ) -> Result<Self, HouseError> {
        let masters = storage.master_keys().await?;
        let (log, log_tasks) =
            EventLog::open(storage.options(), masters, Arc::new(SystemClock), settings.log()).await?;
        let (stop_projector, stopped) = watch::channel(false);
        let projector = Projector::start(log.clone(), catalogue(), ProjectorConfig::default(), stopped);
        let (views, projector) = projector.await?;
        let policies = vec![policies::start(Erasure, log.clone(), PolicyConfig::default())];
        let hub = Hub::start(&log, settings.hub());
        let (mut config, told) = (settings.transport(), Told::default());
        if let Some(file) = &settings.doors.documents {
            config.persisted_documents = persisted_documents(file)?;
        }
        let (refused_sign_ins, refused_task) =
            RefusedSignIns::start(log.clone(), settings.limits.refused_sign_ins());
        let app = App {
            log: log.clone(),
            views: views.clone(),
            feeds: Feeds::new(log.clone(), views.clone(), hub.clone(), told.clone()),
            told,
            passwords: Passwords::new(settings.passwords())?,
            session_lifetime: settings.session_lifetime(),
            session_cookie: config.session_cookie,
            refused_sign_ins,
            tries: Tries::new(log.attempts().clone(), settings.limits.tries()),
        };
        let sessions = Sessions::new(log.clone(), hub.clone(), settings.limits.calls());
        let transport = Transport::new(schema(app), sessions, config, sdl(), draining.clone());
        let progress: Vec<_> = policies.iter().map(PolicyTask::progress).collect();
        let sampler = Sampler {
            log: log.clone(),
            hub,
            transport: transport.stats(),
            policies: progress.clone(),
            queue_commands_max: settings.log.queue_commands_max,
            sockets_max: settings.sockets.sockets_max,
        };
        let (leaving, left) = watch::channel(false);
        let checks = routes::checks(Health { log, views, policies: progress, leaving: [left, draining] });
        let router = routes::router(transport, checks.clone(), settings.doors.playground);
        Ok(Self {
            router,
            log_tasks,
            projector,
            stop_projector,
            policies,
            refused_task,
            sampler,
            checks,
            leaving,
        })
    }

    /// What the metrics page asks.
    pub fn sampler(&self) -> Sampler {
        self.sampler.clone()
    }

    /// `/healthz` and `/readyz`, for another address.
    pub fn checks(&self) -> Router {
        self.checks.clone()
    }

    /// Says that the server is about to stop: it is no longer ready, and works on.
    pub fn leave(&self) {
        self.leaving.send_replace(true);
    }

    /// The routes.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Stops the policies and notes the last refused sign-ins, commits everything queued and stops the projector.
    pub async fn close(self) {
        for policy in self.policies {
            policy.stop().await;
        }
        self.refused_task.stop().await;
        self.log_tasks.close().await;
        self.stop_projector.send_replace(true);
        self.projector.finish().await;
    }
}
