//! Commands per second with durable commits: Annal's log beside plain cqrs-es with postgres-es, in one
//! alternating run on one PostgreSQL, with the same rules and the same 100-byte messages.
//!
//! `cargo bench -p eventlog --bench append`; `ROUNDS` (3) and `SECONDS_PER_CELL` (2) change the length,
//! `ONLY=a64,c64` chooses loads and callers.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark prints and may fail")]

mod cpu;
mod machine;
mod ours;
mod plain;
mod run;

use std::env;
use std::time::Duration;

use eventlog::testing::PrivateCluster;

use crate::run::{Cell, Contestant, Figures, measure};

/// Callers at once.
const CALLERS: [usize; 4] = [1, 16, 32, 64];

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Load {
    /// Every caller writes to streams of its own, in turn.
    ManyStreams,
    /// All callers write to one stream.
    OneHotStream,
    /// Every caller writes to streams that hold 10,000 events already.
    LongStreams,
}

impl Load {
    const ALL: [Self; 3] = [Self::ManyStreams, Self::OneHotStream, Self::LongStreams];

    fn letter(self) -> char {
        match self {
            Self::ManyStreams => 'a',
            Self::OneHotStream => 'b',
            Self::LongStreams => 'c',
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::ManyStreams => "(a) many streams",
            Self::OneHotStream => "(b) one hot stream",
            Self::LongStreams => "(c) streams of 10,000 events",
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::main]
async fn main() {
    let rounds = number("ROUNDS", 3);
    let time = Duration::from_secs(number("SECONDS_PER_CELL", 2));
    let cluster = PrivateCluster::start().await.unwrap();
    println!("{}", machine::line());
    println!("{}", machine::pgbench(cluster.cluster().unwrap()));
    let ours = ours::Ours::prepare(&cluster).await;
    let plain = plain::Plain::prepare(&cluster).await;
    println!(
        "\n| load | callers | plain /s (p50, p99, max ms; CPU us own + PostgreSQL) | Annal /s (the same) | ratio |"
    );
    println!("|---|---|---|---|---|");
    let only = env::var("ONLY").ok();
    let chosen = |cell: &str| only.as_ref().is_none_or(|only| only.split(',').any(|one| one == cell));
    for load in Load::ALL {
        for callers in CALLERS {
            if !chosen(&format!("{}{callers}", load.letter())) {
                continue;
            }
            let cell = Cell { load, callers, time, server: cluster.cluster().unwrap().server_pid() };
            // In turn, so that a noisy neighbour disturbs both.
            let (mut theirs, mut own) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                theirs.push(measure(&plain, cell).await);
                own.push(measure(&ours, cell).await);
            }
            let (theirs, own) = (Figures::median(theirs), Figures::median(own));
            let ratio = own.per_second / theirs.per_second;
            println!("| {} | {callers} | {theirs} | {own} | {ratio:.1} |", load.title());
        }
    }
    println!("\n{}", machine::pgbench(cluster.cluster().unwrap()));
    println!("{}", ours.bytes_per_message().await);
    plain.finish().await;
    ours.finish().await;
}

/// A text of 100 bytes.
pub(crate) fn text() -> String {
    "A message of exactly one hundred bytes, as people write them every day, and a bit more of it, so so."
        .to_owned()
}

impl Contestant for ours::Ours {
    async fn command(&self, load: Load, caller: usize, turn: usize) {
        self.send(load, caller, turn).await;
    }
}

impl Contestant for plain::Plain {
    async fn command(&self, load: Load, caller: usize, turn: usize) {
        self.send(load, caller, turn).await;
    }
}
