//! Building a live view again, under the eyes of its readers and beside a running projector.

use std::time::Duration;

use domain::Position;
use eventlog::EventLog;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::error::ProjectionError;
use crate::projection::catalogue;
use crate::shadow::{PAGE_EVENTS, Progress, Purpose, Shadow, apply_page, sweep};
use crate::{checkpoint, schema, stopped};

/// How often a shadow chases the live checkpoint before it makes it stand still.
const CHASES_MAX: u32 = 20;
/// How often a swap is tried when readers hold the view.
const SWAPS_MAX: u32 = 20;
/// How long a swap waits for readers. Below the server's `deadlock_timeout` (1 s), so that in a knot of
/// locks the swap gives way and never a reader.
const SWAP_LOCK_TIMEOUT: &str = "500ms";
/// Pause between two tries.
const SWAP_PAUSE: Duration = Duration::from_millis(250);

/// Builds a view again from the log and swaps it in; returns the position it stands at.
///
/// Works while projectors run, here or elsewhere, and while none does. Readers see the old rows until the
/// swap and the new ones from then on, never a missing view. The checkpoint is locked for the swap, and
/// the new tables stand exactly at it, so a running projector goes on as if nothing had happened. Only
/// when the checkpoint lies beyond the end of the log, as after a restore, does it fall back to that end;
/// the fence tells the projector. A projection that had stopped is tried again.
///
/// `progress` is called after every page of 1,000 events.
///
/// # Errors
/// [`ProjectionError::UnknownProjection`]: no such name. [`ProjectionError::Busy`]: it is being rebuilt.
/// [`ProjectionError::SwapTimedOut`]: readers held on to the view; try again. Any other: the live view is
/// as before; the shadow is dropped by the next rebuild or start.
pub async fn rebuild(
    log: &EventLog,
    name: &str,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Position, ProjectionError> {
    let projection = catalogue()
        .into_iter()
        .find(|projection| projection.name() == name)
        .ok_or(ProjectionError::UnknownProjection)?;
    let mut connection = PgConnection::connect_with(&log.pool().connect_options()).await?;
    sweep(&mut connection).await?;
    prepare(&mut connection).await?;
    schema::ensure(&mut connection, projection.as_ref()).await?;
    let mut shadow = Shadow::begin(log, projection, Purpose::Rebuild).await?;
    for _ in 0..CHASES_MAX {
        let target = target(log, &mut connection, shadow.projection.name()).await?;
        shadow.build_to(target, progress).await?;
        let moved = self::target(log, &mut connection, shadow.projection.name()).await?;
        if moved.0 - shadow.position.0 <= i64::from(PAGE_EVENTS) {
            break;
        }
    }
    connection.close().await?;
    analyze(&mut shadow).await?;
    let position = swap_with_patience(log, &mut shadow).await?;
    shadow.connection.close().await?;
    Ok(position)
}

async fn prepare(connection: &mut PgConnection) -> Result<(), ProjectionError> {
    let mut transaction = connection.begin().await?;
    checkpoint::lock_creation(&mut transaction).await?;
    stopped::create_table(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Where the live view stands; the end of the log if that comes before.
async fn target(
    log: &EventLog,
    connection: &mut PgConnection,
    name: &str,
) -> Result<Position, ProjectionError> {
    let live = checkpoint::read(connection, &[name]).await?.pop().map_or(Position::START, |(_, at)| at);
    Ok(live.min(log.head().await?))
}

/// Tells the planner what the new tables hold. Without it, readers had bad plans until autovacuum came by:
/// a page of a conversation with 300,000 messages took 69 ms instead of 0.4.
async fn analyze(shadow: &mut Shadow) -> Result<(), ProjectionError> {
    for table in shadow.projection.tables() {
        let statement = format!("ANALYZE {}.{table}", shadow.schema);
        shadow.connection.execute(statement.as_str()).await?;
    }
    Ok(())
}

async fn swap_with_patience(log: &EventLog, shadow: &mut Shadow) -> Result<Position, ProjectionError> {
    for _ in 0..SWAPS_MAX {
        match swap(log, shadow).await {
            Err(error) if error.is_of_a_lock() => tokio::time::sleep(SWAP_PAUSE).await,
            swapped => return swapped,
        }
    }
    Err(ProjectionError::SwapTimedOut)
}

/// One transaction: the checkpoint is locked, the last events are applied, the tables change places.
async fn swap(log: &EventLog, shadow: &mut Shadow) -> Result<Position, ProjectionError> {
    let projection = shadow.projection.as_ref();
    let mut transaction = shadow.connection.begin().await?;
    transaction.execute(format!("SET LOCAL lock_timeout = '{SWAP_LOCK_TIMEOUT}'").as_str()).await?;
    let live = checkpoint::lock(&mut transaction, projection.name()).await?.unwrap_or(Position::START);
    let target = live.min(log.head().await?);
    let (mut position, ahead) = (shadow.position, &mut shadow.ahead);
    while position < target {
        position = apply_page(ahead, &mut transaction, &shadow.schema, projection, position, target).await?;
    }
    let tables = projection.tables().iter().map(|table| format!("{}.{table}", schema::LIVE));
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.collect::<Vec<_>>().join(", "));
    transaction.execute(lock.as_str()).await?;
    schema::drop_tables(&mut transaction, schema::LIVE, projection).await?;
    for table in projection.tables() {
        let statement = format!("ALTER TABLE {}.{table} SET SCHEMA {}", shadow.schema, schema::LIVE);
        transaction.execute(statement.as_str()).await?;
    }
    if live != position {
        checkpoint::advance(&mut transaction, &[projection.name()], live, position).await?;
    }
    stopped::forget(&mut transaction, &[projection.name()]).await?;
    transaction.execute(format!("DROP SCHEMA {}", shadow.schema).as_str()).await?;
    transaction.commit().await?;
    Ok(position)
}
