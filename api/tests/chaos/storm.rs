//! People who talk through a server that comes and goes, and what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::person::{Person, Unknown};

/// Senders at a time.
const SENDERS: u128 = 8;
/// Longest wait for messages, a restart of the server included.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Pause of a sender whose request came to nothing.
const PAUSE: Duration = Duration::from_millis(5);

type Reasons = Arc<Mutex<BTreeMap<String, u32>>>;

/// The code of the error in an answer.
fn code(reason: &str) -> String {
    let errors: Option<Value> = serde_json::from_str(reason).ok();
    let code = errors.and_then(|errors| Some(errors[0]["extensions"]["code"].as_str()?.to_owned()));
    code.unwrap_or_else(|| "no answer".to_owned())
}

/// What one sender knows of one message.
#[derive(Clone)]
struct Said {
    by_ann: bool,
    text: String,
    /// The message as the acknowledgement showed it.
    acknowledged: Option<Value>,
}

/// The senders, and all that was said.
pub(crate) struct Storm {
    pub(crate) ann: Person,
    pub(crate) bob: Person,
    pub(crate) conversation: String,
    said: Arc<Mutex<BTreeMap<Uuid, Said>>>,
    acknowledged: watch::Sender<usize>,
    reasons: Reasons,
    stop: Arc<AtomicBool>,
    senders: JoinSet<()>,
}

impl Storm {
    /// Two friends join and begin to talk. `urls` tells where the server is now.
    pub(crate) async fn begin(url: &str, urls: &watch::Receiver<String>) -> Self {
        let (ann, bob) = tokio::join!(Person::register(url, "ann001"), Person::register(url, "bob001"));
        let conversation = ann.befriend(url, &bob).await;
        let mut storm = Self {
            ann,
            bob,
            conversation,
            said: Arc::default(),
            acknowledged: watch::Sender::new(0),
            reasons: Reasons::default(),
            stop: Arc::default(),
            senders: JoinSet::new(),
        };
        for number in 0..SENDERS {
            let sender = storm.sender(number, urls.clone());
            storm.senders.spawn(sender.run());
        }
        storm
    }

    fn sender(&self, number: u128, url: watch::Receiver<String>) -> Sender {
        let by_ann = number.is_multiple_of(2);
        Sender {
            number,
            by_ann,
            person: if by_ann { self.ann.clone() } else { self.bob.clone() },
            conversation: self.conversation.clone(),
            url,
            said: self.said.clone(),
            acknowledged: self.acknowledged.clone(),
            reasons: self.reasons.clone(),
            stop: self.stop.clone(),
        }
    }

    /// Waits until so many more messages are acknowledged.
    pub(crate) async fn more_acknowledged(&self, more: usize) {
        let goal = *self.acknowledged.borrow() + more;
        let mut count = self.acknowledged.subscribe();
        let waited = timeout(WAIT_MAX, count.wait_for(|now| *now >= goal)).await;
        drop(waited.expect("it goes on").unwrap());
    }

    /// How many messages were acknowledged.
    pub(crate) fn acknowledgements(&self) -> usize {
        *self.acknowledged.borrow()
    }

    /// How often requests came to nothing, by the code of the error; without one there was no answer.
    pub(crate) fn reasons(&self) -> BTreeMap<String, u32> {
        self.reasons.lock().unwrap().clone()
    }

    /// Everybody falls silent, with or without an answer.
    pub(crate) async fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.senders.join_next().await {
            ended.unwrap();
        }
    }

    /// Whoever has no answer asks again with the same key; then the timeline shows everything once, as it
    /// was acknowledged, numbered without a gap.
    pub(crate) async fn settles(&self, url: &str) {
        let all = self.said.lock().unwrap().clone();
        let mut expected = BTreeMap::new();
        for (key, said) in &all {
            let person = if said.by_ann { &self.ann } else { &self.bob };
            let message = match &said.acknowledged {
                // Receipts are asked too, but not all.
                Some(message) if !key.as_u128().is_multiple_of(16) => message.clone(),
                before => {
                    let message = person.say(url, &self.conversation, &said.text, *key).await.unwrap();
                    assert!(
                        before.as_ref().is_none_or(|before| *before == message),
                        "a receipt outlives a crash"
                    );
                    message
                }
            };
            let mut whole = message.clone();
            whole["content"] = json!({ "text": said.text });
            let double = expected.insert(message["number"].as_u64().unwrap(), whole);
            assert_eq!(double, None, "two messages have one number");
        }
        let last = expected.last_key_value().unwrap().1["position"].clone();
        self.bob.reads(url, &last).await;
        let shown = self.bob.timeline(url, &self.conversation).await;
        let numbers: Vec<u64> = shown.iter().map(|message| message["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>(), "each once, numbers are dense");
        assert_eq!(shown, expected.into_values().collect::<Vec<_>>(), "what is shown was acknowledged");
    }

    /// Forgets what was acknowledged behind a position: after a restore nobody has an answer to it.
    pub(crate) fn is_back_at(&self, head: i64) -> usize {
        let mut lost = 0;
        for said in self.said.lock().unwrap().values_mut() {
            let position = |message: &Value| message["position"].as_str().unwrap().parse::<i64>().unwrap();
            if said.acknowledged.as_ref().is_some_and(|message| position(message) > head) {
                said.acknowledged = None;
                lost += 1;
            }
        }
        lost
    }
}

struct Sender {
    number: u128,
    by_ann: bool,
    person: Person,
    conversation: String,
    url: watch::Receiver<String>,
    said: Arc<Mutex<BTreeMap<Uuid, Said>>>,
    acknowledged: watch::Sender<usize>,
    reasons: Reasons,
    stop: Arc<AtomicBool>,
}

impl Sender {
    /// One message after the other. Every other one is repeated until it is acknowledged; the rest stay
    /// unknown until the end when the server goes away.
    async fn run(self) {
        for index in 0_u128.. {
            let key = Uuid::from_u128((4 << 76) | (self.number << 32) | index);
            let text = format!("{index} from {} 你好", self.number);
            let said = Said { by_ann: self.by_ann, text: text.clone(), acknowledged: None };
            self.said.lock().unwrap().insert(key, said);
            loop {
                let url = self.url.borrow().clone();
                match self.person.say(&url, &self.conversation, &text, key).await {
                    Ok(message) => {
                        self.said.lock().unwrap().get_mut(&key).unwrap().acknowledged = Some(message);
                        self.acknowledged.send_modify(|count| *count += 1);
                        break;
                    }
                    Err(Unknown(reason)) => {
                        *self.reasons.lock().unwrap().entry(code(&reason)).or_default() += 1;
                    }
                }
                if self.stop.load(Ordering::SeqCst) || index % 2 == 0 {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            // Nobody floods a server that is away with new messages.
            tokio::time::sleep(PAUSE).await;
        }
    }
}
