//! From an outcome to an HTTP response: status, headers, JSON.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::TransportConfig;
use super::conclude::Answer;
use super::media::Media;
use super::refusal::{Code, Refusal};

/// The answer of an operation that was executed, with the headers that its resolvers set.
pub(crate) fn executed(response: &async_graphql::Response, media: Media) -> Response {
    let mut out = json(StatusCode::OK, media, &Answer::executed(response));
    for (name, value) in &response.http_headers {
        out.headers_mut().append(name.clone(), value.clone());
    }
    out
}

/// The answer to a request that was refused.
pub(crate) fn refused(refusal: &Refusal, media: Media, config: &TransportConfig) -> Response {
    let answer = Answer { errors: &refusal.errors, data: None, extensions: &BTreeMap::new() };
    let mut out = json(refusal.code.status(media), media, &answer);
    let headers = out.headers_mut();
    if refusal.code == Code::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(methods) = refusal.allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    }
    if let Some(milliseconds) = refusal.retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(milliseconds.div_ceil(1_000)));
    }
    // A page cannot delete an `HttpOnly` cookie: without this a browser with a dead session could not even
    // sign in again.
    if refusal.forget_cookie
        && let Ok(value) = HeaderValue::from_str(&config.session_cookie.forgotten())
    {
        headers.append(header::SET_COOKIE, value);
    }
    out
}

fn json(status: StatusCode, media: Media, answer: &Answer<'_>) -> Response {
    let (status, body) = match serde_json::to_vec(answer) {
        Ok(body) => (status, body),
        Err(error) => {
            tracing::error!(fault = %error, "an answer could not be written as JSON");
            (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
    };
    let mut out = Response::new(Body::from(body));
    *out.status_mut() = status;
    let headers = out.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.header());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    out
}
