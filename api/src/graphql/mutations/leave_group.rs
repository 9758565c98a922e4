//! Going from a group.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::actions;
use uuid::Uuid;

use super::in_group::{Asked, act};
use crate::graphql::payload::{Attempt, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// Which group to leave.
#[derive(InputObject)]
pub struct LeaveGroupInput {
    /// The id of the group.
    conversation_id: ID,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of it.
#[derive(SimpleObject, Default)]
pub struct LeaveGroupPayload {
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(LeaveGroupPayload);

/// The mutation.
#[derive(Default)]
pub struct LeaveGroup;

#[Object]
impl LeaveGroup {
    /// Leaves a group; nothing of it is seen any more. Its owner hands it over first or dissolves it.
    async fn leave_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which group to leave.")] input: LeaveGroupInput,
    ) -> Result<LeaveGroupPayload> {
        Ok(answer(ctx, leave_group(ctx, input).await?))
    }
}

async fn leave_group(ctx: &Context<'_>, input: LeaveGroupInput) -> Result<Attempt<LeaveGroupPayload>> {
    let asked = Asked {
        mutation: "leaveGroup",
        group: &input.conversation_id,
        said: String::new(),
        key: input.idempotency_key,
    };
    let acted = act(ctx, asked, |conversation, by| actions::LeaveGroup { conversation, by }).await?;
    Ok(acted.map(|acted| LeaveGroupPayload { position: Some(acted.position.into()), user_errors: vec![] }))
}
