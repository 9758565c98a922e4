//! What callers were told, and whether the log agrees with it.
//!
//! The model: a message is known by its idempotency key. One that was acknowledged stands in the log once,
//! where the answer said; one whose outcome is unknown stands there once or not at all; nothing else is
//! there. Asked again with the same key, every unknown one comes to stand there once. Some are said without a
//! key, so that no receipt hides what the writer does twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use domain::conversation::{Content, ConversationEvent};
use domain::{AccountId, ConversationId, Event, IdempotencyKey, Position, Recorded};
use eventlog::EventLog;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;

use crate::kit::DEADLINE;
use crate::load;

/// Marks the lines by which another process tells its history.
pub(crate) const ALOUD: &str = "CHAOS ";
/// Events read at once.
const PAGE: u32 = 1_000;

/// One message and what its caller knows of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) sender: AccountId,
    pub(crate) conversation: ConversationId,
    /// Said once in the whole history.
    pub(crate) text: String,
    /// Whether its caller gave a key. Without one it is said once and never repeated; its key is only ours.
    pub(crate) keyed: bool,
    pub(crate) acknowledged: Option<Position>,
}

#[derive(Default)]
struct Known {
    said: BTreeMap<Uuid, Said>,
    /// Why outcomes were unknown, and how often.
    unknown: BTreeMap<String, u32>,
}

/// The whole of it. Clones share it.
#[derive(Clone)]
pub(crate) struct History {
    known: Arc<Mutex<Known>>,
    acknowledged: watch::Sender<usize>,
    refused: watch::Sender<usize>,
    aloud: bool,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            known: Arc::default(),
            acknowledged: watch::Sender::new(0),
            refused: watch::Sender::new(0),
            aloud: false,
        }
    }

    /// One that is told to the process above, line by line, before anything else happens.
    pub(crate) fn aloud() -> Self {
        Self { aloud: true, ..Self::new() }
    }

    /// A caller is about to say something.
    pub(crate) fn attempt(&self, key: IdempotencyKey, said: Said) {
        self.learn(key.0, said);
    }

    /// A caller was told the position of what it said.
    pub(crate) fn acknowledge(&self, key: IdempotencyKey, position: Position) {
        let said = self.known.lock().unwrap().said.get(&key.0).cloned().unwrap();
        self.learn(key.0, Said { acknowledged: Some(position), ..said });
    }

    /// A caller was told to try again.
    pub(crate) fn unknown(&self, why: &str) {
        *self.known.lock().unwrap().unknown.entry(why.to_owned()).or_default() += 1;
        self.refused.send_modify(|count| *count += 1);
    }

    /// Takes in one line of another process' history.
    pub(crate) fn hear(&self, line: &str) {
        let (key, said): (Uuid, Said) = serde_json::from_str(line).unwrap();
        self.learn(key, said);
    }

    /// Takes in the history of another process.
    pub(crate) fn absorb(&self, other: &Self) {
        let said = other.known.lock().unwrap().said.clone();
        for (key, said) in said {
            self.learn(key, said);
        }
    }

    fn learn(&self, key: Uuid, said: Said) {
        let mut known = self.known.lock().unwrap();
        if self.aloud {
            println!("{ALOUD}{}", serde_json::to_string(&(key, &said)).unwrap());
        }
        let position = said.acknowledged;
        let before = known.said.insert(key, said).and_then(|said| said.acknowledged);
        assert!(
            before.is_none() || before == position,
            "one key was acknowledged at {before:?} and {position:?}"
        );
        drop(known);
        if before.is_none() && position.is_some() {
            self.acknowledged.send_modify(|count| *count += 1);
        }
    }

    pub(crate) fn acknowledgements(&self) -> usize {
        *self.acknowledged.borrow()
    }

    /// Waits until so many more messages are acknowledged.
    pub(crate) async fn more_acknowledged(&self, more: usize) {
        grows(&self.acknowledged, more, self).await;
    }

    /// Waits until so many more callers are told to try again.
    pub(crate) async fn more_refused(&self, more: usize) {
        grows(&self.refused, more, self).await;
    }

    /// How often, and why, callers were told to try again.
    pub(crate) fn refusals(&self) -> BTreeMap<String, u32> {
        self.known.lock().unwrap().unknown.clone()
    }

    /// What was said, with its keys.
    pub(crate) fn all(&self) -> Vec<(IdempotencyKey, Said)> {
        let known = self.known.lock().unwrap();
        known.said.iter().map(|(key, said)| (IdempotencyKey(*key), said.clone())).collect()
    }

    /// The history as it is known to a log that ends earlier: what came later is unknown.
    pub(crate) fn up_to(&self, head: Position) -> Self {
        let earlier = Self::new();
        for (key, said) in self.all() {
            let acknowledged = said.acknowledged.filter(|position| *position <= head);
            earlier.learn(key.0, Said { acknowledged, ..said });
        }
        earlier
    }

    /// Compares with the log; returns where the keys stand that it holds.
    pub(crate) async fn agrees(&self, log: &EventLog) -> BTreeMap<Uuid, Position> {
        let all = self.all();
        let keys: BTreeMap<&str, &IdempotencyKey> =
            all.iter().map(|(key, said)| (said.text.as_str(), key)).collect();
        let said: BTreeMap<Uuid, &Said> = all.iter().map(|(key, said)| (key.0, said)).collect();
        let events = dense(log).await;
        let mut found = BTreeMap::new();
        for (recorded, sender, text) in messages(events.iter()) {
            let key = keys.get(text).unwrap_or_else(|| panic!("nobody said {text:?}")).0;
            assert_eq!(sender, said[&key].sender);
            assert_eq!(recorded.stream.aggregate_id, said[&key].conversation.to_string());
            let double = found.insert(key, recorded.position);
            assert_eq!(double, None, "{text:?} stands at {} too", recorded.position);
        }
        for (key, said) in &all {
            if said.acknowledged.is_some() {
                assert_eq!(found.get(&key.0).copied(), said.acknowledged, "{:?}", said.text);
            }
        }
        found
    }

    /// Compares, says everything again whose outcome is unknown, and compares again: now all is there.
    pub(crate) async fn settles(&self, log: &EventLog) {
        let found = self.agrees(log).await;
        for (key, said) in self.all().into_iter().filter(|(_, said)| said.keyed) {
            let Some(before) = said.acknowledged.or(found.get(&key.0).copied()) else {
                load::insist(log, self, key, &said).await;
                continue;
            };
            // Receipts of acknowledged ones are asked too, but not all: that would take longer than the storm.
            if said.acknowledged.is_none() || before.0 % 16 == 0 {
                assert_eq!(
                    load::insist(log, self, key, &said).await,
                    before,
                    "a repeat has no second effect"
                );
            }
        }
        let found = self.agrees(log).await;
        for (key, said) in self.all().into_iter().filter(|(_, said)| said.keyed) {
            assert!(said.acknowledged.is_some() && found.contains_key(&key.0), "{:?}", said.text);
        }
    }
}

