//! Payloads of subscriptions that are made once and sent to many sockets.
//!
//! ```text
//! subscribe ─► resolver, for this caller: may it? from where? ─► its events   (Part::HandOver)
//!                                                                  │ every event that concerns it
//! one Plan per (document, operation, variables without `after`, language, audience)
//!                                                                  ▼
//! event ─► resolver, for nobody: its payload (Part::Write) ─► bytes, kept with the event ─► every socket
//! ```
//!
//! Which events a socket gets is decided for its caller, by the resolver, when it hands the events over.
//! What an event looks like is resolved without a caller: a field that asks who is looking finds nobody,
//! so nothing that belongs to one person can end in bytes that go to another.

mod draft;
mod plan;
mod pump;
mod writings;

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Error, Result};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{mpsc, oneshot};

pub(crate) use draft::Draft;
pub(crate) use plan::Plans;
pub(crate) use pump::Pump;
pub use writings::Writings;

/// An event that may be told to many sockets; what was written of it is dropped with it.
pub trait Shareable: Any + Send + Sync {
    /// What was written of it already.
    fn writings(&self) -> &Writings;
}

/// The events of one subscription, in order; an error ends it.
pub type SharedEvents = BoxStream<'static, Result<Arc<dyn Shareable>>>;

/// Who may see the same payload of an event; part of what payloads are shared by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Audience(pub &'static str);

/// Events as their resolver handed them over.
pub(crate) struct Handed {
    pub(crate) events: SharedEvents,
    pub(crate) audience: Audience,
}

/// In the data of every subscription's request: what its resolver is asked for.
///
/// A resolver that does not look here is executed for every socket by itself.
pub struct Sharing(Mutex<Option<Part>>);

enum Part {
    /// For the events that concern the caller.
    HandOver(oneshot::Sender<Handed>),
    /// For the payloads of these events, one for each, and without a caller.
    Write(mpsc::Receiver<Arc<dyn Shareable>>),
}

impl Sharing {
    /// Asks for events.
    pub(crate) fn hand_over() -> (Self, oneshot::Receiver<Handed>) {
        let (sender, handed) = oneshot::channel();
        (Self(Mutex::new(Some(Part::HandOver(sender)))), handed)
    }

    /// Asks for payloads.
    pub(crate) fn write() -> (Self, mpsc::Sender<Arc<dyn Shareable>>) {
        let (sender, events) = mpsc::channel(1);
        (Self(Mutex::new(Some(Part::Write(events)))), sender)
    }

    /// What the resolver returns. `events` opens the caller's events and checks that it may have them;
    /// `payload` must make a payload of every event that `events` lets through, and depend on nothing else.
    ///
    /// # Errors
    /// Those of `events`; and when a document asks for the stream twice.
    pub fn payloads<T, U>(
        &self,
        audience: Audience,
        events: impl FnOnce() -> Result<SharedEvents>,
        payload: impl Fn(&T) -> Option<U> + Send + 'static,
    ) -> Result<BoxStream<'static, Result<U>>>
    where
        T: Shareable,
        U: Send + 'static,
    {
        let part = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match part.ok_or_else(|| Error::new("the events were asked for twice"))? {
            Part::HandOver(to) => {
                let handed = Handed { events: events()?, audience };
                // A receiver that is gone means that the subscription was ended meanwhile.
                drop(to.send(handed));
                Ok(stream::pending().boxed())
            }
            Part::Write(from) => Ok(stream::unfold((from, payload), async |(mut from, payload)| {
                let event: Arc<dyn Any + Send + Sync> = from.recv().await?;
                let written = event.downcast::<T>().ok().and_then(|event| payload(&event));
                Some((
                    written.ok_or_else(|| Error::new("an event without a payload was let through")),
                    (from, payload),
                ))
            })
            .boxed()),
        }
    }
}
