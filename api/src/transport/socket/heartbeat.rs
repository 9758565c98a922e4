//! The server's pings, and how long a client may stay silent.

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::super::config::SocketLimits;

/// Counts the pings since the last word of the client.
pub(crate) struct Heartbeat {
    ticks: Interval,
    unanswered: u32,
    unanswered_max: u32,
}

impl Heartbeat {
    /// Begins now; the first ping is one interval away.
    pub(crate) fn new(limits: &SocketLimits) -> Self {
        let pause = limits.ping_interval();
        let mut ticks = interval_at(Instant::now() + pause, pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, unanswered: 0, unanswered_max: limits.pings_missed_max }
    }

    /// Waits until it is time to ping.
    pub(crate) async fn due(&mut self) {
        self.ticks.tick().await;
    }

    /// Counts a ping; false when too many went unanswered.
    pub(crate) fn ping(&mut self) -> bool {
        self.unanswered += 1;
        self.unanswered <= self.unanswered_max
    }

    /// The client said something.
    pub(crate) fn heard(&mut self) {
        self.unanswered = 0;
    }
}
