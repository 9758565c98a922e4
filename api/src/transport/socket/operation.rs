//! One operation of a socket, in a task of its own until it is answered or its events are shared.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use tokio::task::AbortHandle;
use tracing::Instrument;

use super::super::Transport;
use super::super::conclude::{conclude, is_slow_consumer, written};
use super::super::http::execute;
use super::super::identity::Identity;
use super::super::observed::{Observed, Outcome};
use super::super::refusal::Refusal;
use super::super::request_info::Language;
use super::super::sharing::{Draft, Handed, Pump, Sharing};
use super::outbox::{Content, Outbox, Parcel};
use super::protocol::Dialect;

/// An operation under way; dropping it stops the task.
pub(crate) struct Running {
    /// The client's id.
    pub(crate) id: Arc<str>,
    /// Which run of its id it is.
    pub(crate) run: u64,
    /// Query, mutation or subscription.
    pub(crate) kind: OperationType,
    /// How each of its results begins.
    pub(crate) head: Box<str>,
    /// What a shared subscription says next.
    pub(crate) shared: Option<BoxStream<'static, Content>>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who runs, where its payloads go, and under which name its faults are logged.
pub(crate) struct Order {
    /// The client's id.
    pub(crate) id: Arc<str>,
    /// Which run of the id.
    pub(crate) run: u64,
    /// The kind of operation.
    pub(crate) kind: OperationType,
    /// The prepared request, its data included.
    pub(crate) request: Request,
    /// The caller's language.
    pub(crate) language: Language,
    /// Names the operation in the log.
    pub(crate) correlation: Arc<str>,
    /// The way to the socket.
    pub(crate) outbox: Outbox,
}

/// Starts the operation.
pub(crate) fn start<E: Executor, I: Identity>(
    transport: &Arc<Transport<E, I>>,
    dialect: Dialect,
    order: Order,
) -> Running {
    let head = dialect.next_head(&order.id);
    let (id, run, kind) = (Arc::clone(&order.id), order.run, order.kind);
    let transport = Arc::clone(transport);
    let task = match kind {
        OperationType::Subscription => tokio::spawn(subscription(transport, order)).abort_handle(),
        OperationType::Query | OperationType::Mutation => tokio::spawn(once(transport, order)).abort_handle(),
    };
    Running { id, run, kind, head, shared: None, task }
}

async fn once<E: Executor, I: Identity>(transport: Arc<Transport<E, I>>, order: Order) {
    let Order { id, run, kind, request, correlation, outbox, .. } = order;
    let (config, stats) = (&transport.config, &transport.stats);
    let observed = Observed::begin(kind, request.operation_name.as_deref(), &correlation, None);
    let content = match execute(&transport.executor, request, observed, &correlation, config, stats)
        .await
        .and_then(|response| conclude(response, &correlation, stats))
    {
        Ok(response) => {
            written(&response, &correlation).map_or_else(refused, |text| Content::Answer(text.into()))
        }
        Err(refusal) => {
            stats.refused(refusal.code);
            refused(refusal)
        }
    };
    outbox.send(Parcel { id, run, content }).await;
}

/// Asks the resolver first whether its events may be written for many sockets at once. If so, the task ends
/// here; a resolver that knows nothing of sharing is executed to its end.
async fn subscription<E: Executor, I: Identity>(transport: Arc<Transport<E, I>>, order: Order) {
    let Order { id, run, kind, mut request, language, correlation, outbox } = order;
    transport.stats.operation();
    let observed = Observed::begin(kind, request.operation_name.as_deref(), &correlation, None);
    let parcel = |content| Parcel { id: Arc::clone(&id), run, content };
    let draft = Draft::of(&mut request, language);
    let (sharing, handed) = Sharing::hand_over();
    let pumping = async {
        let mut responses = transport.executor.execute_stream(request.data(sharing), None);
        let first = tokio::select! {
            biased;
            Ok(handed) = handed => {
                let shared = share(&transport, draft, handed, &correlation);
                outbox.send(parcel(Content::Shared(shared))).await;
                // Watched until it is open; what it delivers is counted by the socket.
                return Outcome::Ok;
            }
            first = responses.next() => first,
        };
        let mut responses = stream::iter(first).chain(responses);
        while let Some(response) = responses.next().await {
            if is_slow_consumer(&response) {
                outbox.cut_off();
                return Outcome::Errors;
            }
            let pushed = conclude(response, &correlation, &transport.stats)
                .and_then(|response| written(&response, &correlation))
                .map(|text| Content::Push(text.into()));
            let ended = pushed.is_err();
            if !outbox.send(parcel(pushed.unwrap_or_else(refused))).await {
                return Outcome::Cancelled;
            }
            if ended {
                return Outcome::Errors;
            }
        }
        outbox.send(parcel(Content::End)).await;
        Outcome::Ok
    };
    if let Ok(outcome) = AssertUnwindSafe(pumping.instrument(observed.span())).catch_unwind().await {
        observed.end(outcome);
    } else {
        observed.end(Outcome::Panic);
        transport.stats.fault();
        tracing::error!(correlation = %correlation, "a subscription panicked");
        outbox.send(parcel(refused(Refusal::fault(&correlation)))).await;
    }
}

fn share<E: Executor, I: Identity>(
    transport: &Transport<E, I>,
    draft: Draft,
    Handed { events, audience }: Handed,
    correlation: &Arc<str>,
) -> BoxStream<'static, Content> {
    let Transport { plans, executor, stats, config, .. } = transport;
    let plan = plans.plan(&draft, audience, executor, stats, config.operation_timeout());
    Pump::new(events, plan, draft, Arc::clone(stats), Arc::clone(correlation)).boxed()
}

fn refused(refusal: Refusal) -> Content {
    Content::Refused(refusal.errors)
}
