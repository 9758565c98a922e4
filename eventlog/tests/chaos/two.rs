//! Two processes on one database, at their default limits, writing the same hot conversation.

use std::time::Duration;

use eventlog::LogConfig;

use crate::ground::{Ground, crowd};
use crate::history::{History, dense};
use crate::load::{Follower, Load};
use crate::process::{Delays, Orders, Other};

/// Messages that each process has acknowledged in the normal run.
const MESSAGES: usize = 400;
/// The same in the long run.
const SOAK_MESSAGES: usize = 20_000;
/// Callers in each process.
const CALLERS: usize = 8;
/// Times that a process is killed in the normal run, and in the long run.
const KILLS: (usize, usize) = (5, 200);
/// At most one of so many commands may lose every try.
const CONTENDED_RARE: usize = 50;
/// Foreign events are seen within this at the median; the exact figure belongs to a benchmark.
const SEEN_WITHIN: Duration = Duration::from_secs(1);

fn orders(ground: &Ground, crowd: &[crate::ground::Friends], name: &str) -> Orders {
    Orders {
        ground: ground.clone(),
        crowd: crowd.to_vec(),
        callers: CALLERS,
        name: name.to_owned(),
        patience_ms: None,
    }
}

async fn both_write(messages: usize) {
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(LogConfig::default()).await;
    let (history, crowd) = (History::new(), crowd(&log, 1).await);
    let (follower, delays) = (Follower::start(&log).await, Delays::measure(&log, "here").await);
    let other = Other::start(&orders(&ground, &crowd, "there"));
    // Both are at it, so that they contend from the first message on.
    other.history.more_acknowledged(1).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "here");
    for _ in 0..8 {
        tokio::join!(history.more_acknowledged(messages / 8), other.history.more_acknowledged(messages / 8));
    }
    load.stop().await;
    let seen = delays.end(&history);
    let (told, seen_there) = other.finish().await;
    let (here, there) = (history.acknowledgements(), told.acknowledgements());
    println!("here:  {here} acknowledged, {seen:?}");
    println!("there: {there} acknowledged, {seen_there:?}");
    assert!(seen.median.max(seen_there.median) < SEEN_WITHIN, "foreign events come late");
    assert!(here.min(there) * 4 >= here.max(there), "one process starves");
    let contended: u32 = [&seen, &seen_there].iter().filter_map(|seen| seen.refusals.get("contended")).sum();
    assert!(contended as usize * CONTENDED_RARE <= here + there, "{contended} commands lost every try");
    history.absorb(&told);
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
}

/// A process dies in the middle of whatever it does; the next one, and the one beside it, go on.
async fn one_dies(kills: usize) {
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(LogConfig::default()).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let follower = Follower::start(&log).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "here");
    for life in 0..kills {
        let other = Other::start(&orders(&ground, &crowd, &format!("there {life}")));
        other.history.more_acknowledged(13 + life % 7).await;
        let told = other.kill().await;
        // What stands in the log of a message without an answer is known before anybody repeats it.
        history.absorb(&told);
        history.more_acknowledged(CALLERS).await;
    }
    load.stop().await;
    println!("{kills} kills, {} acknowledged, {:?}", history.acknowledgements(), history.refusals());
    history.settles(&log).await;
    // Not of all that was said: who was killed cannot say again what had no key.
    assert!(dense(&log).await.len() > history.acknowledgements());
    follower.heard_all(&log).await;
    tasks.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_one_hot_conversation() {
    both_write(MESSAGES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_two_processes_write_one_hot_conversation() {
    both_write(SOAK_MESSAGES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writing_process_is_killed_beside_another() {
    one_dies(KILLS.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_a_writing_process_is_killed_beside_another() {
    one_dies(KILLS.1).await;
}
