//! Agreeing to a friend request.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{ConversationId, Pair, actions};
use uuid::Uuid;

use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, execute, refusable};
use crate::graphql::scalars::Position;

/// Whose request to agree to.
#[derive(InputObject)]
pub struct ConfirmFriendInput {
    /// The id of the person who asked.
    person_id: ID,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of agreeing.
#[derive(SimpleObject, Default)]
pub struct ConfirmFriendPayload {
    /// The conversation of the two new friends. Null when refused, or for a moment when the server is
    /// catching up.
    conversation: Option<Conversation>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(ConfirmFriendPayload);

/// The mutation.
#[derive(Default)]
pub struct ConfirmFriend;

#[Object]
impl ConfirmFriend {
    /// Agrees to a person's friend request; their private conversation opens.
    async fn confirm_friend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose request.")] input: ConfirmFriendInput,
    ) -> Result<ConfirmFriendPayload> {
        Ok(answer(ctx, confirm_friend(ctx, input).await?))
    }
}

async fn confirm_friend(
    ctx: &Context<'_>,
    input: ConfirmFriendInput,
) -> Result<Attempt<ConfirmFriendPayload>> {
    let by = ctx.caller()?.account;
    let path = ["input", "personId"];
    let Some(requester) = NodeId::person(&input.person_id) else { return Ok(Err(Refused::not_found(&path))) };
    let action = match actions::ConfirmFriend::new(by, requester) {
        Ok(action) => action,
        Err(refusal) => return Ok(Err(Refused::by(refusal, &path))),
    };
    let command = ctx.command(input.idempotency_key, format!("confirmFriend {requester}"));
    let done = match execute(ctx.app(), action, command, &path).await? {
        Ok(done) => done,
        Err(refused) => return Ok(Err(refused)),
    };
    let conversation = match Pair::of(by, requester) {
        Some(pair) => {
            Conversation::shown_at(ctx.app(), by, ConversationId::private(&pair), done.position).await?
        }
        None => None,
    };
    let position = Some(done.position.into());
    Ok(Ok(ConfirmFriendPayload { conversation, position, user_errors: vec![] }))
}
