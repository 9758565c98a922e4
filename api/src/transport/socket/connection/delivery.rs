//! What goes out, and in which order: answers before the pushes they caused.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{Message, Utf8Bytes};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

use super::super::super::identity::Identity;
use super::super::close::Close;
use super::super::operation::Running;
use super::super::outbox::{Content, Parcel};
use super::super::protocol::Dialect;
use super::Connection;

/// Parcels written before one flush, so that a flood of them does not keep the socket from being read.
const BATCH_MAX: usize = 64;

/// Waits for the next content of a shared subscription; looks at them in turn, beginning with `first`.
pub(super) async fn shared(operations: &mut [Running], first: usize) -> Parcel {
    poll_fn(|cx| {
        for at in 0..operations.len() {
            let at = (first + at) % operations.len();
            let Running { id, run, shared: Some(shared), .. } = &mut operations[at] else { continue };
            if let Poll::Ready(content) = shared.poll_next_unpin(cx) {
                let (id, run) = (Arc::clone(id), *run);
                if content.is_none() {
                    operations[at].shared = None;
                }
                return Poll::Ready(Parcel { id, run, content: content.unwrap_or(Content::End) });
            }
        }
        Poll::Pending
    })
    .await
}

impl<E: Executor, I: Identity> Connection<'_, E, I> {
    /// Writes a parcel and those that wait behind it, with one flush.
    pub(super) async fn deliver(&mut self, first: Parcel) -> Result<(), Option<Close>> {
        let mut messages = Vec::new();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(parcel) = next.take() {
            self.pushes = self.pushes.wrapping_add(1);
            self.sort(parcel, &mut messages)?;
            taken += 1;
            if taken < BATCH_MAX {
                next = match self.inbox.queue.try_recv() {
                    Ok(parcel) => Some(*parcel),
                    // The next turn asks again and is woken.
                    Err(_) => shared(&mut self.operations, self.pushes).now_or_never(),
                };
            }
        }
        self.wire.send(messages).await
    }

    /// Writes a parcel down, or holds it back until the answer to a mutation has gone out.
    ///
    /// A command's events reach the socket's subscriptions before the command is answered; the client must
    /// see the answer first.
    fn sort(&mut self, parcel: Parcel, messages: &mut Vec<Message>) -> Result<(), Option<Close>> {
        let Parcel { id, run, content } = parcel;
        let Some(running) = self.operations.iter_mut().find(|running| running.id == id && running.run == run)
        else {
            return Ok(());
        };
        let content = match content {
            Content::CutOff => return Err(Some(Close::SlowConsumer)),
            Content::Shared(shared) => {
                running.shared = Some(shared);
                return Ok(());
            }
            content => content,
        };
        let limits = &self.transport.config.socket;
        let is_push = running.kind == OperationType::Subscription;
        let parcel = Parcel { id, run, content };
        if is_push && self.mutates() && self.held.len() < limits.queue_payloads_max {
            self.held_until.get_or_insert_with(|| Instant::now() + limits.answer_first());
            self.held.push_back(parcel);
            return Ok(());
        }
        if is_push {
            messages.extend(self.release());
        }
        self.write(parcel, messages);
        if !is_push && !self.mutates() {
            messages.extend(self.release());
        }
        Ok(())
    }

    /// Whether a query or mutation is still to be answered.
    pub(super) fn answers_due(&self) -> bool {
        self.operations.iter().any(|running| running.kind != OperationType::Subscription)
    }

    fn mutates(&self) -> bool {
        let waited_out = self.held_until.is_some_and(|until| until <= Instant::now());
        !waited_out && self.operations.iter().any(|running| running.kind == OperationType::Mutation)
    }

    /// After a mutation was cancelled there is no answer to wait for.
    pub(super) async fn after_answers(&mut self) -> Result<(), Option<Close>> {
        if self.held.is_empty() || self.mutates() {
            return Ok(());
        }
        let late = self.release();
        self.wire.send(late).await
    }

    pub(super) fn release(&mut self) -> Vec<Message> {
        self.held_until = None;
        let mut messages = Vec::new();
        for parcel in std::mem::take(&mut self.held) {
            self.write(parcel, &mut messages);
        }
        messages
    }

    fn write(&mut self, parcel: Parcel, messages: &mut Vec<Message>) {
        let Parcel { id, run, content } = parcel;
        let Some(at) = self.operations.iter().position(|running| running.id == id && running.run == run)
        else {
            return;
        };
        let head = &self.operations[at].head;
        let mut say = |text: Utf8Bytes| messages.push(Message::Text(text));
        match content {
            Content::Push(payload) => {
                self.transport.stats.delivery();
                say(Dialect::next(head, &payload));
                return;
            }
            Content::Answer(payload) => {
                say(Dialect::next(head, &payload));
                say(Dialect::complete(&id));
            }
            Content::Refused(errors) => say(self.dialect.error(&id, &errors)),
            Content::End => say(Dialect::complete(&id)),
            // Dealt with where they come in.
            Content::Shared(_) | Content::CutOff => return,
        }
        self.operations.swap_remove(at);
    }
}
