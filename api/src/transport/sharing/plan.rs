//! Executes what many sockets subscribed to, once per event.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_graphql::{Executor, Response, ServerError, Variables};
use axum::extract::ws::Utf8Bytes;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::draft::PlanKey;
use super::{Audience, Draft, Shareable, Sharing};
use crate::transport::conclude::{conclude, written};
use crate::transport::observe::TransportStats;
use crate::transport::refusal::{Code, Refusal};
use crate::transport::request_info::RequestInfo;

/// Executions that wait for the next event of a plan; more are begun when events come side by side.
const IDLE_MAX: usize = 4;

/// All plans that sockets follow.
pub(crate) struct Plans<E> {
    plans: Mutex<HashMap<PlanKey, Weak<Plan<E>>>>,
    next_id: AtomicU64,
}

/// One way to write events.
pub(crate) struct Plan<E> {
    id: u64,
    key: PlanKey,
    variables: Variables,
    executor: E,
    stats: Arc<TransportStats>,
    time_max: Duration,
    idle: Mutex<Vec<Execution>>,
}

/// A subscription of nobody: events in, payloads out, one for one.
struct Execution {
    events: mpsc::Sender<Arc<dyn Shareable>>,
    responses: BoxStream<'static, Response>,
    correlation: Arc<str>,
}

/// A payload, or the errors instead of one, which end the subscription.
pub(super) type Payload = Result<Utf8Bytes, Vec<ServerError>>;

/// Why a payload is not kept: it holds errors, and the next reader shall have a better one.
struct Faulty(Payload);

impl<E> Default for Plans<E> {
    fn default() -> Self {
        Self { plans: Mutex::default(), next_id: AtomicU64::default() }
    }
}

impl<E: Executor> Plans<E> {
    /// The plan for a draft, shared with every socket that follows an equal one.
    pub(crate) fn plan(
        &self,
        draft: &Draft,
        audience: Audience,
        executor: &E,
        stats: &Arc<TransportStats>,
        time_max: Duration,
    ) -> Arc<Plan<E>> {
        let key = draft.key(audience);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&key).and_then(Weak::upgrade) {
            return plan;
        }
        // Each insertion that would make the table grow clears out what nobody follows any more.
        if plans.len() == plans.capacity() {
            plans.retain(|_, plan| plan.strong_count() > 0);
        }
        let plan = Arc::new(Plan {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            key: key.clone(),
            variables: draft.variables.clone(),
            executor: executor.clone(),
            stats: Arc::clone(stats),
            time_max,
            idle: Mutex::default(),
        });
        plans.insert(key, Arc::downgrade(&plan));
        plan
    }
}

impl<E: Executor> Plan<E> {
    /// The payload of an event, if somebody has written it already.
    pub(super) fn written(&self, event: &dyn Shareable) -> Option<Utf8Bytes> {
        event.writings().of(self.id).get().cloned()
    }

    /// The payload of an event: written now, or by whoever is at it.
    pub(super) async fn write(self: Arc<Self>, event: Arc<dyn Shareable>) -> Payload {
        let writing = event.writings().of(self.id);
        match writing.get_or_try_init(|| self.execute(&event)).await {
            Ok(text) => Ok(text.clone()),
            Err(Faulty(payload)) => payload,
        }
    }

    async fn execute(&self, event: &Arc<dyn Shareable>) -> Result<Utf8Bytes, Faulty> {
        let idle = self.idle().pop();
        let mut execution = idle.unwrap_or_else(|| self.begin());
        let correlation = Arc::clone(&execution.correlation);
        let resolving = AssertUnwindSafe(execution.next(Arc::clone(event))).catch_unwind();
        let response = match timeout(self.time_max, resolving).await {
            Ok(Ok(Some(response))) => response,
            Ok(Ok(None)) => return Err(self.fault(&correlation, "a subscription ended before its events")),
            Ok(Err(_panic)) => return Err(self.fault(&correlation, "a subscription panicked")),
            Err(_elapsed) => {
                let message = "The payload took too long: resume from the last position.";
                return Err(Faulty(Err(Refusal::new(Code::Timeout, message).errors)));
            }
        };
        let mut idle = self.idle();
        if idle.len() < IDLE_MAX {
            idle.push(execution);
        }
        drop(idle);
        let faulty = !response.errors.is_empty();
        let payload = conclude(response, &correlation, &self.stats)
            .and_then(|response| written(&response, &correlation))
            .map(Utf8Bytes::from)
            .map_err(|refusal| refusal.errors);
        match payload {
            Ok(text) if !faulty => Ok(text),
            payload => Err(Faulty(payload)),
        }
    }

    fn begin(&self) -> Execution {
        let info = RequestInfo::of_nobody(self.key.language);
        let correlation = Arc::clone(&info.correlation);
        let (sharing, events) = Sharing::write();
        let request = self.key.request(self.variables.clone());
        let request = request.data(sharing).data(self.key.audience).data(info);
        Execution { events, responses: self.executor.execute_stream(request, None), correlation }
    }

    fn fault(&self, correlation: &str, what: &'static str) -> Faulty {
        self.stats.fault();
        tracing::error!(correlation, "{what}");
        Faulty(Err(Refusal::fault(correlation).errors))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Execution>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Execution {
    async fn next(&mut self, event: Arc<dyn Shareable>) -> Option<Response> {
        // A receiver that is gone shows as the end of the responses, or as the error that ended them.
        drop(self.events.send(event).await);
        self.responses.next().await
    }
}
