//! GraphQL over `WebSockets`: `graphql-transport-ws` and the older `graphql-ws`, in the client's order.
//!
//! One task per socket reads and writes it ([`connection`]); every operation runs in a task of its own
//! ([`operation`]) and hands its payloads over through one bounded queue, so a panic or a slow resolver
//! touches nothing but its operation. A subscription whose payloads are shared has a task only until its
//! events are found; then the socket's own task takes the payloads, which others made. What a close code
//! asks of clients: [`close`].

mod close;
mod connection;
mod greeting;
mod heartbeat;
mod operation;
mod outbox;
mod protocol;
mod wire;

use std::sync::Arc;

use async_graphql::Executor;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::identity::{Credential, Identity, credential};
use super::media::Media;
use super::refusal::{Code, Refusal};
use super::request_info::{Channel, RequestInfo};
use super::respond;
use super::{Transport, origin};
use close::Close;
pub(crate) use outbox::Content;
use protocol::Dialect;
use wire::Wire;

/// What the upgrade request told; the payload of `connection_init` may add a token.
pub(crate) struct Head {
    /// The caller's address, software and language.
    pub(crate) info: RequestInfo,
    /// A token or cookie in the headers.
    pub(crate) credential: Option<Credential>,
}

/// Answers `/graphql/ws`: upgrades, unless it is no WebSocket request or comes from a foreign page.
///
/// Browsers send cookies and no preflight with a WebSocket request, so the `Origin` decides, always.
pub(crate) async fn upgrade<E: Executor, I: Identity>(
    State(transport): State<Arc<Transport<E, I>>>,
    request: Request,
) -> Response {
    let (mut parts, _body) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return no_websocket(&transport, &rejection),
    };
    let config = &transport.config;
    let info = RequestInfo::read(&parts, config, Channel::Socket);
    if let Err(fault) = transport.identity.knock(&info) {
        return refused(&transport, &fault.into());
    }
    if !origin::is_own(&parts, &config.origins_allowed) {
        return refused(&transport, &Refusal::new(Code::Forbidden, "This origin may not open a socket."));
    }
    let dialect = Dialect::choose(&parts.headers);
    let place = transport.identity.socket_from(&info);
    let head = Head { info, credential: credential(&parts.headers, config.session_cookie.name()) };
    let mut upgrade = upgrade
        .read_buffer_size(config.socket.read_buffer_bytes)
        .write_buffer_size(config.socket.write_buffer_bytes)
        .max_message_size(config.body_bytes_max)
        .max_frame_size(config.body_bytes_max);
    if let Some(dialect) = dialect {
        upgrade.set_selected_protocol(HeaderValue::from_static(dialect.name()));
    }
    upgrade.on_upgrade(move |socket| async move {
        let mut wire = Wire::new(socket, transport.config.socket.stalled());
        if place.is_err() {
            transport.stats.refused(Code::RateLimited);
        }
        let permit = Arc::clone(&transport.sockets).try_acquire_owned();
        // The client can read a close code, and browsers hide the status of an answer that is no upgrade.
        let close = match (dialect, permit, place) {
            (_, Err(_), _) => Some(Close::Overload),
            (_, _, Err(_)) => Some(Close::TooManySockets),
            (None, _, _) => Some(Close::Subprotocol),
            (Some(dialect), Ok(_permit), Ok(_place)) => {
                connection::serve(&transport, &mut wire, dialect, head).await
            }
        };
        if close == Some(Close::SlowConsumer) {
            transport.stats.socket_cut_off();
        }
        match close {
            Some(close) => wire.close(close).await,
            None => wire.part().await,
        }
    })
}

fn no_websocket<E: Executor, I: Identity>(
    transport: &Transport<E, I>,
    rejection: &WebSocketUpgradeRejection,
) -> Response {
    let message = format!("This address speaks WebSocket: {rejection}");
    let mut out = refused(transport, &Refusal::new(Code::BadRequest, message));
    *out.status_mut() = StatusCode::UPGRADE_REQUIRED;
    out.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    out
}

fn refused<E, I>(transport: &Transport<E, I>, refusal: &Refusal) -> Response {
    transport.stats.refused(refusal.code);
    respond::refused(refusal, Media::Json, &transport.config)
}
