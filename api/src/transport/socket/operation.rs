//! One operation of a socket, in a task of its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response};
use futures_util::{FutureExt, StreamExt};
use tokio::task::AbortHandle;
use tracing::Instrument;

use super::super::Transport;
use super::super::conclude::{Answer, conclude, is_slow_consumer};
use super::super::http::execute;
use super::super::identity::Identity;
use super::super::observed::{Observed, Outcome};
use super::super::refusal::Refusal;
use super::outbox::{Content, Outbox, Parcel};

/// An operation under way; dropping it stops the task.
#[derive(Debug)]
pub(crate) struct Running {
    /// Which run of its id it is.
    pub(crate) run: u64,
    /// Query, mutation or subscription.
    pub(crate) kind: OperationType,
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
    /// Names the operation in the log.
    pub(crate) correlation: Arc<str>,
    /// The way to the socket.
    pub(crate) outbox: Outbox,
}

/// Starts the operation.
pub(crate) fn start<E: Executor, I: Identity>(transport: &Arc<Transport<E, I>>, order: Order) -> Running {
    let (run, kind) = (order.run, order.kind);
    let transport = Arc::clone(transport);
    let task = match kind {
        OperationType::Subscription => tokio::spawn(subscription(transport, order)).abort_handle(),
        OperationType::Query | OperationType::Mutation => tokio::spawn(once(transport, order)).abort_handle(),
    };
    Running { run, kind, task }
}

async fn once<E: Executor, I: Identity>(transport: Arc<Transport<E, I>>, order: Order) {
    let Order { id, run, kind, request, correlation, outbox } = order;
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

async fn subscription<E: Executor, I: Identity>(transport: Arc<Transport<E, I>>, order: Order) {
    let Order { id, run, kind, request, correlation, outbox } = order;
    transport.stats.operation();
    let observed = Observed::begin(kind, request.operation_name.as_deref(), &correlation, None);
    let parcel = |content| Parcel { id: Arc::clone(&id), run, content };
    let pumping = async {
        let mut responses = transport.executor.execute_stream(request, None);
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

fn written(response: &Response, correlation: &str) -> Result<String, Refusal> {
    serde_json::to_string(&Answer::executed(response)).map_err(|error| {
        tracing::error!(correlation, fault = %error, "a payload could not be written as JSON");
        Refusal::fault(correlation)
    })
}

fn refused(refusal: Refusal) -> Content {
    Content::Refused(refusal.errors)
}
