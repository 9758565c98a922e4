//! The database cuts the log's own connections, again and again, under load.

use eventlog::LogConfig;

use crate::ground::{Ground, crowd};
use crate::history::History;
use crate::load::{Follower, Load};

/// Connections cut in the normal run.
const CUTS: usize = 40;
/// Connections cut in the long run.
const SOAK_CUTS: usize = 1_000;
/// Messages between two cuts; odd and even numbers of them take turns, so that cuts fall anywhere in a batch.
const BETWEEN: [usize; 3] = [11, 17, 5];
/// Callers at a time.
const CALLERS: usize = 12;

async fn storm(cuts: usize) {
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(LogConfig::default()).await;
    let (history, crowd) = (History::new(), crowd(&log, 3).await);
    let follower = Follower::start(&log).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "cut");
    let mut attacker = ground.connect().await;
    let mut cut = 0;
    for round in 0..cuts {
        history.more_acknowledged(BETWEEN[round % BETWEEN.len()]).await;
        // Every third time all connections for reading, too.
        let victims: &[&str] =
            if round % 3 == 2 { &["annal-writer", "annal-reader"] } else { &["annal-writer"] };
        let ended: i64 = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = ANY($1)",
        )
        .bind(victims)
        .fetch_one(&mut attacker)
        .await
        .unwrap();
        cut += ended;
    }
    history.more_acknowledged(CALLERS * 2).await;
    load.stop().await;
    println!("{cut} connections cut, {} acknowledged, {:?}", history.acknowledgements(), history.refusals());
    assert!(cut >= i64::try_from(cuts / 2).unwrap());
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_cut_under_load() {
    storm(CUTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_connections_are_cut_under_load() {
    storm(SOAK_CUTS).await;
}
