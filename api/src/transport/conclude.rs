//! From what the library answers to what a client may read: codes on every error, no text of a fault.

use std::collections::BTreeMap;

use async_graphql::{Response, ServerError, Value};
use metrics::counter;
use serde::Serialize;

use super::observe::{REFUSALS, TransportStats};
use super::refusal::{Code, Refusal, coded, fault_message};

/// Validation errors in one answer; a document of unknown fields shall not be an amplifier.
const ERRORS_MAX: usize = 10;
/// Code with which a subscription says that its reader lags behind; the socket closes with 4410.
const SLOW_CONSUMER: &str = "SLOW_CONSUMER";
/// How the library begins the errors of a value that an argument's type cannot take. They quote the value: they
/// are for the caller's eyes only.
const COERCIONS: [&str; 2] = ["Failed to parse \"", "Expected input type \""];
/// How the library's validation begins the same error.
const INVALID_ARGUMENT: &str = "Invalid value for argument";
/// How the library begins the errors of its own limits.
const LIBRARY_LIMITS: [&str; 5] = [
    "The recursion depth of the query",
    "The number of directives on",
    "The amount of aliases",
    "Query is too complex",
    "Query is nested too deep",
];

/// The result map of the GraphQL specification (7.1), errors first; refusals have no `data` entry.
#[derive(Serialize)]
pub(crate) struct Answer<'a> {
    #[serde(skip_serializing_if = "<[ServerError]>::is_empty")]
    pub(crate) errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) extensions: &'a BTreeMap<String, Value>,
}

impl<'a> Answer<'a> {
    /// The answer of an operation that was executed.
    pub(crate) fn executed(response: &'a Response) -> Self {
        Self { errors: &response.errors, data: Some(&response.data), extensions: &response.extensions }
    }
}

/// The answer of an operation as JSON.
///
/// # Errors
/// A fault: it has been logged.
pub(crate) fn written(response: &Response, correlation: &str) -> Result<String, Refusal> {
    serde_json::to_string(&Answer::executed(response)).map_err(|error| {
        tracing::error!(correlation, fault = %error, "a payload could not be written as JSON");
        Refusal::fault(correlation)
    })
}

/// Gives every error its code.
///
/// Parsing, operation choice and variables are checked before execution, so an error without a path and
/// without data comes from the library's validation: the request is refused. Any other error without a
/// code is a fault: logged once under the correlation id, answered with a neutral text.
pub(crate) fn conclude(
    mut response: Response,
    correlation: &str,
    stats: &TransportStats,
) -> Result<Response, Refusal> {
    let refused = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty() && code_of(error).is_none());
    if refused {
        let errors: Vec<_> = response.errors.into_iter().take(ERRORS_MAX).map(validation).collect();
        let code = errors.first().map_or(Code::GraphqlValidationFailed, |(code, _)| *code);
        return Err(Refusal::of_errors(code, errors.into_iter().map(|(_, error)| error).collect()));
    }
    for error in &mut response.errors {
        match code_of(error) {
            // Resolvers take their codes from a closed list.
            Some(code) => counter!(REFUSALS, "code" => code.to_owned()).increment(1),
            None => *error = field(std::mem::replace(error, ServerError::new("", None)), correlation, stats),
        }
    }
    Ok(response)
}

/// True when a subscription ended because its reader lags behind.
pub(crate) fn is_slow_consumer(response: &Response) -> bool {
    response.errors.iter().any(|error| code_of(error) == Some(SLOW_CONSUMER))
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

fn validation(error: ServerError) -> (Code, ServerError) {
    let starts = |prefix: &str| error.message.starts_with(prefix);
    let code = if starts(INVALID_ARGUMENT) || COERCIONS.into_iter().any(starts) {
        Code::BadUserInput
    } else if LIBRARY_LIMITS.into_iter().any(starts) {
        Code::DocumentTooComplex
    } else {
        Code::GraphqlValidationFailed
    };
    (code, coded(error, code))
}

fn field(error: ServerError, correlation: &str, stats: &TransportStats) -> ServerError {
    if COERCIONS.iter().any(|start| error.message.starts_with(start)) && error.source.is_none() {
        return coded(error, Code::BadUserInput);
    }
    stats.fault();
    tracing::error!(correlation, path = ?error.path, fault = %error.message, "a resolver failed");
    let neutral = ServerError { message: fault_message(correlation), source: None, ..error };
    coded(neutral, Code::InternalServerError)
}
