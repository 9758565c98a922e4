//! Up to where the views of this process' database are, for reading one's own writes.

use std::time::Duration;

use domain::Position;
use sqlx::PgPool;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::error::ProjectionError;

/// Pause between looks at the checkpoints, over all who wait in this process.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// What came of waiting for the views.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waited {
    /// All running views hold what was waited for.
    Reached,
    /// The time was over. The views are slow, or stopped; answer without them.
    TimedOut,
}

/// The position that all running projections have reached.
pub(crate) struct Reached {
    names: Vec<&'static str>,
    position: watch::Sender<Position>,
    /// Whether this process leads all projections, so that it need not ask the database.
    leading: watch::Sender<bool>,
    last_look: Mutex<Option<Instant>>,
}

impl Reached {
    pub(crate) fn new(names: Vec<&'static str>) -> Self {
        Self {
            names,
            position: watch::Sender::new(Position::START),
            leading: watch::Sender::new(false),
            last_look: Mutex::new(None),
        }
    }

    pub(crate) fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// Told by the projector of this process, after every commit.
    pub(crate) fn lead(&self, leads_all: bool, position: Option<Position>) {
        self.leading.send_replace(leads_all);
        if let (true, Some(position)) = (leads_all, position) {
            self.publish(position);
        }
    }

    fn publish(&self, position: Position) {
        self.position.send_if_modified(|known| std::mem::replace(known, position) != position);
    }

    /// Learns from the checkpoints how far the leading node has come; nothing to do on that node itself.
    pub(crate) async fn refresh(&self, pool: &PgPool) {
        if !*self.leading.borrow() {
            self.look(pool).await;
        }
    }

    /// Waits until the views have reached a position, at most `timeout`.
    pub(crate) async fn wait_for(&self, pool: &PgPool, position: Position, timeout: Duration) -> Waited {
        match tokio::time::timeout(timeout, self.reach(pool, position)).await {
            Ok(()) => Waited::Reached,
            Err(_) => Waited::TimedOut,
        }
    }

    async fn reach(&self, pool: &PgPool, wanted: Position) {
        let mut seen = self.position.subscribe();
        let mut leading = self.leading.subscribe();
        loop {
            if *seen.borrow_and_update() >= wanted {
                return;
            }
            let follows = !*leading.borrow_and_update();
            // The senders live in `self`, so that `changed` cannot fail.
            tokio::select! {
                _ = seen.changed() => {}
                _ = leading.changed() => {}
                () = self.look(pool), if follows => {}
            }
        }
    }

    /// Looks at the checkpoints, one of all who wait at a time, and pauses.
    async fn look(&self, pool: &PgPool) {
        let mut last_look = self.last_look.lock().await;
        if let Some(last) = *last_look {
            tokio::time::sleep_until(last + LOOK_INTERVAL).await;
        }
        *last_look = Some(Instant::now());
        match self.ask(pool).await {
            Ok(Some(position)) if !*self.leading.borrow() => self.publish(position),
            Ok(_) => {}
            Err(error) => tracing::warn!(kind = error.kind(), "the checkpoints of the views cannot be read"),
        }
    }

    /// The lowest checkpoint of those that have not stopped; none while one is missing or all stopped.
    async fn ask(&self, pool: &PgPool) -> Result<Option<Position>, ProjectionError> {
        let (known, lowest): (i64, Option<i64>) = sqlx::query_as(
            "SELECT count(*), min(position) FILTER (WHERE NOT EXISTS (
                 SELECT 1 FROM views.stopped_projections AS stopped
                 WHERE stopped.projection = checkpoints.projection))
             FROM views.checkpoints WHERE projection = ANY($1)",
        )
        .bind(&self.names)
        .fetch_one(pool)
        .await?;
        let all_known = usize::try_from(known).is_ok_and(|known| known == self.names.len());
        Ok(lowest.filter(|_| all_known).map(Position))
    }
}
