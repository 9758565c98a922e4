//! The way from operations to their socket: one bounded queue, and a cord to pull when it stays full.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::ServerError;
use axum::extract::ws::Utf8Bytes;
use futures_util::stream::BoxStream;
use tokio::sync::{Notify, mpsc};

/// One payload on its way to a socket.
pub(crate) struct Parcel {
    /// The operation's id, as the client named it.
    pub(crate) id: Arc<str>,
    /// Tells two operations that used the same id one after the other apart.
    pub(crate) run: u64,
    /// What to write.
    pub(crate) content: Content,
}

/// What a parcel holds.
pub(crate) enum Content {
    /// The answer to a query or mutation, which ends it.
    Answer(Utf8Bytes),
    /// One payload of a subscription.
    Push(Utf8Bytes),
    /// A refusal or fault, which ends the operation.
    Refused(Vec<ServerError>),
    /// The end of a subscription.
    End,
    /// A subscription that needs no task any more: the socket's loop takes its contents from here.
    Shared(BoxStream<'static, Content>),
    /// The reader of a subscription lags behind: the socket closes with 4410.
    CutOff,
}

/// The sending side, one per operation.
#[derive(Clone)]
pub(crate) struct Outbox {
    /// Boxed parcels: the channel keeps room for 32 of them per socket from the start.
    queue: mpsc::Sender<Box<Parcel>>,
    cut_off: Arc<Notify>,
    stalled: Duration,
}

/// The receiving side, one per socket.
pub(crate) struct Inbox {
    /// The parcels, in the order of sending.
    pub(crate) queue: mpsc::Receiver<Box<Parcel>>,
    cut_off: Arc<Notify>,
}

impl Inbox {
    /// Resolves when the client reads too slowly.
    pub(crate) fn cut_off(&self) -> impl Future<Output = ()> + Send + use<> {
        let cut_off = Arc::clone(&self.cut_off);
        async move { cut_off.notified().await }
    }
}

/// A queue of `payloads_max`; a sender that waits longer than `stalled` cuts the socket off.
pub(crate) fn outbox(payloads_max: usize, stalled: Duration) -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::channel(payloads_max.max(1));
    let cut_off = Arc::new(Notify::new());
    let outbox = Outbox { queue: sender, cut_off: Arc::clone(&cut_off), stalled };
    (outbox, Inbox { queue: receiver, cut_off })
}

impl Outbox {
    /// Queues a parcel, waiting while the queue is full; false when the socket is gone or cut off.
    pub(crate) async fn send(&self, parcel: Parcel) -> bool {
        match self.queue.send_timeout(Box::new(parcel), self.stalled).await {
            Ok(()) => true,
            Err(mpsc::error::SendTimeoutError::Closed(_)) => false,
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                self.cut_off();
                false
            }
        }
    }

    /// Has the socket closed with 4410, past everything that waits in the queue.
    pub(crate) fn cut_off(&self) {
        self.cut_off.notify_one();
    }
}
