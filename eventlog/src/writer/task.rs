//! The writer's loop: gather, lock, decide, write, commit, answer.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, error, warn};

use super::batch::{Plan, Verdict};
use super::observed::{BatchOutcome, Observed};
use super::request::{Answer, AppendRequest};
use super::session::{Failure, Session};
use super::sql;
use crate::config::LogConfig;
use crate::error::{ExecuteError, LogError};
use crate::fresh::Clock;
use crate::tail::LiveBatch;

/// Hands requests to the writer.
#[derive(Clone, Debug)]
pub(crate) struct WriterHandle(mpsc::Sender<AppendRequest>);

/// A place in the writer's queue, taken before a decision is applied.
pub(crate) struct Place(mpsc::OwnedPermit<AppendRequest>);

impl WriterHandle {
    /// Takes a place in the queue; refused at once when it is full.
    pub(crate) fn reserve(&self) -> Result<Place, ExecuteError> {
        match self.0.clone().try_reserve_owned() {
            Ok(permit) => Ok(Place(permit)),
            Err(mpsc::error::TrySendError::Full(_)) => Err(ExecuteError::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(LogError::Closed.into()),
        }
    }

    /// Commands that wait, places that are taken included.
    pub(crate) fn waiting(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }
}

impl Place {
    pub(crate) fn send(self, request: AppendRequest) {
        self.0.send(request);
    }
}

/// The one task that appends.
pub(crate) struct Writer {
    options: PgConnectOptions,
    config: LogConfig,
    clock: Arc<dyn Clock>,
    requests: mpsc::Receiver<AppendRequest>,
    committed: mpsc::Sender<LiveBatch>,
    session: Option<Session>,
}

impl Writer {
    /// Starts the task. When `closing` is told (or dropped) it takes no more requests, commits what is
    /// queued, and ends.
    pub(crate) fn start(
        options: PgConnectOptions,
        config: LogConfig,
        clock: Arc<dyn Clock>,
        committed: mpsc::Sender<LiveBatch>,
        closing: oneshot::Receiver<()>,
    ) -> (WriterHandle, JoinHandle<()>) {
        let (sender, requests) = mpsc::channel(config.queue_commands_max);
        let writer = Self { options, config, clock, requests, committed, session: None };
        (WriterHandle(sender), tokio::spawn(writer.run(closing)))
    }

    async fn run(mut self, mut closing: oneshot::Receiver<()>) {
        let mut open = true;
        loop {
            let first = tokio::select! {
                request = self.requests.recv() => request,
                _ = &mut closing, if open => {
                    open = false;
                    self.requests.close();
                    continue;
                }
            };
            let Some(first) = first else { break };
            let batch = self.gather(first);
            self.append(batch).await;
        }
        if let Some(session) = self.session.take()
            && let Err(error) = sql::close(session.connection).await
        {
            warn!(%error, "closing the writer's connection failed");
        }
    }

    /// The first request and what else is waiting, bounded by events and bytes.
    fn gather(&mut self, first: AppendRequest) -> Vec<AppendRequest> {
        let (mut events, mut bytes) = (first.events.len(), first.bytes());
        let mut batch = vec![first];
        while events < self.config.batch_events_max && bytes < self.config.batch_bytes_max {
            let Ok(request) = self.requests.try_recv() else { break };
            // A request without events still costs a look-up.
            events += request.events.len().max(1);
            bytes += request.bytes();
            batch.push(request);
        }
        batch
    }

    fn has_room(&self, batch: &[AppendRequest]) -> bool {
        let events: usize = batch.iter().map(|request| request.events.len().max(1)).sum();
        let bytes: usize = batch.iter().map(AppendRequest::bytes).sum();
        events < self.config.batch_events_max && bytes < self.config.batch_bytes_max
    }

    /// Appends a batch, trying again while the database is away.
    async fn append(&mut self, mut batch: Vec<AppendRequest>) {
        let mut in_doubt: Option<Plan> = None;
        let mut backoff = self.config.append_backoff;
        let observed = Observed::begin(&batch);
        for attempt in 1..=self.config.append_attempts_max {
            match self.attempt(&mut batch, in_doubt.take()).instrument(observed.span()).await {
                Ok(plan) => {
                    observed.committed(&batch, &plan);
                    return self.answer(batch, &plan);
                }
                Err(Failure::Undone(error)) if error.is_of_the_data() => {
                    observed.failed(BatchOutcome::Refused, &batch);
                    return self.append_singly(batch, error).await;
                }
                Err(Failure::Undone(error)) => warn!(attempt, ?error, "an append failed"),
                Err(Failure::InDoubt(error, plan)) => {
                    warn!(attempt, ?error, "the outcome of an append is in doubt");
                    in_doubt = Some(plan);
                }
            }
            if attempt < self.config.append_attempts_max {
                tokio::time::sleep(backoff).await;
                backoff *= 2;
            }
        }
        observed.failed(BatchOutcome::Unknown, &batch);
        error!(commands = batch.len(), "gave up on an append");
        for request in batch {
            request.break_chains();
            // A caller that is gone needs no answer.
            drop(request.answer.send(Err(LogError::OutcomeUnknown)));
        }
    }

