//! The task that runs one policy.

use std::sync::Arc;
use std::time::Duration;

use domain::{Position, Recorded, Refusal};
use eventlog::{EventLog, ExecuteError, LogError, PolicyCheckpoint};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Policy;
use super::follow::Follower;
use super::progress::Progress;

/// Why a policy could not react.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A command came to no outcome.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// A command was refused that follows from what happened: a fault of ours.
    #[error("a command that follows from an event was refused: {0}")]
    Refused(Refusal),
    /// The event stands in a stream of another kind.
    #[error("the event at position {0} is damaged")]
    Damaged(Position),
}

/// Limits of a policy.
#[derive(Clone, Debug)]
pub struct PolicyConfig {
    /// How often a reaction is tried in a row.
    pub attempts_max: u32,
    /// Pause before the second attempt; doubles each time.
    pub backoff: Duration,
    /// Pause after a row of failed attempts, which is logged as an error. Then it begins anew: a policy never
    /// skips an event.
    pub rest: Duration,
    /// Events that a policy passes over before it moves its checkpoint, and so reads again after a crash.
    pub checkpoint_events: i64,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            attempts_max: 8,
            backoff: Duration::from_millis(100),
            rest: Duration::from_mins(1),
            checkpoint_events: 1_000,
        }
    }
}

/// A running policy.
pub struct PolicyTask {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    progress: Arc<Progress>,
}

impl PolicyTask {
    /// How far it is, for operators.
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// Stops the policy wherever it is: the next start goes on from its checkpoint. To be called before the log
    /// is closed.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a policy did not end well");
        }
    }
}

/// Starts a policy where its checkpoint stands.
pub fn start(policy: impl Policy, log: EventLog, config: PolicyConfig) -> PolicyTask {
    let (stop, stopped) = watch::channel(false);
    let checkpoint = log.policy_checkpoint(policy.name());
    let progress = Arc::new(Progress::new(policy.name()));
    let runner = Runner { policy, log, checkpoint, config, stopped, progress: progress.clone() };
    PolicyTask { stop, task: tokio::spawn(runner.run()), progress }
}

struct Runner<P> {
    policy: P,
    log: EventLog,
    checkpoint: PolicyCheckpoint,
    config: PolicyConfig,
    stopped: watch::Receiver<bool>,
    progress: Arc<Progress>,
}

/// Why following ended.
enum End {
    /// The policy was stopped, or the log closed.
    Stopped,
    /// Another node has moved the checkpoint: go on from there.
    Overtaken,
}

impl<P: Policy> Runner<P> {
    async fn run(mut self) {
        let (mut attempt, mut pause) = (1, self.config.backoff);
        loop {
            let mut reacted = false;
            let mut stopped = self.stopped.clone();
            let ended = tokio::select! {
                ended = self.follow(&mut reacted) => ended,
                // A sender that is gone means the same: stop.
                _ = stopped.wait_for(|stopped| *stopped) => Ok(End::Stopped),
            };
            if reacted {
                (attempt, pause) = (1, self.config.backoff);
            }
            let policy = self.policy.name();
            match ended {
                Ok(End::Stopped) => return,
                Ok(End::Overtaken) => continue,
                Err(error) if attempt < self.config.attempts_max => {
                    tracing::warn!(policy, attempt, ?error, "a policy failed; trying again");
                    (attempt, pause) = (attempt + 1, pause * 2);
                }
                Err(error) => {
                    self.progress.rest();
                    tracing::error!(
                        policy,
                        attempt,
                        ?error,
                        "a policy cannot go on; resting, then trying again"
                    );
                    (attempt, pause) = (1, self.config.rest);
                }
            }
            if tokio::time::timeout(pause, self.stopped.wait_for(|stopped| *stopped)).await.is_ok() {
                return;
            }
            if attempt == 1 {
                pause = self.config.backoff;
            }
        }
    }

    /// Reacts to everything above the checkpoint, without end; tells whether it got anywhere.
    async fn follow(&mut self, got_on: &mut bool) -> Result<End, PolicyError> {
        let mut done = self.checkpoint.read().await?;
        self.progress.reach(done);
        let mut follower = Follower::after(self.log.clone(), done);
        while let Some(batch) = follower.next().await? {
            for recorded in batch.iter() {
                if self.policy.concerns(&recorded.event) {
                    self.policy.react(&self.log, recorded).await?;
                    *got_on = true;
                    if !self.move_to(&mut done, recorded).await? {
                        return Ok(End::Overtaken);
                    }
                }
                self.progress.reach(recorded.position);
            }
            if let Some(last) = batch.last()
                && last.position.0 - done.0 >= self.config.checkpoint_events
                && !self.move_to(&mut done, last).await?
            {
                return Ok(End::Overtaken);
            }
        }
        Ok(End::Stopped)
    }

    async fn move_to(&self, done: &mut Position, recorded: &Recorded) -> Result<bool, PolicyError> {
        let moved = self.checkpoint.advance(*done, recorded.position).await?;
        *done = recorded.position;
        Ok(moved)
    }
}
