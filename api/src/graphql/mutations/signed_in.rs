//! What a device gets when it is signed in: a token, or a cookie.

use async_graphql::{Context, Result};
use axum::http::header::SET_COOKIE;

use crate::accounts::Token;
use crate::graphql::context::{App, ContextExt as _};
use crate::graphql::faults;
use crate::transport::Channel;

/// Refuses to keep a session in a cookie where none can be set, before the session begins: it would be nobody's.
pub(super) fn can_hold(ctx: &Context<'_>, as_cookie: bool) -> Result<()> {
    if as_cookie && ctx.request().channel == Channel::Socket {
        return Err(faults::bad_input("a cookie is set over HTTP only; ask for a token here"));
    }
    Ok(())
}

/// Gives the token to the caller: as text, or as a cookie that scripts cannot read.
pub(super) fn hand_over(ctx: &Context<'_>, token: Token, as_cookie: bool) -> Option<String> {
    let token = token.into_text();
    if !as_cookie {
        return Some(token);
    }
    let App { session_cookie, session_lifetime, .. } = ctx.app();
    ctx.append_http_header(SET_COOKIE, session_cookie.holding(&token, session_lifetime.num_seconds()));
    None
}

/// Takes the cookie away from a browser that had one.
pub(super) fn forget_cookie(ctx: &Context<'_>) {
    ctx.append_http_header(SET_COOKIE, ctx.app().session_cookie.forgotten());
}
