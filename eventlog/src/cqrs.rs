//! The log as an event store of cqrs-es, so that the crate's own framework runs on it.
//!
//! The stores that the crates bring are not used for writing: since 0.5 their snapshot stores apply
//! events twice, and their queries lose events (see `docs/adr/0002-own-event-store.md`). What is sound
//! stays in use: the traits, the envelope, the upcasters, and postgres-es' repository as a reader.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use cqrs_es::persist::PersistedEventRepository as _;
use cqrs_es::{Aggregate, AggregateContext, AggregateError, EventEnvelope, EventStore};
use domain::event::AggregateEvent as _;
use domain::{Decider, StreamRef};
use postgres_es::PostgresEventRepository;

use crate::bus::CommandContext;
use crate::log::EventLog;
use crate::upcast;

/// An event store for one aggregate type on our log.
pub struct CqrsStore<A> {
    log: EventLog,
    reader: PostgresEventRepository,
    context: CommandContext,
    aggregate: PhantomData<fn() -> A>,
}

/// An aggregate as loaded, with what was decided on it.
pub struct Loaded<A: Aggregate> {
    id: String,
    version: usize,
    aggregate: A,
}

impl<A: Aggregate> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

impl<A> CqrsStore<A> {
    /// A store whose events are recorded under the given circumstances.
    pub fn new(log: EventLog, context: CommandContext) -> Self {
        let reader = PostgresEventRepository::new(log.pool().clone());
        Self { log, reader, context, aggregate: PhantomData }
    }
}

impl<A: Decider> EventStore<A> for CqrsStore<A>
where
    A::Command: Send + Sync,
{
    type AC = Loaded<A>;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let stored = self.reader.get_events::<A>(id).await?;
        let upcasters = upcast::upcasters();
        let current = |event| Ok(EventEnvelope::try_from(upcast::through(event, &upcasters))?);
        stored.into_iter().map(current).collect()
    }

    async fn load_aggregate(&self, id: &str) -> Result<Loaded<A>, AggregateError<A::Error>> {
        let mut loaded = Loaded { id: id.to_owned(), version: 0, aggregate: A::default() };
        for envelope in self.load_events(id).await? {
            loaded.version = envelope.sequence;
            loaded.aggregate.apply(envelope.payload);
        }
        Ok(loaded)
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Loaded<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let stream = context.id.parse::<A::Id>().ok().map(|id| StreamRef::of::<A>(&id));
        let stream = stream.ok_or_else(|| AggregateError::UnexpectedError("not an id".into()))?;
        let version =
            i64::try_from(context.version).map_err(|e| AggregateError::UnexpectedError(e.into()))?;
        let events = events.into_iter().map(Into::into).collect();
        let appended = self.log.append(stream, version, events, self.context.clone()).await;
        let appended = appended.map_err(|error| AggregateError::DatabaseConnectionError(error.into()))?;
        let appended = appended.ok_or(AggregateError::AggregateConflict)?;
        let envelope = |recorded: Arc<domain::Recorded>| EventEnvelope {
            aggregate_id: context.id.clone(),
            sequence: usize::try_from(recorded.sequence).unwrap_or_default(),
            payload: A::Event::of(&recorded.event).expect("appended to a stream of its own").clone(),
            metadata: metadata.clone(),
        };
        Ok(appended.into_iter().map(envelope).collect())
    }
}
