//! `kill -9` in the middle of sends: what was acknowledged is there, and nothing is there twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Position;
use eventlog::testing::{Template, TestDatabase};
use eventlog::{EventLog, LogConfig, MasterKey, SystemClock};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::annal::Installation;
use crate::person::{Person, Unknown};

/// Requests under way at a time.
const SENDERS: u32 = 8;
/// What each of them says.
const MESSAGES_EACH: u32 = 40;
/// After so many acknowledgements the server is killed.
const KILLS_AFTER: [usize; 3] = [40, 120, 200];
/// From a kill to the new address.
const RESTART_MAX: Duration = Duration::from_secs(30);
/// All of it.
const DEADLINE: Duration = Duration::from_mins(3);

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// One message that the server acknowledged.
struct Acknowledged {
    key: Uuid,
    text: String,
    message: Value,
    /// How often the outcome was unknown before.
    unknown: u32,
}

/// Somebody who says one message after the other, and repeats those whose outcome is unknown.
struct Sender {
    number: u32,
    person: Person,
    conversation: String,
    /// Where the server is now.
    url: watch::Receiver<String>,
    acknowledged: mpsc::UnboundedSender<Acknowledged>,
}

impl Sender {
    async fn run(mut self) {
        for index in 0..MESSAGES_EACH {
            let key = Uuid::from_u128((u128::from(self.number) << 64) | u128::from(index) | (4 << 76));
            let text = format!("{index} from {} 你好", self.number);
            let mut unknown = 0;
            let message = loop {
                let url = self.url.borrow_and_update().clone();
                match self.person.say(&url, &self.conversation, &text, key).await {
                    Ok(message) => break message,
                    Err(Unknown(reason)) => {
                        unknown += 1;
                        let moved = timeout(RESTART_MAX, self.url.changed()).await;
                        moved.unwrap_or_else(|_| panic!("no crash explains it: {reason}")).unwrap();
                    }
                }
            };
            self.acknowledged.send(Acknowledged { key, text, message, unknown }).unwrap();
        }
    }
}

#[tokio::test]
async fn every_acknowledged_message_is_there_once_after_kill_9() {
    timeout(DEADLINE, kills()).await.expect("in time");
}

async fn kills() {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let mut server = installation.serve().await;
    let (ann, bob) = tokio::join!(async { Person::register(&server.graphql(), "ann001").await }, async {
        Person::register(&server.graphql(), "bob001").await
    });
    let conversation = ann.befriend(&server.graphql(), &bob).await;

    let (url, urls) = watch::channel(server.graphql());
    let (acknowledge, mut acknowledgements) = mpsc::unbounded_channel();
    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        let person = if number % 2 == 0 { ann.clone() } else { bob.clone() };
        let (conversation, url, acknowledged) = (conversation.clone(), urls.clone(), acknowledge.clone());
        senders.spawn(Sender { number, person, conversation, url, acknowledged }.run());
    }
    drop(acknowledge);
    let mut all: Vec<Acknowledged> = Vec::new();
    while let Some(acknowledged) = acknowledgements.recv().await {
        all.push(acknowledged);
        if KILLS_AFTER.contains(&all.len()) {
            server.crash().await;
            server = installation.serve().await;
            url.send_replace(server.graphql());
        }
    }
    while let Some(ended) = senders.join_next().await {
        ended.unwrap();
    }

    let unknown: u32 = all.iter().map(|acknowledged| acknowledged.unknown).sum();
    println!("{} messages, {} crashes, {unknown} requests without an answer", all.len(), KILLS_AFTER.len());
    assert!(unknown > 0, "no request was under way when the server was killed");
    let url = server.graphql();
    let last = all.iter().max_by_key(|acknowledged| acknowledged.message["number"].as_u64()).unwrap();
    bob.reads(&url, &last.message["position"]).await;
    expect_each_once(&all, &bob.timeline(&url, &conversation).await);
    for old in all.iter().take(20) {
        let sender = if old.message["sender"]["id"] == json!(ann.id) { &ann } else { &bob };
        let again = sender.say(&url, &conversation, &old.text, old.key).await.unwrap();
        assert_eq!(again, old.message, "a receipt outlives a crash");
    }
    installation.views_equal_their_rebuild().await;
    server.stop().await;
    expect_dense_positions(&database, &installation).await;
}

/// The timeline holds what was acknowledged, each message once, numbered without a gap.
fn expect_each_once(all: &[Acknowledged], timeline: &[Value]) {
    let numbers: Vec<u64> = timeline.iter().map(|message| message["number"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=u64::from(SENDERS * MESSAGES_EACH)).collect();
    assert_eq!(numbers, expected, "numbers are dense");
    let said: BTreeMap<u64, Value> = all
        .iter()
        .map(|Acknowledged { text, message, .. }| {
            let mut whole = message.clone();
            whole["content"] = json!({ "text": text });
            (message["number"].as_u64().unwrap(), whole)
        })
        .collect();
    let shown: BTreeMap<u64, Value> = numbers.iter().copied().zip(timeline.iter().cloned()).collect();
    assert_eq!(shown, said, "what is shown is what was acknowledged");
}

/// Positions of the log are 1, 2, 3 ... without a gap.
async fn expect_dense_positions(database: &TestDatabase, installation: &Installation) {
    let key = MasterKey::read(&installation.folder.path().join("master.key")).unwrap();
    let clock = Arc::new(SystemClock);
    let opened = EventLog::open(database.connect_options(), key, clock, LogConfig::default()).await;
    let (log, tasks) = opened.unwrap();
    let mut after = Position::START;
    loop {
        let page = log.read(after, 1_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        for recorded in page {
            assert_eq!(recorded.position, after.next());
            after = recorded.position;
        }
    }
    assert_eq!(after, log.head().await.unwrap());
    assert!(after.0 > i64::from(SENDERS * MESSAGES_EACH));
    tasks.close().await;
}
