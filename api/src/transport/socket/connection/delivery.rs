//! What goes out, and in which order: answers before the pushes they caused.

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{Message, Utf8Bytes};
use tokio::time::Instant;

use super::super::super::identity::Identity;
use super::super::close::Close;
use super::super::outbox::{Content, Inbox, Parcel};
use super::super::protocol::Dialect;
use super::Connection;

/// Parcels written before one flush, so that a flood of them does not keep the socket from being read.
const BATCH_MAX: usize = 64;

impl<E: Executor, I: Identity> Connection<'_, E, I> {
    /// Writes a parcel and those that wait behind it, with one flush.
    pub(super) async fn deliver(
        &mut self,
        first: Box<Parcel>,
        inbox: &mut Inbox,
    ) -> Result<(), Option<Close>> {
        let mut messages = Vec::new();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(parcel) = next.take() {
            self.sort(parcel, &mut messages);
            taken += 1;
            if taken < BATCH_MAX {
                next = inbox.queue.try_recv().ok();
            }
        }
        self.wire.send(messages).await
    }

    /// Writes a parcel down, or holds it back until the answer to a mutation has gone out.
    ///
    /// A command's events reach the socket's subscriptions before the command is answered; the client must
    /// see the answer first.
    fn sort(&mut self, parcel: Box<Parcel>, messages: &mut Vec<Message>) {
        let Some(running) = self.operations.get(&parcel.id).filter(|running| running.run == parcel.run)
        else {
            return;
        };
        let limits = &self.transport.config.socket;
        let is_push = running.kind == OperationType::Subscription;
        if is_push && self.mutates() && self.held.len() < limits.queue_payloads_max {
            self.held_until.get_or_insert_with(|| Instant::now() + limits.answer_first());
            self.held.push_back(parcel);
            return;
        }
        if is_push {
            messages.extend(self.release());
        }
        self.write(*parcel, messages);
        if !is_push && !self.mutates() {
            messages.extend(self.release());
        }
    }

    /// Whether a query or mutation is still to be answered.
    pub(super) fn answers_due(&self) -> bool {
        self.operations.values().any(|running| running.kind != OperationType::Subscription)
    }

    fn mutates(&self) -> bool {
        let waited_out = self.held_until.is_some_and(|until| until <= Instant::now());
        !waited_out && self.operations.values().any(|running| running.kind == OperationType::Mutation)
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
            self.write(*parcel, &mut messages);
        }
        messages
    }

    fn write(&mut self, parcel: Parcel, messages: &mut Vec<Message>) {
        let Parcel { id, run, content } = parcel;
        if self.operations.get(&id).is_none_or(|running| running.run != run) {
            return;
        }
        let mut say = |text: Utf8Bytes| messages.push(Message::Text(text));
        match content {
            Content::Push(payload) => {
                self.transport.stats.delivery();
                say(self.dialect.next(&id, &payload));
                return;
            }
            Content::Answer(payload) => {
                say(self.dialect.next(&id, &payload));
                say(Dialect::complete(&id));
            }
            Content::Refused(errors) => say(self.dialect.error(&id, &errors)),
            Content::End => say(Dialect::complete(&id)),
        }
        self.operations.remove(&id);
    }
}
