//! Many sockets of few people, opened side by side.

use futures_util::{StreamExt as _, stream};

use crate::friends::Pair;
use crate::listener::Listener;

/// Sockets that are being opened at the same time.
const AT_ONCE: usize = 256;

/// Opens so many sockets, over all people in turn, each listening after its pair's position. Every socket
/// has heard the pair's message `text` when this returns, so its subscription is in force.
pub(crate) async fn open(
    port: u16,
    pairs: &[Pair],
    sockets: usize,
    after: &[i64],
    text: &str,
) -> Vec<Listener> {
    stream::iter(0..sockets)
        .map(|number| async move {
            let pair = number / 2 % pairs.len();
            let mut socket = Listener::open(port, &pairs[pair].people[number % 2], Some(after[pair])).await;
            socket.hears(text).await;
            socket
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// One message to every pair; returns their positions.
pub(crate) async fn tell(pairs: &[Pair], text: &str) -> Vec<i64> {
    stream::iter(pairs)
        .map(|pair| pair.people[0].sends(&pair.conversation, text))
        .buffered(16)
        .collect()
        .await
}