async fn grows(count: &watch::Sender<usize>, more: usize, history: &History) {
    let goal = *count.borrow() + more;
    let reached =
        timeout(DEADLINE, async { count.subscribe().wait_for(|now| *now >= goal).await.map(|_| ()) });
    let missing = || format!("{} instead of {goal}; {:?}", *count.borrow(), history.refusals());
    reached.await.unwrap_or_else(|_| panic!("it does not go on: {}", missing())).unwrap();
}

/// The whole log: positions are 1, 2, 3 ..., sequences 1, 2, 3 ... in each stream, message numbers too, and
/// the table of streams says the same.
pub(crate) async fn dense(log: &EventLog) -> Vec<Recorded> {
    let (mut events, mut after) = (Vec::new(), Position::START);
    loop {
        let page = log.read(after, PAGE).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        events.extend(page);
    }
    let mut streams = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for (expected, event) in (1..).zip(&events) {
        assert_eq!(event.position, Position(expected));
        let (sequence, last) = streams.entry(event.stream.to_string()).or_insert((0, 0));
        (*sequence, *last) = (*sequence + 1, event.position.0);
        assert_eq!(event.sequence, *sequence, "{}", event.stream);
        if let Event::Conversation(ConversationEvent::MessageSent { number, .. }) = &event.event {
            let last = numbers.entry(event.stream.to_string()).or_insert(0);
            *last += 1;
            assert_eq!(number.0, *last, "{}", event.stream);
        }
    }
    let ids: BTreeSet<_> = events.iter().map(|event| event.metadata.event_id.0).collect();
    assert_eq!(ids.len(), events.len(), "every event has an id of its own");
    assert_eq!(versions(log).await, streams);
    events
}

/// What the table of streams says: version and last position of each.
async fn versions(log: &EventLog) -> BTreeMap<String, (i64, i64)> {
    let rows: Vec<(String, String, i64, i64)> =
        sqlx::query_as("SELECT aggregate_type, aggregate_id, version, last_position FROM streams")
            .fetch_all(log.pool())
            .await
            .unwrap();
    let stream = |(kind, id, version, last): (String, String, i64, i64)| {
        let aggregate_type = domain::event::aggregate_type(&kind).unwrap();
        (domain::StreamId { aggregate_type, aggregate_id: id }.to_string(), (version, last))
    };
    rows.into_iter().map(stream).collect()
}

/// The messages among some events, with sender and text.
pub(crate) fn messages<'e>(
    events: impl Iterator<Item = &'e Recorded>,
) -> impl Iterator<Item = (&'e Recorded, AccountId, &'e str)> {
    events.filter_map(|recorded| match &recorded.event {
        Event::Conversation(ConversationEvent::MessageSent {
            sender,
            content: Content::Text { text },
            ..
        }) => Some((recorded, *sender, text.open().unwrap().as_ref())),
        _ => None,
    })
}
