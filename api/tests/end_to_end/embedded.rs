//! The way of the README: no database at hand, so Annal runs a private PostgreSQL.

use std::time::Duration;

use rustix::process::{Signal, kill_process, test_kill_process};
use serde_json::json;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::annal::Installation;
use crate::person::{Person, Unknown};

#[tokio::test]
async fn a_private_postgresql_is_adopted_after_kill_9_and_stops_with_the_server() {
    let installation = Installation::new(None);
    let server = installation.serve().await;
    let url = server.graphql();
    let ann = Person::register(&url, "ann001").await;
    let bob = Person::register(&url, "bob001").await;
    let conversation = ann.befriend(&url, &bob).await;
    let said = ann.say(&url, &conversation, "Still there? 还在吗？", Uuid::from_u128(1)).await.unwrap();
    let postgres = installation.folder.postgres().expect("a private PostgreSQL runs");

    server.crash().await;
    assert!(test_kill_process(postgres).is_ok(), "PostgreSQL outlives the killed server");
    let server = installation.serve().await;
    assert_eq!(installation.folder.postgres(), Some(postgres), "the running PostgreSQL is adopted");

    let url = server.graphql();
    let bob = Person::sign_in(&url, "BOB001").await;
    bob.reads(&url, &said["position"]).await;
    let timeline = bob.timeline(&url, &conversation).await;
    assert_eq!(timeline.len(), 1);
    assert_eq!(timeline[0]["id"], said["id"]);
    assert_eq!(timeline[0]["content"], json!({ "text": "Still there? 还在吗？" }));
    installation.views_equal_their_rebuild().await;
    assert_eq!(
        installation.folder.postgres(),
        Some(postgres),
        "a command beside the server leaves it running"
    );

    server.stop().await;
    assert_eq!(installation.folder.postgres(), None, "no PostgreSQL is left in the folder");

    let server = installation.serve().await;
    let bob = Person::sign_in(&server.graphql(), "bob001").await;
    assert_eq!(bob.timeline(&server.graphql(), &conversation).await, timeline, "a stop loses nothing");
    server.stop().await;
    assert_eq!(installation.folder.postgres(), None);
}

/// The longest that PostgreSQL may take to be there again, its recovery included.
const REVIVED_MAX: Duration = Duration::from_secs(40);
/// Pause of a client before it asks again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_private_postgresql_that_is_killed_is_started_again_and_nothing_is_lost() {
    let installation = Installation::new(None);
    let server = installation.serve().await;
    let url = server.graphql();
    let ann = Person::register(&url, "ann001").await;
    let bob = Person::register(&url, "bob001").await;
    let conversation = ann.befriend(&url, &bob).await;
    ann.say(&url, &conversation, "before", Uuid::from_u128(1)).await.unwrap();
    let killed = installation.folder.postgres().expect("a private PostgreSQL runs");
    kill_process(killed, Signal::KILL).unwrap();

    // The same key until it is answered: the outcome of a cut request is unknown. Sessions of the killed server
    // may answer for a moment; the new one starts when the last of them is gone.
    let revived = || installation.folder.postgres().is_some_and(|now| now != killed);
    let again = async {
        loop {
            let new = revived();
            match ann.say(&url, &conversation, "after", Uuid::from_u128(2)).await {
                Ok(said) if new => break said,
                Ok(_) | Err(Unknown(_)) => sleep(AGAIN_AFTER).await,
            }
        }
    };
    let said = timeout(REVIVED_MAX, again).await.expect("PostgreSQL comes back by itself");
    ann.reads(&url, &said["position"]).await;
    assert_ne!(installation.folder.postgres(), Some(killed));
    let texts: Vec<_> =
        ann.timeline(&url, &conversation).await.iter().map(|said| said["content"]["text"].clone()).collect();
    assert_eq!(texts, ["before", "after"]);
    installation.views_equal_their_rebuild().await;
    server.stop().await;
    assert_eq!(installation.folder.postgres(), None);
}
