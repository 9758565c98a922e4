//! Every event above a position, in order: from memory while it can, from the log where it must.

use std::sync::Arc;

use domain::Position;
use eventlog::{EventLog, LiveBatch, LogError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Events read at once while catching up.
const PAGE_EVENTS: u32 = 1_000;

/// A place in the log that moves forward.
pub(super) struct Follower {
    log: EventLog,
    live: Receiver<LiveBatch>,
    position: Position,
    caught_up: bool,
}

impl Follower {
    /// Listens first and reads then, so that nothing falls between.
    pub(super) fn after(log: EventLog, position: Position) -> Self {
        let live = log.follow();
        Self { log, live, position, caught_up: false }
    }

    /// The next events, at least one; none when the log is closed. Safe to drop while waiting.
    pub(super) async fn next(&mut self) -> Result<Option<LiveBatch>, LogError> {
        loop {
            if !self.caught_up {
                let page = self.log.read(self.position, PAGE_EVENTS).await?;
                if let Some(last) = page.last() {
                    self.position = last.position;
                    return Ok(Some(Arc::new(page.into_iter().map(Arc::new).collect())));
                }
                self.caught_up = true;
            }
            match self.live.recv().await {
                Ok(batch) => {
                    let next = self.position.next();
                    match (batch.first(), batch.last()) {
                        (Some(first), Some(last)) if first.position == next => {
                            self.position = last.position;
                            return Ok(Some(batch));
                        }
                        // Partly read already, or something is missing: the log knows.
                        (_, Some(last)) if last.position >= next => self.caught_up = false,
                        _ => {}
                    }
                }
                Err(RecvError::Lagged(_)) => self.caught_up = false,
                Err(RecvError::Closed) => return Ok(None),
            }
        }
    }
}
