//! A conversation as one of its members sees it.

use async_graphql::{Context, Enum, ID, Object, Result};
use domain::{AccountId, ConversationId, MessageNumber};
use projections::{ConversationRow, MemberPage, Order, TimelinePage};

use super::member::{MemberConnection, MemberEdge};
use super::message::{MessageConnection, MessageEdge};
use super::{Member, MemberRole, Message, Person};
use crate::graphql::connection::{connection, cursor, cut, page_items, read_cursor};
use crate::graphql::context::{App, ContextExt as _};
use crate::graphql::faults;
use crate::graphql::ids::NodeId;
use crate::graphql::loaders::{LastMessage, LoaderOfViews};
use crate::graphql::payload::shown;
use crate::graphql::scalars::{DateTime, Position};

/// Cursors of messages are of this list.
const MESSAGES: &str = "messages";
/// Cursors of members are of this list.
const MEMBERS: &str = "members";

/// A conversation as one of its members sees it.
#[derive(Clone)]
pub struct Conversation(pub ConversationRow);

/// The kinds of conversation.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum ConversationKind {
    /// Between two friends, for ever the same one.
    Private,
    /// Of many, with an owner.
    Group,
}

impl Conversation {
    /// The conversation as the view shows it to a member, once it includes the position; none when that
    /// takes too long.
    ///
    /// # Errors
    /// A fault of the view.
    pub async fn shown_at(
        app: &App,
        member: AccountId,
        conversation: ConversationId,
        position: domain::Position,
    ) -> Result<Option<Self>> {
        if !shown(app, position).await {
            return Ok(None);
        }
        let rows = app.views.conversations_by_id(member, &[conversation]).await.map_err(faults::view)?;
        Ok(rows.into_iter().next().map(Self))
    }

    /// Both members of a private conversation: what a list of members would read is known.
    fn pair(&self, after: Position, limit: u32) -> Vec<(i64, Member)> {
        let member = |account: &AccountId| Member {
            person: Person(*account),
            role: MemberRole::Member,
            joined_at: self.0.started_at.into(),
        };
        let all = (1..).zip(self.0.members.iter().map(member));
        all.filter(|(place, _)| *place > after.0.0).take(limit as usize).collect()
    }

    /// A page of a group's members, read together with those of the other groups in the answer.
    async fn group(&self, ctx: &Context<'_>, after: Position, limit: u32) -> Result<Vec<(i64, Member)>> {
        let page = MemberPage { conversation: self.0.conversation, after: after.0, limit };
        let found = ctx.data_unchecked::<LoaderOfViews>().load_one(page).await;
        let found = found.map_err(|fault| async_graphql::Error::new(fault.to_string()))?.unwrap_or_default();
        Ok(found.into_iter().map(|row| (row.joined_position.0, row.into())).collect())
    }
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
            projections::ConversationKind::Group => ConversationKind::Group,
        }
    }

    /// The name of a group; null once it was erased, and of a private conversation.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Who owns a group; null of a private conversation.
    async fn owner(&self) -> Option<Person> {
        self.0.owner.map(Person)
    }

    /// What the viewer is in it.
    async fn viewer_role(&self) -> MemberRole {
        self.0.role.into()
    }

    /// How many are in it.
    async fn member_count(&self) -> u32 {
        self.0.member_count
    }

    /// Who is in it, those who joined first in front.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many; 0 to 100, 50 by default.")] first: Option<i32>,
        #[graphql(desc = "Only members behind this cursor.")] after: Option<String>,
    ) -> Result<MemberConnection> {
        let (items, given) = (page_items(first)?, read_cursor(MEMBERS, after.as_deref())?);
        let after = Position(domain::Position(given.unwrap_or(0)));
        let mut rows = match self.0.kind {
            projections::ConversationKind::Private => self.pair(after, items + 1),
            projections::ConversationKind::Group => self.group(ctx, after, items + 1).await?,
        };
        let more = cut(&mut rows, items);
        let edge = |(place, node): (i64, Member)| MemberEdge { cursor: cursor(MEMBERS, place), node };
        Ok(MemberConnection::of(rows.into_iter().map(edge).collect(), given.is_some(), more))
    }

    /// The number of its newest message; zero before the first.
    async fn last_number(&self) -> u32 {
        self.0.last_number.0
    }

    /// When something was last said in it, or when it was opened.
    async fn last_activity_at(&self) -> DateTime {
        self.0.last_at.into()
    }

    /// Its newest message; null before the first that the viewer can see.
    async fn last_message(&self, ctx: &Context<'_>) -> Option<Result<Message>> {
        if self.0.last_number <= self.0.joined_number {
            return None;
        }
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

    /// What was said since the viewer joined, in order. Without arguments the newest 50 messages; `last` with `before` goes back
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
        let given = number(after.as_deref())?;
        let joined = self.0.joined_number;
        let page = TimelinePage {
            after: Some(given.map_or(joined, |given| given.max(joined))),
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
            if forward { (given.is_some(), more) } else { (more, page.before.is_some()) };
        Ok(MessageConnection::of(edges, has_previous, has_next))
    }
}

connection!(ConversationConnection, ConversationEdge, Conversation);
