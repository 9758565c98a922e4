//! Signing out.

use async_graphql::{Context, Object, Result, SimpleObject};
use domain::actions;

use super::signed_in::forget_cookie;
use crate::graphql::context::ContextExt as _;
use crate::graphql::payload::{UserError, answer, execute, refusable};
use crate::graphql::scalars::Position;

/// What came of signing out.
#[derive(SimpleObject, Default)]
pub struct SignOutPayload {
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(SignOutPayload);

/// The mutation.
#[derive(Default)]
pub struct SignOut;

#[Object]
impl SignOut {
    /// Signs this device out: its token is worth nothing from now on, and its sockets close.
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<SignOutPayload> {
        let caller = ctx.caller()?;
        let action = actions::SignOut { account: caller.account, session: caller.session };
        let done = execute(ctx.app(), action, ctx.command(None, String::new()), &[]).await?;
        forget_cookie(ctx);
        let attempt =
            done.map(|done| SignOutPayload { position: Some(done.position.into()), user_errors: vec![] });
        Ok(answer(ctx, attempt))
    }
}
