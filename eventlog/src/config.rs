//! The limits of the log, each with its unit.

use std::time::Duration;

/// Every limit of the log. The defaults suit one server with a local PostgreSQL.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Commands that may wait for the writer; one more is refused as overload.
    pub queue_commands_max: usize,
    /// Events in one append transaction.
    pub batch_events_max: usize,
    /// Bytes of payload and metadata in one append transaction.
    pub batch_bytes_max: usize,
    /// How often a command is decided again because another writer was faster.
    pub decide_attempts_max: u32,
    /// How often the writer tries a batch whose transaction failed.
    pub append_attempts_max: u32,
    /// Pause before the writer tries a batch again; doubles each time.
    pub append_backoff: Duration,
    /// How long the writer waits for the lock that orders appends.
    pub lock_timeout: Duration,
    /// How long a frozen writer may hold that lock before PostgreSQL ends its session.
    pub frozen_writer_timeout: Duration,
    /// How long one statement of the writer or the tail may take, waiting for the lock apart, before its
    /// connection is given up; what it was to commit is then looked up.
    pub statement_timeout: Duration,
    /// How long the writer keeps the lock for commands that another node overtook, so that they are decided
    /// again and appended before that node writes again. Without it the node that is faster wins every time.
    pub overtaken_wait: Duration,
    /// Streams whose versions the writer keeps in mind while no other node appends. With none it looks at the
    /// end of the log before each batch.
    pub known_streams_max: usize,
    /// Aggregates kept in memory.
    pub live_aggregates_max: usize,
    /// Sealing keys kept in memory.
    pub cached_keys_max: usize,
    /// Connections for reading.
    pub read_connections_max: u32,
    /// How long a caller waits for a connection for reading.
    pub read_connection_timeout: Duration,
    /// Pause between looks at the log for events of other nodes.
    pub poll_interval: Duration,
    /// Pause between two words to other nodes that there are new events.
    pub ring_interval: Duration,
    /// Pause before a broken connection that listens for other nodes is made again.
    pub listen_backoff: Duration,
    /// Events read at once when following the log.
    pub tail_events_max: u32,
    /// Batches of new events kept for slow listeners; who falls behind reads the log instead.
    pub live_batches_max: usize,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            queue_commands_max: 4_096,
            batch_events_max: 512,
            batch_bytes_max: 4 * 1024 * 1024,
            decide_attempts_max: 8,
            append_attempts_max: 6,
            append_backoff: Duration::from_millis(50),
            lock_timeout: Duration::from_secs(5),
            frozen_writer_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            overtaken_wait: Duration::from_millis(20),
            known_streams_max: 100_000,
            live_aggregates_max: 100_000,
            cached_keys_max: 200_000,
            read_connections_max: 16,
            read_connection_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_millis(100),
            ring_interval: Duration::from_millis(2),
            listen_backoff: Duration::from_secs(1),
            tail_events_max: 1_000,
            live_batches_max: 1_024,
        }
    }
}
