//! The operator's commands about keys, beside a running server.

use eventlog::testing::{Template, TestDatabase};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::annal::Installation;
use crate::person::Person;

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

fn text(message: &Value) -> &Value {
    &message["content"]["text"]
}

#[tokio::test]
async fn the_master_key_is_changed_and_a_person_erased_while_the_server_runs() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let mut installation = Installation::new(Some(database.url()));
    let [old, new] = ["master.key", "new.key"].map(|name| installation.folder.path().join(name));
    let server = installation.serve().await;
    let url = server.graphql();
    let (ann, bob) = (Person::register(&url, "ann001").await, Person::register(&url, "bob001").await);
    let conversation = ann.befriend(&url, &bob).await;
    ann.say(&url, &conversation, "before", Uuid::from_u128(1)).await.unwrap();
    server.stop().await;

    let make = ["keys", "make", new.to_str().unwrap()];
    let (well, said) = installation.run(&make).await;
    assert!(well, "{said}");
    let (again, _) = installation.run(&make).await;
    assert!(!again, "an existing key is never overwritten");
    installation.key_files = (new.clone(), Some(old.clone()));
    let server = installation.serve().await;
    let url = server.graphql();
    bob.say(&url, &conversation, "during", Uuid::from_u128(2)).await.unwrap();
    let (well, said) = installation.run(&["keys", "rotate"]).await;
    // Two of the log, two people, their conversation.
    assert!(well && said.contains("5 keys were wrapped anew"), "{said}");
    ann.say(&url, &conversation, "after", Uuid::from_u128(3)).await.unwrap();
    server.stop().await;

    installation.key_files = (old, None);
    let (well, said) = installation.run(&["views", "verify"]).await;
    assert!(!well && said.contains("the master key does not fit this database"), "{said}");
    installation.key_files = (new, None);
    let server = installation.serve().await;
    let url = server.graphql();
    let timeline = bob.timeline(&url, &conversation).await;
    assert_eq!(timeline.iter().map(text).collect::<Vec<_>>(), ["before", "during", "after"]);

    let account: String = sqlx::query_scalar(
        "SELECT replace(account::text, '-', '') FROM views.people_1 WHERE user_name = 'ann001'",
    )
    .fetch_one(&database.pool())
    .await
    .unwrap();
    let erase = ["erase", "--account", account.as_str()];
    let (well, said) = installation.run(&erase).await;
    assert!(well && said.contains("the key is destroyed"), "{said}");
    let (again, said) = installation.run(&erase).await;
    assert!(!again && said.contains("erased before"), "{said}");
    installation.views_equal_their_rebuild().await;
    let (head,): (i64,) =
        sqlx::query_as("SELECT max(position) FROM events").fetch_one(&database.pool()).await.unwrap();
    bob.reads(&url, &json!(head.to_string())).await;
    let timeline = bob.timeline(&url, &conversation).await;
    assert_eq!(timeline.iter().map(text).collect::<Vec<_>>(), [&Value::Null, &json!("during"), &Value::Null]);
    server.stop().await;
    let confirmed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'ErasureConfirmed'")
            .fetch_one(&database.pool())
            .await
            .unwrap();
    assert_eq!(confirmed, 1);
}
