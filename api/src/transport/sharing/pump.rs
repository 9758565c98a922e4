//! One socket's subscription to shared payloads: no task of its own, polled by the socket's loop.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_graphql::{Executor, Response};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use super::draft::Root;
use super::plan::{Payload, Plan};
use super::{Draft, SharedEvents};
use crate::transport::conclude::{conclude, is_slow_consumer, written};
use crate::transport::observe::TransportStats;
use crate::transport::socket::Content;

/// The events that a resolver handed over, and the plan that writes them.
pub(crate) struct Pump<E> {
    events: SharedEvents,
    plan: Arc<Plan<E>>,
    /// Boxed while there is one: most events find their payload written.
    writing: Option<BoxFuture<'static, Payload>>,
    root: Root,
    stats: Arc<TransportStats>,
    correlation: Arc<str>,
}

impl<E: Executor> Pump<E> {
    /// Pushes every event as the plan writes it.
    pub(crate) fn new(
        events: SharedEvents,
        plan: Arc<Plan<E>>,
        draft: Draft,
        stats: Arc<TransportStats>,
        correlation: Arc<str>,
    ) -> Self {
        Self { events, plan, writing: None, root: draft.into_root(), stats, correlation }
    }

    /// The last payload of a stream that failed.
    fn failed(&self, error: async_graphql::Error) -> Content {
        let response = Response::from_errors(vec![self.root.error(error)]);
        if is_slow_consumer(&response) {
            return Content::CutOff;
        }
        let concluded = conclude(response, &self.correlation, &self.stats);
        match concluded.and_then(|response| written(&response, &self.correlation)) {
            Ok(text) => Content::Push(text.into()),
            Err(refusal) => Content::Refused(refusal.errors),
        }
    }
}

impl<E: Executor> Stream for Pump<E> {
    type Item = Content;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Content>> {
        let this = &mut *self;
        loop {
            if let Some(writing) = &mut this.writing {
                let payload = ready!(writing.as_mut().poll(cx));
                this.writing = None;
                return Poll::Ready(Some(match payload {
                    Ok(text) => Content::Push(text),
                    Err(errors) => Content::Refused(errors),
                }));
            }
            match ready!(this.events.poll_next_unpin(cx)) {
                Some(Ok(event)) => match this.plan.written(&*event) {
                    Some(text) => return Poll::Ready(Some(Content::Push(text))),
                    None => this.writing = Some(Arc::clone(&this.plan).write(event).boxed()),
                },
                Some(Err(error)) => return Poll::Ready(Some(this.failed(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}
