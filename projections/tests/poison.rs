//! What a projection cannot apply stops that one loudly, and no other.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use domain::{AccountId, Position};
use kit::{House, batches_of, eventually, talk};
use projections::{ViewState, rebuild};

const SECRET: &str = "nobody may read this in an error";

/// A row that is in the way of the third message.
async fn poison(house: &House, one: AccountId, other: AccountId) {
    house
        .tampers(&format!(
            "INSERT INTO views.timeline_1 VALUES (-1, '{}', 3, '{one}', 'text', '{SECRET}', now())",
            talk(one, other)
        ))
        .await;
}

async fn stopped_at(house: &House, projection: &str) -> (Position, String) {
    eventually("it stops", async || match house.state(projection).await {
        ViewState::Stopped { at, reason } => Some((at, reason)),
        ViewState::Following | ViewState::NotBuilt | ViewState::Foreign => None,
    })
    .await
}

async fn follows_again(house: &House, projection: &str) {
    eventually("it goes on", async || (house.state(projection).await == ViewState::Following).then_some(()))
        .await;
}

#[tokio::test]
async fn a_poison_event_stops_its_projection_and_a_rebuild_lets_it_go_on() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let views = &running.views;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    house.befriends(ann, bob).await;
    house.settled(views).await;
    poison(&house, ann, bob).await;
    let mut positions = vec![];
    for _ in 0..5 {
        positions.push(house.says(ann, bob, SECRET).await);
    }

    let (at, reason) = stopped_at(&house, "timeline_1").await;
    assert_eq!(at, positions[2], "it stands right before the poison");
    assert!(reason.contains("23505") && !reason.contains(SECRET), "{reason}");
    assert!(views.message(positions[1]).await.unwrap().is_some(), "what came before is there");
    assert!(views.message(positions[2]).await.unwrap().is_none(), "nothing was skipped");
    house.settled(views).await;
    assert_eq!(views.unread_total(bob).await.unwrap(), 5, "the others go on");

    rebuild(&house.log, "timeline_1", &mut |_| {}).await.unwrap();
    eventually("the rest is there", async || views.message(positions[4]).await.unwrap()).await;
    follows_again(&house, "timeline_1").await;
    house.proves_all_equal().await;
    running.stop().await;
}

#[tokio::test]
async fn a_stopped_projection_is_tried_again_by_the_next_projector() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    house.befriends(ann, bob).await;
    house.settled(&running.views).await;
    poison(&house, ann, bob).await;
    for _ in 0..3 {
        house.says(ann, bob, SECRET).await;
    }
    stopped_at(&house, "timeline_1").await;
    running.stop().await;
    house.tampers("DELETE FROM views.timeline_1 WHERE position = -1").await;
    let running = house.projector(batches_of(1_000)).await;
    follows_again(&house, "timeline_1").await;
    house.settled(&running.views).await;
    house.proves_all_equal().await;
    running.stop().await;
}

#[tokio::test]
async fn an_event_that_nobody_can_read_stops_all_right_before_it() {
    let house = House::open().await;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    house.befriends(ann, bob).await;
    let last = house.log.head().await.unwrap();
    house
        .tampers(
            "INSERT INTO events SELECT position + 1, 'conversation', aggregate_id, 1, 'MessageUnknown', '1.0',
                 '{\"MessageUnknown\":{}}', metadata, recorded_at
             FROM events ORDER BY position DESC LIMIT 1",
        )
        .await;
    let running = house.projector(batches_of(1_000)).await;
    for projection in ["people_1", "timeline_1"] {
        assert_eq!(stopped_at(&house, projection).await.0, last.next());
    }
    assert_eq!(running.views.friends(ann, None, 10).await.unwrap().len(), 1, "what came before is there");
    running.stop().await;
}

#[tokio::test]
async fn a_checkpoint_beyond_the_log_stops_its_projection_until_it_is_rebuilt() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let ann = house.person("ann001").await;
    house.settled(&running.views).await;
    running.stop().await;
    house.tampers("UPDATE views.checkpoints SET position = 1000 WHERE projection = 'people_1'").await;

    let running = house.projector(batches_of(1_000)).await;
    stopped_at(&house, "people_1").await;
    rebuild(&house.log, "people_1", &mut |_| {}).await.unwrap();
    let bob = house.person("bob001").await;
    eventually("both are there", async || {
        (running.views.people(&[ann, bob]).await.unwrap().len() == 2).then_some(())
    })
    .await;
    house.settled(&running.views).await;
    house.proves_all_equal().await;
    running.stop().await;
}
