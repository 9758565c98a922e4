//! From the upgrade to `connection_ack`: who is there, in time, and may it stay.

use async_graphql::Executor;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout, timeout_at};

use super::super::Transport;
use super::super::identity::{Identity, IdentityFault, credential_of_init};
use super::super::refusal::Refusal;
use super::super::request_info::{Language, RequestInfo};
use super::Head;
use super::close::Close;
use super::protocol::{Dialect, Incoming};
use super::wire::{Received, Wire};

/// A greeted client.
pub(crate) struct Guest<I: Identity> {
    /// Who it is.
    pub(crate) caller: Option<I::Caller>,
    /// Address, software, language.
    pub(crate) info: RequestInfo,
    /// The caller's place, held while the socket is open.
    pub(crate) _lease: Option<I::SocketLease>,
}

/// Waits for `connection_init`, asks the app who calls, acknowledges.
///
/// # Errors
/// How to close, or `None` when the client is gone.
pub(crate) async fn greet<E: Executor, I: Identity>(
    transport: &Transport<E, I>,
    wire: &mut Wire,
    dialect: Dialect,
    head: Head,
) -> Result<Guest<I>, Option<Close>> {
    let deadline = Instant::now() + transport.config.socket.init_timeout();
    let payload =
        timeout_at(deadline, wait_for_init(wire, dialect)).await.map_err(|_| Some(Close::InitTimeout))??;
    let mut info = head.info;
    if let Some(language) = payload.get("language").and_then(Value::as_str).and_then(Language::of_tag) {
        info.language = language;
    }
    let shown = credential_of_init(&payload).or(head.credential);
    let admitted = async {
        let caller = match shown {
            Some(shown) => Some(transport.identity.caller(shown, &info).await?),
            None => None,
        };
        let lease = caller.as_ref().map(|caller| transport.identity.socket_of(caller)).transpose()?;
        let welcome = transport.identity.welcome(caller.as_ref()).await;
        Ok((caller, lease, welcome))
    };
    let asked = timeout(transport.config.operation_timeout(), admitted).await;
    let (caller, lease, welcome) = match asked.unwrap_or(Err(IdentityFault::Unavailable)) {
        Ok(admitted) => admitted,
        Err(fault) => {
            transport.stats.refused(Refusal::from(fault).code);
            return Err(turn_away(wire, dialect, fault).await);
        }
    };
    wire.say(Dialect::ack(&welcome)).await?;
    Ok(Guest { caller, info, _lease: lease })
}

async fn wait_for_init(wire: &mut Wire, dialect: Dialect) -> Result<Map<String, Value>, Option<Close>> {
    loop {
        let text = match wire.receive().await {
            Received::Text(text) => text,
            Received::Heartbeat => continue,
            Received::Gone => return Err(None),
            Received::Refused(close) => return Err(Some(close)),
        };
        match dialect.read(&text)? {
            Incoming::Init(payload) => return Ok(payload),
            Incoming::Subscribe { .. } => return Err(Some(Close::Unauthorized)),
            Incoming::Ping(payload) => wire.say(Dialect::pong(payload.as_ref())).await?,
            Incoming::Terminate => return Err(Some(Close::Normal)),
            Incoming::Pong | Incoming::Complete { .. } => {}
        }
    }
}

async fn turn_away(wire: &mut Wire, dialect: Dialect, fault: IdentityFault) -> Option<Close> {
    if let Some(message) = dialect.connection_error(&fault.to_string())
        && let Err(close) = wire.say(message).await
    {
        return close;
    }
    Some(match fault {
        IdentityFault::Refused => Close::Forbidden,
        IdentityFault::RateLimited { retry_after_ms } => Close::RateLimited { retry_after_ms },
        IdentityFault::TooManySockets => Close::TooManySockets,
        IdentityFault::Unavailable => Close::Overload,
    })
}
