//! One batch: read, applied to all that stand there, tried again, and at last searched for its poison.

use std::sync::Arc;

use domain::{Position, Recorded};
use eventlog::LogError;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::Projector;
use super::run::Step;
use super::slots::{Page, Slots};
use crate::checkpoint;
use crate::error::ProjectionError;
use crate::projection::Projection;

impl Projector {
    /// Reads and applies the next batch.
    ///
    /// # Errors
    /// [`ProjectionError::Fenced`] and faults of the connection end the term; what an event causes is dealt
    /// with here.
    pub(super) async fn step(
        &mut self,
        connection: &mut PgConnection,
        slots: &mut Slots,
    ) -> Result<Step, ProjectionError> {
        let Some(page) = slots.page(self.config.batch_events_max) else { return Ok(Step::CaughtUp) };
        let mut backoff = self.config.backoff;
        let mut attempt = 1;
        loop {
            let failed = match self.read_and_apply(connection, &page).await {
                Ok(None) => return Ok(Step::CaughtUp),
                Ok(Some(to)) => {
                    slots.advance(&page.group, to);
                    return Ok(Step::Worked);
                }
                Err(error) if ends_the_term(&error) => return Err(error),
                Err(error) => error,
            };
            tracing::warn!(after = page.after.0, attempt, reason = failed.kind(), "a batch failed");
            if attempt >= self.config.attempts_max {
                self.isolate(connection, slots, &page).await?;
                return Ok(Step::Worked);
            }
            if self.pause(backoff).await {
                return Ok(Step::Worked);
            }
            (attempt, backoff) = (attempt + 1, backoff * 2);
        }
    }

    async fn read_and_apply(
        &mut self,
        connection: &mut PgConnection,
        page: &Page,
    ) -> Result<Option<Position>, ProjectionError> {
        let events = self.read(page.after, page.limit).await?;
        if events.is_empty() {
            return Ok(None);
        }
        apply(connection, &page.group, page.after, &events).await.map(Some)
    }

    /// Reads a batch; when one of its events cannot be read, the ones before it.
    async fn read(&mut self, after: Position, limit: u32) -> Result<Vec<Recorded>, LogError> {
        let mut limit = limit;
        loop {
            match self.ahead.read(after, limit).await {
                Err(LogError::Database(error)) => return Err(LogError::Database(error)),
                Err(_) if limit > 1 => limit /= 2,
                read => return read,
            }
        }
    }

    /// Finds out who fails at which event: each projection takes the batch alone, in ever smaller parts.
    /// Who fails at a single event stops before it; the others go on.
    async fn isolate(
        &mut self,
        connection: &mut PgConnection,
        slots: &mut Slots,
        page: &Page,
    ) -> Result<(), ProjectionError> {
        for projection in &page.group {
            let mut after = page.after;
            let end = Position(page.after.0 + i64::from(page.limit));
            let mut limit = page.limit;
            while after < end {
                let left = u32::try_from(end.0 - after.0).unwrap_or(limit);
                let part = Page { group: vec![projection.clone()], after, limit: limit.min(left) };
                match self.read_and_apply(connection, &part).await {
                    Ok(None) => break,
                    Ok(Some(to)) => {
                        slots.advance(&part.group, to);
                        after = to;
                    }
                    Err(error) if ends_the_term(&error) => return Err(error),
                    Err(_) if part.limit > 1 => limit = part.limit / 2,
                    Err(error) => {
                        let name = projection.name();
                        self.stop_projection(connection, slots, name, after.next(), &error).await?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

fn ends_the_term(error: &ProjectionError) -> bool {
    matches!(error, ProjectionError::Fenced) || error.is_of_the_connection()
}

/// Applies events to projections that all stand at `from` and moves their checkpoints, in one transaction
/// that begins with the fence. Not flushed: what a crash takes from a view, it takes from its checkpoint.
async fn apply(
    connection: &mut PgConnection,
    group: &[Arc<dyn Projection>],
    from: Position,
    events: &[Recorded],
) -> Result<Position, ProjectionError> {
    let to = events.last().map_or(from, |last| last.position);
    let names: Vec<_> = group.iter().map(|projection| projection.name()).collect();
    let mut transaction = connection.begin().await?;
    transaction.execute("SET LOCAL synchronous_commit = off; SET LOCAL search_path TO views").await?;
    checkpoint::advance(&mut transaction, &names, from, to).await?;
    for projection in group {
        projection.apply(&mut transaction, events).await?;
    }
    transaction.commit().await?;
    Ok(to)
}
