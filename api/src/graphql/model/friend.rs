//! Friends and friend requests.

use async_graphql::{Context, Enum, ID, Object, Result};

use super::Person;
use crate::graphql::connection::connection;
use crate::graphql::context::ContextExt as _;
use crate::graphql::ids::NodeId;
use crate::graphql::loaders::conversation_position;
use crate::graphql::scalars::DateTime;

/// A friend of the viewer.
#[derive(Clone)]
pub struct Friend(pub projections::Friend);

/// A friend of the viewer.
#[Object]
impl Friend {
    /// Who it is.
    async fn person(&self) -> Person {
        Person(self.0.friend)
    }

    /// Since when the two are friends.
    async fn since(&self) -> DateTime {
        self.0.since.into()
    }

    /// The id of the conversation of the two.
    async fn conversation_id(&self, ctx: &Context<'_>) -> Result<ID> {
        let position = conversation_position(&ctx.app().log, self.0.conversation).await?;
        Ok(NodeId::Conversation(position).into())
    }
}

/// One person asked another to be friends.
#[derive(Clone)]
pub struct FriendRequest(pub projections::FriendRequest);

/// One person asked another to be friends.
#[Object]
impl FriendRequest {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::FriendRequest(self.0.position).into()
    }

    /// Who asks.
    async fn from(&self) -> Person {
        Person(self.0.from)
    }

    /// Who is asked.
    async fn to(&self) -> Person {
        Person(self.0.to)
    }

    /// When it was asked.
    async fn requested_at(&self) -> DateTime {
        self.0.requested_at.into()
    }

    /// What came of it.
    async fn state(&self) -> FriendRequestState {
        match self.0.state {
            projections::RequestState::Open => FriendRequestState::Open,
            projections::RequestState::Confirmed => FriendRequestState::Confirmed,
        }
    }
}

/// What came of a friend request.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum FriendRequestState {
    /// It waits for an answer.
    Open,
    /// The two are friends.
    Confirmed,
}

/// Which friend requests to list.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum FriendRequestDirection {
    /// Those that others sent to the viewer.
    Received,
    /// Those that the viewer sent.
    Sent,
}

connection!(FriendConnection, FriendEdge, Friend);
connection!(FriendRequestConnection, FriendRequestEdge, FriendRequest);
