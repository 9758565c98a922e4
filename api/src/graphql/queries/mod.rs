//! What can be asked.

use async_graphql::{Context, ID, Interface, Object, Result, SimpleObject};
use domain::handle::Handle;
use domain::values::UserName;

use super::asked::AskedAt;
use super::context::ContextExt as _;
use super::faults;
use super::ids::NodeId;
use super::loaders::LoaderOfViews;
use super::model::{Conversation, FriendRequest, Message, Person, Viewer};
use super::scalars::Position;

/// Ids that one request may ask for at once.
const NODES_MAX: usize = 100;

/// Something with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id."))]
pub enum Node {
    /// A person.
    Person(Person),
    /// A conversation of the viewer.
    Conversation(Conversation),
    /// A message that the viewer can see.
    Message(Message),
    /// A friend request from or to the viewer.
    FriendRequest(FriendRequest),
}

/// The state of the log.
#[derive(SimpleObject)]
pub struct Log {
    /// The epoch that positions belong to. When it changes, forget every position and read anew.
    pub epoch: ID,
    /// Everything up to this position is in what this request reads. Ask for it together with what you
    /// read, then subscribe to `updates` after it: nothing is missed in between.
    pub position: Position,
}

/// What can be asked.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// The signed-in person and what belongs to them; null when nobody is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        let caller = ctx.signed_in()?;
        ctx.app().told.wait(&ctx.app().views, caller.account).await;
        Some(Viewer(caller))
    }

    /// The thing with this id; null when there is none that the viewer can see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> Option<Result<Node>> {
        find(ctx, &id).await.transpose()
    }

    /// The things with these ids, in the same order; null for those that the viewer cannot see.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > NODES_MAX {
            return Err(faults::bad_input("at most 100 ids at once"));
        }
        futures_util::future::try_join_all(ids.iter().map(|id| find(ctx, id))).await
    }

    /// The person with exactly this user name, without regard to case; null when there is none.
    async fn person(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The whole user name.")] user_name: String,
    ) -> Option<Result<Person>> {
        let lookup = async {
            ctx.caller()?;
            let Ok(name) = UserName::parse(&user_name) else { return Ok(None) };
            let log = &ctx.app().log;
            let holder = log.inspect::<Handle, _>(&log.handle_id(&name.normalised()), Handle::holder).await;
            Ok(holder.map_err(faults::log)?.map(Person))
        };
        lookup.await.transpose()
    }

    /// The state of the log, for clients that follow it.
    async fn log(&self, ctx: &Context<'_>) -> Log {
        let app = ctx.app();
        Log { epoch: ID(app.log.epoch().to_string()), position: ctx.data_unchecked::<AskedAt>().0.into() }
    }
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let Some(id) = NodeId::parse(id) else { return Ok(None) };
    let Some(caller) = ctx.signed_in() else { return Err(faults::unauthenticated()) };
    let views = &ctx.app().views;
    ctx.app().told.wait(views, caller.account).await;
    match id {
        NodeId::Person(account) => {
            let known = ctx.data_unchecked::<LoaderOfViews>().load_one(account).await;
            let known = known.map_err(|fault| async_graphql::Error::new(fault.to_string()))?;
            Ok(known.map(|person| Node::Person(Person(person.account))))
        }
        NodeId::Conversation(position) => {
            let row = views.conversation(caller.account, position).await.map_err(faults::view)?;
            Ok(row.map(|row| Node::Conversation(Conversation(row))))
        }
        NodeId::Message(position) => {
            let Some(message) = views.message(position).await.map_err(faults::view)? else { return Ok(None) };
            let visible = views
                .conversations_by_id(caller.account, &[message.conversation])
                .await
                .map_err(faults::view)?;
            // A member sees what was said from joining on.
            let seen = visible.first().is_some_and(|row| message.number > row.joined_number);
            Ok(seen.then(|| Node::Message(message.into())))
        }
        NodeId::FriendRequest(position) => {
            let found = views.friend_requests_by_position(&[position]).await.map_err(faults::view)?;
            let own = found.into_iter().find(|request| [request.from, request.to].contains(&caller.account));
            Ok(own.map(|request| Node::FriendRequest(FriendRequest(request))))
        }
    }
}
