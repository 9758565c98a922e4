//! The lock that orders all appends is held by somebody who does nothing: a foreign session, and a process
//! of ours that was stopped in the middle of a batch.

use std::time::Duration;

use eventlog::LogConfig;
use eventlog::testing::APPEND_LOCK;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};

use crate::ground::{Ground, crowd};
use crate::history::History;
use crate::load::{Follower, Load, eventually};
use crate::process::{Orders, Other, impatient};

/// Times that a process is frozen in the normal run.
const FREEZES: usize = 2;
/// Times that a process is frozen in the long run.
const SOAK_FREEZES: usize = 100;
/// Times that a session of the database is frozen.
const SESSIONS: usize = 3;
/// Writers give up on the lock, and the database on a frozen writer, after so many milliseconds.
const PATIENCE_MS: u64 = 400;
/// Callers at a time, in each process.
const CALLERS: usize = 8;
/// A transaction that asked nothing for so long belongs to a frozen process.
const FROZEN_AFTER: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_lock_delays_appends_and_harms_none() {
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(impatient(100)).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let follower = Follower::start(&log).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "held");
    history.more_acknowledged(CALLERS * 4).await;
    let mut attacker = ground.connect().await;
    let mut holding = attacker.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(APPEND_LOCK).execute(&mut *holding).await.unwrap();
    let head = log.head().await.unwrap();
    // Every caller is told to try again; nobody is told anything else, and nothing is appended.
    history.more_refused(CALLERS).await;
    assert_eq!(log.head().await.unwrap(), head);
    holding.commit().await.unwrap();
    history.more_acknowledged(CALLERS * 4).await;
    load.stop().await;
    println!("{} acknowledged, {:?}", history.acknowledgements(), history.refusals());
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
}

/// The session that holds the lock while its client asks nothing of it; with the begin of its transaction.
async fn idle_holder(attacker: &mut PgConnection) -> Option<(i32, String)> {
    sqlx::query_as(
        "SELECT pid, state_change::text FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND state = 'idle in transaction'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (classid::bigint << 32) | objid::bigint = $1",
    )
    .bind(APPEND_LOCK)
    .fetch_optional(attacker)
    .await
    .unwrap()
}

/// The session of the writer is frozen on the side of PostgreSQL: nothing answers, nothing fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_session_of_the_database_is_given_up() {
    let (_database, ground) = Ground::shared().await;
    let config = LogConfig { statement_timeout: Duration::from_millis(200), ..impatient(200) };
    let (log, tasks) = ground.open(config).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let follower = Follower::start(&log).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "session");
    for _ in 0..SESSIONS {
        history.more_acknowledged(CALLERS * 2).await;
        let writer: i32 = eventually("the writer is connected", async || {
            sqlx::query_scalar(
                "SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'annal-writer'",
            )
            .fetch_optional(&mut ground.connect().await)
            .await
            .unwrap()
        })
        .await;
        let writer = Pid::from_raw(writer).unwrap();
        kill_process(writer, Signal::STOP).unwrap();
        // It has the lock, and nobody can append, or it has not, and the writer goes on without it.
        tokio::select! {
            () = history.more_refused(CALLERS) => {}
            () = history.more_acknowledged(CALLERS * 2) => {}
        }
        kill_process(writer, Signal::CONT).unwrap();
    }
    history.more_acknowledged(CALLERS * 2).await;
    load.stop().await;
    println!("{} acknowledged, {:?}", history.acknowledgements(), history.refusals());
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
}

/// Stops the process again and again until it holds the lock when it stops.
async fn freeze_in_a_batch(other: &Other, attacker: &mut PgConnection) {
    eventually("it freezes in a batch", async || {
        other.freeze();
        let before = idle_holder(attacker).await;
        if before.is_some() {
            tokio::time::sleep(FROZEN_AFTER).await;
            if idle_holder(attacker).await == before {
                return Some(());
            }
        }
        other.thaw();
        tokio::time::sleep(Duration::from_millis(1)).await;
        None
    })
    .await;
}

async fn storm(freezes: usize) {
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(impatient(PATIENCE_MS)).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let follower = Follower::start(&log).await;
    let mut attacker = ground.connect().await;
    let orders = Orders {
        ground: ground.clone(),
        crowd: crowd.clone(),
        callers: CALLERS,
        name: "frozen".to_owned(),
        patience_ms: Some(PATIENCE_MS),
    };
    let other = Other::start(&orders);
    for round in 0..freezes {
        other.history.more_acknowledged(CALLERS).await;
        freeze_in_a_batch(&other, &mut attacker).await;
        let load = Load::start(&log, &crowd, CALLERS, &history, &format!("awake {round}"));
        history.more_acknowledged(CALLERS * 8).await;
        if round % 2 == 0 {
            // Thawed while others write, or once it is quiet.
            other.thaw();
            other.history.more_acknowledged(CALLERS).await;
            load.stop().await;
        } else {
            load.stop().await;
            other.thaw();
        }
    }
    other.history.more_acknowledged(CALLERS).await;
    let (told, seen) = other.finish().await;
    println!("awake: {} acknowledged, {:?}", history.acknowledgements(), history.refusals());
    println!("frozen: {} acknowledged, {seen:?}", told.acknowledgements());
    history.absorb(&told);
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_is_frozen_in_the_middle_of_a_batch() {
    storm(FREEZES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_a_process_is_frozen_in_the_middle_of_a_batch() {
    storm(SOAK_FREEZES).await;
}
