//! Joining.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use domain::AccountId;
use domain::actions;
use domain::values::{Password, UserName};
use eventlog::fresh::new_uuid;

use super::signed_in::{can_hold, hand_over};
use crate::accounts::{Caller, new_session};
use crate::graphql::context::ContextExt as _;
use crate::graphql::faults;
use crate::graphql::model::Viewer;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, execute, refusable};
use crate::graphql::scalars::Position;

/// What joining takes.
#[derive(InputObject)]
pub struct RegisterInput {
    /// The name to sign in with: 6 to 20 letters A to Z or digits, unique without regard to case.
    user_name: String,
    /// The password: 8 to 128 characters of anything.
    #[graphql(secret)]
    password: String,
    /// Whether to keep the session in a cookie that scripts cannot read, instead of returning a token.
    #[graphql(default)]
    cookie: bool,
}

/// What came of joining.
#[derive(SimpleObject, Default)]
pub struct RegisterPayload {
    /// The token of the new session, shown this once; null with `cookie` or when refused.
    token: Option<String>,
    /// The new person; null when refused.
    viewer: Option<Viewer>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(RegisterPayload);

/// The mutation.
#[derive(Default)]
pub struct Register;

#[Object]
impl Register {
    /// Joins under a user name that nobody holds, and signs in on this device.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name and password.")] input: RegisterInput,
    ) -> Result<RegisterPayload> {
        Ok(answer(ctx, register(ctx, input).await?))
    }
}

async fn register(ctx: &Context<'_>, input: RegisterInput) -> Result<Attempt<RegisterPayload>> {
    can_hold(ctx, input.cookie)?;
    let user_name = match UserName::parse(&input.user_name) {
        Ok(name) => name,
        Err(invalid) => return Ok(Err(Refused::by(invalid, &["input", "userName"]))),
    };
    let password = match Password::parse(input.password) {
        Ok(password) => password,
        Err(invalid) => return Ok(Err(Refused::by(invalid, &["input", "password"]))),
    };
    let app = ctx.app();
    app.tries.register(ctx.request().peer).await.map_err(faults::turned_away)?;
    let password = app.passwords.hash(password).await.map_err(|error| faults::password(&error))?;
    let (session, token) = new_session(&ctx.request(), app.log.clock().now(), app.session_lifetime);
    let account = AccountId(new_uuid());
    let caller = Caller { account, session: session.device.session, expires_at: session.expires_at };
    let action = actions::Register {
        account,
        handle: app.log.handle_id(&user_name.normalised()),
        user_name,
        password,
        session: Some(session),
    };
    let command = ctx.command(None, String::new());
    Ok(execute(app, action, command, &["input", "userName"]).await?.map(|done| RegisterPayload {
        token: hand_over(ctx, token, input.cookie),
        viewer: Some(Viewer(caller)),
        position: Some(done.position.into()),
        user_errors: vec![],
    }))
}
