//! The hub of a node: topics, their listeners, and the position up to which it has delivered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AccountId, Position, Recorded, SessionId};
use eventlog::{EventLog, LiveBatch, LogError, StreamPart};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};

use super::event::LiveEvent;
use super::state::{ListenerId, State};
use super::topics::Topic;

/// Limits of live delivery.
#[derive(Clone, Copy, Debug)]
pub struct HubLimits {
    /// Events that may wait for one listener; one more cuts it off, and it resumes from its position.
    pub waiting_events_max: usize,
    /// Events read at once when the hub or a listener catches up.
    pub catch_up_events_max: u32,
    /// Newest events kept in memory for those who resume. Default 4,096.
    pub recent_events_max: usize,
    /// Bytes of the events kept for those who resume; what is made of them for sockets comes on top, at
    /// most eight times as much. Default 8 MiB.
    pub recent_bytes_max: usize,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            waiting_events_max: 1_024,
            catch_up_events_max: 500,
            recent_events_max: 4_096,
            recent_bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// Delivers new events to listeners. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    next_id: AtomicU64,
    limits: HubLimits,
}

/// One listener's end; leaving is dropping it.
pub(super) struct Subscription {
    id: ListenerId,
    hub: Hub,
    pub(super) events: mpsc::Receiver<Arc<LiveEvent>>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.state().leave(self.id);
    }
}

impl Hub {
    /// Starts delivering what the log takes in from now on.
    pub fn start(log: &EventLog, limits: HubLimits) -> Self {
        let follow = log.follow();
        let delivered = *log.watch_head().borrow();
        let state = Mutex::new(State::new(delivered, limits));
        let hub = Self(Arc::new(Shared { state, next_id: AtomicU64::default(), limits }));
        tokio::spawn(hub.clone().deliver(log.clone(), follow));
        hub
    }

    /// The limits in force.
    pub fn limits(&self) -> HubLimits {
        self.0.limits
    }

    /// Feeds that listen now, for operators.
    pub fn listeners(&self) -> usize {
        self.state().listening()
    }

    /// Resolves when the session is ended by anybody; at once when the hub is gone.
    pub fn session_ended(&self, session: SessionId) -> impl Future<Output = ()> + Send + use<> {
        let (sender, ended) = oneshot::channel();
        self.state().await_end_of(session, sender);
        async move {
            // A dropped sender means the same: nobody will tell any more.
            drop(ended.await);
        }
    }

    /// Begins to listen to a person's topic. Returns the position behind which its events arrive live.
    pub(super) fn subscribe(&self, account: AccountId) -> (Subscription, Position) {
        let (queue, events) = mpsc::channel(self.0.limits.waiting_events_max.max(1));
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        state.enter(id, queue);
        state.join(id, Topic::Account(account));
        let delivered = state.delivered();
        drop(state);
        (Subscription { id, hub: self.clone(), events }, delivered)
    }

    /// How far it has delivered.
    pub(super) fn delivered(&self) -> Position {
        self.state().delivered()
    }

    /// All events above `after` and up to `until`, of everybody; none when they are not in memory.
    pub(super) fn recent(&self, after: Position, until: Position) -> Option<Vec<Arc<LiveEvent>>> {
        self.state().recent(after, until)
    }

    /// Listens to the conversations among these parts too. Returns the position behind which their events
    /// arrive live.
    pub(super) fn join(&self, subscription: &Subscription, parts: &[StreamPart]) -> Position {
        self.state().join_conversations(subscription.id, parts)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent at every await-free step, so a panic elsewhere does not spoil it.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver(self, log: EventLog, mut follow: tokio::sync::broadcast::Receiver<LiveBatch>) {
        loop {
            let step = match follow.recv().await {
                Ok(batch) => self.deliver_batch(&log, &batch).await,
                Err(RecvError::Lagged(_)) => self.catch_up(&log).await,
                Err(RecvError::Closed) => break,
            };
            if let Err(error) = step {
                tracing::error!(?error, "live delivery fell behind; reading again with the next event");
            }
        }
    }

    async fn deliver_batch(&self, log: &EventLog, batch: &LiveBatch) -> Result<(), LogError> {
        let next = self.delivered().next();
        if batch.first().is_some_and(|first| first.position > next) {
            self.catch_up(log).await?;
        }
        self.take(batch.iter().cloned());
        Ok(())
    }

    async fn catch_up(&self, log: &EventLog) -> Result<(), LogError> {
        loop {
            let page = log.read(self.delivered(), self.0.limits.catch_up_events_max).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.take(page.into_iter().map(Arc::new));
        }
    }

    /// Delivers what comes next; drops what was delivered already.
    fn take(&self, events: impl Iterator<Item = Arc<Recorded>>) {
        let mut state = self.state();
        for recorded in events {
            if recorded.position == state.delivered().next() {
                state.deliver(&Arc::new(LiveEvent::new(recorded)));
            }
        }
    }
}
