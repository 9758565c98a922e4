//! What mutations answer: what came of it, or why not.

use std::time::Duration;

use async_graphql::{Context, Result, SimpleObject};
use domain::account::Account;
use domain::{AccountId, Action, Actor, Position, Refusal};
use eventlog::{CommandContext, Done, ExecuteError, Outcome};
use projections::Waited;

use super::context::{App, ContextExt as _};
use super::faults;
use crate::refusals::{self, Row, UserErrorCode};
use crate::transport::{Language, count_refusal};

/// Why a mutation was refused: a rule said no. Nothing happened.
#[derive(SimpleObject, Clone, Debug)]
pub struct UserError {
    /// For programs.
    pub code: UserErrorCode,
    /// For people, in the caller's language (`Accept-Language`: English or Chinese).
    pub message: String,
    /// The input field that it is about, from the mutation's argument on; empty when it is about the whole.
    pub path: Vec<String>,
}

/// A refusal and the input field that caused it.
pub(super) struct Refused {
    row: Row,
    path: Vec<String>,
}

impl Refused {
    pub(super) fn new(row: Row, path: &[&str]) -> Self {
        Self { row, path: path.iter().map(|&step| step.to_owned()).collect() }
    }

    /// An id that names nothing.
    pub(super) fn not_found(path: &[&str]) -> Self {
        Self::new(refusals::not_found(), path)
    }

    /// A value or a rule of the domain.
    pub(super) fn by(refusal: impl Into<Refusal>, path: &[&str]) -> Self {
        Self::new(refusals::row(&refusal.into()), path)
    }

    fn into_user_error(self, language: Language) -> UserError {
        UserError { code: self.row.code, message: self.row.message(language), path: self.path }
    }
}

/// How long an answer waits for the view that shows what was done.
const VIEWS_PATIENCE: Duration = Duration::from_secs(1);

/// What came of a mutation, before it becomes a payload.
pub(super) type Attempt<T> = Result<T, Refused>;

/// A payload that can say no.
pub(super) trait Refusable: Default {
    /// Where the refusal goes.
    fn user_errors(&mut self) -> &mut Vec<UserError>;
}

/// Makes a payload with `user_errors` refusable.
macro_rules! refusable {
    ($payload:ty) => {
        impl $crate::graphql::payload::Refusable for $payload {
            fn user_errors(&mut self) -> &mut Vec<$crate::graphql::payload::UserError> {
                &mut self.user_errors
            }
        }
    };
}

pub(super) use refusable;

/// The payload of what came of a mutation: when refused, nothing but the reason.
pub(super) fn answer<P: Refusable>(ctx: &Context<'_>, attempt: Attempt<P>) -> P {
    attempt.unwrap_or_else(|refused| {
        count_refusal(refused.row.code.name());
        let mut payload = P::default();
        payload.user_errors().push(refused.into_user_error(ctx.language()));
        payload
    })
}

/// Executes a command. The outer error is a fault, the inner one a refusal. `path` is the input field
/// that refusals of this command are about.
pub(super) async fn execute(
    app: &App,
    action: impl Action,
    command: CommandContext,
    path: &[&str],
) -> Result<Attempt<Done>> {
    execute_at(app, action, command, |_| path).await
}

/// As [`execute`], for commands that are refused for more than one input field.
pub(super) async fn execute_at<'p>(
    app: &App,
    action: impl Action,
    command: CommandContext,
    path_of: impl FnOnce(&Refusal) -> &'p [&'p str],
) -> Result<Attempt<Done>> {
    let actor = command.actor.clone();
    match app.log.execute(action, command).await {
        Ok(Outcome::Done(done)) => {
            if let Some(account) = who_is_told(&actor, &done) {
                app.told.note(account, done.position);
            }
            Ok(Ok(done))
        }
        Ok(Outcome::Refused(refusal)) => {
            let path = path_of(&refusal);
            Ok(Err(Refused::by(refusal, path)))
        }
        Err(ExecuteError::KeyReused) => {
            Ok(Err(Refused::new(refusals::key_reused(), &["input", "idempotencyKey"])))
        }
        Err(error) => Err(faults::execute(&error)),
    }
}

/// Whose next query must show this: the caller's, who may have had no account until now.
fn who_is_told(actor: &Actor, done: &Done) -> Option<AccountId> {
    match actor {
        Actor::Account(account) => Some(*account),
        Actor::Anonymous => done.events.iter().find_map(|recorded| recorded.stream.id::<Account>()),
        Actor::Policy(_) => None,
    }
}

/// Waits until the views show what was done up to a position; false when that takes too long, and the
/// payload is answered without it.
pub(super) async fn shown(app: &App, position: Position) -> bool {
    app.views.wait_for(position, VIEWS_PATIENCE).await == Waited::Reached
}
