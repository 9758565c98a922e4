//! Proving that live views are what the log says.

use std::sync::Arc;

use domain::Position;
use eventlog::EventLog;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::error::ProjectionError;
use crate::projection::{Projection, catalogue};
use crate::shadow::{Progress, Purpose, Shadow, sweep};
use crate::{checkpoint, schema};

/// What comparing a view with the log came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The projection.
    pub projection: &'static str,
    /// The position at which both were compared.
    pub position: Position,
    /// Whether every table holds the same rows.
    pub equal: bool,
    /// The tables that do not.
    pub differing_tables: Vec<&'static str>,
}

/// The rows of a table in any order: how many, and the sum of their hashes.
type Fingerprint = (i64, String);

/// Builds every view of this build in a shadow up to the position of the live one and compares the rows,
/// while projectors run. A view that was never built is left out.
///
/// The rows are compared by their number and the sum of 64-bit hashes: good against faults, no proof
/// against somebody who makes hashes collide. The live hashes and the checkpoint come from one snapshot.
///
/// # Errors
/// [`ProjectionError::Busy`]: another process verifies. [`ProjectionError::AheadOfLog`]: a checkpoint lies
/// beyond the end of the log; rebuild that view.
pub async fn verify(
    log: &EventLog,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<Verdict>, ProjectionError> {
    let mut connection = PgConnection::connect_with(&log.pool().connect_options()).await?;
    sweep(&mut connection).await?;
    let mut verdicts = vec![];
    for projection in catalogue() {
        if let Some((position, live)) = live_fingerprints(&mut connection, projection.as_ref()).await? {
            verdicts.push(compare(log, projection, position, &live, progress).await?);
        }
    }
    connection.close().await?;
    Ok(verdicts)
}

async fn compare(
    log: &EventLog,
    projection: Arc<dyn Projection>,
    position: Position,
    live: &[Fingerprint],
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Verdict, ProjectionError> {
    let mut shadow = Shadow::begin(log, projection.clone(), Purpose::Verify).await?;
    let built = match shadow.build_to(position, progress).await {
        Ok(()) => fingerprints(&mut shadow.connection, &shadow.schema, projection.as_ref()).await,
        Err(error) => Err(error),
    };
    shadow.discard().await?;
    let built = built?;
    let pairs = projection.tables().iter().zip(live.iter().zip(&built));
    let differing_tables: Vec<_> =
        pairs.filter(|(_, (live, built))| live != built).map(|(table, _)| *table).collect();
    let equal = differing_tables.is_empty();
    Ok(Verdict { projection: projection.name(), position, equal, differing_tables })
}

/// The checkpoint of a live view and what its tables hold there; none when it was never built.
async fn live_fingerprints(
    connection: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<Option<(Position, Vec<Fingerprint>)>, ProjectionError> {
    let mut transaction = connection.begin().await?;
    transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    let known = checkpoint::read(&mut transaction, &[projection.name()]).await?.pop();
    let live = match known {
        Some((_, position)) => {
            Some((position, fingerprints(&mut transaction, schema::LIVE, projection).await?))
        }
        None => None,
    };
    transaction.commit().await?;
    Ok(live)
}

async fn fingerprints(
    connection: &mut PgConnection,
    schema: &str,
    projection: &dyn Projection,
) -> Result<Vec<Fingerprint>, ProjectionError> {
    let mut fingerprints = vec![];
    for table in projection.tables() {
        let statement = format!(
            "SELECT count(*), coalesce(sum(hashtextextended(whole::text, 0)::numeric), 0)::text
             FROM {schema}.{table} AS whole"
        );
        fingerprints.push(sqlx::query_as(&statement).fetch_one(&mut *connection).await?);
    }
    Ok(fingerprints)
}
