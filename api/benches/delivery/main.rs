//! Live delivery over real sockets: the released server with a PostgreSQL of its own, and clients beside it.
//!
//! `cargo bench -p api --bench delivery`. Environment: `RUN_SECONDS` (20) of sending per rate, `RATE` (200)
//! messages per second, `PAIRS` (100) of friends, `ROOM` (1000) sockets on one conversation, `SOCKETS`
//! (5000) open at once, `BINARY` (the one just built). A run of under two minutes:
//! `RUN_SECONDS=4 PAIRS=20 ROOM=200 SOCKETS=1000`.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark prints and may fail")]
#![allow(clippy::cast_precision_loss, reason = "figures need no more")]

mod crowd;
mod friends;
mod idle;
mod listener;
mod process;
mod reconnect;
mod room;
mod sending;
mod server;

use std::env;
use std::time::Duration;

use crate::friends::Pair;
use crate::server::Server;

/// How much is measured.
struct Scale {
    time: Duration,
    rate: u32,
    pairs: usize,
    room: usize,
    sockets: usize,
}

fn number(name: &str, default: usize) -> usize {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

impl Scale {
    fn read() -> Self {
        Self {
            time: Duration::from_secs(number("RUN_SECONDS", 20) as u64),
            rate: u32::try_from(number("RATE", 200)).unwrap(),
            pairs: number("PAIRS", 100).max(1),
            room: number("ROOM", 1_000),
            sockets: number("SOCKETS", 5_000),
        }
    }
}

#[tokio::main]
async fn main() {
    let scale = Scale::read();
    let server = Server::start().await;
    println!("{}", process::machine());
    let pairs = friends::befriend(server.port, scale.pairs).await;
    println!("{} pairs of friends\n\n| measured | figure |\n|---|---|", pairs.len());
    // Caches, pools and allocators are warm then.
    sending::at_rate(&server, &pairs, scale.rate, Duration::from_secs(2)).await;
    let sent = sending::at_rate(&server, &pairs, scale.rate, scale.time).await;
    let rate = scale.rate;
    row(&format!("send to friend's socket at {rate}/s, p50 / p99 / max"), &sent.latency());
    row("CPU per 1,000 messages: server + PostgreSQL", &sent.cpu_per_thousand());
    row("highest rate with p99 under 50 ms", &highest(&server, &pairs, &scale).await);
    row(
        &format!("CPU per delivery, room of {}", scale.room),
        &room::measure(&server, &pairs[0], scale.room).await,
    );
    let crowd = idle::measure(&server, &pairs, scale.sockets).await;
    row(&format!("memory per idle subscription at {}", scale.sockets), &crowd.memory);
    row(
        &format!("{} sockets reconnect, 20 missed each", scale.sockets),
        &reconnect::measure(&server, crowd, &pairs).await,
    );
    server.stop().await;
}

fn row(measured: &str, figure: &str) {
    println!("| {measured} | {figure} |");
}

/// Raises the rate by half until messages take too long.
async fn highest(server: &Server, pairs: &[Pair], scale: &Scale) -> String {
    let mut held = None;
    let mut rate = (scale.rate / 2).max(1);
    let time = scale.time.min(Duration::from_secs(5));
    loop {
        let sent = sending::at_rate(server, pairs, rate, time).await;
        if sent.p99() > Duration::from_millis(50) {
            let failed = format!("{rate}/s took {}", sent.latency());
            return held.map_or(format!("none: {failed}"), |held| format!("{held}; {failed}"));
        }
        held = Some(format!("{rate}/s ({})", sent.cpu_per_thousand()));
        rate += rate.div_ceil(2);
    }
}
