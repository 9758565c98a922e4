//! The server under test.

use std::net::SocketAddr;
use std::sync::Arc;

use api::server::{House, Storage};
use api::settings::ServeSettings;
use clap::Parser;
use eventlog::testing::{Template, TestDatabase};
use eventlog::{EventLog, LogConfig, LogTasks, MIGRATOR, MasterKey, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::{Actor, soon};

/// The password of everybody in the stories.
pub(crate) const PASSWORD: &str = "correct horse 电池";
/// A master key for tests: 32 bytes of zero.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The settings as the command line reads them.
#[derive(Parser)]
#[command(args_override_self = true)]
struct Line {
    #[command(flatten)]
    serve: ServeSettings,
}

/// A running server.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) database: TestDatabase,
    pub(crate) draining: watch::Sender<bool>,
    house: House,
    server: JoinHandle<()>,
    _stop: oneshot::Sender<()>,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With further flags of `annal serve`.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let database = TestDatabase::create(&Template::new(&MIGRATOR)).await.unwrap();
        let url = database.url();
        // One person of a story does more in a second than others do in a minute.
        let patience = "--account-requests-per-minute=0";
        let given = ["annal", "--database-url", url.as_str(), "--master-key", MASTER_KEY, patience];
        let settings = Line::parse_from(given.iter().chain(flags)).serve;
        let storage = Storage::open(&settings.data).await.unwrap();
        let (draining, drained) = watch::channel(false);
        let house = House::build(&settings, &storage, drained).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = house.router().into_make_service_with_connect_info::<SocketAddr>();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, service) => served.unwrap(),
                _ = stopped => {}
            }
        });
        Self { address, database, draining, house, server, _stop: stop }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Somebody who is not signed in.
    pub(crate) fn nobody(&self) -> Actor {
        Actor::nobody(self.address)
    }

    /// A new person, signed in.
    pub(crate) async fn person(&self, name: &str) -> Actor {
        let mut actor = self.nobody();
        let input = json!({ "userName": name, "password": PASSWORD });
        let registered = actor.mutate("register", input, "token viewer { person { id } }").await;
        actor.become_bearer_of(&registered);
        actor
    }

    /// Two friends and the id of their conversation.
    pub(crate) async fn friends(&self, one: &str, other: &str) -> (Actor, Actor, String) {
        let (one, other) = tokio::join!(self.person(one), self.person(other));
        let conversation = one.befriends(&other).await;
        (one, other, conversation)
    }

    /// One node more on the same database: a log without a server and without policies.
    pub(crate) async fn node(&self) -> (EventLog, LogTasks) {
        node(&self.database).await
    }

    /// Ends the story: everything is committed, and the views equal what the log says.
    pub(crate) async fn views_equal_their_rebuild(self) {
        self.draining.send_replace(true);
        soon(self.house.close()).await;
        self.server.abort();
        let (log, tasks) = node(&self.database).await;
        let (stop, stopped) = watch::channel(false);
        let (views, projector) = projections::Projector::start(
            log.clone(),
            projections::catalogue(),
            projections::ProjectorConfig::default(),
            stopped,
        )
        .await
        .unwrap();
        let head = log.head().await.unwrap();
        assert_eq!(views.wait_for(head, super::DEADLINE).await, projections::Waited::Reached);
        for verdict in projections::verify(&log, &mut |_| {}).await.unwrap() {
            assert!(verdict.equal, "{verdict:?}");
            assert_eq!(verdict.position, head);
        }
        stop.send_replace(true);
        soon(projector.finish()).await;
        soon(tasks.close()).await;
    }

    /// Runs SQL that answers with one number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.database.pool()).await.unwrap()
    }
}

/// A log on the database of a test.
pub(crate) async fn node(database: &TestDatabase) -> (EventLog, LogTasks) {
    let master = MasterKey::from_base64(MASTER_KEY).unwrap();
    let (clock, config) = (Arc::new(SystemClock), LogConfig::default());
    EventLog::open(database.connect_options(), master, clock, config).await.unwrap()
}

/// The data of an answer that must have no errors.
pub(crate) fn data(answer: &Value) -> Value {
    assert!(answer.get("errors").is_none(), "unexpected errors: {answer}");
    answer["data"].clone()
}
