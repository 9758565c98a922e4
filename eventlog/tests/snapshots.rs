//! Snapshots: the same state as a full replay, for every cut; and never trusted when they do not fit.

#![allow(clippy::unwrap_used)]

mod kit;

use domain::conversation::Conversation;
use domain::{AccountId, ConversationId};
use eventlog::EventLog;
use kit::{DEADLINE, TestLog, friends, node, send, start};

async fn state(log: &EventLog, conversation: ConversationId) -> Conversation {
    log.inspect::<Conversation, _>(&conversation, Clone::clone).await.unwrap()
}

async fn send_many(log: &EventLog, sender: AccountId, conversation: ConversationId, count: u32) {
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..count {
        let log = log.clone();
        callers.spawn(async move { send(&log, sender, conversation, &n.to_string()).await });
    }
    callers.join_all().await;
}

/// The version of the conversation's snapshot, awaited: snapshots are written off the command's way.
async fn snapshot_beyond(test: &TestLog, version: i64) -> i64 {
    let look = async {
        loop {
            let kept: Option<i64> =
                sqlx::query_scalar("SELECT version FROM snapshots WHERE aggregate_type = 'conversation'")
                    .fetch_optional(&test.database.pool())
                    .await
                    .unwrap();
            match kept {
                Some(kept) if kept > version => return kept,
                Some(_) | None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(DEADLINE, look).await.expect("a snapshot is kept")
}

async fn execute(test: &TestLog, statement: &str) -> u64 {
    sqlx::query(statement).execute(&test.database.pool()).await.unwrap().rows_affected()
}

#[tokio::test]
async fn a_state_loaded_from_a_snapshot_and_its_tail_is_the_replayed_one_at_every_cut() {
    let test = start().await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    let mut kept = 0;
    for (round, tail) in [150, 1, 3, 140].into_iter().enumerate() {
        send_many(&test.log, if round % 2 == 0 { ann } else { bob }, conversation, tail).await;
        if tail > 128 {
            kept = snapshot_beyond(&test, kept).await;
        }
        let live = state(&test.log, conversation).await;
        let (restored, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
        assert_eq!(state(&restored, conversation).await, live);
    }
    assert!(execute(&test, "DELETE FROM snapshots").await > 0);
    let (replayed, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    assert_eq!(state(&replayed, conversation).await, state(&test.log, conversation).await);
}

#[tokio::test]
async fn a_snapshot_that_does_not_fit_is_left_aside() {
    for spoil in [
        "UPDATE snapshots SET state = '{\"nonsense\":1}'",
        "UPDATE snapshots SET state = '\"NotStarted\"', format = 999",
        "UPDATE snapshots SET state = '\"NotStarted\"', position = 3",
        "UPDATE snapshots SET state = '\"NotStarted\"', version = version + 1",
    ] {
        let test = start().await;
        let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
        send_many(&test.log, ann, conversation, 150).await;
        snapshot_beyond(&test, 0).await;
        assert!(execute(&test, spoil).await > 0);
        let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
        assert_eq!(state(&other, conversation).await, state(&test.log, conversation).await, "{spoil}");
    }
}

#[tokio::test]
async fn an_old_long_stream_is_replayed_once_and_then_loaded_from_its_snapshot() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    send_many(&test.log, ann, conversation, 300).await;
    execute(&test, "DELETE FROM snapshots").await;
    let (first, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let replayed = state(&first, conversation).await;
    assert_eq!(snapshot_beyond(&test, 0).await, 301);
    let (second, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    assert_eq!(state(&second, conversation).await, replayed);
}
