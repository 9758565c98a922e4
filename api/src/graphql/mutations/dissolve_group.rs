//! Ending a group.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::actions;
use uuid::Uuid;

use super::in_group::{Asked, act};
use crate::graphql::payload::{Attempt, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// Which group to end.
#[derive(InputObject)]
pub struct DissolveGroupInput {
    /// The id of the group.
    conversation_id: ID,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of it.
#[derive(SimpleObject, Default)]
pub struct DissolveGroupPayload {
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(DissolveGroupPayload);

/// The mutation.
#[derive(Default)]
pub struct DissolveGroup;

#[Object]
impl DissolveGroup {
    /// Ends a group for everybody in it; only its owner may. Cannot be undone.
    async fn dissolve_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which group to end.")] input: DissolveGroupInput,
    ) -> Result<DissolveGroupPayload> {
        Ok(answer(ctx, dissolve_group(ctx, input).await?))
    }
}

async fn dissolve_group(
    ctx: &Context<'_>,
    input: DissolveGroupInput,
) -> Result<Attempt<DissolveGroupPayload>> {
    let asked = Asked {
        mutation: "dissolveGroup",
        group: &input.conversation_id,
        said: String::new(),
        key: input.idempotency_key,
    };
    let acted = act(ctx, asked, |conversation, by| actions::DissolveGroup { conversation, by }).await?;
    Ok(acted.map(|acted| DissolveGroupPayload { position: Some(acted.position.into()), user_errors: vec![] }))
}
