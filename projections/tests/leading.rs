//! One leader, or the fence: two projectors never apply an event twice.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use std::time::Duration;

use domain::AccountId;
use kit::{House, PATIENCE, batches_of, eventually};
use projections::{ProjectorConfig, Waited};
use sqlx::PgPool;

async fn two_friends(house: &House) -> (AccountId, AccountId) {
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    house.befriends(ann, bob).await;
    (ann, bob)
}

/// Both stand before the same checkpoint with the same batch in hand; one of them must let go.
#[tokio::test]
async fn two_leaders_at_once_are_told_apart_by_the_fence() {
    let house = House::open().await;
    let one = house.projector(batches_of(1_000)).await;
    let other = house.projector(ProjectorConfig { leader_lock_space: 7, ..batches_of(1_000) }).await;
    let (ann, bob) = two_friends(&house).await;
    house.settled(&one.views).await;
    house.settled(&other.views).await;

    let pool = house.pool();
    let mut gate = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM views.checkpoints FOR UPDATE").execute(&mut *gate).await.unwrap();
    house.says(ann, bob, "hello").await;
    waiting_for_checkpoints(&pool, 2).await;
    gate.commit().await.unwrap();

    for _ in 0..20 {
        house.says(bob, ann, "both lead still").await;
    }
    house.settled(&one.views).await;
    house.settled(&other.views).await;
    house.proves_all_equal().await;
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_node_that_does_not_lead_waits_for_the_views_and_takes_over() {
    let house = House::open().await;
    let leader = house.projector(batches_of(1_000)).await;
    let (ann, bob) = two_friends(&house).await;
    house.settled(&leader.views).await;
    let follower = house.projector(batches_of(1_000)).await;
    let position = house.says(ann, bob, "hello").await;
    assert_eq!(follower.views.wait_for(position, PATIENCE).await, Waited::Reached);
    assert!(follower.views.message(position).await.unwrap().is_some());

    leader.stop().await;
    let position = house.says(ann, bob, "still there?").await;
    assert_eq!(follower.views.wait_for(position, PATIENCE).await, Waited::Reached);
    house.proves_all_equal().await;
    follower.stop().await;
}

#[tokio::test]
async fn a_projector_whose_connection_is_cut_goes_on_with_another() {
    let house = House::open().await;
    let running = house.projector(batches_of(2)).await;
    let (ann, bob) = two_friends(&house).await;
    for _ in 0..5 {
        house.says(ann, bob, "hello").await;
        eventually("the leader is cut", async || {
            let cut: i64 = sqlx::query_scalar(
                "SELECT count(pg_terminate_backend(pid)) FROM (
                     SELECT DISTINCT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
                     WHERE locktype = 'advisory' AND datname = current_database() AND classid = $1
                 ) AS leaders",
            )
            .bind(ProjectorConfig::default().leader_lock_space)
            .fetch_one(&house.pool())
            .await
            .unwrap();
            (cut > 0).then_some(())
        })
        .await;
        house.says(bob, ann, "hello").await;
    }
    house.settled(&running.views).await;
    house.proves_all_equal().await;
    running.stop().await;
}

/// A page that was read ahead says how the log ended then: what came since must not wait for the next look.
#[tokio::test]
async fn an_event_that_comes_while_its_page_was_read_ahead_is_not_left_lying() {
    let house = House::open().await;
    // Every page is full, so every next one is read ahead, and nothing but events wakes the projector.
    let config = ProjectorConfig { poll_interval: Duration::from_mins(5), ..batches_of(1) };
    let running = house.projector(config).await;
    let (ann, bob) = two_friends(&house).await;
    house.settled(&running.views).await;

    // It has read one event and, ahead, that there is no other, and waits to apply the one.
    let pool = house.pool();
    let mut gate = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM views.checkpoints FOR UPDATE").execute(&mut *gate).await.unwrap();
    house.says(ann, bob, "one").await;
    waiting_for_checkpoints(&pool, 1).await;
    house.says(bob, ann, "other").await;
    gate.commit().await.unwrap();
    house.settled(&running.views).await;
    house.proves_all_equal().await;
    running.stop().await;
}

/// Waits until so many projectors stand before the checkpoints.
async fn waiting_for_checkpoints(pool: &PgPool, projectors: i64) {
    eventually("they wait for the checkpoint", async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
             AND wait_event_type = 'Lock' AND query LIKE 'UPDATE views.checkpoints%'",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        (waiting == projectors).then_some(())
    })
    .await;
}
