//! Projections that stopped at a poison event: bookkeeping in the database, so that every process sees it.

use domain::Position;
use sqlx::{Executor as _, PgConnection};

use crate::error::ProjectionError;

/// Makes the table. The caller holds the lock under which tables are made.
pub(crate) async fn create_table(connection: &mut PgConnection) -> Result<(), ProjectionError> {
    connection
        .execute(
            "CREATE TABLE IF NOT EXISTS views.stopped_projections (
                 projection text        NOT NULL PRIMARY KEY,
                 position   bigint      NOT NULL,
                 reason     text        NOT NULL,
                 stopped_at timestamptz NOT NULL
             )",
        )
        .await?;
    Ok(())
}

/// Notes that a projection stopped before this position. `reason` holds no data of the event.
pub(crate) async fn note(
    connection: &mut PgConnection,
    projection: &str,
    position: Position,
    reason: &str,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO views.stopped_projections (projection, position, reason, stopped_at)
         VALUES ($1, $2, $3, now())
         ON CONFLICT (projection) DO UPDATE SET position = $2, reason = $3, stopped_at = now()",
    )
    .bind(projection)
    .bind(position.0)
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets that these projections had stopped, because they are tried again or were rebuilt.
pub(crate) async fn forget(
    connection: &mut PgConnection,
    projections: &[&str],
) -> Result<(), ProjectionError> {
    sqlx::query("DELETE FROM views.stopped_projections WHERE projection = ANY($1)")
        .bind(projections)
        .execute(connection)
        .await?;
    Ok(())
}

/// The names of all that stopped.
pub(crate) async fn names(connection: &mut PgConnection) -> Result<Vec<String>, ProjectionError> {
    Ok(sqlx::query_scalar("SELECT projection FROM views.stopped_projections").fetch_all(connection).await?)
}

/// Whether the table is there; it is not before the first projector ran.
pub(crate) async fn table_exists(connection: &mut PgConnection) -> Result<bool, ProjectionError> {
    Ok(sqlx::query_scalar("SELECT to_regclass('views.stopped_projections') IS NOT NULL")
        .fetch_one(connection)
        .await?)
}
