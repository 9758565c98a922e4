//! Handing a group over.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::actions;
use uuid::Uuid;

use super::in_group::{Asked, act};
use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// To whom to hand which group over.
#[derive(InputObject)]
pub struct TransferOwnershipInput {
    /// The id of the group.
    conversation_id: ID,
    /// The id of the new owner.
    person_id: ID,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of it.
#[derive(SimpleObject, Default)]
pub struct TransferOwnershipPayload {
    /// The group. Null when refused, or for a moment when the server is catching up.
    conversation: Option<Conversation>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(TransferOwnershipPayload);

/// The mutation.
#[derive(Default)]
pub struct TransferOwnership;

#[Object]
impl TransferOwnership {
    /// Makes a member the owner of a group; only its owner may, and stays as a plain member.
    async fn transfer_ownership(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "To whom to hand which group over.")] input: TransferOwnershipInput,
    ) -> Result<TransferOwnershipPayload> {
        Ok(answer(ctx, transfer_ownership(ctx, input).await?))
    }
}

async fn transfer_ownership(
    ctx: &Context<'_>,
    input: TransferOwnershipInput,
) -> Result<Attempt<TransferOwnershipPayload>> {
    ctx.caller()?;
    let Some(to) = NodeId::person(&input.person_id) else {
        return Ok(Err(Refused::not_found(&["input", "personId"])));
    };
    let asked = Asked {
        mutation: "transferOwnership",
        group: &input.conversation_id,
        said: to.to_string(),
        key: input.idempotency_key,
    };
    let acted =
        act(ctx, asked, |conversation, by| actions::TransferOwnership { conversation, by, to }).await?;
    Ok(acted.map(|acted| TransferOwnershipPayload {
        conversation: acted.conversation,
        position: Some(acted.position.into()),
        user_errors: vec![],
    }))
}
