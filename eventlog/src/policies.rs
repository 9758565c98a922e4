//! How far each policy has reacted to the log.

use domain::Position;
use sqlx::{PgPool, Row as _};

use crate::error::LogError;

/// The checkpoint of one policy. It may stay behind what the policy did, never run ahead of it: whatever lies
/// above it is reacted to again after a crash.
#[derive(Clone, Debug)]
pub struct PolicyCheckpoint {
    pool: PgPool,
    policy: &'static str,
}

impl PolicyCheckpoint {
    pub(crate) fn new(pool: PgPool, policy: &'static str) -> Self {
        Self { pool, policy }
    }

    /// The position up to which the policy has reacted; the start of the log before its first time.
    pub async fn read(&self) -> Result<Position, LogError> {
        let row = sqlx::query("SELECT position FROM policies.checkpoints WHERE policy = $1")
            .bind(self.policy)
            .fetch_optional(&self.pool)
            .await?;
        row.map_or(Ok(Position::START), |row| Ok(Position(row.try_get("position")?)))
    }

    /// Moves the checkpoint, if it still stands at `from`. False means that another node runs the same policy
    /// and has moved it: read it again and go on from there.
    pub async fn advance(&self, from: Position, to: Position) -> Result<bool, LogError> {
        sqlx::query(
            "INSERT INTO policies.checkpoints (policy, position, updated_at) VALUES ($1, 0, now())
             ON CONFLICT (policy) DO NOTHING",
        )
        .bind(self.policy)
        .execute(&self.pool)
        .await?;
        let moved = sqlx::query(
            "UPDATE policies.checkpoints SET position = $3, updated_at = now()
             WHERE policy = $1 AND position = $2",
        )
        .bind(self.policy)
        .bind(from.0)
        .bind(to.0)
        .execute(&self.pool)
        .await?;
        Ok(moved.rows_affected() == 1)
    }
}
