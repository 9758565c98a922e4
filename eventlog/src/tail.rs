//! Following the log: every committed event once, in order, as soon as it is there.
//!
//! Own events come from the writer in memory, those of other nodes from the database. Positions are
//! dense, so `last + 1` tells whether anything was missed; whatever was, is read from the log. The
//! in-memory way is a short cut, never the truth.

use std::sync::Arc;

use domain::{Position, Recorded};
use sqlx::PgPool;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{MissedTickBehavior, timeout};
use tracing::warn;

use crate::bus::Mailboxes;
use crate::config::LogConfig;
use crate::error::LogError;
use crate::keys::KeyRing;
use crate::wake::Bell;
use crate::{read, stored};

/// New events, opened, in commit order.
pub type LiveBatch = Arc<Vec<Arc<Recorded>>>;

/// The task that follows the log.
pub(crate) struct Tail {
    pub(crate) pool: PgPool,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) mailboxes: Arc<Mailboxes>,
    pub(crate) config: Arc<LogConfig>,
    pub(crate) committed: mpsc::Receiver<LiveBatch>,
    pub(crate) bell: Bell,
    pub(crate) head: watch::Sender<Position>,
    pub(crate) live: broadcast::Sender<LiveBatch>,
}

impl Tail {
    /// Follows until the writer is gone.
    pub(crate) async fn run(mut self) {
        let mut poll = tokio::time::interval(self.config.poll_interval);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let batch = tokio::select! {
                batch = self.committed.recv() => match batch {
                    Some(batch) => {
                        self.bell.ring();
                        Some(batch)
                    }
                    None => return,
                },
                () = self.bell.heard() => None,
                _ = poll.tick() => None,
            };
            // Cut off where it waits for the database, it has published nothing by halves.
            match timeout(self.config.statement_timeout, self.step(batch)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => warn!(?error, "following the log failed; trying again"),
                Err(_) => warn!("the database does not answer; trying again"),
            }
        }
    }

    async fn step(&mut self, batch: Option<LiveBatch>) -> Result<(), LogError> {
        match batch {
            Some(batch) => self.take(batch).await,
            None => self.catch_up().await,
        }
    }

    fn next(&self) -> Position {
        self.head.borrow().next()
    }

    /// Takes a batch of this node, reading first what other nodes put before it.
    async fn take(&mut self, batch: LiveBatch) -> Result<(), LogError> {
        let next = self.next();
        match batch.iter().position(|event| event.position == next) {
            Some(0) => self.publish(batch).await,
            Some(new) => self.publish(Arc::new(batch[new..].to_vec())).await,
            None if batch.last().is_some_and(|last| last.position > next) => self.catch_up().await,
            None => Ok(()),
        }
    }

    async fn catch_up(&mut self) -> Result<(), LogError> {
        loop {
            let after = *self.head.borrow();
            let page = read::by_position(&self.pool, after, self.config.tail_events_max).await?;
            if page.is_empty() {
                return Ok(());
            }
            let opened = stored::open(&page, &self.keys).await?;
            self.publish(Arc::new(opened.into_iter().map(Arc::new).collect())).await?;
        }
    }

    async fn publish(&self, events: LiveBatch) -> Result<(), LogError> {
        for account in events.iter().filter_map(|recorded| recorded.event.erases(&recorded.stream)) {
            self.keys.forget(account).await?;
        }
        for event in events.iter() {
            self.mailboxes.observe(event);
        }
        if let Some(last) = events.last().map(|event| event.position) {
            // Nobody listening is no fault.
            drop(self.live.send(events));
            self.head.send_replace(last);
        }
        Ok(())
    }
}
