//! One greeted socket: the only loop that reads and writes it.

mod delivery;

use std::collections::VecDeque;
use std::sync::Arc;

use async_graphql::Executor;
use axum::extract::ws::Message;
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::super::Transport;
use super::super::identity::Identity;
use super::super::params::Params;
use super::super::prepare::{Prepared, prepare};
use super::super::refusal::{Code, Refusal};
use super::Head;
use super::close::Close;
use super::greeting::{Guest, greet};
use super::heartbeat::Heartbeat;
use super::operation::{Order, Running, start};
use super::outbox::{Inbox, Outbox, Parcel, outbox};
use super::protocol::{Dialect, Incoming};
use super::wire::{Received, Wire};

/// Serves a socket to its end; returns how to close it, or `None` when the client is gone.
pub(crate) async fn serve<E: Executor, I: Identity>(
    transport: &Arc<Transport<E, I>>,
    wire: &mut Wire,
    dialect: Dialect,
    head: Head,
) -> Option<Close> {
    transport.stats.socket_opened();
    let close = converse(transport, wire, dialect, head).await;
    transport.stats.socket_closed();
    close
}

async fn converse<E: Executor, I: Identity>(
    transport: &Arc<Transport<E, I>>,
    wire: &mut Wire,
    dialect: Dialect,
    head: Head,
) -> Option<Close> {
    let mut draining = transport.draining.clone();
    let greeted = tokio::select! {
        greeted = greet(transport, wire, dialect, head).boxed() => greeted,
        () = restart(&mut draining) => return Some(Close::Restart),
    };
    let guest = match greeted {
        Ok(guest) => guest,
        Err(close) => return close,
    };
    let limits = &transport.config.socket;
    let (outbox, inbox) = outbox(limits.queue_payloads_max, limits.stalled());
    let mut fate = fate(transport, &guest, &inbox);
    let mut restarting = async move { restart(&mut draining).await }.boxed();
    let mut connection = Connection {
        transport,
        wire,
        dialect,
        guest,
        outbox,
        inbox,
        heartbeat: Heartbeat::new(limits),
        operations: Vec::new(),
        runs: 0,
        pushes: 0,
        has_pushed: false,
        held: VecDeque::new(),
        held_until: None,
        draining: None,
    };
    loop {
        if let Err(close) = connection.turn(&mut fate, &mut restarting).await {
            return close;
        }
    }
}

/// What ends the socket from outside: the end of the session, or a client that reads too slowly.
fn fate<E: Executor, I: Identity>(
    transport: &Transport<E, I>,
    guest: &Guest<I>,
    inbox: &Inbox,
) -> BoxFuture<'static, Close> {
    let cut_off = inbox.cut_off();
    let ended = guest.caller.as_ref().map(|caller| transport.identity.session_ended(caller));
    async move {
        tokio::select! {
            () = ended.unwrap_or_else(|| futures_util::future::pending().boxed()) => Close::SessionEnded,
            () = cut_off => Close::SlowConsumer,
        }
    }
    .boxed()
}

/// Waits for the drain signal; when nobody can give it any more the process is going down as well.
async fn restart(draining: &mut watch::Receiver<bool>) {
    if draining.wait_for(|draining| *draining).await.is_err() {
        tracing::debug!("the drain signal was dropped");
    }
}

struct Connection<'a, E, I: Identity> {
    transport: &'a Arc<Transport<E, I>>,
    wire: &'a mut Wire,
    dialect: Dialect,
    guest: Guest<I>,
    outbox: Outbox,
    inbox: Inbox,
    heartbeat: Heartbeat,
    /// A handful: looked through, not looked up.
    operations: Vec<Running>,
    runs: u64,
    /// Counts shared pushes, so that each subscription is asked first in its turn.
    pushes: usize,
    /// Whether the last turn wrote shared pushes and looked at nothing else.
    has_pushed: bool,
    /// Pushes that wait for the answer to a mutation of this socket.
    held: VecDeque<Parcel>,
    held_until: Option<Instant>,
    /// Set when the server shuts down: answers under way go out until then, nothing new is begun.
    draining: Option<Instant>,
}

