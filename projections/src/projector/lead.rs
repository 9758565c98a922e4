//! Becoming the leader of projections, and minding who has stopped.

use domain::Position;
use sqlx::{Connection as _, PgConnection};

use super::Projector;
use super::slots::Slots;
use crate::error::ProjectionError;
use crate::{checkpoint, schema, shadow, stopped};

impl Projector {
    /// The connection of a term: it writes, and its session holds the locks that make a leader, so that
    /// who lost the lead cannot write. Makes what is missing.
    pub(super) async fn connect(&self) -> Result<PgConnection, ProjectionError> {
        let frozen_ms = self.config.frozen_leader_timeout.as_millis().to_string();
        let statement_ms = self.config.statement_timeout.as_millis().to_string();
        let options = self.log.pool().connect_options().as_ref().clone().options([
            ("idle_in_transaction_session_timeout", frozen_ms.as_str()),
            ("idle_session_timeout", frozen_ms.as_str()),
            ("statement_timeout", statement_ms.as_str()),
        ]);
        let mut connection = PgConnection::connect_with(&options).await?;
        let mut transaction = connection.begin().await?;
        checkpoint::lock_creation(&mut transaction).await?;
        stopped::create_table(&mut transaction).await?;
        transaction.commit().await?;
        for projection in &self.catalogue {
            schema::ensure(&mut connection, projection.as_ref()).await?;
        }
        shadow::sweep(&mut connection).await?;
        Ok(connection)
    }

    /// Takes the lead of every projection that nobody leads. One that had stopped is tried again.
    pub(super) async fn take_lead(
        &self,
        connection: &mut PgConnection,
        slots: &mut Slots,
    ) -> Result<(), ProjectionError> {
        for projection in &self.catalogue {
            let name = projection.name();
            if slots.holds(name) || !self.try_lock(connection, name).await? {
                continue;
            }
            stopped::forget(connection, &[name]).await?;
            let Some(position) = position_of(connection, name).await? else {
                // Dropped meanwhile: the next term makes it anew.
                return Err(ProjectionError::Fenced);
            };
            tracing::info!(projection = name, position = position.0, "leading a projection");
            slots.add(projection.clone(), position);
            let head = self.log.head().await?;
            if position > head {
                let ahead = ProjectionError::AheadOfLog { checkpoint: position, head };
                self.stop_projection(connection, slots, name, position, &ahead).await?;
            }
        }
        Ok(())
    }

    async fn try_lock(&self, connection: &mut PgConnection, name: &str) -> Result<bool, ProjectionError> {
        Ok(sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2))")
            .bind(self.config.leader_lock_space)
            .bind(name)
            .fetch_one(connection)
            .await?)
    }

    /// Lets those go on that had stopped and were rebuilt since.
    pub(super) async fn resume_rebuilt(
        &self,
        connection: &mut PgConnection,
        slots: &mut Slots,
    ) -> Result<(), ProjectionError> {
        // Asked even when nothing stopped: a session that never asks is taken for frozen.
        let still = stopped::names(connection).await?;
        for name in slots.stopped() {
            if still.iter().any(|stopped| stopped == name) {
                continue;
            }
            if let Some(position) = position_of(connection, name).await? {
                tracing::info!(projection = name, position = position.0, "a stopped projection goes on");
                slots.resume(name, position);
            }
        }
        Ok(())
    }

    /// Stops one projection for all to see. It stands at `position` and goes no further.
    pub(super) async fn stop_projection(
        &self,
        connection: &mut PgConnection,
        slots: &mut Slots,
        name: &'static str,
        position: Position,
        error: &ProjectionError,
    ) -> Result<(), ProjectionError> {
        let reason = error.kind();
        tracing::error!(projection = name, position = position.0, reason, "a projection stopped");
        stopped::note(connection, name, position, &reason).await?;
        slots.stop(name);
        Ok(())
    }
}

async fn position_of(connection: &mut PgConnection, name: &str) -> Result<Option<Position>, ProjectionError> {
    Ok(checkpoint::read(connection, &[name]).await?.pop().map(|(_, position)| position))
}
