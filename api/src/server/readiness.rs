//! Whether the server is of use now, and what it waits for if not.

use std::sync::Arc;
use std::time::Duration;

use eventlog::EventLog;
use projections::{ViewState, ViewStatus, Views, Waited};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::policies::Progress;

/// How far behind the views may be while the server counts as ready.
const BEHIND_MAX: Duration = Duration::from_secs(2);
/// How long the database may take to answer.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// What health checks ask.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) log: EventLog,
    pub(super) views: Views,
    pub(super) policies: Vec<Arc<Progress>>,
    /// Any of them says that the server is about to stop.
    pub(super) leaving: [watch::Receiver<bool>; 2],
}

/// The answer of `/readyz`.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Readiness {
    pub(super) ready: bool,
    waiting_for: Vec<Waiting>,
}

/// Something that keeps the server from being ready.
#[derive(Serialize, Debug)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Waiting {
    /// The server is about to stop: go elsewhere.
    Stop,
    /// The database does not answer.
    Database,
    /// A view has not caught up, or has stopped.
    View { name: String, state: &'static str, lag_events: i64 },
    /// A policy failed too often at an event.
    Policy { name: &'static str, state: &'static str },
}

impl Health {
    /// Ready when the server stays, the database answers, the views are where the log is, none of them has
    /// stopped, and no policy is stuck.
    pub(super) async fn look(&self) -> Readiness {
        let mut waiting_for = Vec::new();
        if self.leaving.iter().any(|leaving| *leaving.borrow()) {
            waiting_for.push(Waiting::Stop);
        }
        match self.views_waited_for().await {
            Some(views) => waiting_for.extend(views),
            None => waiting_for.push(Waiting::Database),
        }
        let stuck = self.policies.iter().filter(|policy| policy.is_stuck());
        waiting_for.extend(stuck.map(|policy| Waiting::Policy { name: policy.policy(), state: "stuck" }));
        Readiness { ready: waiting_for.is_empty(), waiting_for }
    }

    /// The views that are not where the log is; none when the database does not answer.
    async fn views_waited_for(&self) -> Option<Vec<Waiting>> {
        let head = timeout(DATABASE_PATIENCE, self.log.head()).await.ok()?.ok()?;
        let behind = self.views.wait_for(head, BEHIND_MAX).await == Waited::TimedOut;
        let views = timeout(DATABASE_PATIENCE, projections::status(self.log.pool())).await.ok()?.ok()?;
        // A view that only follows a busy log is not waited for.
        let late = |view: &ViewStatus| behind && view.position < head;
        let waiting = views.into_iter().filter_map(|view| {
            let state = match &view.state {
                ViewState::Stopped { .. } => "stopped",
                ViewState::NotBuilt => "notBuilt",
                ViewState::Following if late(&view) => "behind",
                ViewState::Following | ViewState::Foreign => return None,
            };
            Some(Waiting::View { name: view.projection, state, lag_events: view.lag_events })
        });
        Some(waiting.collect())
    }
}
