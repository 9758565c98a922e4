//! The limits of the projector, each with its unit.

use std::time::Duration;

/// Every limit of the projector. The defaults suit one server with a local PostgreSQL.
#[derive(Clone, Debug)]
pub struct ProjectorConfig {
    /// Events applied in one transaction (1 to 5,000).
    pub batch_events_max: u32,
    /// How often a batch is tried before its poison is looked for.
    pub attempts_max: u32,
    /// Pause before a failed batch is tried again; doubles each time.
    pub backoff: Duration,
    /// Pause between looks for work when nothing wakes the projector, and for projections that nobody
    /// leads any more.
    pub poll_interval: Duration,
    /// Pause before a projector that lost its connection or its lead tries again.
    pub retry_interval: Duration,
    /// How long a frozen leader may keep its session, idle or in a transaction, before PostgreSQL ends
    /// it. Must be well above `poll_interval`.
    pub frozen_leader_timeout: Duration,
    /// How long one statement of a projection may take.
    pub statement_timeout: Duration,
    /// Space of the advisory locks that make a leader; the same on all nodes of a database.
    pub leader_lock_space: i32,
}

impl Default for ProjectorConfig {
    fn default() -> Self {
        Self {
            batch_events_max: 1_000,
            attempts_max: 5,
            backoff: Duration::from_millis(50),
            poll_interval: Duration::from_millis(500),
            retry_interval: Duration::from_millis(500),
            frozen_leader_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(20),
            leader_lock_space: 0x0061_6e6e,
        }
    }
}
