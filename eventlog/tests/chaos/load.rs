//! Callers who say one thing after the other, and a follower who listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Actor, IdempotencyKey, Position};
use eventlog::fresh::new_uuid;
use eventlog::{EventLog, ExecuteError, LogError, Outcome};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};

use crate::ground::Friends;
use crate::history::{History, Said};
use crate::kit::{DEADLINE, context, keyed, message};

/// How often a caller repeats itself before it says something else; the outcome stays unknown until the end.
const TRIES_MAX: u32 = 3;
/// One of so many callers gives no keys.
const UNKEYED: usize = 4;
/// Pause of a caller that was told to try again.
const PAUSE: Duration = Duration::from_millis(5);

/// Says something once; none when the outcome is unknown.
///
/// Anything but success or a refusal that invites a retry fails the test.
pub(crate) async fn say(
    log: &EventLog,
    history: &History,
    key: IdempotencyKey,
    said: &Said,
) -> Option<Position> {
    let actor = Actor::Account(said.sender);
    let context = if said.keyed { keyed(actor, key, &said.text) } else { context(actor) };
    match log.execute(message(said.sender, said.conversation, &said.text), context).await {
        Ok(Outcome::Done(done)) => {
            assert_eq!(done.events.len(), 1, "{done:?}");
            assert_eq!(done.events[0].position, done.position);
            history.acknowledge(key, done.position);
            Some(done.position)
        }
        Ok(Outcome::Refused(refusal)) => panic!("{:?} was refused: {refusal}", said.text),
        Err(error) => {
            history.unknown(invitation(&error));
            None
        }
    }
}

/// What kind of "try again" an error is; any other error is a wrong answer.
fn invitation(error: &ExecuteError) -> &'static str {
    match error {
        ExecuteError::Overloaded => "overloaded",
        ExecuteError::Contended => "contended",
        ExecuteError::Log(LogError::Closed) => "closed",
        ExecuteError::Log(LogError::OutcomeUnknown) => "outcome unknown",
        ExecuteError::Log(LogError::Database(_)) => "database",
        wrong => panic!("no caller can make sense of this: {wrong:?}"),
    }
}

/// Says something again and again until it is acknowledged.
pub(crate) async fn insist(log: &EventLog, history: &History, key: IdempotencyKey, said: &Said) -> Position {
    let insisted = timeout(DEADLINE, async {
        loop {
            if let Some(position) = say(log, history, key, said).await {
                return position;
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    insisted.await.unwrap_or_else(|_| panic!("no answer to {:?}: {:?}", said.text, history.refusals()))
}

/// Callers under way.
pub(crate) struct Load {
    callers: JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// Begins; `name` makes the texts of this load its own.
    pub(crate) fn start(
        log: &EventLog,
        crowd: &[Friends],
        callers: usize,
        history: &History,
        name: &str,
    ) -> Self {
        let mut load = Self { callers: JoinSet::new(), stop: Arc::default() };
        for number in 0..callers {
            let friends = crowd[number % crowd.len()];
            let caller = Caller {
                log: log.clone(),
                history: history.clone(),
                stop: load.stop.clone(),
                friends,
                name: format!("{name} {number}"),
                number,
            };
            load.callers.spawn(caller.run());
        }
        load
    }

    /// Ends when every caller has its answer. A wrong answer to any of them fails the test here.
    pub(crate) async fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) =
            timeout(DEADLINE, self.callers.join_next()).await.expect("callers are answered")
        {
            ended.unwrap();
        }
    }
}

struct Caller {
    log: EventLog,
    history: History,
    stop: Arc<AtomicBool>,
    friends: Friends,
    name: String,
    number: usize,
}

impl Caller {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    async fn run(self) {
        for index in 0.. {
            if self.stopped() {
                return;
            }
            let said = Said {
                sender: self.friends.people[self.number / 2 % 2],
                conversation: self.friends.conversation,
                text: format!("{} {index}", self.name),
                keyed: self.number % UNKEYED != UNKEYED - 1,
                acknowledged: None,
            };
            let key = IdempotencyKey(new_uuid());
            self.history.attempt(key, said.clone());
            for _ in 0..TRIES_MAX {
                let answered = say(&self.log, &self.history, key, &said).await.is_some();
                if answered || !said.keyed || self.stopped() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Listens to a log while it is attacked: every event once, in order, from where it began.
pub(crate) struct Follower {
    seen: watch::Receiver<Position>,
    listening: JoinHandle<()>,
}

impl Follower {
    pub(crate) async fn start(log: &EventLog) -> Self {
        let mut live = log.follow();
        let seam = log.head().await.unwrap();
        let (tell, seen) = watch::channel(seam);
        let listening = tokio::spawn(async move {
            let mut last = seam;
            loop {
                let batch = match live.recv().await {
                    Ok(batch) => batch,
                    Err(RecvError::Lagged(batches)) => panic!("{batches} batches behind"),
                    Err(RecvError::Closed) => return,
                };
                for event in batch.iter().filter(|event| event.position > seam) {
                    assert_eq!(event.position, last.next(), "no gap, no double");
                    last = event.position;
                }
                tell.send_replace(last);
            }
        });
        Self { seen, listening }
    }

    /// Waits until everything up to the end of the log was heard.
    pub(crate) async fn heard_all(mut self, log: &EventLog) {
        let head = log.head().await.unwrap();
        let heard = timeout(DEADLINE, self.seen.wait_for(|seen| *seen >= head)).await;
        if heard.expect("followers hear everything").is_err() {
            self.listening.await.unwrap();
            panic!("the log was closed under its follower");
        }
        self.listening.abort();
    }
}

/// Waits for something that comes about by itself.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
