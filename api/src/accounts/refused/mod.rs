//! What an account is told of refused sign-ins: an event for the first one at once, then at most one per
//! window with the number of the others.
//!
//! The note is written behind the answer to whoever tried: writing takes time that a name without an account
//! does not take.

mod gathering;

use std::time::Duration;

use domain::actions::NoteRefusedSignIns;
use domain::{AccountId, Actor, Causation, Client, CommandId, CorrelationId};
use eventlog::fresh::new_uuid;
use eventlog::{CommandContext, EventLog, Outcome};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use gathering::Gathering;

/// Refused sign-ins that wait to be noted; one more is not noted. Each one cost a password's hash, so they
/// do not come faster than they are taken.
const WAITING_MAX: usize = 1_024;

/// How refused sign-ins are gathered.
#[derive(Clone, Copy, Debug)]
pub struct RefusedLimits {
    /// The time between two events of one account. 60 seconds by default.
    pub window: Duration,
    /// Accounts with an open window; the refused sign-ins of one more are not noted. 10,000 in the server.
    pub accounts_max: usize,
}

/// Where refused sign-ins are noted. Cheap to clone.
#[derive(Clone)]
pub struct RefusedSignIns {
    queue: mpsc::Sender<AccountId>,
}

/// The task that writes the notes.
pub struct RefusedTask {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RefusedSignIns {
    /// Starts to write notes into a log.
    pub fn start(log: EventLog, limits: RefusedLimits) -> (Self, RefusedTask) {
        let (queue, noted) = mpsc::channel(WAITING_MAX);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(log, limits, noted, stopped));
        (Self { queue }, RefusedTask { stop, task })
    }

    /// Notes one refused sign-in. Takes no time, and is worth none: when the queue is full it is lost.
    pub fn note(&self, account: AccountId) {
        if self.queue.try_send(account).is_err() {
            tracing::warn!("a refused sign-in was not noted");
        }
    }
}

impl RefusedTask {
    /// Writes what was gathered, and ends. Call it while the log is still open.
    pub async fn stop(self) {
        if self.stop.send(()).is_err() {
            tracing::warn!("the notes of refused sign-ins had ended before they were stopped");
        }
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the notes of refused sign-ins did not end well");
        }
    }
}

async fn run(
    log: EventLog,
    limits: RefusedLimits,
    mut noted: mpsc::Receiver<AccountId>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut gathering = Gathering::new(limits);
    loop {
        let due = gathering.next_due();
        tokio::select! {
            Some(account) = noted.recv() => {
                if gathering.refused(account, Instant::now()) {
                    write(&log, account, 1).await;
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                if let Some((account, times)) = gathering.take_due(Instant::now()) {
                    write(&log, account, times).await;
                }
            }
            _ = &mut stop => break,
        }
    }
    while let Ok(account) = noted.try_recv() {
        if gathering.refused(account, Instant::now()) {
            write(&log, account, 1).await;
        }
    }
    for (account, times) in gathering.into_rest() {
        write(&log, account, times).await;
    }
}

async fn write(log: &EventLog, account: AccountId, times: u32) {
    let command = new_uuid();
    let context = CommandContext {
        actor: Actor::Anonymous,
        session: None,
        causation: Causation::Command(CommandId(command)),
        correlation: CorrelationId(command),
        client: Client::Graphql,
        idempotency: None,
    };
    match log.execute(NoteRefusedSignIns { account, times }, context).await {
        Ok(Outcome::Done(_)) => {}
        // The person was forgotten meanwhile.
        Ok(Outcome::Refused(_)) => tracing::debug!("refused sign-ins of an account that is gone"),
        Err(error) => tracing::warn!(?error, times, "refused sign-ins were not noted"),
    }
}
