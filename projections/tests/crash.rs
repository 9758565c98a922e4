//! The server is killed again and again: what a crash takes from a view, it takes from its checkpoint.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use domain::{AccountId, Actor, Causation, Client, CommandId, CorrelationId};
use eventlog::CommandContext;
use eventlog::fresh::new_uuid;
use eventlog::testing::PrivateCluster;
use kit::{House, TEMPLATE, batches_of, eventually, saying};
use sqlx::postgres::PgPoolOptions;

const KILLS: u32 = 3;
const MESSAGES_PER_LIFE: u32 = 60;

/// Says something, whether the server lives or not; true when that was acknowledged.
async fn says(house: &House, sender: AccountId, to: AccountId) -> bool {
    let context = CommandContext {
        actor: Actor::Account(sender),
        session: None,
        causation: Causation::Command(CommandId(new_uuid())),
        correlation: CorrelationId(new_uuid()),
        client: Client::Graphql,
        idempotency: None,
    };
    house.log.execute(saying(sender, to, "are you there?"), context).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_survive_a_killed_server_without_loss_or_double() {
    let mut cluster = PrivateCluster::start().await.unwrap();
    let options = cluster.database("crashed", &TEMPLATE).await.unwrap();
    let pool = PgPoolOptions::new().connect_lazy_with(options.clone());
    let house = Arc::new(House::on(options, pool).await);
    let running = house.projector(batches_of(7)).await;
    let (ann, bob) = (house.person("ann001").await, house.person("bob001").await);
    house.befriends(ann, bob).await;

    let (acknowledged, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = tokio::spawn({
        let (house, acknowledged, done) = (house.clone(), acknowledged.clone(), done.clone());
        async move {
            while !done.load(Ordering::SeqCst) {
                if says(&house, ann, bob).await {
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    });
    for life in 1..=KILLS {
        eventually("people talk", async || {
            (acknowledged.load(Ordering::SeqCst) >= life * MESSAGES_PER_LIFE).then_some(())
        })
        .await;
        cluster.kill_server().await.unwrap();
        cluster.restart().await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    writer.await.unwrap();

    house.settled(&running.views).await;
    house.proves_all_equal().await;
    let unread = running.views.unread_total(bob).await.unwrap();
    assert!(unread >= u64::from(acknowledged.load(Ordering::SeqCst)), "an acknowledged message is missing");
    running.stop().await;
    house.pool().close().await;
}
