//! From a token to a caller, and to the moment when the session ends.

use std::time::Duration;

use domain::{AccountId, SessionId};
use eventlog::EventLog;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use governor::clock::MonotonicClock;
use serde_json::{Map, Value, json};

use super::tokens::Token;
use crate::limits::{CallLimits, Place, Places, Rates, Source};
use crate::live::Hub;
use crate::transport::{Channel, Credential, Identity, IdentityFault, RequestInfo};

/// A signed-in person on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The device's session.
    pub session: SessionId,
    /// The moment from which the token is worth nothing.
    pub expires_at: chrono::DateTime<chrono::Utc>,
}

/// The sessions of all callers. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    log: EventLog,
    hub: Hub,
    account_rates: Rates<AccountId>,
    address_rates: Rates<Source>,
    account_places: Places<AccountId>,
    address_places: Places<Source>,
}

/// The place of an open socket among those of its address or of its account; free again when dropped.
pub enum SocketPlace {
    /// Counted for nobody: the caller is on this machine.
    Free,
    /// One of an address' places.
    OfAddress(Place<Source>),
    /// One of an account's places.
    OfAccount(Place<AccountId>),
}

impl Sessions {
    /// Knows the sessions of a log and hears of their ends from the hub.
    pub fn new(log: EventLog, hub: Hub, limits: CallLimits) -> Self {
        let callers_max = limits.callers_remembered_max;
        Self {
            log,
            hub,
            account_rates: Rates::new(limits.account, callers_max, MonotonicClock),
            address_rates: Rates::new(limits.address, callers_max, MonotonicClock),
            account_places: Places::new(limits.sockets_per_account_max),
            address_places: Places::new(limits.sockets_per_address_max),
        }
    }
}

fn too_soon(wait: Duration) -> IdentityFault {
    let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    IdentityFault::RateLimited { retry_after_ms }
}

impl Identity for Sessions {
    type Caller = Caller;
    type SocketLease = SocketPlace;

    fn knock(&self, info: &RequestInfo) -> Result<(), IdentityFault> {
        let Some(source) = Source::of(info.peer) else { return Ok(()) };
        self.address_rates.take(source).map_err(too_soon)
    }

    async fn caller(&self, credential: Credential, _info: &RequestInfo) -> Result<Caller, IdentityFault> {
        let token = match credential {
            Credential::Bearer(token) | Credential::SessionCookie(token) => Token::shown(token),
        };
        let token = token.ok_or(IdentityFault::Refused)?;
        let now = self.log.clock().now();
        match self.log.credentials().bearer(&token.hash(), now).await {
            Ok(Some(bearer)) => {
                Ok(Caller { account: bearer.account, session: bearer.session, expires_at: bearer.expires_at })
            }
            Ok(None) => Err(IdentityFault::Refused),
            Err(error) => {
                tracing::error!(?error, "looking up a session failed");
                Err(IdentityFault::Unavailable)
            }
        }
    }

    fn admit(&self, caller: Option<&Caller>, info: &RequestInfo) -> Result<(), IdentityFault> {
        if info.channel == Channel::Socket {
            self.knock(info)?;
        }
        let Some(caller) = caller else { return Ok(()) };
        self.account_rates.take(caller.account).map_err(too_soon)
    }

    fn socket_from(&self, info: &RequestInfo) -> Result<SocketPlace, IdentityFault> {
        let Some(source) = Source::of(info.peer) else { return Ok(SocketPlace::Free) };
        let place = self.address_places.take(source).ok_or(IdentityFault::TooManySockets)?;
        Ok(SocketPlace::OfAddress(place))
    }

    fn socket_of(&self, caller: &Caller) -> Result<SocketPlace, IdentityFault> {
        let place = self.account_places.take(caller.account).ok_or(IdentityFault::TooManySockets)?;
        Ok(SocketPlace::OfAccount(place))
    }

    /// Listens first and looks second: a session that ended between its look-up and this call is found by
    /// the look, one that ends later is heard of.
    fn session_ended(&self, caller: &Caller) -> BoxFuture<'static, ()> {
        let ended = self.hub.session_ended(caller.session);
        let left = (caller.expires_at - self.log.clock().now()).to_std().unwrap_or_default();
        let (credentials, session) = (self.log.credentials().clone(), caller.session);
        async move {
            match credentials.holds(session).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(?error, "a session could not be looked up a second time"),
            }
            tokio::select! {
                () = ended => {}
                () = tokio::time::sleep(left) => {}
            }
        }
        .boxed()
    }

    /// Clients learn the log's epoch and head when they connect: another epoch means that positions
    /// they remember have another meaning.
    async fn welcome(&self, _caller: Option<&Caller>) -> Map<String, Value> {
        let position = self.log.watch_head().borrow().to_string();
        let payload = json!({ "log": { "epoch": self.log.epoch(), "position": position } });
        payload.as_object().cloned().unwrap_or_default()
    }
}
