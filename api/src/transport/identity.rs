//! Who calls: the trait that the app implements, and where a credential is found in a request.

use std::fmt;
use std::future::Future;

use axum::http::{HeaderMap, header};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use thiserror::Error;

use super::request_info::RequestInfo;

/// What a caller shows to be known. Its text is a secret: `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A token from `Authorization: Bearer …` or from the payload of `connection_init`.
    Bearer(String),
    /// The value of the session cookie.
    SessionCookie(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(…)",
            Self::SessionCookie(_) => "SessionCookie(…)",
        })
    }
}

/// Why a caller gets no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdentityFault {
    /// The credential is unknown, expired or revoked: `UNAUTHENTICATED`, HTTP 401, socket close 4403.
    #[error("the session is unknown, expired or revoked")]
    Refused,
    /// Too many requests: `RATE_LIMITED` with `retryAfterMs`, HTTP 429, socket close 1013.
    #[error("too many requests")]
    RateLimited {
        /// When to try again, in milliseconds from now.
        retry_after_ms: u64,
    },
    /// Identities cannot be read now (the app has logged why): `SERVICE_UNAVAILABLE`, HTTP 503, close 1013.
    #[error("the service cannot check sessions right now")]
    Unavailable,
}

/// The app's knowledge of callers and sessions.
///
/// The transport asks [`Identity::caller`] only when there is a credential; without one the caller is
/// anonymous and the schema decides what that means.
pub trait Identity: Clone + Send + Sync + 'static {
    /// A known caller; resolvers read `Option<Self::Caller>` from the request's data.
    type Caller: Clone + Send + Sync + 'static;
    /// Held while a socket is open, dropped when it closes: the place to count sockets per account.
    type SocketLease: Send + 'static;

    /// Whom the credential belongs to.
    ///
    /// # Errors
    /// See [`IdentityFault`]; the answer is given by the transport.
    fn caller(
        &self,
        credential: Credential,
        info: &RequestInfo,
    ) -> impl Future<Output = Result<Self::Caller, IdentityFault>> + Send;

    /// Whether this caller (or, for an anonymous one, this address) may run one more operation now.
    ///
    /// Called once per HTTP request and once per operation on a socket, before the document is parsed.
    ///
    /// # Errors
    /// [`IdentityFault::RateLimited`]: over the limit.
    fn admit(&self, caller: Option<&Self::Caller>, info: &RequestInfo) -> Result<(), IdentityFault>;

    /// Whether this caller may open one more socket.
    ///
    /// # Errors
    /// [`IdentityFault::RateLimited`]: over the limit; the socket closes with 1013, which clients retry.
    fn open_socket(
        &self,
        caller: Option<&Self::Caller>,
        info: &RequestInfo,
    ) -> Result<Self::SocketLease, IdentityFault>;

    /// Resolves when the caller's session ends (sign-out, revocation, expiry): the socket then closes 4403.
    fn session_ended(&self, caller: &Self::Caller) -> BoxFuture<'static, ()>;

    /// The payload of `connection_ack`, such as log epoch and head position.
    fn welcome(&self, caller: Option<&Self::Caller>) -> impl Future<Output = Map<String, Value>> + Send;
}

/// The credential in the headers: a bearer token goes before the cookie.
pub(crate) fn credential(headers: &HeaderMap, cookie_name: &str) -> Option<Credential> {
    bearer(headers).or_else(|| cookie(headers, cookie_name))
}

/// The credential in a `connection_init` payload: `token`, or `Authorization: "Bearer …"` in either case.
pub(crate) fn credential_of_init(payload: &Map<String, Value>) -> Option<Credential> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    if let Some(token) = text("token").filter(|token| !token.is_empty()) {
        return Some(Credential::Bearer(strip_scheme(token).unwrap_or(token).to_owned()));
    }
    let header = text("Authorization").or_else(|| text("authorization"))?;
    strip_scheme(header).map(|token| Credential::Bearer(token.to_owned()))
}

fn bearer(headers: &HeaderMap) -> Option<Credential> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    strip_scheme(value).map(|token| Credential::Bearer(token.to_owned()))
}

fn strip_scheme(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<Credential> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| Credential::SessionCookie(value.trim_matches('"').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_bearer_token_goes_before_the_cookie() {
        let both = headers(&[
            (header::AUTHORIZATION, "bearer  abc"),
            (header::COOKIE, "other=1; annal_session=xyz"),
        ]);
        assert_eq!(credential(&both, "annal_session"), Some(Credential::Bearer("abc".into())));
        let cookie = headers(&[(header::COOKIE, "other=1; annal_session=\"xyz\"")]);
        assert_eq!(credential(&cookie, "annal_session"), Some(Credential::SessionCookie("xyz".into())));
        let none = headers(&[(header::AUTHORIZATION, "Basic abc"), (header::COOKIE, "annal_session=")]);
        assert_eq!(credential(&none, "annal_session"), None);
    }

    #[test]
    fn connection_init_carries_a_token_in_three_spellings() {
        for payload in [
            json!({ "token": "abc" }),
            json!({ "token": "Bearer abc" }),
            json!({ "Authorization": "Bearer abc" }),
            json!({ "authorization": "bearer abc" }),
        ] {
            let found = credential_of_init(payload.as_object().unwrap());
            assert_eq!(found, Some(Credential::Bearer("abc".into())), "{payload}");
        }
        assert_eq!(credential_of_init(json!({ "token": "" }).as_object().unwrap()), None);
    }

    #[test]
    fn a_credential_is_not_printed() {
        assert_eq!(format!("{:?}", Credential::Bearer("secret".into())), "Bearer(…)");
    }
}
