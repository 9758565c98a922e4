//! Every test gets a database of its own, fast, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use eventlog::testing::{PrivateCluster, Template, TestDatabase};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection, PgConnection};
use std::borrow::Cow;
use std::sync::LazyLock;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| Migrator {
    migrations: Cow::Owned(vec![Migration::new(
        1,
        Cow::Borrowed("notes"),
        MigrationType::Simple,
        Cow::Borrowed("CREATE TABLE notes (note text NOT NULL)"),
        false,
    )]),
    ..Migrator::DEFAULT
});

fn template() -> Template {
    Template::new(&MIGRATOR)
}

async fn write(database: &TestDatabase, note: &str) {
    sqlx::query("INSERT INTO notes VALUES ($1)").bind(note).execute(&database.pool()).await.unwrap();
}

async fn notes(database: &TestDatabase) -> Vec<String> {
    sqlx::query_scalar("SELECT note FROM notes").fetch_all(&database.pool()).await.unwrap()
}

#[tokio::test]
async fn databases_are_migrated_and_apart() {
    let template = template();
    let (one, other) = tokio::join!(TestDatabase::create(&template), TestDatabase::create(&template));
    let (one, other) = (one.unwrap(), other.unwrap());
    write(&one, "mine").await;
    assert_eq!((notes(&one).await, notes(&other).await), (vec!["mine".to_owned()], vec![]));
}

#[tokio::test]
async fn a_dropped_database_is_gone_although_sessions_are_open() {
    let database = TestDatabase::create(&template()).await.unwrap();
    let (address, pool) = (database.url(), database.pool());
    let _session = pool.acquire().await.unwrap();
    drop(database);
    let error = PgConnection::connect(&address).await.unwrap_err();
    let code = error.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
    assert_eq!(code.as_deref(), Some("3D000"), "{error}");
}

#[tokio::test]
async fn a_durable_cluster_keeps_its_commits_when_its_server_is_killed() {
    let mut private = PrivateCluster::start().await.unwrap();
    let folder = private.cluster().unwrap().data().to_owned();
    let options = private.database("crashed", &template()).await.unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query("INSERT INTO notes VALUES ('kept')").execute(&mut connection).await.unwrap();
    private.kill_server().await.unwrap();
    private.restart().await.unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let kept: String = sqlx::query_scalar("SELECT note FROM notes").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, "kept");
    drop(private);
    assert!(!folder.exists());
}
