//! How far the views are behind, and which have stopped.

use std::collections::BTreeMap;

use domain::Position;
use sqlx::PgPool;

use crate::error::ProjectionError;
use crate::projection::catalogue;
use crate::stopped;

/// One view's state.
#[derive(Clone, PartialEq, Debug)]
pub struct ViewStatus {
    /// The projection.
    pub projection: String,
    /// The last event that it holds.
    pub position: Position,
    /// Events in the log after that one.
    pub lag_events: i64,
    /// Age of the first of them in seconds, by the database's clock; zero when there is none.
    pub lag_seconds: f64,
    /// What it does.
    pub state: ViewState,
}

/// What a view does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ViewState {
    /// Goes on whenever a projector runs.
    Following,
    /// Stopped before an event that it cannot apply. Repair the cause, then restart or rebuild.
    Stopped {
        /// The event.
        at: Position,
        /// The kind of fault, without data.
        reason: String,
    },
    /// Of this build, but never built: it begins when a projector starts.
    NotBuilt,
    /// Of another build; this one neither reads nor writes it.
    Foreign,
}

#[derive(sqlx::FromRow)]
struct Row {
    projection: String,
    position: i64,
    lag_events: i64,
    lag_seconds: f64,
}

/// The state of every view of this build and of every other that has a checkpoint, by name.
///
/// # Errors
/// [`ProjectionError::Database`]: the query failed; retry.
pub async fn status(pool: &PgPool) -> Result<Vec<ViewStatus>, ProjectionError> {
    let mut names: BTreeMap<String, bool> =
        catalogue().iter().map(|projection| (projection.name().to_owned(), true)).collect();
    let mut rows = BTreeMap::new();
    for row in checkpoints(pool).await? {
        names.entry(row.projection.clone()).or_insert(false);
        rows.insert(row.projection.clone(), row);
    }
    let mut stopped = stopped_ones(pool).await?;
    let status = |(projection, ours): (String, bool)| {
        let row = rows.remove(&projection);
        let state = match (ours, &row, stopped.remove(&projection)) {
            (_, Some(_), Some((at, reason))) => ViewState::Stopped { at, reason },
            (false, _, _) => ViewState::Foreign,
            (true, None, _) => ViewState::NotBuilt,
            (true, Some(_), None) => ViewState::Following,
        };
        let (position, lag_events, lag_seconds) =
            row.map_or((0, 0, 0.0), |row| (row.position, row.lag_events, row.lag_seconds));
        ViewStatus { projection, position: Position(position), lag_events, lag_seconds, state }
    };
    Ok(names.into_iter().map(status).collect())
}

async fn checkpoints(pool: &PgPool) -> Result<Vec<Row>, ProjectionError> {
    Ok(sqlx::query_as(
        "SELECT known.projection, known.position,
                greatest(coalesce(head.position, 0) - known.position, 0) AS lag_events,
                coalesce(greatest(extract(epoch FROM clock_timestamp() - next.recorded_at), 0), 0)::float8
                    AS lag_seconds
         FROM views.checkpoints AS known
         LEFT JOIN (SELECT position FROM events ORDER BY position DESC LIMIT 1) AS head ON true
         LEFT JOIN events AS next ON next.position = known.position + 1",
    )
    .fetch_all(pool)
    .await?)
}

async fn stopped_ones(pool: &PgPool) -> Result<BTreeMap<String, (Position, String)>, ProjectionError> {
    let mut connection = pool.acquire().await?;
    if !stopped::table_exists(&mut connection).await? {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, i64, String)> =
        sqlx::query_as("SELECT projection, position, reason FROM views.stopped_projections")
            .fetch_all(&mut *connection)
            .await?;
    Ok(rows.into_iter().map(|(name, at, reason)| (name, (Position(at), reason))).collect())
}
