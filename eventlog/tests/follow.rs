//! Reading and following: every event once, in order, whoever wrote it.

#![allow(clippy::unwrap_used)]

mod kit;

use std::time::Duration;

use domain::conversation::Conversation;
use domain::{Position, StreamId};
use eventlog::{EventLog, LogConfig, MasterKey, StreamPart};
use kit::{DEADLINE, friends, node, send, start};
use tokio::time::timeout;

#[tokio::test]
async fn a_follower_sees_the_events_of_both_nodes_once_and_in_order() {
    let test = start().await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let mut followers = [test.log.follow(), other.follow()];
    let seam = test.log.head().await.unwrap();
    let writers = [(&test.log, ann), (&other, bob)].map(|(log, sender)| async move {
        for n in 0..20 {
            send(log, sender, conversation, &n.to_string()).await;
        }
    });
    let [one, two] = writers;
    tokio::join!(one, two);
    for follower in &mut followers {
        let mut last = None;
        while last != Some(Position(seam.0 + 40)) {
            for event in timeout(DEADLINE, follower.recv()).await.unwrap().unwrap().iter() {
                if event.position <= seam {
                    continue;
                }
                assert_eq!(event.position, last.unwrap_or(seam).next());
                last = Some(event.position);
            }
        }
    }
}

#[tokio::test]
async fn a_node_is_woken_by_another_and_does_not_wait_for_its_next_look() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let sleepy = LogConfig { poll_interval: Duration::from_hours(1), ..LogConfig::default() };
    let master = MasterKey::from_base64(&test.master).unwrap();
    let options = test.database.connect_options();
    let (other, _tasks) = EventLog::open(options, master, test.clock.clone(), sleepy).await.unwrap();
    let mut head = other.watch_head();
    let mut hears = async || {
        let sent = send(&test.log, ann, conversation, "do you hear me?").await.position;
        timeout(Duration::from_millis(100), head.wait_for(|head| *head >= sent)).await.is_ok()
    };
    let heard = async {
        for _ in 0..20 {
            // Whether somebody listens is asked once a second only, so the first events go by without a word.
            while !hears().await {}
        }
    };
    timeout(DEADLINE, heard).await.unwrap();
}

#[tokio::test]
async fn merged_tails_hold_exactly_the_named_parts_in_commit_order() {
    let test = start().await;
    let (ann, bob, first) = friends(&test.log, "alice01", "robert01").await;
    let (cat, _, second) = friends(&test.log, "catherine", "dorothea").await;
    for n in 0..10 {
        send(&test.log, ann, first, &n.to_string()).await;
        send(&test.log, cat, second, "foreign").await;
        send(&test.log, bob, first, &n.to_string()).await;
    }
    let head = test.log.head().await.unwrap();
    let part = |after, until| StreamPart { stream: StreamId::of::<Conversation>(&first), after, until };
    let all = test.log.read_streams(&[part(Position::START, None)], Position(22), head, 100).await.unwrap();
    assert_eq!(all.len(), 20);
    assert!(all.is_sorted_by(|one, other| one.position < other.position));
    let (from, to) = (all[4].position, all[9].position);
    let some = test.log.read_streams(&[part(from, Some(to))], Position::START, head, 100).await.unwrap();
    assert_eq!(some, all[5..10]);
    let page = test.log.read_streams(&[part(Position::START, None)], from, head, 3).await.unwrap();
    assert_eq!(page, all[5..8]);
    assert!(test.log.read_streams(&[], Position::START, head, 100).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_hole_in_the_log_is_an_error_and_never_a_skip() {
    let test = start().await;
    friends(&test.log, "alice01", "robert01").await;
    let mut connection = test.database.pool().acquire().await.unwrap();
    // Only a superuser who means it gets past the trigger.
    for statement in ["SET session_replication_role = replica", "DELETE FROM events WHERE position = 5"] {
        sqlx::query(statement).execute(&mut *connection).await.unwrap();
    }
    let read = test.log.read(Position::START, 100).await;
    assert!(matches!(read, Err(eventlog::LogError::Hole { expected: Position(5), found: Position(6) })));
}

#[tokio::test]
async fn a_sealed_field_that_was_moved_or_altered_is_noticed() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let done = send(&test.log, ann, conversation, "one").await;
    send(&test.log, ann, conversation, "two").await;
    let mut connection = test.database.pool().acquire().await.unwrap();
    for statement in [
        "SET session_replication_role = replica",
        "UPDATE events SET payload = (SELECT payload FROM events WHERE position = 13) WHERE position = 12",
    ] {
        sqlx::query(statement).execute(&mut *connection).await.unwrap();
    }
    let read = test.log.read(Position(11), 100).await;
    assert!(matches!(read, Err(eventlog::LogError::Unsealable(position)) if position == done.position));
}
