//! `/readyz` says what it waits for; `/healthz` only that the process runs.

use std::time::Duration;

use eventlog::testing::{Template, TestDatabase};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::time::{sleep, timeout};

use crate::annal::{Annal, Installation};
use crate::person::Person;

/// The longest that anything here may take: a batch is tried five times before its view stops.
const SOON: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// Waits until the server waits for exactly this; then the status fits it too.
async fn waits_for(server: &Annal, expected: Value) {
    let mut seen = Value::Null;
    let look = async {
        loop {
            let answer = reqwest::get(server.at("/readyz")).await.unwrap();
            let status = answer.status().as_u16();
            seen = answer.json().await.unwrap();
            assert_eq!(status == 200, seen["ready"] == json!(true), "{status} {seen}");
            assert_eq!(status == 503, seen["waitingFor"] != json!([]), "{status} {seen}");
            if seen["waitingFor"] == expected {
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    };
    let in_time = timeout(SOON, look).await.is_ok();
    assert!(in_time, "it never waited for {expected}, but for {seen}");
}

async fn run(operator: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(sql).execute(operator).await.unwrap();
}

#[tokio::test]
async fn readiness_names_the_database_that_is_away_and_the_view_that_stopped() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let server = installation.serve_with(&["--metrics-listen", "127.0.0.1:0"]).await;
    waits_for(&server, json!([])).await;

    let name: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&database.pool()).await.unwrap();
    let mut operator =
        PgConnection::connect_with(&database.connect_options().database("postgres")).await.unwrap();
    run(&mut operator, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false")).await;
    run(
        &mut operator,
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    )
    .await;
    waits_for(&server, json!([{ "what": "database" }])).await;
    let metrics = reqwest::get(server.for_operators("/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nannal_database_up 0\n"), "{metrics}");
    let alive = reqwest::get(server.at("/healthz")).await.unwrap();
    assert_eq!((alive.status().as_u16(), alive.text().await.unwrap().as_str()), (200, "ok\n"));
    run(&mut operator, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true")).await;
    operator.close().await.unwrap();
    waits_for(&server, json!([])).await;

    let mut operator = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    run(&mut operator, "ALTER TABLE views.people_1 RENAME COLUMN user_name TO hidden").await;
    // What was registered is answered from the log; only the view stops, at the second of three events.
    register(&server, "ann001").await;
    waits_for(&server, json!([{ "what": "view", "name": "people_1", "state": "stopped", "lagEvents": 2 }]))
        .await;
    let metrics = reqwest::get(server.for_operators("/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nannal_projection_stopped{projection=\"people_1\"} 1\n"), "{metrics}");
    assert!(metrics.contains("\nannal_projection_stopped{projection=\"timeline_1\"} 0\n"), "{metrics}");
    run(&mut operator, "ALTER TABLE views.people_1 RENAME COLUMN hidden TO user_name").await;
    let (well, said) = installation.run(&["views", "rebuild", "people_1"]).await;
    assert!(well, "{said}");
    waits_for(&server, json!([])).await;
    operator.close().await.unwrap();
    installation.views_equal_their_rebuild().await;
    server.stop().await;
}

async fn register(server: &Annal, user_name: &str) {
    let mutation = "mutation ($input: RegisterInput!) { register(input: $input) { position } }";
    let input = json!({ "input": { "userName": user_name, "password": "a long secret" } });
    let data = Person::nobody().ask(&server.graphql(), mutation, input).await.unwrap();
    assert_eq!(data["register"]["position"], json!("3"));
}
