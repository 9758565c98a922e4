//! Limits that few operators change. Each default suits one server with a local PostgreSQL.

use std::time::Duration;

use clap::Args;
use eventlog::LogConfig;

use crate::live::HubLimits;
use crate::transport::TransportConfig;

/// Limits of requests and their documents.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of requests")]
pub struct RequestLimits {
    /// The largest request body and socket message, in bytes.
    #[arg(long, env = "ANNAL_BODY_BYTES_MAX", default_value_t = 64 * 1024)]
    pub body_bytes_max: usize,

    /// How long a request body may take to arrive, in seconds.
    #[arg(long, env = "ANNAL_BODY_TIMEOUT_S", default_value_t = 10)]
    pub body_timeout_s: u64,

    /// How long one query or mutation may take, in seconds.
    #[arg(long, env = "ANNAL_OPERATION_TIMEOUT_S", default_value_t = 10)]
    pub operation_timeout_s: u64,

    /// Lexical tokens of one GraphQL document.
    #[arg(long, env = "ANNAL_DOCUMENT_TOKENS_MAX", default_value_t = 1_000)]
    pub document_tokens_max: usize,

    /// Fields, spreads and inline fragments (nodes) of one document, every fragment expanded.
    #[arg(long, env = "ANNAL_DOCUMENT_NODES_MAX", default_value_t = 2_000)]
    pub document_nodes_max: u64,

    /// The depth of nested fields of one document, in levels. Introspection needs 15.
    #[arg(long, env = "ANNAL_DOCUMENT_DEPTH_MAX", default_value_t = 15)]
    pub document_depth_max: u64,

    /// Aliases of fields in one document.
    #[arg(long, env = "ANNAL_DOCUMENT_ALIASES_MAX", default_value_t = 30)]
    pub document_aliases_max: u64,
}

/// Limits of sockets and of live delivery over them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of sockets")]
pub struct SocketSettings {
    /// Open sockets; one more is told to come back later.
    #[arg(long, env = "ANNAL_SOCKETS_MAX", default_value_t = 20_000)]
    pub sockets_max: usize,

    /// Operations under way on one socket.
    #[arg(long, env = "ANNAL_SOCKET_OPERATIONS_MAX", default_value_t = 32)]
    pub socket_operations_max: usize,

    /// How long a client may take from the upgrade to `connection_init`, in seconds.
    #[arg(long, env = "ANNAL_SOCKET_INIT_TIMEOUT_S", default_value_t = 10)]
    pub socket_init_timeout_s: u64,

    /// Pause between two pings of the server, in seconds.
    #[arg(long, env = "ANNAL_SOCKET_PING_INTERVAL_S", default_value_t = 12)]
    pub socket_ping_interval_s: u64,

    /// Pings in a row without a word from the client before its socket is closed.
    #[arg(long, env = "ANNAL_SOCKET_PINGS_MISSED_MAX", default_value_t = 2)]
    pub socket_pings_missed_max: u32,

    /// Payloads that wait for one socket; a full queue stops the streams that feed it.
    #[arg(long, env = "ANNAL_SOCKET_QUEUE_PAYLOADS_MAX", default_value_t = 256)]
    pub socket_queue_payloads_max: usize,

    /// How long that queue may stay full, or one write may take, in seconds; then the socket is cut off.
    #[arg(long, env = "ANNAL_SOCKET_STALLED_S", default_value_t = 10)]
    pub socket_stalled_s: u64,

    /// Events that may wait for one listener; one more cuts it off, and it resumes from its position.
    #[arg(long, env = "ANNAL_WAITING_EVENTS_MAX", default_value_t = 1_024)]
    pub waiting_events_max: usize,

    /// Newest events kept in memory, so that devices which were away for a moment cost no database.
    #[arg(long, env = "ANNAL_RECENT_EVENTS_MAX", default_value_t = 4_096)]
    pub recent_events_max: usize,

    /// The same in bytes, texts included; what was made of them for sockets comes on top.
    #[arg(long, env = "ANNAL_RECENT_BYTES_MAX", default_value_t = 8 * 1024 * 1024)]
    pub recent_bytes_max: usize,

    /// Events read at once when a listener catches up.
    #[arg(long, env = "ANNAL_CATCH_UP_EVENTS_MAX", default_value_t = 500)]
    pub catch_up_events_max: u32,
}

/// Limits of the log and its database.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of the log")]
pub struct LogLimits {
    /// Commands that may wait for the log; one more is told to come back later.
    #[arg(long, env = "ANNAL_QUEUE_COMMANDS_MAX", default_value_t = 4_096)]
    pub queue_commands_max: usize,

    /// Events in one append transaction.
    #[arg(long, env = "ANNAL_BATCH_EVENTS_MAX", default_value_t = 512)]
    pub batch_events_max: usize,

    /// Payload and metadata in one append transaction, in bytes.
    #[arg(long, env = "ANNAL_BATCH_BYTES_MAX", default_value_t = 4 * 1024 * 1024)]
    pub batch_bytes_max: usize,

