//! Messages at a fixed rate, and how long each took to the friend's socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::friends::Pair;
use crate::listener::Listener;
use crate::server::{Server, Used};

/// How long the last messages may take to arrive.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);

/// One run.
pub(crate) struct Sent {
    /// Sorted; from the moment at which the message was due, whether or not the sender was late.
    taken: Vec<Duration>,
    used: Used,
}

/// Both friends of every pair listen; one of them sends, pair after pair.
pub(crate) async fn at_rate(server: &Server, pairs: &[Pair], rate: u32, time: Duration) -> Sent {
    let (heard, mut arrivals) = mpsc::unbounded_channel();
    let mut listening = JoinSet::new();
    let sockets = pairs
        .iter()
        .flat_map(|pair| pair.people.iter().enumerate().map(|(at, person)| (at, person, &pair.conversation)));
    // One after the other; a first message says that both hear.
    for (at, person, conversation) in sockets {
        let mut socket = Listener::open(server.port, person, None).await;
        let ready = async {
            while timeout(Duration::from_millis(200), socket.hears("ready")).await.is_err() {
                person.sends(conversation, "ready").await;
            }
        };
        ready.await;
        let heard = heard.clone();
        listening.spawn(async move {
            loop {
                let message = socket.next().await;
                if let (1, Ok(number)) = (at, message.text.parse::<usize>()) {
                    heard.send((number, Instant::now())).unwrap();
                }
            }
        });
    }
    let count = usize::try_from(u64::from(rate) * time.as_secs().max(1)).unwrap();
    let before = server.used();
    let (begin, sending) = send(pairs, rate, count).await;
    let mut taken = Vec::with_capacity(count);
    while taken.len() < count {
        let (number, at) = timeout(ARRIVAL_MAX, arrivals.recv()).await.expect("all arrive").unwrap();
        taken.push(at - due(begin, rate, number));
    }
    join_all(sending).await;
    let used = server.used().since(before);
    taken.sort_unstable();
    Sent { taken, used }
}

fn due(begin: Instant, rate: u32, number: usize) -> Instant {
    begin + Duration::from_secs_f64(number as f64 / f64::from(rate))
}

/// Sends each message when it is due, whatever became of those before it.
async fn send(pairs: &[Pair], rate: u32, count: usize) -> (Instant, Vec<tokio::task::JoinHandle<i64>>) {
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_millis(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut sending = Vec::with_capacity(count);
    while sending.len() < count {
        while sending.len() < count && due(begin, rate, sending.len()) <= Instant::now() {
            let number = sending.len();
            let pair = &pairs[number % pairs.len()];
            let (person, conversation) = (pair.people[0].clone(), Arc::clone(&pair.conversation));
            sending.push(tokio::spawn(async move { person.sends(&conversation, &number.to_string()).await }));
        }
        ticks.tick().await;
    }
    (begin, sending)
}

impl Sent {
    fn at(&self, per_hundred: usize) -> Duration {
        self.taken[(self.taken.len() * per_hundred / 100).min(self.taken.len() - 1)]
    }

    pub(crate) fn p99(&self) -> Duration {
        self.at(99)
    }

    pub(crate) fn latency(&self) -> String {
        let ms = |of: Duration| of.as_secs_f64() * 1_000.0;
        format!("{:.1} / {:.1} / {:.0} ms", ms(self.at(50)), ms(self.at(99)), ms(self.at(100)))
    }

    pub(crate) fn cpu_per_thousand(&self) -> String {
        let per = |of: Duration| of.as_secs_f64() / self.taken.len() as f64 * 1_000.0;
        let (server, postgres) = (per(self.used.server), per(self.used.postgres));
        format!("{server:.3} + {postgres:.3} = {:.3} s CPU per 1,000", server + postgres)
    }
}
