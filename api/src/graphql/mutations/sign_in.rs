//! Signing in.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use domain::AccountId;
use domain::account::{AccountError, PasswordCheck};
use domain::actions;
use domain::handle::Handle;
use domain::values::UserName;

use super::signed_in::hand_over;
use crate::accounts::{Caller, new_session};
use crate::graphql::context::{App, ContextExt as _};
use crate::graphql::faults;
use crate::graphql::model::Viewer;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, execute, refusable};
use crate::graphql::scalars::Position;

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
    let app = ctx.app();
    let account = holder(app, &input.user_name).await?;
    let password = compare(app, account, input.password).await?;
    let Some(account) = account else {
        return Ok(Err(Refused::by(AccountError::WrongPassword, &["input"])));
    };
    let (session, token) = new_session(&ctx.request(), app.log.clock().now(), app.session_lifetime);
    let caller = Caller { account, session: session.device.session, expires_at: session.expires_at };
    let action = actions::SignIn { account, password, session };
    let command = ctx.command(None, String::new());
    Ok(execute(app, action, command, &["input"]).await?.map(|done| SignInPayload {
        token: hand_over(ctx, token, input.cookie),
        viewer: Some(Viewer(caller)),
        position: Some(done.position.into()),
        user_errors: vec![],
    }))
}

/// Who holds a user name; nobody when it cannot be one.
async fn holder(app: &App, user_name: &str) -> Result<Option<AccountId>> {
    let Ok(name) = UserName::parse(user_name) else { return Ok(None) };
    let handle = app.log.handle_id(&name.normalised());
    app.log.inspect::<Handle, _>(&handle, Handle::holder).await.map_err(faults::log)
}

/// Compares the password, taking as long when there is no account.
async fn compare(app: &App, account: Option<AccountId>, typed: String) -> Result<PasswordCheck> {
    let stored = match account {
        Some(account) => app.log.credentials().password(account).await.map_err(faults::log)?,
        None => None,
    };
    app.passwords.compare(typed, stored).await.map_err(|error| faults::password(&error))
}
