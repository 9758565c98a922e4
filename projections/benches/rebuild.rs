//! Events per second through all views: a projector that begins with empty tables, and each view rebuilt alone.
//!
//! `cargo bench -p projections --bench rebuild`; `EVENTS` (150,000) changes the size of the log. Each figure
//! is the median of three turns.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark prints and may fail")]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::env;
use std::time::{Duration, Instant};

use eventlog::testing::PrivateCluster;
use futures_util::future::join_all;
use kit::{House, TEMPLATE};
use projections::{ProjectorConfig, Waited, catalogue, rebuild};
use sqlx::Executor as _;

/// People, each a friend of the next two.
const PEOPLE: usize = 400;
/// Turns per figure.
const TURNS: usize = 3;
/// Callers that fill the log.
const CALLERS: usize = 64;
/// Longest wait for a projector.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::main]
async fn main() {
    let events = env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(150_000);
    let cluster = PrivateCluster::start().await.unwrap();
    let options = cluster.database("annal", &TEMPLATE).await.unwrap();
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_with(options.clone());
    let house = House::on(options, pool.await.unwrap()).await;
    fill(&house, events).await;
    house.pool().execute("VACUUM ANALYZE events").await.unwrap();
    let events = house.log.head().await.unwrap().0;
    println!("{events} events, {PEOPLE} people, {} conversations", 2 * PEOPLE);
    println!("| what | events/s |\n|---|---|");
    let mut all = Vec::new();
    for _ in 0..TURNS {
        all.push(catch_up(&house).await);
    }
    println!("| all views at once, from nothing | {} |", rate(events, all));
    for projection in catalogue() {
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            let begin = Instant::now();
            rebuild(&house.log, projection.name(), &mut |_| {}).await.unwrap();
            turns.push(begin.elapsed());
        }
        println!("| `{}` alone | {} |", projection.name(), rate(events, turns));
    }
}

/// How long a projector takes from empty tables to the end of the log.
async fn catch_up(house: &House) -> Duration {
    for table in catalogue().iter().flat_map(|projection| projection.tables()) {
        house.pool().execute(format!("DROP TABLE IF EXISTS views.{table}").as_str()).await.unwrap();
    }
    house.pool().execute("DELETE FROM views.checkpoints").await.unwrap();
    let head = house.log.head().await.unwrap();
    let begin = Instant::now();
    let running = house.projector(ProjectorConfig::default()).await;
    assert_eq!(running.views.wait_for(head, PATIENCE).await, Waited::Reached);
    let taken = begin.elapsed();
    running.stop().await;
    taken
}

fn rate(events: i64, mut turns: Vec<Duration>) -> String {
    turns.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
    let rate = events as f64 / turns[TURNS / 2].as_secs_f64();
    format!("{rate:.0}")
}

/// A log as it grows in use: people, friendships, and then messages, many at once.
async fn fill(house: &House, events: usize) {
    let people =
        join_all((0..PEOPLE).map(|n| async move { house.person(&format!("person{n}")).await })).await;
    let people = &people;
    let pair = |n: usize, distance| (people[n % PEOPLE], people[(n + distance) % PEOPLE]);
    let friends = (0..PEOPLE).flat_map(|n| [pair(n, 1), pair(n, 2)]);
    join_all(friends.map(|(one, other)| house.befriends(one, other))).await;
    let before = usize::try_from(house.log.head().await.unwrap().0).unwrap();
    let each = events.saturating_sub(before) / CALLERS;
    join_all((0..CALLERS).map(|caller| async move {
        for n in 0..each {
            let (sender, to) = pair(caller * 31 + n * 7, 1 + n % 2);
            house.says(sender, to, "A message as people write them every day, about this and that.").await;
        }
    }))
    .await;
}
