//! A dump, taken under load, is restored into a new cluster: an earlier moment, and a new epoch.

use std::path::PathBuf;

use domain::Position;
use eventlog::testing::PrivateCluster;
use eventlog::{EventLog, LogConfig, SystemClock, begin_epoch};
use sqlx::PgConnection;
use tokio::process::Command;

use crate::ground::{Ground, crowd};
use crate::history::{History, dense};
use crate::load::{Follower, Load};

/// Callers at a time.
const CALLERS: usize = 8;
/// The restored database's name.
const DATABASE: &str = "restored";
/// Dumps of the log: without keys and credentials, whose dumps are kept apart, and for a shorter time.
const LOG: [&str; 2] = ["--exclude-schema=keys", "--exclude-schema=credentials"];
/// Dumped after the log, so that no key of its events is missing.
const SECRETS: [&str; 2] = ["--schema=keys", "--schema=credentials"];

/// The programs that belong to the server.
async fn program(connection: &mut PgConnection, name: &str) -> PathBuf {
    let folder: String = sqlx::query_scalar("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        .fetch_one(connection)
        .await
        .unwrap();
    PathBuf::from(folder).join(name)
}

async fn dump(pg_dump: &PathBuf, ground: &Ground, what: &[&str]) -> Vec<u8> {
    let output = Command::new(pg_dump).args(what).arg(ground.url()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

async fn restore(psql: &PathBuf, ground: &Ground, dump: &[u8]) {
    let file = std::env::temp_dir().join(format!("annal-dump-{}.sql", std::process::id()));
    std::fs::write(&file, dump).unwrap();
    let mut command = Command::new(psql);
    command.args(["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--file"]);
    let output = command.arg(&file).arg(ground.url()).output().await.unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The two logs hold the same bytes up to a position.
async fn same_bytes(one: &EventLog, other: &EventLog, until: Position) {
    let mut after = Position::START;
    while after < until {
        let limit = u32::try_from(until.0 - after.0).unwrap().min(1_000);
        let page = one.read_stored(after, limit).await.unwrap();
        assert_eq!(page, other.read_stored(after, limit).await.unwrap());
        after = page.last().unwrap().position;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_log_is_an_earlier_moment_and_a_new_epoch() {
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(LogConfig::default()).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let mut attacker = ground.connect().await;
    let (pg_dump, psql) = (program(&mut attacker, "pg_dump").await, program(&mut attacker, "psql").await);
    let load = Load::start(&log, &crowd, CALLERS, &history, "before");
    history.more_acknowledged(CALLERS * 8).await;
    let log_dump = dump(&pg_dump, &ground, &LOG).await;
    history.more_acknowledged(CALLERS * 8).await;
    let secrets_dump = dump(&pg_dump, &ground, &SECRETS).await;
    load.stop().await;
    let text = String::from_utf8(log_dump.clone()).unwrap();
    assert!(!text.contains("wrapped") && !text.contains("argon2"), "a dump of the log holds no secrets");

    let cluster = PrivateCluster::start().await.unwrap();
    cluster.cluster().unwrap().ensure_database(DATABASE).await.unwrap();
    let restored = ground.moved_to(cluster.cluster().unwrap().url(DATABASE));
    restore(&psql, &restored, &log_dump).await;
    restore(&psql, &restored, &secrets_dump).await;
    eventlog::migrate(&restored.options()).await.unwrap();
    let epoch = begin_epoch(&restored.options(), &SystemClock).await.unwrap();

    let (again, again_tasks) = restored.open(LogConfig::default()).await;
    assert_ne!(again.epoch(), log.epoch(), "clients learn that positions mean something else");
    assert_eq!(again.epoch(), epoch.id);
    let head = again.head().await.unwrap();
    assert_eq!(epoch.after, head);
    assert!(Position::START < head && head < log.head().await.unwrap());
    same_bytes(&log, &again, head).await;
    // What was acknowledged by then is there; what came later is not, and is done again by the same keys.
    let earlier = history.up_to(head);
    let lost = history.acknowledgements() - earlier.acknowledgements();
    assert!(lost > 0);
    earlier.agrees(&again).await;
    let follower = Follower::start(&again).await;
    let load = Load::start(&again, &crowd, CALLERS, &earlier, "after");
    earlier.more_acknowledged(CALLERS * 4).await;
    load.stop().await;
    earlier.settles(&again).await;
    follower.heard_all(&again).await;
    println!("{lost} messages after the dump, {} events after the restore", dense(&again).await.len());
    // The old one knows nothing of it.
    history.settles(&log).await;
    for tasks in [tasks, again_tasks] {
        tasks.close().await;
    }
    again.pool().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_begins_where_the_log_ends_whatever_the_clock_says() {
    use chrono::{TimeZone as _, Utc};
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(LogConfig::default()).await;
    crowd(&log, 1).await;
    let long_ago = eventlog::StoppedClock::at(Utc.with_ymd_and_hms(2000, 1, 1, 0, 0, 0).unwrap());
    let one = begin_epoch(&ground.options(), &long_ago).await.unwrap();
    let two = begin_epoch(&ground.options(), &long_ago).await.unwrap();
    assert_eq!((one.after, two.after), (log.head().await.unwrap(), log.head().await.unwrap()));
    let (again, again_tasks) = ground.open(LogConfig::default()).await;
    assert_eq!(again.epoch(), two.id);
    for tasks in [tasks, again_tasks] {
        tasks.close().await;
    }
}
