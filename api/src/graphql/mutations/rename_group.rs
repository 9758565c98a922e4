//! Giving a group another name.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::actions;
use domain::values::GroupName;
use uuid::Uuid;

use super::in_group::{Asked, act};
use crate::graphql::context::ContextExt as _;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// Which group to rename, and how.
#[derive(InputObject)]
pub struct RenameGroupInput {
    /// The id of the group.
    conversation_id: ID,
    /// The new name: 1 to 50 characters of any script, not blank.
    name: String,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of it.
#[derive(SimpleObject, Default)]
pub struct RenameGroupPayload {
    /// The group. Null when refused, or for a moment when the server is catching up.
    conversation: Option<Conversation>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(RenameGroupPayload);

/// The mutation.
#[derive(Default)]
pub struct RenameGroup;

#[Object]
impl RenameGroup {
    /// Gives a group another name; its owner and managers may.
    async fn rename_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which group to rename, and how.")] input: RenameGroupInput,
    ) -> Result<RenameGroupPayload> {
        Ok(answer(ctx, rename_group(ctx, input).await?))
    }
}

async fn rename_group(ctx: &Context<'_>, input: RenameGroupInput) -> Result<Attempt<RenameGroupPayload>> {
    ctx.caller()?;
    let said = input.name.clone();
    let name = match GroupName::parse(input.name) {
        Ok(name) => name,
        Err(invalid) => return Ok(Err(Refused::by(invalid, &["input", "name"]))),
    };
    let asked =
        Asked { mutation: "renameGroup", group: &input.conversation_id, said, key: input.idempotency_key };
    let acted = act(ctx, asked, |conversation, by| actions::RenameGroup { conversation, by, name }).await?;
    Ok(acted.map(|acted| RenameGroupPayload {
        conversation: acted.conversation,
        position: Some(acted.position.into()),
        user_errors: vec![],
    }))
}
