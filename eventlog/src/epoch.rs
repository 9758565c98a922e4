//! The log's epochs: what a position means. A restore to an earlier moment gives the positions behind it
//! another meaning, so it begins a new epoch, which clients learn when they connect.

use domain::Position;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, Row as _};
use uuid::Uuid;

use crate::error::LogError;
use crate::fresh::{Clock, new_uuid};
use crate::writer::APPEND_LOCK;

/// An epoch of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Epoch {
    /// Its name.
    pub id: Uuid,
    /// Where it began: positions up to this one mean what they meant before.
    pub after: Position,
}

/// Begins a new epoch at the end of the log; for a log that was restored to an earlier moment.
///
/// Stop every node before: a running one keeps the epoch, the aggregates and the head that it knows.
/// Snapshots of what is no longer in the log are dropped, and policies react to the whole log again, so that
/// a key that came back with an old copy is destroyed anew. Views that stand beyond the end must be built
/// again, by those who know them.
///
/// # Errors
/// [`LogError::Database`]: nothing was changed; try again.
pub async fn begin_epoch(options: &PgConnectOptions, clock: &dyn Clock) -> Result<Epoch, LogError> {
    let mut connection = options.connect().await?;
    let mut transaction = connection.begin().await?;
    lock(&mut transaction).await?;
    let after: i64 = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM events")
        .fetch_one(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM snapshots WHERE position > $1").bind(after).execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM policies.checkpoints").execute(&mut *transaction).await?;
    let epoch = insert(&mut transaction, Position(after), clock).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(epoch)
}

/// The newest epoch; the first start begins the first one.
pub(crate) async fn current(pool: &PgPool, clock: &dyn Clock) -> Result<Uuid, LogError> {
    if let Some(epoch) = newest(&mut *pool.acquire().await?).await? {
        return Ok(epoch);
    }
    // Two nodes that start for the first time at once agree on one.
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let epoch = match newest(&mut transaction).await? {
        Some(epoch) => epoch,
        None => insert(&mut transaction, Position::START, clock).await?.id,
    };
    transaction.commit().await?;
    Ok(epoch)
}

/// Appends wait, and so do others who begin an epoch.
async fn lock(connection: &mut PgConnection) -> Result<(), LogError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(APPEND_LOCK).execute(connection).await?;
    Ok(())
}

async fn newest(connection: &mut PgConnection) -> Result<Option<Uuid>, LogError> {
    let row = sqlx::query("SELECT epoch FROM log_epochs ORDER BY started_at DESC, epoch DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(row.try_get("epoch")?)).transpose()
}

/// The newest one is the one that began last, so its time never lies before another's, whatever the clock
/// of this machine says.
async fn insert(
    connection: &mut PgConnection,
    after: Position,
    clock: &dyn Clock,
) -> Result<Epoch, LogError> {
    let id = new_uuid();
    sqlx::query(
        "INSERT INTO log_epochs (epoch, after_position, started_at)
         SELECT $1, $2, greatest($3, max(started_at) + interval '1 microsecond') FROM log_epochs",
    )
    .bind(id)
    .bind(after.0)
    .bind(clock.now())
    .execute(connection)
    .await?;
    Ok(Epoch { id, after })
}
