//! One test's own database.

use super::error::TestingError;
use super::template::{Template, run};
use super::{detached, shared};
use crate::cluster::{Attached, MAINTENANCE, process_exists};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Connections of a test's pool.
const POOL_MAX: u32 = 5;
/// How long a test may wait for a connection of its pool.
const ACQUIRE_MAX: Duration = Duration::from_secs(30);
/// How a test's database is called, before the process' number and one's own.
const PREFIX: &str = "annal_test_";
/// Advisory lock of the process that sweeps; the others need not.
const SWEEPING: i64 = 0x616e_6e61_6c02;
/// How often to look whether a dropped database's sessions have ended.
const SESSION_LOOK_EVERY: Duration = Duration::from_millis(2);
/// How many times, before the server waits itself.
const SESSION_LOOKS_MAX: u32 = 50;
/// What `CREATE DATABASE` answers when the template is not there: `invalid_catalog_name`.
const NO_TEMPLATE: &str = "3D000";

/// A database that belongs to one test, and goes when this is dropped.
///
/// When the test is killed, a later test process drops it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    cluster: &'static Attached,
    pool: PgPool,
}

impl TestDatabase {
    /// Clones the template; the first of all tests also starts the cluster and makes the template.
    ///
    /// # Errors
    /// No PostgreSQL is installed, the cluster cannot run, or the migrations fail: [`TestingError`] says which.
    pub async fn create(template: &Template) -> Result<Self, TestingError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let cluster = shared::cluster().await?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{number}", std::process::id());
        // Copies files rather than writing every page to the log as well: 14 ms against 24.
        let clone = format!("CREATE DATABASE {name} TEMPLATE {} STRATEGY FILE_COPY", template.name());
        let mut connection = PgConnection::connect_with(&cluster.connect_options(MAINTENANCE)).await?;
        match run(&mut connection, &clone).await {
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == NO_TEMPLATE) => {
                template.ensure(cluster).await?;
                run(&mut connection, &clone).await?;
            }
            cloned => cloned?,
        }
        connection.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(POOL_MAX)
            .acquire_timeout(ACQUIRE_MAX)
            .connect_lazy_with(cluster.connect_options(&name));
        Ok(Self { name, cluster, pool })
    }

    /// A pool of up to five connections; clones share them.
    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// How to connect to this database, for a pool of one's own.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.cluster.connect_options(&self.name)
    }

    /// The same as an address that `psql` and `DATABASE_URL` take.
    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let options = self.cluster.connect_options(MAINTENANCE);
        let name = &self.name;
        detached::finish("a test's database", async || {
            let mut connection = PgConnection::connect_with(&options).await?;
            remove(&mut connection, name).await?;
            connection.close().await
        });
    }
}

/// Drops the databases of test processes that are gone. One of our own number is of such a process too: this runs
/// before we make any.
pub(crate) async fn sweep(cluster: &Attached) -> Result<(), TestingError> {
    let mut connection = PgConnection::connect_with(&cluster.connect_options(MAINTENANCE)).await?;
    let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(SWEEPING)
        .fetch_one(&mut connection)
        .await?;
    if ours {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)")
                .bind(PREFIX)
                .fetch_all(&mut connection)
                .await?;
        for name in names.iter().filter(|name| is_left_over(name)) {
            remove(&mut connection, name).await?;
        }
    }
    connection.close().await?;
    Ok(())
}

/// Cuts the sessions that a test left open, then drops its database. `DROP DATABASE ... WITH (FORCE)` does both, but
/// waits in steps of 100 ms for the sessions' ends.
async fn remove(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    for _ in 0..SESSION_LOOKS_MAX {
        let open: i64 = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1",
        )
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
        if open == 0 {
            break;
        }
        tokio::time::sleep(SESSION_LOOK_EVERY).await;
    }
    run(connection, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
}

/// Whether the process that a test database is named after is gone.
fn is_left_over(name: &str) -> bool {
    let number = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()?.parse().ok());
    number.is_some_and(|pid: u32| pid == std::process::id() || !process_exists(pid))
}
