//! Sockets that wait.

use crate::crowd;
use crate::friends::Pair;
use crate::listener::Listener;
use crate::server::Server;

/// Open sockets, and what they cost.
pub(crate) struct Crowd {
    pub(crate) memory: String,
    pub(crate) sockets: Vec<Listener>,
    /// The last position that the sockets of each pair have heard.
    pub(crate) seen: Vec<i64>,
}

/// Memory of the server per socket with one subscription that has delivered something and waits.
pub(crate) async fn measure(server: &Server, pairs: &[Pair], sockets: usize) -> Crowd {
    let seen = crowd::tell(pairs, "hello").await;
    let after: Vec<i64> = seen.iter().map(|position| position - 1).collect();
    let before = server.resident().await;
    let sockets = crowd::open(server.port, pairs, sockets, &after, "hello").await;
    let grown = server.resident().await.saturating_sub(before);
    let memory = format!("{:.1} kB", grown as f64 / sockets.len() as f64 / 1_000.0);
    Crowd { memory, sockets, seen }
}
