//! A migrated database, made once, of which every test gets a clone.

use super::error::TestingError;
use crate::cluster::{Attached, MAINTENANCE, short_hash};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

/// Advisory lock under which templates are made; any number that nobody else takes in the maintenance database.
const MAKING_A_TEMPLATE: i64 = 0x616e_6e61_6c01;

/// What a test's database looks like when the test begins.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    migrator: &'static Migrator,
}

impl Template {
    /// A database on which these migrations have run.
    pub const fn new(migrator: &'static Migrator) -> Self {
        Self { migrator }
    }

    /// The migrations.
    pub fn migrator(&self) -> &'static Migrator {
        self.migrator
    }

    /// The template's database: other migrations, other name, so that an old one is never mistaken for it.
    pub(crate) fn name(self) -> String {
        let versions: Vec<_> = self.migrator.iter().map(|step| step.version.to_be_bytes()).collect();
        let mut parts: Vec<&[u8]> = Vec::new();
        for (version, step) in versions.iter().zip(self.migrator.iter()) {
            parts.extend([version.as_slice(), &*step.checksum]);
        }
        format!("annal_template_{}", short_hash(&parts))
    }

    /// Makes the template unless it is there. Made under another name and renamed when whole; only one process at a
    /// time makes one, the others wait.
    pub(crate) async fn ensure(self, cluster: &Attached) -> Result<(), TestingError> {
        let name = self.name();
        let mut connection = PgConnection::connect_with(&cluster.connect_options(MAINTENANCE)).await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(MAKING_A_TEMPLATE).execute(&mut connection).await?;
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(&name)
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            let unfinished = format!("{name}_new");
            run(&mut connection, &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await?;
            run(&mut connection, &format!("CREATE DATABASE {unfinished}")).await?;
            let mut inside = PgConnection::connect_with(&cluster.connect_options(&unfinished)).await?;
            self.migrator.run(&mut inside).await?;
            inside.close().await?;
            // A session in a template would stand in the way of its cloning.
            run(&mut connection, &format!("ALTER DATABASE {unfinished} ALLOW_CONNECTIONS false")).await?;
            run(&mut connection, &format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await?;
        }
        connection.close().await?;
        Ok(())
    }
}

/// Runs a statement that takes no parameters, about databases whose names are ours.
pub(crate) async fn run(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}
