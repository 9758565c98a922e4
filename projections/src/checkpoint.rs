//! How far each projection has read the log.

use domain::Position;
use sqlx::PgConnection;

use crate::error::ProjectionError;

/// Advisory lock under which tables and checkpoints are made; any number that nobody else takes.
const CREATION: i64 = 0x616e_6e61_6c10;

/// Waits until no other node makes tables; until the transaction ends.
pub(crate) async fn lock_creation(connection: &mut PgConnection) -> Result<(), ProjectionError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(CREATION).execute(connection).await?;
    Ok(())
}

/// The checkpoints of those of these projections that have one.
pub(crate) async fn read(
    connection: &mut PgConnection,
    projections: &[&str],
) -> Result<Vec<(String, Position)>, ProjectionError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT projection, position FROM views.checkpoints WHERE projection = ANY($1)")
            .bind(projections)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(name, position)| (name, Position(position))).collect())
}

/// The checkpoint of one projection; its row stays locked until the transaction ends, so that the
/// projection stands still.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    projection: &str,
) -> Result<Option<Position>, ProjectionError> {
    let position: Option<i64> =
        sqlx::query_scalar("SELECT position FROM views.checkpoints WHERE projection = $1 FOR UPDATE")
            .bind(projection)
            .fetch_optional(connection)
            .await?;
    Ok(position.map(Position))
}

/// Begins a projection anew, before the first event.
pub(crate) async fn reset(connection: &mut PgConnection, projection: &str) -> Result<(), ProjectionError> {
    sqlx::query(
        "INSERT INTO views.checkpoints (projection, position, updated_at) VALUES ($1, 0, now())
         ON CONFLICT (projection) DO UPDATE SET position = 0, updated_at = now()",
    )
    .bind(projection)
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the checkpoints of these projections, all of them from the same position to the same. The fence
/// against a second leader: it is the first statement of a transaction, and waits for any other that
/// moves them.
///
/// # Errors
/// [`ProjectionError::Fenced`]: not all of them stand at `from`. Undo the transaction.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    projections: &[&str],
    from: Position,
    to: Position,
) -> Result<(), ProjectionError> {
    let moved = sqlx::query(
        "UPDATE views.checkpoints SET position = $3, updated_at = now()
         WHERE projection = ANY($1) AND position = $2",
    )
    .bind(projections)
    .bind(from.0)
    .bind(to.0)
    .execute(connection)
    .await?
    .rows_affected();
    if moved == projections.len() as u64 { Ok(()) } else { Err(ProjectionError::Fenced) }
}