    /// A statement was refused for what it holds: finds the one request that is to blame, so that the
    /// others are appended.
    async fn append_singly(&mut self, batch: Vec<AppendRequest>, error: LogError) {
        if batch.len() > 1 {
            warn!(?error, commands = batch.len(), "a batch was refused by the database; appending singly");
            for request in batch {
                Box::pin(self.append(vec![request])).await;
            }
            return;
        }
        error!(?error, "an append was refused by the database: is somebody else writing to the log?");
        for request in batch {
            request.break_chains();
            drop(request.answer.send(Err(LogError::Refused)));
        }
    }

    /// One try on a connection, which is given up when it fails.
    async fn attempt(
        &mut self,
        batch: &mut Vec<AppendRequest>,
        in_doubt: Option<Plan>,
    ) -> Result<Plan, Failure> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => match Session::begin(&self.options, &self.config).await {
                Ok(session) => session,
                Err(error) => return Err(still(error, in_doubt)),
            },
        };
        let plan = self.attempt_on(&mut session, batch, in_doubt).await?;
        self.session = Some(session);
        Ok(plan)
    }

    async fn attempt_on(
        &mut self,
        session: &mut Session,
        batch: &mut Vec<AppendRequest>,
        in_doubt: Option<Plan>,
    ) -> Result<Plan, Failure> {
        let limit = self.config.statement_timeout;
        if in_doubt.is_none()
            && let Some(plan) = session.append_at_once(batch, self.clock.now(), &self.config).await?
        {
            return Ok(plan);
        }
        let begin = sql::begin_locked(&mut session.connection);
        let head = match sql::within(limit + self.config.lock_timeout, begin).await {
            Ok(head) => head,
            Err(error) => return Err(still(error, in_doubt)),
        };
        session.known.ends_at(head);
        let connection = &mut session.connection;
        if let Some(plan) = in_doubt {
            match sql::within(limit, sql::was_committed(connection, &plan, batch)).await {
                Ok(true) => {
                    if let Err(error) = sql::within(limit, sql::rollback(connection)).await {
                        warn!(?error, "ending a look-up failed");
                    }
                    return Ok(plan);
                }
                Ok(false) => {}
                Err(error) => return Err(Failure::InDoubt(error, plan)),
            }
        }
        let planning = session.plan(batch, head, self.clock.now(), &self.config);
        let mut plan = planning.await.map_err(Failure::Undone)?;
        if plan.overtaken {
            self.take_decided_again(batch, &plan).await;
            let planning = session.plan(batch, head, self.clock.now(), &self.config);
            plan = planning.await.map_err(Failure::Undone)?;
        }
        let connection = &mut session.connection;
        if plan.is_empty(batch) {
            sql::within(limit, sql::rollback(connection)).await.map_err(Failure::Undone)?;
            return Ok(plan);
        }
        sql::within(limit, sql::write(connection, &plan, batch)).await.map_err(Failure::Undone)?;
        match sql::within(limit, sql::commit(connection)).await {
            Ok(()) => {
                session.committed(&mut plan);
                Ok(plan)
            }
            Err(error) => Err(Failure::InDoubt(error, plan)),
        }
    }

    /// Turns the stale requests of a batch back and waits under the lock for what they come to now.
    ///
    /// A node that decides on what it read before it had the lock is overtaken by any node that does not
    /// have to decide again: on one hot stream it would lose every time. Nobody else can move a stream
    /// meanwhile, so what is decided now is fresh.
    async fn take_decided_again(&mut self, batch: &mut Vec<AppendRequest>, plan: &Plan) {
        let mut turned_back = 0;
        let requests = std::mem::take(batch);
        for (request, verdict) in requests.into_iter().zip(&plan.verdicts) {
            let settled = matches!(verdict, Verdict::Repeat { .. } | Verdict::KeyReused);
            if settled || !request.is_broken() {
                batch.push(request);
            } else {
                request.turn_back();
                turned_back += 1;
            }
        }
        let until = Instant::now() + self.config.overtaken_wait;
        while turned_back > 0 && self.has_room(batch) {
            match timeout_at(until, self.requests.recv()).await {
                // It was on its way before its chain broke; who asked for it decides again, too.
                Ok(Some(request)) if request.is_broken() => {
                    request.turn_back();
                    turned_back += 1;
                }
                Ok(Some(request)) => {
                    batch.push(request);
                    turned_back -= 1;
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Tells the tail, then the callers: who was answered finds the event on its way already.
    fn answer(&self, batch: Vec<AppendRequest>, plan: &Plan) {
        let mut committed = Vec::new();
        let mut answers = Vec::with_capacity(batch.len());
        for (request, verdict) in batch.into_iter().zip(&plan.verdicts) {
            let (answer, to) = request.answered(*verdict, plan.recorded_at);
            if let Answer::Appended(events) = &answer {
                committed.extend(events.iter().map(Arc::clone));
            }
            answers.push((answer, to));
        }
        if !committed.is_empty() {
            // When the tail is behind, it finds the events in the log by their positions.
            drop(self.committed.try_send(Arc::new(committed)));
        }
        for (answer, to) in answers {
            // A caller that is gone needs no answer.
            drop(to.send(Ok(answer)));
        }
    }
}

/// A batch in doubt stays in doubt until the log has been looked at.
fn still(error: LogError, in_doubt: Option<Plan>) -> Failure {
    match in_doubt {
        Some(plan) => Failure::InDoubt(error, plan),
        None => Failure::Undone(error),
    }
}
