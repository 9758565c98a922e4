//! From a token to a caller, and to the moment when the session ends.

use domain::{AccountId, SessionId};
use eventlog::EventLog;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::tokens::Token;
use crate::live::Hub;
use crate::transport::{Credential, Identity, IdentityFault, RequestInfo};

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
}

impl Sessions {
    /// Knows the sessions of a log and hears of their ends from the hub.
    pub fn new(log: EventLog, hub: Hub) -> Self {
        Self { log, hub }
    }
}

impl Identity for Sessions {
    type Caller = Caller;
    type SocketLease = ();

    async fn caller(&self, credential: Credential, _info: &RequestInfo) -> Result<Caller, IdentityFault> {
        let token = match credential {
            Credential::Bearer(token) | Credential::SessionCookie(token) => Token::shown(token),
        };
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

    fn admit(&self, _caller: Option<&Caller>, _info: &RequestInfo) -> Result<(), IdentityFault> {
        Ok(())
    }

    fn open_socket(&self, _caller: Option<&Caller>, _info: &RequestInfo) -> Result<(), IdentityFault> {
        Ok(())
    }

    fn session_ended(&self, caller: &Caller) -> BoxFuture<'static, ()> {
        let ended = self.hub.session_ended(caller.session);
        let left = (caller.expires_at - self.log.clock().now()).to_std().unwrap_or_default();
        async move {
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
