//! Loads what list items refer to, in one query per page.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use domain::conversation::Conversation;
use domain::{AccountId, ConversationId, Position, StreamId};
use eventlog::EventLog;
use projections::{MemberPage, MemberRow, MessageRow, Person, Views};

/// How long a reference to somebody new may wait for the views.
const VIEWS_PATIENCE: Duration = Duration::from_secs(1);

/// A fault while loading, already described for the log line.
pub(super) type LoadFault = Arc<str>;

/// Loads people, last messages and members.
pub(super) struct ViewLoader {
    pub(super) log: EventLog,
    pub(super) views: Views,
}

/// The loader that resolvers find in the schema's data.
pub(super) type LoaderOfViews = DataLoader<ViewLoader>;

/// A loader without a cache: what a subscription shows must not be older than its event.
pub(super) fn loader(log: EventLog, views: Views) -> LoaderOfViews {
    let timer = async_graphql::runtime::TokioTimer::default();
    let spawner = async_graphql::runtime::TokioSpawner::current();
    DataLoader::new(ViewLoader { log, views }, spawner, timer).delay(Duration::ZERO)
}

fn fault(error: &dyn std::fmt::Display) -> LoadFault {
    error.to_string().into()
}

impl Loader<AccountId> for ViewLoader {
    type Value = Person;
    type Error = LoadFault;

    /// People who are not in the view yet are waited for: an event may be faster than the view.
    async fn load(&self, accounts: &[AccountId]) -> Result<HashMap<AccountId, Person>, LoadFault> {
        let mut people = self.views.people(accounts).await.map_err(|error| fault(&error))?;
        if people.len() < accounts.len() {
            let head = *self.log.watch_head().borrow();
            // Whoever is still missing then is answered for as missing.
            self.views.wait_for(head, VIEWS_PATIENCE).await;
            people = self.views.people(accounts).await.map_err(|error| fault(&error))?;
        }
        Ok(people.into_iter().map(|person| (person.account, person)).collect())
    }
}

/// The newest message of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LastMessage(pub(super) ConversationId);

impl Loader<LastMessage> for ViewLoader {
    type Value = MessageRow;
    type Error = LoadFault;

    async fn load(&self, of: &[LastMessage]) -> Result<HashMap<LastMessage, MessageRow>, LoadFault> {
        let conversations: Vec<ConversationId> = of.iter().map(|last| last.0).collect();
        let messages = self.views.last_messages(&conversations).await.map_err(|error| fault(&error))?;
        Ok(messages.into_iter().map(|message| (LastMessage(message.conversation), message)).collect())
    }
}

impl Loader<MemberPage> for ViewLoader {
    type Value = Vec<MemberRow>;
    type Error = LoadFault;

    async fn load(&self, pages: &[MemberPage]) -> Result<HashMap<MemberPage, Vec<MemberRow>>, LoadFault> {
        let members = self.views.members(pages).await.map_err(|error| fault(&error))?;
        Ok(pages.iter().copied().zip(members).collect())
    }
}

/// The position at which a conversation began: its public identity.
pub(super) async fn conversation_position(
    log: &EventLog,
    conversation: ConversationId,
) -> async_graphql::Result<Position> {
    let stream = StreamId::of::<Conversation>(&conversation);
    let position = log.beginning_of(&stream).await.map_err(super::faults::log)?;
    position.ok_or_else(|| async_graphql::Error::new("a message of a conversation that never began"))
}

/// The conversation that began at a position; none when something else did.
pub(super) async fn conversation_at(
    log: &EventLog,
    position: Position,
) -> async_graphql::Result<Option<ConversationId>> {
    let stream = log.stream_begun_at(position).await.map_err(super::faults::log)?;
    Ok(stream.and_then(|stream| stream.id::<Conversation>()))
}
