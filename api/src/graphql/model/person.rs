//! A person as everybody sees them.

use async_graphql::{Context, ID, Object, Result};
use domain::AccountId;

use crate::graphql::ids::NodeId;
use crate::graphql::loaders::LoaderOfViews;
use crate::graphql::scalars::DateTime;

/// A person as everybody sees them.
#[derive(Clone, Copy)]
pub struct Person(pub AccountId);

impl Person {
    async fn row(self, ctx: &Context<'_>) -> Result<projections::Person> {
        let person = ctx.data_unchecked::<LoaderOfViews>().load_one(self.0).await;
        person
            .map_err(|fault| async_graphql::Error::new(fault.to_string()))?
            .ok_or_else(|| async_graphql::Error::new("a person who is referred to is not in the view"))
    }
}

/// A person as everybody sees them.
#[Object]
impl Person {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Person(self.0).into()
    }

    /// The name under which the person signs in and is found; null once it was erased.
    async fn user_name(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        self.row(ctx).await.map(|row| row.user_name).transpose()
    }

    /// When the person joined; null while the server is catching up.
    async fn registered_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime>> {
        Some(self.row(ctx).await.map(|row| row.registered_at.into()))
    }
}
