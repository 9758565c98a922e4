//! `kill -9` of the server at random instants under load, on a database that flushes what it acknowledges.

use eventlog::testing::{PrivateCluster, Template};
use tokio::sync::watch;

use crate::annal::Installation;
use crate::storm::Storm;

/// Kills in the normal run.
const KILLS: usize = 20;
/// Kills in the long run.
const SOAK_KILLS: usize = 500;
/// Times that PostgreSQL is killed under a server that stays.
const DATABASE_KILLS: usize = 3;
/// Messages acknowledged between two kills; where in a batch that hits the server is chance.
const BETWEEN: [usize; 5] = [7, 19, 3, 31, 12];
/// The database's name.
const DATABASE: &str = "killed";

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

async fn kills(kills: usize) {
    let cluster = PrivateCluster::start().await.unwrap();
    cluster.database(DATABASE, &TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(cluster.cluster().unwrap().url(DATABASE)));
    let mut server = installation.serve().await;
    let (url, urls) = watch::channel(server.graphql());
    let mut storm = Storm::begin(&server.graphql(), &urls).await;
    for kill in 0..kills {
        storm.more_acknowledged(BETWEEN[kill % BETWEEN.len()]).await;
        server.crash().await;
        server = installation.serve().await;
        url.send_replace(server.graphql());
    }
    storm.more_acknowledged(BETWEEN[0]).await;
    storm.end().await;
    println!("{kills} kills, {} messages, {:?}", storm.acknowledgements(), storm.reasons());
    assert!(!storm.reasons().is_empty(), "no request was under way when the server was killed");
    storm.settles(&server.graphql()).await;
    installation.views_equal_their_rebuild().await;
    server.stop().await;
}

/// The server stays, PostgreSQL is killed and comes back: everything goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_outlives_its_database() {
    let mut cluster = PrivateCluster::start().await.unwrap();
    cluster.database(DATABASE, &TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(cluster.cluster().unwrap().url(DATABASE)));
    let server = installation.serve().await;
    let (_url, urls) = watch::channel(server.graphql());
    let mut storm = Storm::begin(&server.graphql(), &urls).await;
    for kill in 0..DATABASE_KILLS {
        storm.more_acknowledged(BETWEEN[kill % BETWEEN.len()]).await;
        cluster.kill_server().await.unwrap();
        cluster.restart().await.unwrap();
    }
    storm.more_acknowledged(BETWEEN[0]).await;
    storm.end().await;
    println!("{DATABASE_KILLS} kills, {} messages, {:?}", storm.acknowledgements(), storm.reasons());
    storm.settles(&server.graphql()).await;
    installation.views_equal_their_rebuild().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_message_is_there_once_after_20_kills() {
    kills(KILLS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_every_acknowledged_message_is_there_once_after_500_kills() {
    kills(SOAK_KILLS).await;
}
