//! Letting friends into a group.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::actions;
use uuid::Uuid;

use super::in_group::{Asked, act, listed, people};
use crate::graphql::context::ContextExt as _;
use crate::graphql::model::Conversation;
use crate::graphql::payload::{Attempt, UserError, answer, refusable};
use crate::graphql::scalars::Position;

/// Whom to let into which group.
#[derive(InputObject)]
pub struct AddGroupMembersInput {
    /// The id of the group.
    conversation_id: ID,
    /// The ids of the people; at most 100.
    person_ids: Vec<ID>,
    /// A key of the caller's choice: the same key never makes two events.
    idempotency_key: Option<Uuid>,
}

/// What came of it.
#[derive(SimpleObject, Default)]
pub struct AddGroupMembersPayload {
    /// The group. Null when refused, or for a moment when the server is catching up.
    conversation: Option<Conversation>,
    /// The position of the last event; null when refused.
    position: Option<Position>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

refusable!(AddGroupMembersPayload);

/// The mutation.
#[derive(Default)]
pub struct AddGroupMembers;

#[Object]
impl AddGroupMembers {
    /// Lets friends of the viewer into a group, at once; its owner and managers may. Who is in it already stays.
    /// A group has at most 10,000 members.
    async fn add_group_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to let into which group.")] input: AddGroupMembersInput,
    ) -> Result<AddGroupMembersPayload> {
        Ok(answer(ctx, add_group_members(ctx, input).await?))
    }
}

async fn add_group_members(
    ctx: &Context<'_>,
    input: AddGroupMembersInput,
) -> Result<Attempt<AddGroupMembersPayload>> {
    ctx.caller()?;
    let people = match people(&input.person_ids) {
        Ok(people) => people,
        Err(refused) => return Ok(Err(refused)),
    };
    let asked = Asked {
        mutation: "addGroupMembers",
        group: &input.conversation_id,
        said: listed(&people),
        key: input.idempotency_key,
    };
    let acted =
        act(ctx, asked, |conversation, by| actions::AddMembers { conversation, by, members: people }).await?;
    Ok(acted.map(|acted| AddGroupMembersPayload {
        conversation: acted.conversation,
        position: Some(acted.position.into()),
        user_errors: vec![],
    }))
}
