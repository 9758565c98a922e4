//! Callers go away in the middle of their requests.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use domain::IdempotencyKey;
use eventlog::LogConfig;
use eventlog::fresh::{new_uuid, random_bytes};
use tokio::task::JoinSet;

use crate::ground::{Friends, Ground, crowd};
use crate::history::{History, Said};
use crate::load::{Load, insist, say};

/// Requests dropped in the normal run, and as many tasks ended.
const DROPS: u32 = 300;
/// Requests dropped in the long run.
const SOAK_DROPS: u32 = 20_000;
/// Requests under way at a time, besides those of callers with patience.
const AT_ONCE: usize = 16;
/// A request is looked at up to so many times before it is dropped.
const POLLS_MAX: u8 = 4;

/// Polls a future some times, each time when it has news, and drops it.
async fn abandoned(asking: impl Future<Output = Option<domain::Position>>, polls: u8) {
    let mut asking = pin!(asking);
    let mut left = polls;
    poll_fn(|context| {
        left = left.saturating_sub(1);
        match asking.as_mut().poll(context) {
            Poll::Pending if left > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
}

fn something(friends: Friends, number: u32) -> Said {
    let text = format!("gone {number}");
    let (sender, conversation) = (friends.people[0], friends.conversation);
    Said { sender, conversation, text, keyed: true, acknowledged: None }
}

async fn storm(drops: u32) {
    let (_database, ground) = Ground::shared().await;
    let (log, tasks) = ground.open(LogConfig::default()).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let load = Load::start(&log, &crowd, 4, &history, "patient");
    let mut asking = JoinSet::new();
    for number in 0..drops {
        let (said, key) =
            (something(crowd[number as usize % crowd.len()], number), IdempotencyKey(new_uuid()));
        history.attempt(key, said.clone());
        let (log, history) = (log.clone(), history.clone());
        let [polls, end, again] = random_bytes::<3>();
        let task = asking.spawn(async move {
            abandoned(say(&log, &history, key, &said), 1 + polls % POLLS_MAX).await;
            // Some come back at once, while the first request may still be under way.
            if again % 2 == 0 {
                insist(&log, &history, key, &said).await;
            }
        });
        if end % 4 == 0 {
            tokio::task::yield_now().await;
            task.abort();
        }
        if asking.len() >= AT_ONCE {
            ended(asking.join_next().await);
        }
    }
    while let Some(one) = asking.join_next().await {
        ended(Some(one));
    }
    load.stop().await;
    println!(
        "{} of {} acknowledged, {:?}",
        history.acknowledgements(),
        history.all().len(),
        history.refusals()
    );
    history.settles(&log).await;
    tasks.close().await;
}

/// A task ended by itself or was ended; a wrong answer is neither.
fn ended(task: Option<Result<(), tokio::task::JoinError>>) {
    match task {
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_requests_have_one_effect_or_none() {
    storm(DROPS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_dropped_requests_have_one_effect_or_none() {
    storm(SOAK_DROPS).await;
}
