//! Every limit of the transport, with its unit and its default.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::cookie::SessionCookie;
use super::persisted::HASH;

/// Limits and settings of the GraphQL endpoints.
#[derive(Clone, Debug)]
pub struct TransportConfig {
    /// Largest request body, query string and WebSocket message, in bytes. Default 65,536.
    pub body_bytes_max: usize,
    /// How long a request body may take to arrive, in seconds. Default 10.
    pub body_timeout_s: u64,
    /// How long one query or mutation may run, in seconds; subscriptions have no end date. Default 10.
    pub operation_timeout_s: u64,
    /// Whether queries may come by GET (mutations never may). Default true: the audits of GraphQL over
    /// HTTP ask for it; hardening guides ask for the opposite.
    pub get_queries: bool,
    /// The session cookie. Default: one that also goes over plain HTTP.
    pub session_cookie: SessionCookie,
    /// Origins (`https://chat.example.org`) that may use cookies and sockets besides the server's own
    /// host. Default none.
    pub origins_allowed: Vec<String>,
    /// Whether the last address of `X-Forwarded-For` is the caller's: true only behind a proxy that
    /// sets it. Default false.
    pub forwarded_for_trusted: bool,
    /// Whether callers who are not signed in may introspect the schema, and read it at `/schema.graphql`.
    /// Default true.
    pub introspection_anonymous: bool,
    /// Documents known by id (`sha256:…`, see [`super::persisted_documents`]). Default empty.
    pub persisted_documents: HashMap<String, Arc<str>>,
    /// Limits of one document.
    pub document: DocumentLimits,
    /// Limits of one socket.
    pub socket: SocketLimits,
}

/// Limits of one GraphQL document, counted with every fragment expanded where it is used.
#[derive(Clone, Copy, Debug)]
pub struct DocumentLimits {
    /// Lexical tokens, counted before parsing. Default 1,000.
    pub tokens_max: usize,
    /// Fields, spreads and inline fragments over all operations. Default 2,000 (the introspection query
    /// of graphql-js counts 470).
    pub nodes_max: u64,
    /// Nested fields, leaves included. Default 15 (the introspection query needs 15).
    pub depth_max: u64,
    /// Aliased fields. Default 30.
    pub aliases_max: u64,
    /// Directives. Default 50.
    pub directives_max: u64,
    /// Directives at one place. Default 5.
    pub directives_per_node_max: usize,
    /// Times that one response key may be written in one selection set. Default 10.
    pub repeats_max: usize,
    /// Fragment definitions. Default 100.
    pub fragments_max: usize,
    /// Operation definitions. Default 10.
    pub operations_max: usize,
    /// Lists nested below `__schema` or `__type` (`fields`, `interfaces`, `possibleTypes`,
    /// `inputFields`); each level multiplies the answer. Default 2, as in graphql-js.
    pub introspection_lists_max: u64,
}

/// Limits of one WebSocket and of all of them together.
#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    /// Open sockets per process; one more is closed with 1013. Default 20,000.
    pub sockets_max: usize,
    /// Time to `connection_init` after the upgrade, in seconds; then 4408. Default 10.
    pub init_timeout_s: u64,
    /// Pause between pings of the server, in seconds. Default 12.
    pub ping_interval_s: u64,
    /// Pings in a row without any word from the client before the socket is closed with 4411. Default 2.
    pub pings_missed_max: u32,
    /// Payloads waiting for one socket; a full queue stops the streams that feed it. Default 256.
    pub queue_payloads_max: usize,
    /// How long a queue may stay full, or one write may take, in seconds; then 4410. Default 10.
    pub stalled_s: u64,
    /// Operations under way on one socket. Default 32.
    pub operations_max: usize,
    /// Longest operation id, in bytes. Default 128.
    pub id_bytes_max: usize,
    /// Read buffer of one socket, in bytes; it is cleared whenever the socket is looked at. Default 1,024.
    pub read_buffer_bytes: usize,
    /// Write buffer of one socket, in bytes: what is written before the kernel is asked. Default 4,096.
    pub write_buffer_bytes: usize,
    /// How long pushes wait for the answer to a mutation of the same socket, in milliseconds. Default 250.
    pub answer_first_ms_max: u64,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 * 1024,
            body_timeout_s: 10,
            operation_timeout_s: 10,
            get_queries: true,
            session_cookie: SessionCookie::default(),
            origins_allowed: Vec::new(),
            forwarded_for_trusted: false,
            introspection_anonymous: true,
            persisted_documents: HashMap::new(),
            document: DocumentLimits::default(),
            socket: SocketLimits::default(),
        }
    }
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            tokens_max: 1_000,
            nodes_max: 2_000,
            depth_max: 15,
            aliases_max: 30,
            directives_max: 50,
            directives_per_node_max: 5,
            repeats_max: 10,
            fragments_max: 100,
            operations_max: 10,
            introspection_lists_max: 2,
        }
    }
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            sockets_max: 20_000,
            init_timeout_s: 10,
            ping_interval_s: 12,
            pings_missed_max: 2,
            queue_payloads_max: 256,
            stalled_s: 10,
            operations_max: 32,
            id_bytes_max: 128,
            read_buffer_bytes: 1_024,
            write_buffer_bytes: 4_096,
            answer_first_ms_max: 250,
        }
    }
}

impl TransportConfig {
    /// The document of an id, which clients send with or without the name of the hash.
    pub(crate) fn persisted(&self, id: &str) -> Option<&Arc<str>> {
        let known = &self.persisted_documents;
        known.get(id).or_else(|| known.get(&format!("{HASH}{id}")))
    }

    /// The time one query or mutation may run.
    pub(crate) fn operation_timeout(&self) -> Duration {
        Duration::from_secs(self.operation_timeout_s)
    }

    /// The time a request body may take to arrive.
    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_s)
    }
}

impl SocketLimits {
    /// The time from the upgrade to `connection_init`.
    pub(crate) fn init_timeout(&self) -> Duration {
        Duration::from_secs(self.init_timeout_s)
    }

    /// The pause between two pings; never zero, which a timer would refuse.
    pub(crate) fn ping_interval(&self) -> Duration {
        Duration::from_secs(self.ping_interval_s.max(1))
    }

    /// The time a queue may stay full or a write may take.
    pub(crate) fn stalled(&self) -> Duration {
        Duration::from_secs(self.stalled_s)
    }

    /// The time pushes wait for the answer to a mutation of the same socket.
    pub(crate) fn answer_first(&self) -> Duration {
        Duration::from_millis(self.answer_first_ms_max)
    }
}
