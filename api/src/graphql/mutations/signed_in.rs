//! What a device gets when it is signed in: a token, or a cookie.

use async_graphql::Context;
use axum::http::header::SET_COOKIE;

use crate::accounts::Token;
use crate::graphql::context::{App, ContextExt as _};

/// Gives the token to the caller: as text, or as a cookie that scripts cannot read.
pub(super) fn hand_over(ctx: &Context<'_>, token: Token, as_cookie: bool) -> Option<String> {
    let token = token.into_text();
    if !as_cookie {
        return Some(token);
    }
    set_cookie(ctx, &token, ctx.app().session_lifetime.num_seconds());
    None
}

/// Takes the cookie away from a browser that had one.
pub(super) fn forget_cookie(ctx: &Context<'_>) {
    set_cookie(ctx, "", 0);
}

fn set_cookie(ctx: &Context<'_>, value: &str, seconds: i64) {
    let App { session_cookie, secure_cookies, .. } = ctx.app();
    let secure = if *secure_cookies { "; Secure" } else { "" };
    let cookie =
        format!("{session_cookie}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    ctx.append_http_header(SET_COOKIE, cookie);
}
