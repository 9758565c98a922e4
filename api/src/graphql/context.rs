//! What resolvers work with.

use async_graphql::{Context, Result};
use chrono::TimeDelta;
use domain::{Actor, Causation, Client, CommandId, CorrelationId, IdempotencyKey};
use eventlog::fresh::new_uuid;
use eventlog::{CommandContext, EventLog};
use projections::Views;

use super::faults;
use crate::accounts::{Caller, Passwords, RefusedSignIns};
use crate::limits::Tries;
use crate::live::{Feeds, Told};
use crate::transport::{Language, RequestInfo, SessionCookie};

/// The house behind the schema. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Where commands go.
    pub log: EventLog,
    /// What is read.
    pub views: Views,
    /// What happens, live.
    pub feeds: Feeds,
    /// What people were told, so that they do not read less.
    pub told: Told,
    /// Hashing, off the async threads.
    pub passwords: Passwords,
    /// How long a session lasts.
    pub session_lifetime: TimeDelta,
    /// The session cookie.
    pub session_cookie: SessionCookie,
    /// Who may try a password, and register.
    pub tries: Tries,
    /// What accounts are told of wrong passwords.
    pub refused_sign_ins: RefusedSignIns,
}

/// Shorthands for resolvers.
pub(super) trait ContextExt {
    /// The house.
    fn app(&self) -> &App;
    /// The signed-in caller, if any.
    fn signed_in(&self) -> Option<Caller>;
    /// The signed-in caller; an error when there is none.
    fn caller(&self) -> Result<Caller>;
    /// The request's circumstances.
    fn request(&self) -> RequestInfo;
    /// The language of messages to this caller.
    fn language(&self) -> Language;
    /// The circumstances of a command of this caller. `canonical_input` is what an idempotency key
    /// stands for: the mutation's name with its input.
    fn command(&self, key: Option<uuid::Uuid>, canonical_input: String) -> CommandContext;
}

impl ContextExt for Context<'_> {
    fn app(&self) -> &App {
        self.data_unchecked::<App>()
    }

    fn signed_in(&self) -> Option<Caller> {
        self.data_opt::<Option<Caller>>().copied().flatten()
    }

    fn caller(&self) -> Result<Caller> {
        self.signed_in().ok_or_else(faults::unauthenticated)
    }

    fn request(&self) -> RequestInfo {
        self.data_unchecked::<RequestInfo>().clone()
    }

    fn language(&self) -> Language {
        self.data_opt::<RequestInfo>().map(|info| info.language).unwrap_or_default()
    }

    fn command(&self, key: Option<uuid::Uuid>, canonical_input: String) -> CommandContext {
        let caller = self.signed_in();
        let command = new_uuid();
        CommandContext {
            actor: caller.map_or(Actor::Anonymous, |caller| Actor::Account(caller.account)),
            session: caller.map(|caller| caller.session),
            causation: Causation::Command(CommandId(command)),
            correlation: CorrelationId(command),
            client: Client::Graphql,
            idempotency: key.map(|key| (IdempotencyKey(key), canonical_input)),
        }
    }
}
