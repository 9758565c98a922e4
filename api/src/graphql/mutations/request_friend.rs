//! Asking somebody to be friends.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{Pair, actions};
use uuid::Uuid;

use crate::graphql::context::{App, ContextExt as _};
use crate::graphql::faults;
use crate::graphql::ids::NodeId;
use crate::graphql::model::FriendRequest;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, execute, refusable, shown};
use crate::graphql::scalars::Position;

/// Whom to ask.
#[derive(InputObject)]
pub struct RequestFriendInput {
    /// The id of the person.
    person_id: ID,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of asking.
#[derive(SimpleObject, Default)]
pub struct RequestFriendPayload {
    /// The request; confirmed at once when the other had asked before. Null when refused, or for a
    /// moment when the server is catching up.
    friend_request: Option<FriendRequest>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(RequestFriendPayload);

/// The mutation.
#[derive(Default)]
pub struct RequestFriend;

#[Object]
impl RequestFriend {
    /// Asks a person to be friends. When they asked before, the two are friends at once.
    async fn request_friend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to ask.")] input: RequestFriendInput,
    ) -> Result<RequestFriendPayload> {
        Ok(answer(ctx, request_friend(ctx, input).await?))
    }
}

async fn request_friend(
    ctx: &Context<'_>,
    input: RequestFriendInput,
) -> Result<Attempt<RequestFriendPayload>> {
    let from = ctx.caller()?.account;
    let path = ["input", "personId"];
    let Some(to) = NodeId::person(&input.person_id) else { return Ok(Err(Refused::not_found(&path))) };
    let action = match actions::RequestFriend::new(from, to) {
        Ok(action) => action,
        Err(refusal) => return Ok(Err(Refused::by(refusal, &path))),
    };
    let command = ctx.command(input.idempotency_key, format!("requestFriend {to}"));
    let done = match execute(ctx.app(), action, command, &path).await? {
        Ok(done) => done,
        Err(refused) => return Ok(Err(refused)),
    };
    let friend_request = match Pair::of(from, to) {
        Some(pair) => seen(ctx.app(), &pair, done.position).await?,
        None => None,
    };
    let position = Some(done.position.into());
    Ok(Ok(RequestFriendPayload { friend_request, position, user_errors: vec![] }))
}

/// The pair's request as the view shows it, once it includes the position; none when that takes too long.
async fn seen(app: &App, pair: &Pair, position: domain::Position) -> Result<Option<FriendRequest>> {
    if !shown(app, position).await {
        return Ok(None);
    }
    Ok(app.views.friend_request(*pair).await.map_err(faults::view)?.map(FriendRequest))
}
