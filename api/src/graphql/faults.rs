//! Faults and protocol errors: top-level `errors` with a code. Refusals never come this way.

use async_graphql::{Error, ErrorExtensions as _};
use eventlog::{ExecuteError, LogError};
use projections::ProjectionError;

use crate::accounts::PasswordError;
use crate::limits::TurnedAway;
use crate::live::FeedError;

/// Pause that is suggested when the server is overloaded or its database is away, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

fn coded(message: &str, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

fn retryable(message: &str) -> Error {
    Error::new(message).extend_with(|_, extensions| {
        extensions.set("code", "SERVICE_UNAVAILABLE");
        extensions.set("retryAfterMs", RETRY_AFTER_MS);
    })
}

/// The caller tries too often, or tries cannot be counted.
pub(super) fn turned_away(reason: TurnedAway) -> Error {
    match reason {
        TurnedAway::Wait { retry_after_ms } => {
            Error::new("too many tries; wait").extend_with(|_, extensions| {
                extensions.set("code", "RATE_LIMITED");
                extensions.set("retryAfterMs", retry_after_ms);
            })
        }
        TurnedAway::Log(error) => {
            tracing::error!(fault = describe(&error), "tries could not be counted");
            retryable("the database is away; try again")
        }
    }
}

/// The caller has to sign in first.
pub(super) fn unauthenticated() -> Error {
    coded("sign in first", "UNAUTHENTICATED")
}

/// An argument has an impossible value.
pub(super) fn bad_input(message: &str) -> Error {
    coded(message, "BAD_USER_INPUT")
}

/// A fault of a view: logged by the transport, answered neutrally.
#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
pub(super) fn view(error: ProjectionError) -> Error {
    Error::new(describe(&error))
}

/// A fault of the log while reading.
#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
pub(super) fn log(error: LogError) -> Error {
    Error::new(describe(&error))
}

/// A command that came to no outcome. A reused idempotency key is a refusal and not handled here.
pub(super) fn execute(error: &ExecuteError) -> Error {
    match error {
        ExecuteError::Overloaded => retryable("too many commands are waiting; try again"),
        ExecuteError::Contended => retryable("others were faster; try again"),
        ExecuteError::Log(LogError::Closed) => retryable("the server is restarting; try again"),
        ExecuteError::Log(LogError::OutcomeUnknown) => {
            retryable("the outcome is unknown; try again with the same idempotency key")
        }
        ExecuteError::Log(fault @ LogError::Database(_)) => {
            tracing::error!(fault = describe(fault), "the database failed a command");
            retryable("the database is away; try again with the same idempotency key")
        }
        ExecuteError::Log(other) => Error::new(describe(other)),
        ExecuteError::KeyReused => Error::new("a reused key is a refusal"),
    }
}

/// A password that was not hashed or compared.
pub(super) fn password(error: &PasswordError) -> Error {
    match error {
        PasswordError::Overloaded => retryable("too many people are signing in; try again"),
        PasswordError::Hashing => Error::new(error.to_string()),
    }
}

/// The end of a feed. The transport closes the socket of a slow consumer with 4410.
pub(super) fn feed(error: &FeedError) -> Error {
    match error {
        FeedError::Ahead => {
            coded("the position lies beyond the end of the log; read everything anew", "POSITION_AHEAD")
        }
        FeedError::SlowConsumer => {
            coded("events were not taken in fast enough; resume from the last position", "SLOW_CONSUMER")
        }
        FeedError::ViewsBehind => retryable("the views are catching up; try again"),
        FeedError::Log(fault) => Error::new(describe(fault)),
        FeedError::View(fault) => Error::new(describe(fault)),
    }
}

/// A fault with its causes, for the log line that the transport writes. None of them holds personal data.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
