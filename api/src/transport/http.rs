//! GraphQL over HTTP: POST with JSON, GET for queries.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request};
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;
use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::Instrument;

use super::conclude::conclude;
use super::identity::{Credential, Identity, IdentityFault, credential};
use super::media::{Media, is_json};
use super::observe::TransportStats;
use super::observed::{Observed, Outcome};
use super::params::Params;
use super::prepare::{Prepared, prepare};
use super::refusal::{Code, Refusal};
use super::request_info::{Channel, RequestInfo};
use super::respond::{executed, refused};
use super::{Transport, TransportConfig, origin};

/// Answers `/graphql`, whatever the method.
pub(crate) async fn handle<E: Executor, I: Identity>(
    State(transport): State<Arc<Transport<E, I>>>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Some(media) = Media::negotiate(&parts.headers) else {
        let message = "Accept must admit application/graphql-response+json or application/json.";
        transport.stats.refused(Code::NotAcceptable);
        return refused(&Refusal::new(Code::NotAcceptable, message), Media::Json, &transport.config);
    };
    match answer(&transport, &parts, body).await {
        Ok(response) => executed(&response, media),
        Err(refusal) => {
            transport.stats.refused(refusal.code);
            refused(&refusal, media, &transport.config)
        }
    }
}

async fn answer<E: Executor, I: Identity>(
    transport: &Transport<E, I>,
    parts: &Parts,
    body: Body,
) -> Result<async_graphql::Response, Refusal> {
    let config = &transport.config;
    let info = RequestInfo::read(parts, config, Channel::Http);
    transport.identity.knock(&info)?;
    let params = match parts.method {
        Method::POST => Params::of_body(&read(parts, body, config).await?)?,
        Method::GET if config.get_queries => of_query_string(parts, config)?,
        _ if config.get_queries => {
            return Err(Refusal::method("Send POST, or GET for queries.", "GET, POST"));
        }
        _ => return Err(Refusal::method("Send POST.", "POST")),
    };
    let caller = identify(transport, parts, &info).await?;
    transport.identity.admit(caller.as_ref(), &info)?;
    let Prepared { request, kind } = prepare(params, config, caller.is_some())?;
    match kind {
        OperationType::Subscription => {
            return Err(Refusal::new(
                Code::BadRequest,
                "Subscriptions are served over WebSockets at /graphql/ws.",
            ));
        }
        OperationType::Mutation if parts.method == Method::GET => {
            return Err(Refusal::method("Mutations need POST.", "POST"));
        }
        OperationType::Mutation | OperationType::Query => {}
    }
    let correlation = Arc::clone(&info.correlation);
    let name = request.operation_name.as_deref();
    let observed = Observed::begin(kind, name, &correlation, info.parent.as_ref());
    let request = request.data(caller).data(info);
    let response =
        execute(&transport.executor, request, observed, &correlation, config, &transport.stats).await?;
    conclude(response, &correlation, &transport.stats)
}

/// Runs one query or mutation with a time limit; a panic is a fault of this operation alone.
pub(crate) async fn execute<E: Executor>(
    executor: &E,
    request: Request,
    observed: Observed,
    correlation: &str,
    config: &TransportConfig,
    stats: &TransportStats,
) -> Result<async_graphql::Response, Refusal> {
    stats.operation();
    let running = AssertUnwindSafe(executor.execute(request).instrument(observed.span())).catch_unwind();
    match timeout(config.operation_timeout(), running).await {
        Ok(Ok(response)) => {
            observed.end(if response.errors.is_empty() { Outcome::Ok } else { Outcome::Errors });
            Ok(response)
        }
        Ok(Err(_panic)) => {
            observed.end(Outcome::Panic);
            stats.fault();
            tracing::error!(correlation, "a resolver panicked");
            Err(Refusal::fault(correlation))
        }
        Err(_elapsed) => {
            observed.end(Outcome::Timeout);
            let message = format!("The operation was stopped after {} seconds.", config.operation_timeout_s);
            Err(Refusal::new(Code::Timeout, message))
        }
    }
}

async fn read(parts: &Parts, body: Body, config: &TransportConfig) -> Result<Bytes, Refusal> {
    if !is_json(&parts.headers) {
        return Err(Refusal::new(Code::UnsupportedMediaType, "The body must be application/json in UTF-8."));
    }
    let too_large = || {
        let message = format!("The body is larger than {} bytes.", config.body_bytes_max);
        Refusal::new(Code::PayloadTooLarge, message)
    };
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > config.body_bytes_max) {
        return Err(too_large());
    }
    match timeout(config.body_timeout(), axum::body::to_bytes(body, config.body_bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large()),
        Ok(Err(_broken)) => Err(Refusal::new(Code::BadRequest, "The body broke off.")),
        Err(_elapsed) => Err(Refusal::new(Code::Timeout, "The body took too long to arrive.")),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

fn of_query_string(parts: &Parts, config: &TransportConfig) -> Result<Params, Refusal> {
    if parts.uri.query().map_or(0, str::len) > config.body_bytes_max {
        return Err(Refusal::new(Code::PayloadTooLarge, "The query string is too long."));
    }
    let pairs = Query::<HashMap<String, String>>::try_from_uri(&parts.uri)
        .map_err(|_| Refusal::new(Code::BadRequest, "The query string cannot be read."))?;
    Params::of_query_string(pairs.0)
}

async fn identify<E: Executor, I: Identity>(
    transport: &Transport<E, I>,
    parts: &Parts,
    info: &RequestInfo,
) -> Result<Option<I::Caller>, Refusal> {
    let config = &transport.config;
    let Some(shown) = credential(&parts.headers, config.session_cookie.name()) else { return Ok(None) };
    let by_cookie = matches!(shown, Credential::SessionCookie(_));
    if by_cookie && !origin::is_own(parts, &config.origins_allowed) {
        return Err(Refusal::new(Code::Forbidden, "This origin may not use the session cookie."));
    }
    match transport.identity.caller(shown, info).await {
        Ok(caller) => Ok(Some(caller)),
        Err(fault) => {
            Err(Refusal { forget_cookie: by_cookie && fault == IdentityFault::Refused, ..fault.into() })
        }
    }
}

/// Whether the caller may read the printed schema: whoever may introspect it. `Err` is the answer to others.
pub(crate) async fn may_read_schema<E: Executor, I: Identity>(
    transport: &Transport<E, I>,
    parts: &Parts,
) -> Result<(), Response> {
    let config = &transport.config;
    if config.introspection_anonymous {
        return Ok(());
    }
    let info = RequestInfo::read(parts, config, Channel::Http);
    let refusal = match identify(transport, parts, &info).await {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => Refusal::new(Code::Unauthenticated, "The schema needs a signed-in caller here."),
        Err(refusal) => refusal,
    };
    transport.stats.refused(refusal.code);
    Err(refused(&refusal, Media::Json, config))
}
