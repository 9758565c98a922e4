//! Everybody loses the connection, misses messages, and comes back at once.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use crate::crowd;
use crate::friends::Pair;
use crate::idle::Crowd;
use crate::listener::Listener;
use crate::server::Server;

/// Messages that every socket misses.
const MISSED: usize = 20;
/// Sockets that come back at the same time.
const AT_ONCE: usize = 256;

/// How long it takes until everybody has everything, and whether it was exactly that.
pub(crate) async fn measure(server: &Server, crowd: Crowd, pairs: &[Pair]) -> String {
    let Crowd { sockets, seen, .. } = crowd;
    let count = sockets.len();
    drop(sockets);
    for number in 0..MISSED {
        crowd::tell(pairs, &format!("missed {number}")).await;
    }
    let (before, begin) = (server.used(), Instant::now());
    let seen = &seen;
    let outcomes: Vec<(usize, usize)> = stream::iter(0..count)
        .map(|number| async move {
            let pair = number / 2 % pairs.len();
            let person = &pairs[pair].people[number % 2];
            let socket = Listener::open(server.port, person, Some(seen[pair])).await;
            timeout(Duration::from_mins(1), outcome(socket)).await.unwrap_or((MISSED, 0))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (time, used) = (begin.elapsed().as_secs_f64(), server.used().since(before));
    let (lost, doubled) = outcomes.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let (server, postgres) = (used.server.as_secs_f64(), used.postgres.as_secs_f64());
    format!("{time:.1} s (CPU {server:.1} + {postgres:.1} s), lost {lost}, doubled {doubled}")
}

/// What one socket lost and got twice, up to the last message.
async fn outcome(mut socket: Listener) -> (usize, usize) {
    let (mut heard, mut last, mut doubled) = (0, 0, 0);
    loop {
        let update = socket.next().await;
        if update.position <= last {
            doubled += 1;
            continue;
        }
        last = update.position;
        heard += usize::from(update.text.starts_with("missed "));
        if update.text == format!("missed {}", MISSED - 1) {
            return (MISSED - heard, doubled);
        }
    }
}
