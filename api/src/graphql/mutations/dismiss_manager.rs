//! Making a manager a plain member again.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::actions;
use uuid::Uuid;

use super::in_group::{Asked, act};
use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// Whom to dismiss in which group.
#[derive(InputObject)]
pub struct DismissManagerInput {
    /// The id of the group.
    conversation_id: ID,
    /// The id of the person.
    person_id: ID,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of it.
#[derive(SimpleObject, Default)]
pub struct DismissManagerPayload {
    /// The group. Null when refused, or for a moment when the server is catching up.
    conversation: Option<Conversation>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(DismissManagerPayload);

/// The mutation.
#[derive(Default)]
pub struct DismissManager;

#[Object]
impl DismissManager {
    /// Makes a manager of a group a plain member again; only its owner may.
    async fn dismiss_manager(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to dismiss in which group.")] input: DismissManagerInput,
    ) -> Result<DismissManagerPayload> {
        Ok(answer(ctx, dismiss_manager(ctx, input).await?))
    }
}

async fn dismiss_manager(
    ctx: &Context<'_>,
    input: DismissManagerInput,
) -> Result<Attempt<DismissManagerPayload>> {
    ctx.caller()?;
    let Some(member) = NodeId::person(&input.person_id) else {
        return Ok(Err(Refused::not_found(&["input", "personId"])));
    };
    let asked = Asked {
        mutation: "dismissManager",
        group: &input.conversation_id,
        said: member.to_string(),
        key: input.idempotency_key,
    };
    let acted =
        act(ctx, asked, |conversation, by| actions::DismissManager { conversation, by, member }).await?;
    Ok(acted.map(|acted| DismissManagerPayload {
        conversation: acted.conversation,
        position: Some(acted.position.into()),
        user_errors: vec![],
    }))
}
