//! Views are disposable: rebuilt under load without anybody noticing, and proved equal or different.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{AccountId, ConversationId};
use kit::{House, batches_of};
use projections::{Order, ProjectionError, TimelinePage, ViewState, Views, catalogue, rebuild};

/// Reads until told to stop; nothing may be missing, ever. Returns how often it read.
async fn reads(views: Views, ann: AccountId, conversation: ConversationId, done: Arc<AtomicBool>) -> usize {
    let page = TimelinePage { before: None, after: None, limit: 1, order: Order::NewestFirst };
    let (mut newest, mut length, mut count) = (0, 0, 0);
    while !done.load(Ordering::Relaxed) {
        let found = views.timeline(conversation, page).await.unwrap().first().map_or(0, |row| row.number.0);
        assert!(found >= newest, "the timeline lost messages");
        let rows = views.conversations(ann, None, 10).await.unwrap();
        assert!(rows[0].last_number.0 >= length, "the list lost messages");
        assert_eq!(rows[0].members.len(), 2, "the list lost members");
        assert_eq!(views.friends(ann, None, 10).await.unwrap().len(), 1);
        assert_eq!(views.people(&[ann]).await.unwrap().len(), 1);
        assert_eq!(views.streams_of(ann).await.unwrap().len(), 4);
        (newest, length, count) = (found, rows[0].last_number.0, count + 1);
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_are_rebuilt_while_events_come_and_readers_notice_nothing() {
    let house = House::open().await;
    let running = house.projector(batches_of(7)).await;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    let conversation = house.befriends(ann, bob).await;
    house.settled(&running.views).await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(reads(running.views.clone(), ann, conversation, done.clone()));

    let writing = async {
        for n in 0..400 {
            house.says(if n % 3 == 0 { ann } else { bob }, if n % 3 == 0 { bob } else { ann }, "text").await;
        }
    };
    let rebuilding = async {
        let mut pages = 0;
        for projection in catalogue().into_iter().chain(catalogue()) {
            rebuild(&house.log, projection.name(), &mut |_| pages += 1).await.unwrap();
        }
        assert!(pages >= catalogue().len(), "progress is told");
    };
    tokio::join!(writing, rebuilding);
    house.settled(&running.views).await;
    done.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() > 0);
    house.proves_all_equal().await;
    assert_eq!(shadows(&house).await, 0);
    running.stop().await;
}

#[tokio::test]
async fn a_view_is_rebuilt_while_no_projector_runs() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let ann = house.person("ann001").await;
    house.settled(&running.views).await;
    running.stop().await;
    house.person("bob001").await;
    house.tampers("DELETE FROM views.people_1").await;
    let views = Views::new(house.log.pool().clone(), &catalogue());
    rebuild(&house.log, "people_1", &mut |_| {}).await.unwrap();
    assert_eq!(views.people(&[ann]).await.unwrap().len(), 1);
    house.proves_all_equal().await;
    let unknown = rebuild(&house.log, "parrots_1", &mut |_| {}).await;
    assert!(matches!(unknown, Err(ProjectionError::UnknownProjection)));
}

#[tokio::test]
async fn a_tampered_row_is_found_and_a_rebuild_repairs_it() {
    let house = House::open().await;
    let running = house.projector(batches_of(1_000)).await;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    house.befriends(ann, bob).await;
    house.says(ann, bob, "hello").await;
    house.settled(&running.views).await;
    house.proves_all_equal().await;

    for (tampering, projection, table) in [
        ("UPDATE views.members_2 SET read_number = 1", "conversation_list_2", "members_2"),
        ("UPDATE views.timeline_1 SET text = 'hullo'", "timeline_1", "timeline_1"),
        ("DELETE FROM views.friend_requests_1", "friends_1", "friend_requests_1"),
        ("INSERT INTO views.people_1 SELECT gen_random_uuid(), 99, 'nobody', now()", "people_1", "people_1"),
    ] {
        house.tampers(tampering).await;
        let verdicts = house.verdicts().await;
        let different: Vec<_> = verdicts.iter().filter(|verdict| !verdict.equal).collect();
        assert_eq!(different.len(), 1, "{tampering}: {verdicts:?}");
        assert_eq!((different[0].projection, &*different[0].differing_tables), (projection, &[table][..]));
        rebuild(&house.log, projection, &mut |_| {}).await.unwrap();
        house.proves_all_equal().await;
    }
    assert_eq!(shadows(&house).await, 0);
    running.stop().await;
}

#[tokio::test]
async fn tables_and_checkpoints_that_are_missing_are_built_at_the_next_start() {
    let house = House::open().await;
    assert_eq!(house.state("people_1").await, ViewState::NotBuilt);
    let running = house.projector(batches_of(2)).await;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    house.befriends(ann, bob).await;
    house.says(ann, bob, "hello").await;
    house.settled(&running.views).await;
    running.stop().await;
    house
        .tampers("DROP TABLE views.members_2; DELETE FROM views.checkpoints WHERE projection = 'people_1'")
        .await;
    house.tampers("INSERT INTO views.checkpoints VALUES ('parrots_1', 3, now())").await;
    house.says(bob, ann, "hello").await;

    let running = house.projector(batches_of(2)).await;
    house.settled(&running.views).await;
    house.proves_all_equal().await;
    assert_eq!(house.state("people_1").await, ViewState::Following);
    assert_eq!(house.state("parrots_1").await, ViewState::Foreign);
    let all = projections::status(&house.pool()).await.unwrap();
    assert!(all.iter().filter(|view| view.projection != "parrots_1").all(|view| view.lag_events == 0));
    assert!(all.iter().any(|view| view.lag_events > 0 && view.lag_seconds > 0.0));
    running.stop().await;
}

#[tokio::test]
async fn shadows_of_killed_processes_are_dropped_and_those_in_the_making_are_not() {
    let house = House::open().await;
    house.tampers("CREATE SCHEMA views_build_people_1; CREATE TABLE views_build_people_1.people_1 ()").await;
    house.tampers("CREATE SCHEMA views_verify_friends_1").await;
    let mut builder = house.pool().acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(hashtextextended('views_verify_friends_1', 0))")
        .execute(&mut *builder)
        .await
        .unwrap();
    let running = house.projector(batches_of(1_000)).await;
    assert_eq!(shadows(&house).await, 1);
    let busy = projections::verify(&house.log, &mut |_| {}).await;
    assert!(matches!(busy, Err(ProjectionError::Busy)), "{busy:?}");
    drop(builder);
    running.stop().await;
}

async fn shadows(house: &House) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^views_'")
        .fetch_one(&house.pool())
        .await
        .unwrap()
}
