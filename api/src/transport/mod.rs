//! GraphQL over HTTP and over `WebSockets`: everything between the network and a schema, and nothing of
//! the schema itself.
//!
//! ```text
//! /graphql         http::handle ─┐
//! /graphql/ws      socket::*    ─┤► prepare (tokens, parse, document guard, operation, variables)
//!                                │        └► Executor ─► conclude (codes, faults) ─► answer
//! /schema.graphql  the SDL       │
//! /playground      static files  │   Identity: who calls (trait, implemented by the app)
//! ```
//!
//! The handlers are our own because the stock ones fail the GraphQL-over-HTTP audits and the
//! `graphql-transport-ws` close codes (ADR on the GraphQL library). They know [`async_graphql::Executor`]
//! only, so a schema of three fields is enough to test them.
//!
//! Invariant: every answer that is not data carries `extensions.code` of the closed list [`Code`], or the
//! code that a resolver set itself. Invariant: nothing here knows a conversation or an account.

mod conclude;
mod config;
mod cookie;
mod document;
mod http;
mod identity;
mod literals;
mod media;
mod observe;
mod observed;
mod origin;
mod params;
mod persisted;
mod playground;
mod prepare;
mod refusal;
mod request_info;
mod respond;
mod sharing;
mod socket;
mod tokens;
mod variables;

use std::sync::Arc;

use async_graphql::Executor;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tokio::sync::{Semaphore, watch};

pub use config::{DocumentLimits, SocketLimits, TransportConfig};
pub use cookie::SessionCookie;
pub use document::{Excess, Measure, measure};
pub use identity::{Credential, Identity, IdentityFault};
pub use observe::{REFUSALS, TransportCounts, TransportStats, count_refusal, operation_labels};
pub use persisted::{DocumentsError, persisted_documents};
pub use playground::playground;
pub use refusal::Code;
pub use request_info::{Channel, Language, RequestInfo};
use sharing::Plans;
pub use sharing::{Audience, Shareable, SharedEvents, Sharing, Writings};

/// What the transport needs from the app, gathered once at start.
///
/// Cheap to share; every request and socket holds it behind one `Arc`.
pub struct Transport<E, I> {
    executor: E,
    identity: I,
    config: TransportConfig,
    sdl: Arc<str>,
    stats: Arc<TransportStats>,
    draining: watch::Receiver<bool>,
    sockets: Arc<Semaphore>,
    plans: Plans<E>,
}

impl<E: Executor, I: Identity> Transport<E, I> {
    /// Joins a schema (`executor`), the app's [`Identity`], the limits, the printed schema and the drain
    /// signal: when `draining` turns true (or its sender is dropped) every socket closes with 1012.
    pub fn new(
        executor: E,
        identity: I,
        config: TransportConfig,
        sdl: impl Into<Arc<str>>,
        draining: watch::Receiver<bool>,
    ) -> Self {
        let sockets = Arc::new(Semaphore::new(config.socket.sockets_max.min(Semaphore::MAX_PERMITS)));
        let (sdl, stats, plans) = (sdl.into(), Arc::default(), Plans::default());
        Self { executor, identity, config, sdl, stats, draining, sockets, plans }
    }

    /// Counters for the metrics page; they live as long as the transport.
    pub fn stats(&self) -> Arc<TransportStats> {
        Arc::clone(&self.stats)
    }
}

/// The routes `/graphql` (POST; GET for queries), `/graphql/ws` and `/schema.graphql`.
///
/// Serve the app with `into_make_service_with_connect_info::<SocketAddr>()`, otherwise
/// [`RequestInfo::peer`] is unknown. Resolvers find `Option<I::Caller>` and [`RequestInfo`] in the
/// request's data, and may append response headers (`ctx.append_http_header`).
pub fn routes<E: Executor, I: Identity>(transport: Transport<E, I>) -> Router {
    Router::new()
        .route("/graphql", any(http::handle::<E, I>))
        .route("/graphql/ws", any(socket::upgrade::<E, I>))
        .route("/schema.graphql", get(sdl::<E, I>))
        .with_state(Arc::new(transport))
}

async fn sdl<E: Executor, I: Identity>(
    State(transport): State<Arc<Transport<E, I>>>,
    request: axum::extract::Request,
) -> Response {
    match http::may_read_schema(&transport, &request.into_parts().0).await {
        Ok(()) => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], transport.sdl.to_string()).into_response()
        }
        Err(refused) => refused,
    }
}
