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
    /// One socket too many: close 1013.
    #[error("too many open sockets")]
    TooManySockets,
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
    /// Held while a socket is open, dropped when it closes: the place to count sockets.
    type SocketLease: Send + 'static;

    /// Whether this address may ask at all now. Called first: once per HTTP request and once per opening of
    /// a socket, before a body is read or a credential looked up.
    ///
    /// # Errors
    /// [`IdentityFault::RateLimited`]: over the limit; HTTP 429, also for the opening of a socket.
    fn knock(&self, info: &RequestInfo) -> Result<(), IdentityFault>;

    /// Whom the credential belongs to.
    ///
    /// # Errors
    /// See [`IdentityFault`]; the answer is given by the transport.
    fn caller(
        &self,
        credential: Credential,
        info: &RequestInfo,
    ) -> impl Future<Output = Result<Self::Caller, IdentityFault>> + Send;

    /// Whether this caller may run one more operation now. Called once per HTTP request and once per operation
    /// on a socket, before the document is parsed; on a socket nobody knocked for it, so the address counts too.
    ///
    /// # Errors
    /// [`IdentityFault::RateLimited`]: over the limit.
    fn admit(&self, caller: Option<&Self::Caller>, info: &RequestInfo) -> Result<(), IdentityFault>;

    /// Whether this address may hold one more socket. Asked when it opens, so that sockets which never say
    /// who they are count as well.
    ///
    /// # Errors
    /// [`IdentityFault::TooManySockets`]: the socket closes with 1013, which clients retry.
    fn socket_from(&self, info: &RequestInfo) -> Result<Self::SocketLease, IdentityFault>;

    /// Whether this caller may hold one more socket.
    ///
    /// # Errors
    /// [`IdentityFault::TooManySockets`]: the socket closes with 1013, which clients retry.
    fn socket_of(&self, caller: &Self::Caller) -> Result<Self::SocketLease, IdentityFault>;

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
///
/// Null and the empty string are what clients send who have none. Anything else that is no token is a bad
/// one, so that a mistake is told as such and does not make an anonymous caller.
pub(crate) fn credential_of_init(payload: &Map<String, Value>) -> Option<Credential> {
    let shown = |name: &str| payload.get(name).filter(|value| !value.is_null() && *value != "");
    let value = shown("token").or_else(|| shown("Authorization")).or_else(|| shown("authorization"))?;
    let text = value.as_str().unwrap_or_default();
    Some(Credential::Bearer(strip_scheme(text).unwrap_or(text).to_owned()))
}

/// A header of the scheme `Bearer`, whatever follows; other schemes may be meant for a proxy before us.
fn bearer(headers: &HeaderMap) -> Option<Credential> {
    let value = String::from_utf8_lossy(headers.get(header::AUTHORIZATION)?.as_bytes());
    strip_scheme(&value).map(|token| Credential::Bearer(token.to_owned()))
}

fn strip_scheme(value: &str) -> Option<&str> {
    let value = value.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
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
        let empty = headers(&[(header::AUTHORIZATION, "Bearer"), (header::COOKIE, "annal_session=xyz")]);
        assert_eq!(credential(&empty, "annal_session"), Some(Credential::Bearer(String::new())));
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
        for none in [json!({}), json!({ "token": "" }), json!({ "token": null, "Authorization": "" })] {
            assert_eq!(credential_of_init(none.as_object().unwrap()), None, "{none}");
        }
        for bad in [json!({ "token": 5 }), json!({ "Authorization": "Bearer" }), json!({ "token": {} })] {
            let shown = credential_of_init(bad.as_object().unwrap());
            assert_eq!(shown, Some(Credential::Bearer(String::new())), "{bad}");
        }
    }

    #[test]
    fn a_credential_is_not_printed() {
        assert_eq!(format!("{:?}", Credential::Bearer("secret".into())), "Bearer(…)");
    }
}
