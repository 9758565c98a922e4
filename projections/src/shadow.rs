//! Shadows: a view built from the first event on in a schema of its own, beside the live one.

use std::sync::Arc;

use domain::Position;
use eventlog::EventLog;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::ahead::Ahead;
use crate::error::ProjectionError;
use crate::projection::Projection;
use crate::schema;

/// Events applied in one transaction: short ones, so that no horizon is pinned.
pub(crate) const PAGE_EVENTS: u32 = 1_000;
/// How shadows are called, before the name of the projection.
const PREFIX: &str = "views_";

/// What a shadow is built for. Each has a schema of its own, so that both may run at once.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Rebuild,
    Verify,
}

/// How far a shadow is built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The projection.
    pub projection: &'static str,
    /// The last event that was applied.
    pub position: Position,
    /// The last event to be applied, as known now.
    pub target: Position,
}

/// A shadow in the making. Its connection holds a lock, so that nobody takes it for left over.
pub(crate) struct Shadow {
    pub(crate) ahead: Ahead,
    pub(crate) connection: PgConnection,
    pub(crate) schema: String,
    pub(crate) projection: Arc<dyn Projection>,
    pub(crate) position: Position,
}

impl Shadow {
    /// Makes an empty shadow.
    ///
    /// # Errors
    /// [`ProjectionError::Busy`]: another process makes the same one.
    pub(crate) async fn begin(
        log: &EventLog,
        projection: Arc<dyn Projection>,
        purpose: Purpose,
    ) -> Result<Self, ProjectionError> {
        let purpose = match purpose {
            Purpose::Rebuild => "build",
            Purpose::Verify => "verify",
        };
        let schema = format!("{PREFIX}{purpose}_{}", projection.name());
        let mut connection = PgConnection::connect_with(&log.pool().connect_options()).await?;
        if !try_lock(&mut connection, &schema).await? {
            return Err(ProjectionError::Busy);
        }
        let mut transaction = connection.begin().await?;
        let anew = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        transaction.execute(anew.as_str()).await?;
        schema::enter(&mut transaction, &schema).await?;
        schema::create_tables(&mut transaction, projection.as_ref()).await?;
        transaction.commit().await?;
        Ok(Self { ahead: Ahead::of(log.clone()), connection, schema, projection, position: Position::START })
    }

    /// Applies all events up to `target`, in pages with a short transaction each.
    pub(crate) async fn build_to(
        &mut self,
        target: Position,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), ProjectionError> {
        while self.position < target {
            let mut transaction = self.connection.begin().await?;
            transaction.execute("SET LOCAL synchronous_commit = off").await?;
            let (from, projection) = (self.position, self.projection.as_ref());
            let ahead = &mut self.ahead;
            self.position =
                apply_page(ahead, &mut transaction, &self.schema, projection, from, target).await?;
            transaction.commit().await?;
            progress(Progress { projection: self.projection.name(), position: self.position, target });
        }
        Ok(())
    }

    /// Drops the shadow.
    pub(crate) async fn discard(mut self) -> Result<(), ProjectionError> {
        drop_schema(&mut self.connection, &self.schema).await?;
        self.connection.close().await?;
        Ok(())
    }
}

/// Applies one page of events above `from`, up to `target`; returns the last one's position.
pub(crate) async fn apply_page(
    log: &mut Ahead,
    transaction: &mut PgConnection,
    schema: &str,
    projection: &dyn Projection,
    from: Position,
    target: Position,
) -> Result<Position, ProjectionError> {
    let limit = u32::try_from(target.0 - from.0).unwrap_or(PAGE_EVENTS).min(PAGE_EVENTS);
    let events = log.read(from, limit).await?;
    let Some(last) = events.last() else {
        return Err(ProjectionError::AheadOfLog { checkpoint: target, head: from });
    };
    schema::enter(transaction, schema).await?;
    projection.apply(transaction, &events).await?;
    Ok(last.position)
}

/// Drops the shadows that killed processes left: those whose lock nobody holds.
pub(crate) async fn sweep(connection: &mut PgConnection) -> Result<(), ProjectionError> {
    let schemas: Vec<String> = sqlx::query_scalar(
        "SELECT nspname::text FROM pg_namespace
         WHERE starts_with(nspname::text, 'views_build_') OR starts_with(nspname::text, 'views_verify_')",
    )
    .fetch_all(&mut *connection)
    .await?;
    for schema in schemas {
        if try_lock(connection, &schema).await? {
            tracing::info!(schema, "dropping the shadow that a killed process left");
            drop_schema(connection, &schema).await?;
            sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1, 0))")
                .bind(&schema)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

async fn try_lock(connection: &mut PgConnection, schema: &str) -> Result<bool, ProjectionError> {
    Ok(sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
        .bind(schema)
        .fetch_one(connection)
        .await?)
}

async fn drop_schema(connection: &mut PgConnection, schema: &str) -> Result<(), ProjectionError> {
    connection.execute(format!("DROP SCHEMA IF EXISTS {schema} CASCADE").as_str()).await?;
    Ok(())
}
