//! How one reaches a cluster's databases: through its socket, by options or by address.

use super::SUPERUSER;
use super::error::ClusterError;
use super::layout::Layout;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, PgConnection};
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// The database that every cluster has.
pub(crate) const MAINTENANCE: &str = "postgres";
/// How long a question whether the server is there may take.
const PROBE_MAX: Duration = Duration::from_secs(5);
/// Longest name in bytes that PostgreSQL keeps whole.
const NAME_BYTES_MAX: usize = 63;
/// What simultaneous creations of one database answer to all but the first: `duplicate_database`, or
/// `unique_violation` when they met later.
const EXISTS_ALREADY: [&str; 2] = ["42P04", "23505"];

/// Options for a database of this cluster. Everything is set: `PG*` variables of the caller must not lead elsewhere.
pub(crate) fn options(layout: &Layout, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(&layout.socket)
        .port(5432)
        .username(SUPERUSER)
        .password("")
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

/// The same as an address. The socket's path needs no quoting: [`Layout`] sees to that.
pub(crate) fn url(layout: &Layout, database: &str) -> String {
    format!(
        "postgresql:///{database}?host={}&port=5432&user={SUPERUSER}&sslmode=disable",
        layout.socket.display()
    )
}

/// Whether the server of this very cluster answers at its socket.
pub(crate) async fn answers(layout: &Layout) -> bool {
    let asked = timeout(PROBE_MAX, async {
        let mut connection = PgConnection::connect_with(&options(layout, MAINTENANCE)).await?;
        let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(folder)
    });
    match asked.await {
        Ok(Ok(folder)) => Path::new(&folder) == layout.pgdata,
        Ok(Err(error)) => {
            tracing::debug!(%error, "PostgreSQL does not answer yet");
            false
        }
        Err(_) => false,
    }
}

/// Makes a database unless it is there.
pub(crate) async fn ensure_database(layout: &Layout, name: &str) -> Result<(), ClusterError> {
    check_name(name)?;
    let mut connection = PgConnection::connect_with(&options(layout, MAINTENANCE)).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        match sqlx::query(&format!("CREATE DATABASE {name}")).execute(&mut connection).await {
            Err(sqlx::Error::Database(error))
                if error.code().is_some_and(|code| EXISTS_ALREADY.contains(&&*code)) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
    }
    connection.close().await?;
    Ok(())
}

/// Lets only names through that mean the same quoted and unquoted.
pub(crate) fn check_name(name: &str) -> Result<(), ClusterError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if begins_well && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(ClusterError::BadDatabaseName { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_database_names_pass() {
        for good in ["annal", "annal_test_1_2", &"a".repeat(63)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "_a", "Annal", "a-b", "a\"; DROP DATABASE b", "ä", &"a".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
