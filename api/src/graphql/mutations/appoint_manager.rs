//! Letting a member help the owner of a group.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::actions;
use uuid::Uuid;

use super::in_group::{Asked, act};
use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// Whom to appoint in which group.
#[derive(InputObject)]
pub struct AppointManagerInput {
    /// The id of the group.
    conversation_id: ID,
    /// The id of the person.
    person_id: ID,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of it.
#[derive(SimpleObject, Default)]
pub struct AppointManagerPayload {
    /// The group. Null when refused, or for a moment when the server is catching up.
    conversation: Option<Conversation>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(AppointManagerPayload);

/// The mutation.
#[derive(Default)]
pub struct AppointManager;

#[Object]
impl AppointManager {
    /// Makes a member of a group a manager; only its owner may.
    async fn appoint_manager(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to appoint in which group.")] input: AppointManagerInput,
    ) -> Result<AppointManagerPayload> {
        Ok(answer(ctx, appoint_manager(ctx, input).await?))
    }
}

async fn appoint_manager(
    ctx: &Context<'_>,
    input: AppointManagerInput,
) -> Result<Attempt<AppointManagerPayload>> {
    ctx.caller()?;
    let Some(member) = NodeId::person(&input.person_id) else {
        return Ok(Err(Refused::not_found(&["input", "personId"])));
    };
    let asked = Asked {
        mutation: "appointManager",
        group: &input.conversation_id,
        said: member.to_string(),
        key: input.idempotency_key,
    };
    let acted =
        act(ctx, asked, |conversation, by| actions::AppointManager { conversation, by, member }).await?;
    Ok(acted.map(|acted| AppointManagerPayload {
        conversation: acted.conversation,
        position: Some(acted.position.into()),
        user_errors: vec![],
    }))
}
