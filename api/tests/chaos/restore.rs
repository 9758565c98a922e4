//! A restore to an earlier moment, the way an operator does it: dumps, a new database, `annal epoch begin`.

use std::path::{Path, PathBuf};
use std::process::Output;

use eventlog::testing::{PrivateCluster, Template};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use tokio::process::Command;
use tokio::sync::watch;

use crate::annal::Installation;
use crate::storm::Storm;

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// The log without secrets, and without views, which can be built again.
const LOG: [&str; 3] = ["--exclude-schema=keys", "--exclude-schema=credentials", "--exclude-schema=views"];
/// Dumped later than the log: the views stand beyond its end, and no key is missing.
const LATER: [&str; 3] = ["--schema=keys", "--schema=credentials", "--schema=views"];

fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

/// The programs that belong to the server.
struct Programs(PathBuf);

impl Programs {
    async fn of(cluster: &PrivateCluster) -> Self {
        let options = cluster.cluster().unwrap().connect_options("postgres");
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        let folder: String = sqlx::query_scalar("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        Self(PathBuf::from(folder))
    }

    async fn dump(&self, url: &str, what: &[&str], file: &Path) {
        let mut command = Command::new(self.0.join("pg_dump"));
        said(&command.args(what).arg("--file").arg(file).arg(url).output().await.unwrap());
    }

    async fn restore(&self, url: &str, file: &Path) {
        let mut command = Command::new(self.0.join("psql"));
        command.args(["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--file"]);
        said(&command.arg(file).arg(url).output().await.unwrap());
    }
}

/// `annal epoch ...` on a database, with the master key of an installation.
async fn epoch(installation: &Installation, url: &str, what: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_annal"));
    command.args(["epoch", what]).env("DATABASE_URL", url).env("ANNAL_DATA", installation.folder.path());
    command.env("ANNAL_MASTER_KEY_FILE", installation.folder.path().join("master.key"));
    said(&command.output().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_server_begins_an_epoch_and_goes_on_where_the_dump_was() {
    let cluster = PrivateCluster::start().await.unwrap();
    cluster.database("before", &TEMPLATE).await.unwrap();
    let old_url = cluster.cluster().unwrap().url("before");
    let old = Installation::new(Some(old_url.clone()));
    let (log_file, later_file) = (old.folder.path().join("log.sql"), old.folder.path().join("later.sql"));
    let programs = Programs::of(&cluster).await;

    let server = old.serve().await;
    let (_url, urls) = watch::channel(server.graphql());
    let mut storm = Storm::begin(&server.graphql(), &urls).await;
    storm.more_acknowledged(60).await;
    programs.dump(&old_url, &LOG, &log_file).await;
    storm.more_acknowledged(60).await;
    storm.end().await;
    storm.settles(&server.graphql()).await;
    programs.dump(&old_url, &LATER, &later_file).await;
    let before = storm.ann.ask(&server.graphql(), "{ log { epoch position } }", json!({})).await.unwrap();
    server.stop().await;

    let new_cluster = PrivateCluster::start().await.unwrap();
    new_cluster.cluster().unwrap().ensure_database("after").await.unwrap();
    let new_url = new_cluster.cluster().unwrap().url("after");
    programs.restore(&new_url, &log_file).await;
    programs.restore(&new_url, &later_file).await;
    let begun = epoch(&old, &new_url, "begin").await;
    let head: i64 =
        begun.split_once("after position ").unwrap().1.split('.').next().unwrap().parse().unwrap();

    let restored = Installation::new(Some(new_url.clone()));
    let key = |installation: &Installation| installation.folder.path().join("master.key");
    std::fs::copy(key(&old), key(&restored)).unwrap();
    let server = restored.serve().await;
    let after = storm.ann.ask(&server.graphql(), "{ log { epoch position } }", json!({})).await.unwrap();
    assert_ne!(after["log"]["epoch"], before["log"]["epoch"], "clients learn it when they connect");
    assert_eq!(after["log"]["position"], json!(head.to_string()), "the views were built again");
    assert!(epoch(&restored, &new_url, "show").await.contains(after["log"]["epoch"].as_str().unwrap()));
    let lost = storm.is_back_at(head);
    println!("{lost} messages were said after the dump; {}", begun.trim());
    assert!(lost > 0);
    storm.settles(&server.graphql()).await;
    restored.views_equal_their_rebuild().await;
    server.stop().await;
}
