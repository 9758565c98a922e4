//! Tries are counted once, by whichever node, and forgotten in time.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use chrono::TimeDelta;
use eventlog::{Allowance, Attempts, Lockout, Turn};
use kit::{TestLog, node, start};
use tokio::task::JoinSet;

/// Three for nothing, then 10 seconds, 20, and at most 30.
const LOCKOUT: Lockout = Lockout {
    free: 3,
    wait_first: TimeDelta::seconds(10),
    wait_max: TimeDelta::seconds(30),
    remembered: TimeDelta::minutes(5),
};

/// Two at once, then one every minute.
const ALLOWANCE: Allowance = Allowance { at_once: 2, per_hour: 60 };

fn wait(seconds: i64) -> Turn {
    Turn::Wait(TimeDelta::seconds(seconds))
}

async fn begin(attempts: &Attempts, name: &str) -> Turn {
    attempts.begin(&attempts.key("name", name), &LOCKOUT).await.unwrap()
}

async fn spend(attempts: &Attempts, address: &str) -> Turn {
    attempts.spend(&attempts.key("address", address), &ALLOWANCE).await.unwrap()
}

async fn rows(test: &TestLog, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM credentials.{table}");
    sqlx::query_scalar(&count).fetch_one(&test.database.pool()).await.unwrap()
}

#[tokio::test]
async fn waits_grow_with_every_failure_and_hold_over_nodes_and_restarts() {
    let test = start().await;
    let (other, other_tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let (here, there) = (test.log.attempts(), other.attempts());
    assert_eq!(begin(here, "ann").await, Turn::Granted);
    assert_eq!(begin(there, "ann").await, Turn::Granted);
    assert_eq!(begin(here, "ann").await, Turn::Granted);
    for seconds in [10, 20, 30, 30] {
        assert_eq!(begin(here, "ann").await, wait(seconds));
        assert_eq!(begin(there, "ann").await, wait(seconds));
        // A try that is turned away makes nothing longer.
        test.clock.advance(TimeDelta::seconds(seconds - 1));
        assert_eq!(begin(here, "ann").await, wait(1));
        test.clock.advance(TimeDelta::seconds(1));
        assert_eq!(begin(there, "ann").await, Turn::Granted);
    }
    assert_eq!(begin(here, "bob").await, Turn::Granted);
    let (again, again_tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    assert_eq!(begin(again.attempts(), "ann").await, wait(30));
    again.attempts().forgive(&again.attempts().key("name", "ann")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(begin(here, "ann").await, Turn::Granted);
    }
    assert_eq!(begin(here, "ann").await, wait(10));
    for tasks in [other_tasks, again_tasks] {
        tasks.close().await;
    }
}

#[tokio::test]
async fn tries_at_the_same_instant_are_counted_one_by_one() {
    let test = start().await;
    let (other, other_tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let mut tries = JoinSet::new();
    for n in 0..40 {
        let attempts = if n % 2 == 0 { test.log.attempts() } else { other.attempts() }.clone();
        tries.spawn(async move { (begin(&attempts, "ann").await, spend(&attempts, "192.0.2.7").await) });
    }
    let turns = tries.join_all().await;
    assert_eq!(turns.iter().filter(|(name, _)| *name == Turn::Granted).count(), 3);
    assert_eq!(turns.iter().filter(|(_, address)| *address == Turn::Granted).count(), 2);
    other_tasks.close().await;
}

#[tokio::test]
async fn a_try_that_did_not_happen_leaves_no_wait() {
    let test = start().await;
    let attempts = test.log.attempts();
    for _ in 0..3 {
        begin(attempts, "ann").await;
    }
    assert_eq!(begin(attempts, "ann").await, wait(10));
    attempts.undo(&attempts.key("name", "ann")).await.unwrap();
    assert_eq!(begin(attempts, "ann").await, Turn::Granted);
    assert_eq!(begin(attempts, "ann").await, wait(10));
}

#[tokio::test]
async fn failures_are_forgotten_in_time() {
    let test = start().await;
    let attempts = test.log.attempts();
    for _ in 0..3 {
        begin(attempts, "ann").await;
    }
    test.clock.advance(TimeDelta::seconds(10) + LOCKOUT.remembered);
    for _ in 0..3 {
        assert_eq!(begin(attempts, "ann").await, Turn::Granted);
    }
    assert_eq!(begin(attempts, "ann").await, wait(10));
}

#[tokio::test]
async fn an_allowance_is_so_many_at_once_and_then_one_in_a_while() {
    let test = start().await;
    let attempts = test.log.attempts();
    for _ in 0..2 {
        assert_eq!(spend(attempts, "192.0.2.7").await, Turn::Granted);
    }
    assert_eq!(spend(attempts, "192.0.2.7").await, wait(60));
    assert_eq!(spend(attempts, "192.0.2.8").await, Turn::Granted);
    test.clock.advance(TimeDelta::seconds(60));
    assert_eq!(spend(attempts, "192.0.2.7").await, Turn::Granted);
    assert_eq!(spend(attempts, "192.0.2.7").await, wait(60));
    attempts.give_back(&attempts.key("address", "192.0.2.7"), &ALLOWANCE).await.unwrap();
    assert_eq!(spend(attempts, "192.0.2.7").await, Turn::Granted);
    assert_eq!(spend(attempts, "192.0.2.7").await, wait(60));
}

#[tokio::test]
async fn worthless_rows_are_deleted_on_the_way() {
    let test = start().await;
    let attempts = test.log.attempts();
    for n in 0..20 {
        begin(attempts, &format!("name {n}")).await;
        spend(attempts, &format!("address {n}")).await;
    }
    assert_eq!((rows(&test, "failures").await, rows(&test, "allowances").await), (20, 20));
    test.clock.advance(TimeDelta::hours(1));
    for n in ["one", "two"] {
        begin(attempts, n).await;
        spend(attempts, n).await;
    }
    assert_eq!((rows(&test, "failures").await, rows(&test, "allowances").await), (2, 2));
}

#[tokio::test]
async fn no_name_and_no_address_is_in_a_table() {
    let test = start().await;
    begin(test.log.attempts(), "MarkerName").await;
    spend(test.log.attempts(), "MarkerAddress").await;
    for table in ["failures", "allowances"] {
        let found = format!("SELECT count(*) FROM credentials.{table} AS t WHERE t::text ILIKE $1");
        let shown = ["%marker%".to_owned(), format!("%{}%", "4d61726b6572")];
        for text in shown {
            let found: i64 =
                sqlx::query_scalar(&found).bind(text).fetch_one(&test.database.pool()).await.unwrap();
            assert_eq!(found, 0);
        }
    }
    let attempts = test.log.attempts();
    assert_ne!(attempts.key("name", "ann"), attempts.key("address", "ann"));
}
