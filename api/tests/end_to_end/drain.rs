//! SIGTERM: readiness says no first, then sockets close with 1012, and the process ends well.

use std::time::Duration;

use eventlog::testing::{APPEND_LOCK, Template, TestDatabase};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

use crate::annal::{Annal, Installation};
use crate::person::Person;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The longest that anything here may take which should happen at once.
const SOON: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// A greeted socket.
async fn socket(server: &Annal) -> Socket {
    let url = server.at("/graphql/ws").replacen("http", "ws", 1);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = timeout(SOON, tokio_tungstenite::connect_async(request)).await.unwrap().unwrap();
    socket.send(Message::text(json!({ "type": "connection_init" }).to_string())).await.unwrap();
    let greeted = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(greeted.to_text().unwrap().contains("connection_ack"));
    socket
}

/// The code that a socket is closed with.
async fn close_code(mut socket: Socket) -> u16 {
    loop {
        let heard = timeout(SOON, socket.next()).await.expect("it is closed").unwrap().unwrap();
        if let Message::Close(frame) = heard {
            return frame.expect("a code").code.into();
        }
    }
}

/// What `/readyz` answers, and with which status.
async fn readiness(url: &str) -> (u16, Value) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_stop_is_announced_then_sockets_get_1012_and_the_process_ends_well() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let mut server = installation.serve_with(&["--notice-s", "2"]).await;
    let url = server.graphql();
    let ann = Person::register(&url, "ann001").await;
    let bob = Person::register(&url, "bob001").await;
    let conversation = ann.befriend(&url, &bob).await;
    let socket = socket(&server).await;
    let ready = server.at("/readyz");
    assert_eq!(readiness(&ready).await, (200, json!({ "ready": true, "waitingFor": [] })));

    server.ask_to_stop();
    timeout(SOON, async {
        while readiness(&ready).await.0 == 200 {
            sleep(LOOK_EVERY).await;
        }
    })
    .await
    .expect("it is not ready any more");
    let told = json!({ "ready": false, "waitingFor": [{ "what": "stop" }] });
    assert_eq!(readiness(&ready).await, (503, told));
    let said = ann.say(&url, &conversation, "Still served? 还在吗？", Uuid::from_u128(1)).await.unwrap();
    assert_eq!(said["number"], 1, "who did not notice yet is served");
    assert_eq!(close_code(socket).await, 1012);
    server.has_stopped().await;

    let server = installation.serve().await;
    assert_eq!(bob.timeline(&server.graphql(), &conversation).await.len(), 1, "what was answered is there");
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_is_under_way_is_answered_before_the_process_ends() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let mut server = installation.serve_with(&["--metrics-listen", "127.0.0.1:0"]).await;
    let url = server.graphql();
    let ann = Person::register(&url, "ann001").await;
    let bob = Person::register(&url, "bob001").await;
    let conversation = ann.befriend(&url, &bob).await;
    // Whoever holds this lock holds every append.
    let mut holder = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(APPEND_LOCK).execute(&mut holder).await.unwrap();
    let saying = tokio::spawn({
        let (url, ann, conversation) = (url.clone(), ann.clone(), conversation.clone());
        async move { ann.say(&url, &conversation, "Slowly 慢慢来", Uuid::from_u128(1)).await }
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database =
        (SELECT oid FROM pg_database WHERE datname = current_database())";
    timeout(SOON, async {
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut holder).await.unwrap() == 0 {
            sleep(LOOK_EVERY).await;
        }
    })
    .await
    .expect("the append waits");

    server.ask_to_stop();
    let ready = server.for_operators("/readyz");
    timeout(SOON, async {
        while readiness(&ready).await.0 == 200 {
            sleep(LOOK_EVERY).await;
        }
    })
    .await
    .expect("it is not ready any more, and still says so to operators");
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(APPEND_LOCK).execute(&mut holder).await.unwrap();
    holder.close().await.unwrap();
    let said = timeout(SOON, saying).await.expect("it is answered").unwrap().expect("it is done");
    assert_eq!(said["number"], 1);
    server.has_stopped().await;
    installation.views_equal_their_rebuild().await;
}
