//! Where the tables of projections are made, and which of them are there.

use sqlx::{Executor as _, PgConnection};

use crate::checkpoint;
use crate::error::ProjectionError;
use crate::projection::Projection;

/// The schema of the live views.
pub(crate) const LIVE: &str = "views";

/// Lets unqualified names mean tables of this schema, until the transaction ends.
pub(crate) async fn enter(connection: &mut PgConnection, schema: &str) -> Result<(), ProjectionError> {
    let statement = format!("SET LOCAL search_path TO {schema}");
    connection.execute(statement.as_str()).await?;
    Ok(())
}

/// Makes the tables of a projection in the schema that was entered.
pub(crate) async fn create_tables(
    connection: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<(), ProjectionError> {
    connection.execute(projection.create_sql()).await?;
    Ok(())
}

/// Drops the tables of a projection, as far as they are there.
pub(crate) async fn drop_tables(
    connection: &mut PgConnection,
    schema: &str,
    projection: &dyn Projection,
) -> Result<(), ProjectionError> {
    for table in projection.tables() {
        let statement = format!("DROP TABLE IF EXISTS {schema}.{table}");
        connection.execute(statement.as_str()).await?;
    }
    Ok(())
}

/// Makes what a projection lacks: a checkpoint at zero and its tables. One transaction; a projection whose
/// tables and checkpoint are there stays as it is. Safe to call from several nodes at once.
pub(crate) async fn ensure(
    connection: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<(), ProjectionError> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    checkpoint::lock_creation(&mut transaction).await?;
    let known = checkpoint::read(&mut transaction, &[projection.name()]).await?;
    if known.is_empty() || !tables_exist(&mut transaction, projection).await? {
        tracing::info!(projection = projection.name(), "making the tables of a projection");
        drop_tables(&mut transaction, LIVE, projection).await?;
        enter(&mut transaction, LIVE).await?;
        create_tables(&mut transaction, projection).await?;
        checkpoint::reset(&mut transaction, projection.name()).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn tables_exist(
    connection: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<bool, ProjectionError> {
    let missing: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM unnest($1::text[]) AS wanted (name)
         WHERE to_regclass('views.' || wanted.name) IS NULL",
    )
    .bind(projection.tables())
    .fetch_one(connection)
    .await?;
    Ok(missing == 0)
}
