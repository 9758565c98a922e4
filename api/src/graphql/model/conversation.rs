//! A conversation as one of its members sees it.

use async_graphql::{Context, Enum, ID, Object, Result};
use domain::MessageNumber;
use projections::{ConversationRow, Order, TimelinePage};

use super::message::{MessageConnection, MessageEdge};
use super::{Message, Person};
use crate::graphql::connection::{connection, cursor, cut, page_items, read_cursor};
use crate::graphql::context::ContextExt as _;
use crate::graphql::faults;
use crate::graphql::ids::NodeId;
use crate::graphql::loaders::{LastMessage, LoaderOfViews};
use crate::graphql::scalars::{DateTime, Position};

/// Cursors of messages are of this list.
const MESSAGES: &str = "messages";

/// A conversation as one of its members sees it.
#[derive(Clone)]
pub struct Conversation(pub ConversationRow);

/// The kinds of conversation.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum ConversationKind {
    /// Between two friends, for ever the same one.
    Private,
}

/// A conversation as one of its members sees it.
#[Object]
impl Conversation {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Conversation(self.0.position).into()
    }

    /// The position of its start in the log.
    async fn position(&self) -> Position {
        self.0.position.into()
    }

    /// Its kind.
    async fn kind(&self) -> ConversationKind {
        match self.0.kind {
            projections::ConversationKind::Private => ConversationKind::Private,
        }
    }

    /// Who is in it.
    async fn members(&self) -> Vec<Person> {
        self.0.members.iter().copied().map(Person).collect()
    }

    /// The number of its newest message; zero before the first.
    async fn last_number(&self) -> u32 {
        self.0.last_number.0
    }

    /// When something was last said in it, or when it was opened.
    async fn last_activity_at(&self) -> DateTime {
        self.0.last_at.into()
    }

    /// Its newest message; null before the first.
    async fn last_message(&self, ctx: &Context<'_>) -> Option<Result<Message>> {
        let loader = ctx.data_unchecked::<LoaderOfViews>();
        match loader.load_one(LastMessage(self.0.conversation)).await {
            Ok(row) => row.map(|row| Ok(row.into())),
            Err(fault) => Some(Err(async_graphql::Error::new(fault.to_string()))),
        }
    }

    /// How many messages the viewer has not read.
    async fn unread_count(&self) -> u32 {
        self.0.unread
    }

    /// What was said, in order. Without arguments the newest 50 messages; `last` with `before` goes back
    /// from there, `first` with `after` goes forward.
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many messages from the beginning or behind `after`; 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only messages behind this cursor.")] after: Option<String>,
        #[graphql(
            desc = "At most this many messages from the end or before `before`; 0 to 100, 50 by default."
        )]
        last: Option<i32>,
        #[graphql(desc = "Only messages before this cursor.")] before: Option<String>,
    ) -> Result<MessageConnection> {
        if first.is_some() && last.is_some() {
            return Err(faults::bad_input("give either first or last"));
        }
        let number = |cursor: Option<&str>| -> Result<Option<MessageNumber>> {
            let key = read_cursor(MESSAGES, cursor)?;
            Ok(key.map(|key| MessageNumber(u32::try_from(key).unwrap_or(u32::MAX))))
        };
        let forward = first.is_some();
        let items = page_items(first.or(last))?;
        let page = TimelinePage {
            after: number(after.as_deref())?,
            before: number(before.as_deref())?,
            order: if forward { Order::OldestFirst } else { Order::NewestFirst },
            // One more tells whether there is another page.
            limit: items + 1,
        };
        let mut rows = ctx.app().views.timeline(self.0.conversation, page).await.map_err(faults::view)?;
        let more = cut(&mut rows, items);
        if !forward {
            rows.reverse();
        }
        let edge = |row: projections::MessageRow| MessageEdge {
            cursor: cursor(MESSAGES, row.number.0.into()),
            node: row.into(),
        };
        let edges = rows.into_iter().map(edge).collect();
        let (has_previous, has_next) =
            if forward { (page.after.is_some(), more) } else { (more, page.before.is_some()) };
        Ok(MessageConnection::of(edges, has_previous, has_next))
    }
}

connection!(ConversationConnection, ConversationEdge, Conversation);
