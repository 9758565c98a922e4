//! The projector's life: terms of leadership, and within a term one batch after the other.

use std::time::Duration;

use domain::Position;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Projector;
use super::slots::Slots;
use crate::error::ProjectionError;

/// What a look for work came to.
#[derive(PartialEq)]
pub(super) enum Step {
    /// Something was applied or decided; there may be more.
    Worked,
    /// Everything there is was applied.
    CaughtUp,
}

impl Projector {
    /// Serves term after term until asked to stop.
    pub(super) async fn run(mut self) {
        let head = self.log.watch_head();
        loop {
            let ended = self.term(head.clone()).await;
            self.reached.lead(false, None);
            match ended {
                Ok(()) => return,
                Err(ProjectionError::Fenced) => {
                    tracing::warn!("another projector moved a checkpoint; stepping back");
                }
                Err(error) => tracing::warn!(reason = error.kind(), "the projector lost its connection"),
            }
            if self.pause(self.config.retry_interval).await {
                return;
            }
        }
    }

    /// One term on one connection. Ends well when asked to stop.
    async fn term(&mut self, mut head: watch::Receiver<Position>) -> Result<(), ProjectionError> {
        let mut connection = self.connect().await?;
        let mut slots = Slots::default();
        let mut tended: Option<Instant> = None;
        while !self.asked_to_stop() {
            if tended.is_none_or(|at| at.elapsed() >= self.config.poll_interval) {
                self.tend(&mut connection, &mut slots).await?;
                self.reached.refresh(self.log.pool()).await;
                tended = Some(Instant::now());
            }
            head.mark_unchanged();
            let step = self.step(&mut connection, &mut slots).await?;
            self.reached.lead(slots.len() == self.catalogue.len(), slots.reached());
            if step == Step::CaughtUp {
                self.wait_for_work(&mut head).await;
            }
        }
        connection.close().await?;
        Ok(())
    }

    async fn tend(&self, connection: &mut PgConnection, slots: &mut Slots) -> Result<(), ProjectionError> {
        self.resume_rebuilt(connection, slots).await?;
        self.take_lead(connection, slots).await
    }

    /// Waits for events, for the next look, or for the end.
    async fn wait_for_work(&mut self, head: &mut watch::Receiver<Position>) {
        tokio::select! {
            Ok(()) = head.changed() => {}
            () = tokio::time::sleep(self.config.poll_interval) => {}
            // Asked to stop, or nobody is left to ask: the loop looks.
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Waits; true when asked to stop meanwhile.
    pub(super) async fn pause(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
        self.asked_to_stop()
    }

    fn asked_to_stop(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }
}
