//! Refusals of the transport: the closed list of codes, their HTTP status, their JSON.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};
use axum::http::StatusCode;

use super::identity::IdentityFault;
use super::media::Media;

/// `extensions.code` of every error that the transport itself raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The document does not parse.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// A variable or argument has the wrong type or an impossible value.
    BadUserInput,
    /// The request is not a GraphQL request.
    BadRequest,
    /// The body, query string or document is too large.
    PayloadTooLarge,
    /// The body is not `application/json` in UTF-8.
    UnsupportedMediaType,
    /// None of our media types is acceptable to the client.
    NotAcceptable,
    /// The method is neither GET nor POST, or a mutation came by GET.
    MethodNotAllowed,
    /// The document asks for too much at once.
    DocumentTooComplex,
    /// The operation took too long and was stopped; what it did before that may have happened.
    Timeout,
    /// A fault of the server, logged under the correlation id in the message.
    InternalServerError,
    /// The token or cookie is unknown, expired or revoked.
    Unauthenticated,
    /// A page of another origin used a visitor's cookie or opened a socket.
    Forbidden,
    /// `operationName` names no operation, or several operations and no name.
    OperationResolutionFailure,
    /// No document is known by this `documentId`.
    PersistedDocumentNotFound,
    /// Too many requests; `retryAfterMs` says when to come back.
    RateLimited,
    /// Too many operations under way on one socket.
    TooManyOperations,
    /// Sessions cannot be checked right now; try again.
    ServiceUnavailable,
}

impl Code {
    /// Every code, in the order of declaration.
    pub const ALL: [Self; 18] = [
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::BadUserInput,
        Self::BadRequest,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::NotAcceptable,
        Self::MethodNotAllowed,
        Self::DocumentTooComplex,
        Self::Timeout,
        Self::InternalServerError,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::OperationResolutionFailure,
        Self::PersistedDocumentNotFound,
        Self::RateLimited,
        Self::TooManyOperations,
        Self::ServiceUnavailable,
    ];

    /// The code as clients read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::BadRequest => "BAD_REQUEST",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::DocumentTooComplex => "DOCUMENT_TOO_COMPLEX",
            Self::Timeout => "TIMEOUT",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::PersistedDocumentNotFound => "PERSISTED_DOCUMENT_NOT_FOUND",
            Self::RateLimited => "RATE_LIMITED",
            Self::TooManyOperations => "TOO_MANY_OPERATIONS",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
        }
    }

    /// The status of a refused request, the one place that decides it.
    ///
    /// A refusal of a well-formed GraphQL request is 200 under `application/json` and 400 under
    /// `application/graphql-response+json`, as graphql-http's audits ask. (The draft of August 2026 says
    /// 422 for some of them; no client or audit follows yet.)
    pub(crate) fn status(self, media: Media) -> StatusCode {
        match self {
            Self::GraphqlParseFailed
            | Self::GraphqlValidationFailed
            | Self::BadUserInput
            | Self::DocumentTooComplex
            | Self::OperationResolutionFailure
            | Self::PersistedDocumentNotFound => match media {
                Media::Json => StatusCode::OK,
                Media::GraphqlResponse => StatusCode::BAD_REQUEST,
            },
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::RateLimited | Self::TooManyOperations => StatusCode::TOO_MANY_REQUESTS,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A request that got no data: the code that decides the status, and the errors to send.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Decides the HTTP status; the first error carries it.
    pub(crate) code: Code,
    /// At least one error, each with its `extensions.code`.
    pub(crate) errors: Vec<ServerError>,
    /// When to come back, in milliseconds; also inside the error.
    pub(crate) retry_after_ms: Option<u64>,
    /// Methods for the `Allow` header of a 405.
    pub(crate) allow: Option<&'static str>,
    /// Whether the client shall forget its session cookie, so that it is anonymous next time.
    pub(crate) forget_cookie: bool,
}

impl Refusal {
    /// One error with a code.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::of_errors(code, vec![coded(ServerError::new(message, None), code)])
    }

    /// One error with a code at a place in the document.
    pub(crate) fn at(code: Code, message: impl Into<String>, at: Pos) -> Self {
        Self::of_errors(code, vec![coded(ServerError::new(message, Some(at)), code)])
    }

    /// Errors that carry their codes already.
    pub(crate) fn of_errors(code: Code, errors: Vec<ServerError>) -> Self {
        Self { code, errors, retry_after_ms: None, allow: None, forget_cookie: false }
    }

    /// A 405 that names what is allowed.
    pub(crate) fn method(message: &str, allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(Code::MethodNotAllowed, message) }
    }

    /// A fault that has been logged under `correlation`.
    pub(crate) fn fault(correlation: &str) -> Self {
        Self::new(Code::InternalServerError, fault_message(correlation))
    }
}

impl From<IdentityFault> for Refusal {
    fn from(fault: IdentityFault) -> Self {
        let message = fault.to_string();
        match fault {
            IdentityFault::Refused => Self::new(Code::Unauthenticated, message),
            IdentityFault::Unavailable => Self::new(Code::ServiceUnavailable, message),
            IdentityFault::TooManySockets => Self::new(Code::RateLimited, message),
            IdentityFault::RateLimited { retry_after_ms } => {
                let mut refusal = Self::new(Code::RateLimited, message);
                refusal.retry_after_ms = Some(retry_after_ms);
                for error in &mut refusal.errors {
                    extensions(error).set("retryAfterMs", retry_after_ms);
                }
                refusal
            }
        }
    }
}

/// What a caller reads about a fault: nothing but where to find it in the log.
pub(crate) fn fault_message(correlation: &str) -> String {
    format!("Something went wrong on our side. Please quote {correlation} when you report it.")
}

/// The error with its code set.
pub(crate) fn coded(mut error: ServerError, code: Code) -> ServerError {
    extensions(&mut error).set("code", code.as_str());
    error
}

fn extensions(error: &mut ServerError) -> &mut ErrorExtensionValues {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_codes_is_complete_and_ordered() {
        for (index, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, index, "{code:?}");
        }
    }
}