impl<E: Executor, I: Identity> Connection<'_, E, I> {
    /// Waits for one thing and deals with it.
    async fn turn(
        &mut self,
        fate: &mut BoxFuture<'static, Close>,
        restarting: &mut BoxFuture<'static, ()>,
    ) -> Result<(), Option<Close>> {
        if self.draining.is_some() && !self.answers_due() {
            return Err(Some(Close::Restart));
        }
        // Most wakings are for an event: everything else is looked at once it is out, so no flood of events
        // keeps the socket from being read.
        if !std::mem::take(&mut self.has_pushed)
            && let Some(parcel) = delivery::shared(&mut self.operations, self.pushes).now_or_never()
        {
            self.has_pushed = true;
            return self.deliver(parcel).await;
        }
        let due = [self.held_until, self.draining].into_iter().flatten().min();
        tokio::select! {
            close = fate => Err(Some(close)),
            received = self.wire.receive() => self.received(received).await,
            Some(parcel) = self.inbox.queue.recv() => self.deliver(*parcel).await,
            parcel = delivery::shared(&mut self.operations, self.pushes) => self.deliver(parcel).await,
            () = self.heartbeat.due() => self.ping().await,
            () = restarting, if self.draining.is_none() => {
                self.draining = Some(Instant::now() + self.transport.config.operation_timeout());
                Ok(())
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.overdue().await,
        }
    }

    /// Ends a drain that took too long, or lets out what waited too long for an answer.
    async fn overdue(&mut self) -> Result<(), Option<Close>> {
        if self.draining.is_some_and(|until| until <= Instant::now()) {
            return Err(Some(Close::Restart));
        }
        let late = self.release();
        self.wire.send(late).await
    }

    async fn ping(&mut self) -> Result<(), Option<Close>> {
        if !self.heartbeat.ping() {
            return Err(Some(Close::Silent));
        }
        let ping = Message::Text(self.dialect.ping());
        match self.dialect {
            Dialect::Current => self.wire.send([ping]).await,
            // Clients of the older protocol do not answer its keep-alive; every WebSocket answers a ping.
            Dialect::Older => self.wire.send([ping, Message::Ping(axum::body::Bytes::new())]).await,
        }
    }

    async fn received(&mut self, received: Received) -> Result<(), Option<Close>> {
        self.heartbeat.heard();
        let text = match received {
            Received::Text(text) => text,
            Received::Heartbeat => return Ok(()),
            Received::Gone => return Err(None),
            Received::Refused(close) => return Err(Some(close)),
        };
        match self.dialect.read(&text)? {
            Incoming::Init(_) => Err(Some(Close::TooManyInits)),
            Incoming::Terminate => Err(Some(Close::Normal)),
            Incoming::Ping(payload) => self.wire.say(Dialect::pong(payload.as_ref())).await,
            Incoming::Pong => Ok(()),
            Incoming::Complete { id } => {
                self.operations.retain(|running| *running.id != *id);
                self.after_answers().await
            }
            Incoming::Subscribe { id, payload } => self.subscribe(&id, payload).await,
        }
    }

    async fn subscribe(&mut self, id: &str, payload: Map<String, Value>) -> Result<(), Option<Close>> {
        let limits = &self.transport.config.socket;
        if id.len() > limits.id_bytes_max {
            return Err(Some(Close::BadMessage("Invalid message: id is too long")));
        }
        if self.operations.iter().any(|running| *running.id == *id) {
            return Err(Some(Close::DuplicateId));
        }
        let params = Params::of_object(payload).map_err(|_| Close::BadMessage("Invalid message: payload"))?;
        if let Err(refusal) = self.start(id, params) {
            self.transport.stats.refused(refusal.code);
            self.wire.say(self.dialect.error(id, &refusal.errors)).await?;
        }
        Ok(())
    }

    fn start(&mut self, id: &str, params: Params) -> Result<(), Refusal> {
        let config = &self.transport.config;
        if self.draining.is_some() {
            return Err(Refusal::new(
                Code::ServiceUnavailable,
                "The server restarts: come back in a moment.",
            ));
        }
        if self.operations.len() >= config.socket.operations_max {
            let message =
                format!("More than {} operations at once on one socket.", config.socket.operations_max);
            return Err(Refusal::new(Code::TooManyOperations, message));
        }
        let Guest { caller, info, .. } = &self.guest;
        let info = info.next_operation();
        self.transport.identity.admit(caller.as_ref(), &info)?;
        let Prepared { request, kind } = prepare(params, config, caller.is_some())?;
        self.runs += 1;
        let order = Order {
            id: id.into(),
            run: self.runs,
            kind,
            language: info.language,
            correlation: Arc::clone(&info.correlation),
            request: request.data(caller.clone()).data(info),
            outbox: self.outbox.clone(),
        };
        self.operations.push(start(self.transport, self.dialect, order));
        Ok(())
    }
}
