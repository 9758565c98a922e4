//! The tables that hold secrets: changed only within an append, read when somebody signs in or calls.

use chrono::{DateTime, Utc};
use domain::credential::{CredentialChange, PasswordHash, TokenHash};
use domain::{AccountId, SessionId};
use sqlx::postgres::PgConnection;
use sqlx::{PgPool, Row as _};

use crate::error::LogError;

/// Who a token lets its bearer act as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bearer {
    /// The account.
    pub account: AccountId,
    /// The device's session.
    pub session: SessionId,
    /// The moment from which the token is worth nothing.
    pub expires_at: DateTime<Utc>,
}

/// Reads secrets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Credentials {
    pool: PgPool,
}

impl Credentials {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The password hash of an account; none when it never had a password. One look-up by key.
    pub async fn password(&self, account: AccountId) -> Result<Option<PasswordHash>, LogError> {
        let row = sqlx::query("SELECT hash FROM credentials.passwords WHERE account = $1")
            .bind(account.0)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(PasswordHash(row.try_get("hash")?))).transpose()
    }

    /// Whether a session has not been ended; it may be past its time. One look-up by key.
    pub async fn holds(&self, session: SessionId) -> Result<bool, LogError> {
        let row = sqlx::query("SELECT 1 FROM credentials.sessions WHERE session = $1")
            .bind(session.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Who holds the token with this hash; none when it is unknown or worth nothing at `now`.
    pub async fn bearer(&self, token: &TokenHash, now: DateTime<Utc>) -> Result<Option<Bearer>, LogError> {
        let row = sqlx::query(
            "SELECT account, session, expires_at FROM credentials.sessions
             WHERE token_hash = $1 AND expires_at > $2",
        )
        .bind(token.0.as_slice())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(Bearer {
                account: AccountId(row.try_get("account")?),
                session: SessionId(row.try_get("session")?),
                expires_at: row.try_get("expires_at")?,
            })
        })
        .transpose()
    }
}

/// Carries out one change in the transaction of its append.
pub(crate) async fn apply(connection: &mut PgConnection, change: &CredentialChange) -> Result<(), LogError> {
    match change {
        CredentialChange::SetPassword { account, hash } => {
            sqlx::query(
                "INSERT INTO credentials.passwords (account, hash) VALUES ($1, $2)
                 ON CONFLICT (account) DO UPDATE SET hash = excluded.hash",
            )
            .bind(account.0)
            .bind(&hash.0)
            .execute(connection)
            .await?;
        }
        CredentialChange::AddSession { session, account, token, expires_at } => {
            sqlx::query(
                "INSERT INTO credentials.sessions (session, account, token_hash, expires_at)
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(session.0)
            .bind(account.0)
            .bind(token.0.as_slice())
            .bind(expires_at)
            .execute(connection)
            .await?;
        }
        CredentialChange::EndSession { session } => {
            sqlx::query("DELETE FROM credentials.sessions WHERE session = $1")
                .bind(session.0)
                .execute(connection)
                .await?;
        }
        CredentialChange::EndAllSessions { account } => {
            sqlx::query("DELETE FROM credentials.sessions WHERE account = $1")
                .bind(account.0)
                .execute(connection)
                .await?;
        }
        CredentialChange::RemovePassword { account } => {
            sqlx::query("DELETE FROM credentials.passwords WHERE account = $1")
                .bind(account.0)
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}
