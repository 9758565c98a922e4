//! Making a group of friends.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::values::GroupName;
use domain::{ConversationId, actions};
use eventlog::fresh::new_uuid;
use uuid::Uuid;

use super::in_group::{create, listed, people};
use crate::graphql::context::ContextExt as _;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, Refused, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// The group to make.
#[derive(InputObject)]
pub struct CreateGroupInput {
    /// Its name: 1 to 50 characters of any script, not blank.
    name: String,
    /// The ids of the viewer's friends who are in it from the beginning; at most 100.
    person_ids: Vec<ID>,
    /// A key of the caller's choice: the same key never makes two groups.
    idempotency_key: Option<Uuid>,
}

/// What came of making it.
#[derive(SimpleObject, Default)]
pub struct CreateGroupPayload {
    /// The group. Null when refused, or for a moment when the server is catching up.
    conversation: Option<Conversation>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(CreateGroupPayload);

/// The mutation.
#[derive(Default)]
pub struct CreateGroup;

#[Object]
impl CreateGroup {
    /// Makes a group of the viewer, who owns it, and friends of the viewer.
    async fn create_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group to make.")] input: CreateGroupInput,
    ) -> Result<CreateGroupPayload> {
        Ok(answer(ctx, create_group(ctx, input).await?))
    }
}

async fn create_group(ctx: &Context<'_>, input: CreateGroupInput) -> Result<Attempt<CreateGroupPayload>> {
    let owner = ctx.caller()?.account;
    let members = match people(&input.person_ids) {
        Ok(members) => members,
        Err(refused) => return Ok(Err(refused)),
    };
    let canonical = format!("createGroup {} {}", listed(&members), input.name);
    let name = match GroupName::parse(input.name) {
        Ok(name) => name,
        Err(invalid) => return Ok(Err(Refused::by(invalid, &["input", "name"]))),
    };
    let conversation = ConversationId(new_uuid());
    let action = actions::CreateGroup { conversation, owner, name, members };
    let acted = create(ctx, action, canonical, input.idempotency_key).await?;
    Ok(acted.map(|acted| CreateGroupPayload {
        conversation: acted.conversation,
        position: Some(acted.position.into()),
        user_errors: vec![],
    }))
}
