//! This test program again, as another process that writes to the same log.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eventlog::{Clock as _, EventLog, LogConfig, SystemClock};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::ground::{Friends, Ground};
use crate::history::{ALOUD, History, messages};
use crate::kit::DEADLINE;
use crate::load::Load;

/// Tells a copy of this program what to do, as JSON.
const ORDERS: &str = "ANNAL_CHAOS_ORDERS";
/// Begins the line in which another process says what it went through.
const SEEN: &str = "SEEN ";

/// What another process does until its input ends.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) ground: Ground,
    pub(crate) crowd: Vec<Friends>,
    pub(crate) callers: usize,
    /// The first word of its texts.
    pub(crate) name: String,
    /// See [`impatient`]; the default limits without.
    pub(crate) patience_ms: Option<u64>,
}

impl Orders {
    fn config(&self) -> LogConfig {
        // Without a memory of the log's end it takes the lock first, and can be frozen while it holds it.
        let forgetful = |patience| LogConfig { known_streams_max: 0, ..impatient(patience) };
        self.patience_ms.map_or_else(LogConfig::default, forgetful)
    }
}

/// Limits under which a frozen writer is given up soon, and so is a batch.
pub(crate) fn impatient(patience_ms: u64) -> LogConfig {
    let patience = Duration::from_millis(patience_ms);
    LogConfig {
        append_attempts_max: 4,
        lock_timeout: patience,
        frozen_writer_timeout: patience,
        ..LogConfig::default()
    }
}

/// Another process that writes.
pub(crate) struct Other {
    child: Child,
    listening: JoinHandle<()>,
    /// What it told so far.
    pub(crate) history: History,
    seen: Arc<Mutex<Seen>>,
}

impl Other {
    pub(crate) fn start(orders: &Orders) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["process::as_another_process", "--exact", "--nocapture"]);
        command.env(ORDERS, serde_json::to_string(orders).unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (history, seen) = (History::new(), Arc::<Mutex<Seen>>::default());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = tokio::spawn({
            let (history, seen) = (history.clone(), seen.clone());
            async move {
                while let Some(line) = lines.next_line().await.unwrap() {
                    if let Some((_, said)) = line.split_once(ALOUD) {
                        history.hear(said);
                    } else if let Some((_, told)) = line.split_once(SEEN) {
                        *seen.lock().unwrap() = serde_json::from_str(told).unwrap();
                    }
                }
            }
        });
        Self { child, listening, history, seen }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).expect("it runs");
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGKILL; what it had told by then is its history.
    pub(crate) async fn kill(mut self) -> History {
        self.child.kill().await.unwrap();
        self.listening.await.unwrap();
        self.history
    }

    /// Lets it end in good order; with what it went through.
    pub(crate) async fn finish(mut self) -> (History, Seen) {
        drop(self.child.stdin.take());
        let ended = timeout(DEADLINE, self.child.wait()).await.expect("it ends in time").unwrap();
        assert!(ended.success(), "the other process had a wrong answer");
        self.listening.await.unwrap();
        let seen = self.seen.lock().unwrap().clone();
        (self.history, seen)
    }
}

/// What a process went through.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Events of other processes, and how soon they were heard of.
    foreign: usize,
    pub(crate) median: Duration,
    worst: Duration,
    /// How often its callers were told to try again, and why.
    pub(crate) refusals: BTreeMap<String, u32>,
}

/// From the moment an event was put into its batch to the moment this process hears of it, for events of
/// other processes. Includes the flush.
pub(crate) struct Delays(JoinHandle<()>, Arc<Mutex<Vec<Duration>>>);

impl Delays {
    /// Takes the time of all messages that do not begin with the own name.
    pub(crate) async fn measure(log: &EventLog, own: &str) -> Self {
        let (mut live, seam) = (log.follow(), log.head().await.unwrap());
        let delays: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let (own, told) = (own.to_owned(), delays.clone());
        let task = tokio::spawn(async move {
            while let Ok(batch) = live.recv().await {
                let now = SystemClock.now();
                let news = batch.iter().map(|event| &**event).filter(|event| event.position > seam);
                for (event, ..) in messages(news).filter(|(_, _, text)| !text.starts_with(&own)) {
                    told.lock().unwrap().push((now - event.recorded_at).to_std().unwrap_or_default());
                }
            }
        });
        Self(task, delays)
    }

    /// What came of it.
    pub(crate) fn end(self, history: &History) -> Seen {
        self.0.abort();
        let mut delays = self.1.lock().unwrap().clone();
        delays.sort_unstable();
        let of = |part: usize| {
            delays.get(delays.len() * part / 100).or(delays.last()).copied().unwrap_or_default()
        };
        Seen { foreign: delays.len(), median: of(50), worst: of(100), refusals: history.refusals() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_another_process() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let (log, tasks) = orders.ground.open(orders.config()).await;
    let history = History::aloud();
    let delays = Delays::measure(&log, &orders.name).await;
    let load = Load::start(&log, &orders.crowd, orders.callers, &history, &orders.name);
    let told_to_end = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(told_to_end).await.unwrap().unwrap();
    load.stop().await;
    println!("{SEEN}{}", serde_json::to_string(&delays.end(&history)).unwrap());
    tasks.close().await;
}
