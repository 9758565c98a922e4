//! Looking receipts up.

use domain::Position;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use super::batch::{Earlier, Found};
use super::request::Receipt;
use crate::error::LogError;

/// Looks up the receipts of a batch.
pub(super) async fn find(
    connection: &mut PgConnection,
    receipts: &[&Receipt],
    found: &mut Found<'_>,
) -> Result<(), LogError> {
    let actors: Vec<&str> = receipts.iter().map(|receipt| receipt.actor.as_str()).collect();
    let keys: Vec<uuid::Uuid> = receipts.iter().map(|receipt| receipt.key.0).collect();
    let rows = sqlx::query(
        "SELECT stored.* FROM unnest($1::text[], $2::uuid[]) AS wanted (actor, key)
         CROSS JOIN LATERAL (
             SELECT * FROM receipts WHERE actor = wanted.actor AND key = wanted.key
         ) AS stored",
    )
    .bind(&actors)
    .bind(&keys)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let hash: Vec<u8> = row.try_get("input_hash")?;
        let earlier = Earlier {
            // One of another length fits no input.
            input_hash: hash.try_into().unwrap_or_default(),
            first: row.try_get::<Option<i64>, _>("first_position")?.map(Position),
            last: Position(row.try_get("last_position")?),
        };
        found.receipts.insert((row.try_get("actor")?, row.try_get("key")?), earlier);
    }
    Ok(())
}
