//! Signing in.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use domain::AccountId;
use domain::account::{AccountError, PasswordCheck};
use domain::actions;
use domain::handle::Handle;
use domain::values::UserName;
use uuid::Uuid;

use super::signed_in::{can_hold, hand_over};
use crate::accounts::{Caller, new_session};
use crate::graphql::context::{App, ContextExt as _};
use crate::graphql::faults;
use crate::graphql::model::Viewer;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, execute, refusable};
use crate::graphql::scalars::Position;
use crate::limits::{Subject, Try};

/// What signing in takes.
#[derive(InputObject)]
pub struct SignInInput {
    /// The user name, without regard to case.
    user_name: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// Whether to keep the session in a cookie that scripts cannot read, instead of returning a token.
    #[graphql(default)]
    cookie: bool,
}

/// What came of signing in.
#[derive(SimpleObject, Default)]
pub struct SignInPayload {
    /// The token of the new session, shown this once; null with `cookie` or when refused.
    token: Option<String>,
    /// The person who signed in; null when refused.
    viewer: Option<Viewer>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(SignInPayload);

/// The mutation.
#[derive(Default)]
pub struct SignIn;

#[Object]
impl SignIn {
    /// Signs in on this device. A wrong name and a wrong password are refused alike.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name and password.")] input: SignInInput,
    ) -> Result<SignInPayload> {
        Ok(answer(ctx, sign_in(ctx, input).await?))
    }
}

async fn sign_in(ctx: &Context<'_>, input: SignInInput) -> Result<Attempt<SignInPayload>> {
    can_hold(ctx, input.cookie)?;
    let app = ctx.app();
    let Some((account, counted)) = prove(ctx, &input.user_name, input.password).await? else {
        return Ok(Err(Refused::by(AccountError::WrongPassword, &["input"])));
    };
    let (session, token) = new_session(&ctx.request(), app.log.clock().now(), app.session_lifetime);
    let caller = Caller { account, session: session.device.session, expires_at: session.expires_at };
    let action = actions::SignIn { account, password: PasswordCheck::Right, session };
    let command = ctx.command(None, String::new());
    let attempt = execute(app, action, command, &["input"]).await?;
    if attempt.is_ok() {
        counted.succeeded().await;
    }
    Ok(attempt.map(|done| SignInPayload {
        token: hand_over(ctx, token, input.cookie),
        viewer: Some(Viewer(caller)),
        position: Some(done.position.into()),
        user_errors: vec![],
    }))
}

/// The account that name and password fit; none when one of them is wrong.
///
/// Both are told in the same way and after the same time. So a wrong password is not put before the account,
/// which would refuse it alike: asking it takes time that a name without an account does not take.
async fn prove(ctx: &Context<'_>, typed: &str, password: String) -> Result<Option<(AccountId, Try)>> {
    let app = ctx.app();
    let name = UserName::parse(typed).map(|name| name.normalised());
    let account = match &name {
        Ok(name) => holder(app, name).await?,
        Err(_) => None,
    };
    let subject = match account {
        Some(account) => Subject::Account(account),
        None => Subject::Name(name.as_deref().unwrap_or(typed)),
    };
    let counted = app.tries.begin(subject, ctx.request().peer).await.map_err(faults::turned_away)?;
    match compare(app, account, password).await {
        Ok(PasswordCheck::Right) => Ok(account.map(|account| (account, counted))),
        Ok(PasswordCheck::Wrong) => {
            if let Some(account) = account {
                app.refused_sign_ins.note(account);
            }
            Ok(None)
        }
        Err(fault) => {
            counted.undone().await;
            Err(fault)
        }
    }
}

/// Who holds a user name.
async fn holder(app: &App, normalised: &str) -> Result<Option<AccountId>> {
    let handle = app.log.handle_id(normalised);
    app.log.inspect::<Handle, _>(&handle, Handle::holder).await.map_err(faults::log)
}

/// Compares the password, taking as long when there is no account.
async fn compare(app: &App, account: Option<AccountId>, typed: String) -> Result<PasswordCheck> {
    let whose = account.unwrap_or(AccountId(Uuid::nil()));
    let stored = app.log.credentials().password(whose).await.map_err(faults::log)?;
    app.passwords.compare(typed, stored).await.map_err(|error| faults::password(&error))
}
