//! Why a socket is closed: the close codes and what a client does then.

use axum::extract::ws::CloseFrame;

/// Reasons to close, each with its code.
///
/// graphql-ws gives up at 4400, 4401, 4406, 4409, 4429 and at most of 1xxx, and comes back after 1012,
/// 1013, 4403 (unless told otherwise), 4408, 4410 and 4411.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// 1000: the client said goodbye (the older protocol's `connection_terminate`).
    Normal,
    /// 1009: the message is larger than the limit; sending it again will not help.
    TooLarge,
    /// 1012: the server restarts; come back and resume from the last position.
    Restart,
    /// 1013: too many sockets on this server, or sessions cannot be checked; come back later.
    Overload,
    /// 1013: this account or address has too many open sockets; close one, or come back later.
    TooManySockets,
    /// 1013: too many requests; come back after the time that the reason names.
    RateLimited {
        /// When, in milliseconds from now.
        retry_after_ms: u64,
    },
    /// 4400: not a message of the protocol.
    BadMessage(&'static str),
    /// 4401: an operation before `connection_ack`.
    Unauthorized,
    /// 4403: the token or cookie is unknown, expired or revoked; sign in, then come back.
    Forbidden,
    /// 4403: the session ended while the socket was open; sign in, then come back.
    SessionEnded,
    /// 4406: neither of our subprotocols was offered.
    Subprotocol,
    /// 4408: no `connection_init` in time; come back.
    InitTimeout,
    /// 4409: the operation id is in use.
    DuplicateId,
    /// 4410: the client reads too slowly; come back and resume from the last position.
    SlowConsumer,
    /// 4411: no word from the client over several pings; come back.
    Silent,
    /// 4429: a second `connection_init`.
    TooManyInits,
}

impl Close {
    /// Code and reason; reasons stay under the 123 bytes that a close frame holds (RFC 6455, 5.5).
    pub(crate) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::RateLimited { retry_after_ms } => {
                let reason = format!("too many requests: retryAfterMs={retry_after_ms}");
                return CloseFrame { code: 1013, reason: reason.into() };
            }
            Self::Normal => (1000, "goodbye"),
            Self::TooLarge => (1009, "message too large"),
            Self::Restart => (1012, "the server restarts"),
            Self::Overload => (1013, "try again later"),
            Self::TooManySockets => (1013, "too many open sockets"),
            Self::BadMessage(reason) => (4400, reason),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::SessionEnded => (4403, "the session ended"),
            Self::Subprotocol => (4406, "Subprotocol not acceptable"),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::DuplicateId => (4409, "Subscriber already exists"),
            Self::SlowConsumer => (4410, "reads too slowly: resume from the last position"),
            Self::Silent => (4411, "no answer to pings"),
            Self::TooManyInits => (4429, "Too many initialisation requests"),
        };
        CloseFrame { code, reason: reason.into() }
    }
}