    /// How long one statement of the log may take, in seconds, waiting for other nodes apart.
    #[arg(long, env = "ANNAL_STATEMENT_TIMEOUT_S", default_value_t = 10)]
    pub statement_timeout_s: u64,

    /// How long an append waits for other nodes, in seconds.
    #[arg(long, env = "ANNAL_LOCK_TIMEOUT_S", default_value_t = 5)]
    pub lock_timeout_s: u64,

    /// How long a reader waits for a connection, in seconds.
    #[arg(long, env = "ANNAL_READ_CONNECTION_TIMEOUT_S", default_value_t = 5)]
    pub read_connection_timeout_s: u64,

    /// Pause between looks at the log for events of other nodes, in milliseconds.
    #[arg(long, env = "ANNAL_POLL_INTERVAL_MS", default_value_t = 100)]
    pub poll_interval_ms: u64,

    /// Aggregates kept in memory.
    #[arg(long, env = "ANNAL_LIVE_AGGREGATES_MAX", default_value_t = 100_000)]
    pub live_aggregates_max: usize,

    /// Streams whose versions the writer keeps in memory while no other node appends.
    #[arg(long, env = "ANNAL_KNOWN_STREAMS_MAX", default_value_t = 100_000)]
    pub known_streams_max: usize,

    /// Sealing keys kept in memory.
    #[arg(long, env = "ANNAL_CACHED_KEYS_MAX", default_value_t = 200_000)]
    pub cached_keys_max: usize,

    /// Batches of new events kept in memory for listeners that are slow; later they read the log.
    #[arg(long, env = "ANNAL_LIVE_BATCHES_MAX", default_value_t = 1_024)]
    pub live_batches_max: usize,
}

impl RequestLimits {
    /// These limits in place of the defaults.
    pub(super) fn apply(&self, config: &mut TransportConfig) {
        config.body_bytes_max = self.body_bytes_max;
        config.body_timeout_s = self.body_timeout_s;
        config.operation_timeout_s = self.operation_timeout_s;
        config.document.tokens_max = self.document_tokens_max;
        config.document.nodes_max = self.document_nodes_max;
        config.document.depth_max = self.document_depth_max;
        config.document.aliases_max = self.document_aliases_max;
    }
}

impl SocketSettings {
    /// These limits in place of the defaults.
    pub(super) fn apply(&self, config: &mut TransportConfig) {
        let socket = &mut config.socket;
        socket.sockets_max = self.sockets_max;
        socket.operations_max = self.socket_operations_max;
        socket.init_timeout_s = self.socket_init_timeout_s;
        socket.ping_interval_s = self.socket_ping_interval_s;
        socket.pings_missed_max = self.socket_pings_missed_max;
        socket.queue_payloads_max = self.socket_queue_payloads_max;
        socket.stalled_s = self.socket_stalled_s;
    }

    /// The limits of live delivery.
    pub(super) fn hub(&self) -> HubLimits {
        HubLimits {
            waiting_events_max: self.waiting_events_max,
            recent_events_max: self.recent_events_max,
            recent_bytes_max: self.recent_bytes_max,
            catch_up_events_max: self.catch_up_events_max,
        }
    }
}

impl LogLimits {
    /// These limits in place of others.
    pub(super) fn over(&self, config: &LogConfig) -> LogConfig {
        LogConfig {
            queue_commands_max: self.queue_commands_max,
            batch_events_max: self.batch_events_max,
            batch_bytes_max: self.batch_bytes_max,
            statement_timeout: Duration::from_secs(self.statement_timeout_s),
            lock_timeout: Duration::from_secs(self.lock_timeout_s),
            read_connection_timeout: Duration::from_secs(self.read_connection_timeout_s),
            poll_interval: Duration::from_millis(self.poll_interval_ms),
            live_aggregates_max: self.live_aggregates_max,
            known_streams_max: self.known_streams_max,
            cached_keys_max: self.cached_keys_max,
            live_batches_max: self.live_batches_max,
            ..config.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        requests: RequestLimits,
        #[command(flatten)]
        sockets: SocketSettings,
        #[command(flatten)]
        log: LogLimits,
    }

    /// The environment of whoever runs the tests must not matter.
    fn defaults() -> Line {
        Line::parse_from(["annal"])
    }

    #[test]
    fn the_defaults_of_the_flags_are_those_of_the_rooms() {
        let Line { requests, sockets, log } = defaults();
        let mut config = TransportConfig::default();
        requests.apply(&mut config);
        sockets.apply(&mut config);
        assert_eq!(format!("{config:?}"), format!("{:?}", TransportConfig::default()));
        assert_eq!(format!("{:?}", sockets.hub()), format!("{:?}", HubLimits::default()));
        assert_eq!(format!("{:?}", log.over(&LogConfig::default())), format!("{:?}", LogConfig::default()));
    }
}
