//! One conversation with many sockets on it.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::crowd;
use crate::friends::Pair;
use crate::server::Server;

/// Messages sent into the room.
const MESSAGES: usize = 200;

/// Processor time of the server per message and socket, with its share of the sending.
pub(crate) async fn measure(server: &Server, pair: &Pair, sockets: usize) -> String {
    let one = std::slice::from_ref(pair);
    let after = vec![crowd::tell(one, "welcome").await[0] - 1];
    let mut listening = JoinSet::new();
    for mut socket in crowd::open(server.port, one, sockets, &after, "welcome").await {
        listening.spawn(async move {
            for number in 0..MESSAGES {
                assert_eq!(socket.next().await.text, number.to_string());
            }
            socket
        });
    }
    let before = server.used();
    let mut ticks = interval(Duration::from_millis(25));
    for number in 0..MESSAGES {
        ticks.tick().await;
        pair.people[0].sends(&pair.conversation, &number.to_string()).await;
    }
    let all = timeout(Duration::from_mins(1), listening.join_all()).await.expect("every socket hears all");
    let used = server.used().since(before);
    let per = used.server.as_secs_f64() / (MESSAGES * all.len()) as f64 * 1_000_000.0;
    format!("{per:.2} µs")
}
