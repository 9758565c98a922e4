//! The writer's connection, what it knows from it, and the short way of a batch.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::append::append;
use super::batch::{Head, Plan, plan};
use super::known::Known;
use super::request::AppendRequest;
use super::sql;
use crate::config::LogConfig;
use crate::error::LogError;

/// How a batch's transaction failed.
pub(super) enum Failure {
    /// Nothing was committed.
    Undone(LogError),
    /// The connection broke while committing: it may or may not be in the log.
    InDoubt(LogError, Plan),
}

/// A connection and what is known from it. Dropped when a statement fails: the next one knows nothing.
pub(super) struct Session {
    pub(super) connection: PgConnection,
    pub(super) known: Known,
}

impl Session {
    pub(super) async fn begin(options: &PgConnectOptions, config: &LogConfig) -> Result<Self, LogError> {
        let connection = sql::connect(options, config).await?;
        Ok(Self { connection, known: Known::new(config.known_streams_max) })
    }

    /// Looks up what a batch rests on and decides it.
    pub(super) async fn plan(
        &mut self,
        batch: &[AppendRequest],
        head: Head,
        now: DateTime<Utc>,
        config: &LogConfig,
    ) -> Result<Plan, LogError> {
        let finding = sql::find(&mut self.connection, batch, head, &mut self.known);
        let found = sql::within(config.statement_timeout, finding).await?;
        Ok(plan(batch, found, now))
    }

    /// Notes that a plan was committed.
    pub(super) fn committed(&mut self, plan: &mut Plan) {
        self.known.appended(plan.head, std::mem::take(&mut plan.streams));
    }

    /// The short way: appends a batch in one statement, betting that the log ends where this writer left it.
    /// None when the bet is not made or lost, and nothing is written then.
    ///
    /// What was looked up for it without the lock is as good as under the lock if the bet is won, because
    /// every append moves the end of the log; and a receipt that is found holds for ever.
    pub(super) async fn append_at_once(
        &mut self,
        batch: &[AppendRequest],
        now: DateTime<Utc>,
        config: &LogConfig,
    ) -> Result<Option<Plan>, Failure> {
        let Some(head) = self.known.head_if_alone() else { return Ok(None) };
        let no_events = batch.iter().all(|request| request.events.is_empty());
        if no_events || batch.iter().any(|request| !request.credentials.is_empty()) {
            return Ok(None);
        }
        let mut plan = self.plan(batch, head, now, config).await.map_err(Failure::Undone)?;
        if plan.overtaken || plan.streams.is_empty() {
            return Ok(None);
        }
        let limit = config.statement_timeout + config.lock_timeout;
        match sql::within(limit, append(&mut self.connection, &plan, batch)).await {
            Ok(()) => {
                self.committed(&mut plan);
                Ok(Some(plan))
            }
            Err(LogError::Database(sqlx::Error::Database(refused))) if refused.is_unique_violation() => {
                self.known.has_company();
                Ok(None)
            }
            Err(error) if error.is_of_the_data() => Err(Failure::Undone(error)),
            // Also when the server says so: one that is shut down may have committed before.
            Err(error) => Err(Failure::InDoubt(error, plan)),
        }
    }
}
