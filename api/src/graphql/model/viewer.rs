//! What belongs to the signed-in person.

use async_graphql::{Context, Object, Result};
use domain::Position;
use projections::Direction;

use super::conversation::{ConversationConnection, ConversationEdge};
use super::friend::{FriendConnection, FriendEdge, FriendRequestConnection, FriendRequestEdge};
use super::{Conversation, Friend, FriendRequest, FriendRequestDirection, Person};
use crate::accounts::Caller;
use crate::graphql::connection::{cursor, cut, page_items, read_cursor};
use crate::graphql::context::ContextExt as _;
use crate::graphql::faults;

const CONVERSATIONS: &str = "conversations";
const FRIENDS: &str = "friends";
const FRIEND_REQUESTS: &str = "friend_requests";

/// The signed-in person and what belongs to them.
#[derive(Clone, Copy)]
pub struct Viewer(pub Caller);

/// The signed-in person and what belongs to them.
#[Object]
impl Viewer {
    /// The viewer as others see them.
    async fn person(&self) -> Person {
        Person(self.0.account)
    }

    /// How many messages the viewer has not read, over all conversations.
    async fn unread_count(&self, ctx: &Context<'_>) -> Option<Result<u32>> {
        let total = ctx.app().views.unread_total(self.0.account).await;
        // Nobody has more unread messages than fit into GraphQL's Int.
        Some(total.map(|total| u32::try_from(total).unwrap_or(u32::MAX)).map_err(faults::view))
    }

    /// The viewer's conversations, the one with the newest activity first.
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many; 0 to 100, 50 by default.")] first: Option<i32>,
        #[graphql(desc = "Only conversations behind this cursor.")] after: Option<String>,
    ) -> Option<Result<ConversationConnection>> {
        Some(self.conversation_page(ctx, first, after.as_deref()).await)
    }

    /// The viewer's friends, the newest first.
    async fn friends(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many; 0 to 100, 50 by default.")] first: Option<i32>,
        #[graphql(desc = "Only friends behind this cursor.")] after: Option<String>,
    ) -> Option<Result<FriendConnection>> {
        Some(self.friend_page(ctx, first, after.as_deref()).await)
    }

    /// The viewer's friend requests with their outcome, the newest first.
    async fn friend_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Received or sent.")] direction: FriendRequestDirection,
        #[graphql(desc = "At most this many; 0 to 100, 50 by default.")] first: Option<i32>,
        #[graphql(desc = "Only requests behind this cursor.")] after: Option<String>,
    ) -> Option<Result<FriendRequestConnection>> {
        Some(self.friend_request_page(ctx, direction, first, after.as_deref()).await)
    }
}

impl Viewer {
    async fn conversation_page(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<ConversationConnection> {
        let (items, after) = (page_items(first)?, read_cursor(CONVERSATIONS, after)?.map(Position));
        let views = &ctx.app().views;
        let mut rows = views.conversations(self.0.account, after, items + 1).await.map_err(faults::view)?;
        let more = cut(&mut rows, items);
        let edge = |row: projections::ConversationRow| ConversationEdge {
            cursor: cursor(CONVERSATIONS, row.last_position.0),
            node: Conversation(row),
        };
        Ok(ConversationConnection::of(rows.into_iter().map(edge).collect(), after.is_some(), more))
    }

    async fn friend_page(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<FriendConnection> {
        let (items, after) = (page_items(first)?, read_cursor(FRIENDS, after)?.map(Position));
        let views = &ctx.app().views;
        let mut rows = views.friends(self.0.account, after, items + 1).await.map_err(faults::view)?;
        let more = cut(&mut rows, items);
        let edge = |row: projections::Friend| FriendEdge {
            cursor: cursor(FRIENDS, row.since_position.0),
            node: Friend(row),
        };
        Ok(FriendConnection::of(rows.into_iter().map(edge).collect(), after.is_some(), more))
    }

    async fn friend_request_page(
        &self,
        ctx: &Context<'_>,
        direction: FriendRequestDirection,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<FriendRequestConnection> {
        let (items, after) = (page_items(first)?, read_cursor(FRIEND_REQUESTS, after)?.map(Position));
        let direction = match direction {
            FriendRequestDirection::Received => Direction::Received,
            FriendRequestDirection::Sent => Direction::Sent,
        };
        let views = &ctx.app().views;
        let rows = views.friend_requests(self.0.account, direction, after, items + 1).await;
        let mut rows = rows.map_err(faults::view)?;
        let more = cut(&mut rows, items);
        let edge = |row: projections::FriendRequest| FriendRequestEdge {
            cursor: cursor(FRIEND_REQUESTS, row.position.0),
            node: FriendRequest(row),
        };
        Ok(FriendRequestConnection::of(rows.into_iter().map(edge).collect(), after.is_some(), more))
    }
}
