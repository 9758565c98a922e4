//! The hub of a node: topics, their listeners, and the position up to which it has delivered.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::account::AccountEvent;
use domain::{AccountId, ConversationId, Event, Position, Recorded, SessionId};
use eventlog::{EventLog, LiveBatch, LogError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};

use super::topics::{Topic, joining, topics};

/// Limits of live delivery.
#[derive(Clone, Copy, Debug)]
pub struct HubLimits {
    /// Events that may wait for one listener; one more cuts it off, and it resumes from its position.
    pub waiting_events_max: usize,
    /// Events read at once when the hub or a listener catches up.
    pub catch_up_events_max: u32,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self { waiting_events_max: 1_024, catch_up_events_max: 500 }
    }
}

type ListenerId = u64;

struct Listener {
    topics: HashSet<Topic>,
    queue: mpsc::Sender<Arc<Recorded>>,
}

#[derive(Default)]
struct State {
    delivered: Position,
    listeners: HashMap<ListenerId, Listener>,
    topics: HashMap<Topic, HashSet<ListenerId>>,
    sessions: HashMap<SessionId, Vec<oneshot::Sender<()>>>,
}

/// Delivers new events to listeners. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    state: Arc<Mutex<State>>,
    next_id: Arc<AtomicU64>,
    limits: HubLimits,
}

/// One listener's end; leaving is dropping it.
pub(super) struct Subscription {
    id: ListenerId,
    hub: Hub,
    pub(super) events: mpsc::Receiver<Arc<Recorded>>,
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
        let state = State { delivered, ..State::default() };
        let hub = Self { state: Arc::new(Mutex::new(state)), next_id: Arc::default(), limits };
        tokio::spawn(hub.clone().deliver(log.clone(), follow));
        hub
    }

    /// The limits in force.
    pub fn limits(&self) -> HubLimits {
        self.limits
    }

    /// Feeds that listen now, for operators.
    pub fn listeners(&self) -> usize {
        self.state().listeners.len()
    }

    /// Resolves when the session is ended by anybody; at once when the hub is gone.
    pub fn session_ended(&self, session: SessionId) -> impl Future<Output = ()> + Send + use<> {
        let (sender, ended) = oneshot::channel();
        let mut state = self.state();
        let waiting = state.sessions.entry(session).or_default();
        waiting.retain(|sender| !sender.is_closed());
        waiting.push(sender);
        async move {
            // A dropped sender means the same: nobody will tell any more.
            drop(ended.await);
        }
    }

    /// Begins to listen to a person's topic. Returns the position behind which its events arrive live.
    pub(super) fn subscribe(&self, account: AccountId) -> (Subscription, Position) {
        let (queue, events) = mpsc::channel(self.limits.waiting_events_max);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        state.listeners.insert(id, Listener { topics: HashSet::new(), queue });
        state.join(id, Topic::Account(account));
        let delivered = state.delivered;
        drop(state);
        (Subscription { id, hub: self.clone(), events }, delivered)
    }

    /// Listens to conversations too. Returns the position behind which their events arrive live.
    pub(super) fn join(
        &self,
        subscription: &Subscription,
        conversations: impl IntoIterator<Item = ConversationId>,
    ) -> Position {
        let mut state = self.state();
        for conversation in conversations {
            state.join(subscription.id, Topic::Conversation(conversation));
        }
        state.delivered
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent at every await-free step, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let next = self.state().delivered.next();
        if batch.first().is_some_and(|first| first.position > next) {
            self.catch_up(log).await?;
        }
        let mut state = self.state();
        for recorded in batch.iter() {
            if recorded.position == state.delivered.next() {
                state.deliver(recorded);
            }
        }
        Ok(())
    }

    async fn catch_up(&self, log: &EventLog) -> Result<(), LogError> {
        loop {
            let after = self.state().delivered;
            let page = log.read(after, self.limits.catch_up_events_max).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut state = self.state();
            for recorded in page {
                if recorded.position == state.delivered.next() {
                    state.deliver(&Arc::new(recorded));
                }
            }
        }
    }
}

impl State {
    fn join(&mut self, id: ListenerId, topic: Topic) {
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.topics.insert(topic);
            self.topics.entry(topic).or_default().insert(id);
        }
    }

    fn leave(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.remove(&id) else { return };
        for topic in listener.topics {
            if let Some(ids) = self.topics.get_mut(&topic) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.topics.remove(&topic);
                }
            }
        }
    }

    fn deliver(&mut self, recorded: &Arc<Recorded>) {
        let mut to: HashSet<ListenerId> = HashSet::new();
        for topic in topics(recorded) {
            to.extend(self.topics.get(&topic).into_iter().flatten());
        }
        let mut too_slow = Vec::new();
        for id in to {
            if let Some(listener) = self.listeners.get(&id)
                && listener.queue.try_send(Arc::clone(recorded)).is_err()
            {
                too_slow.push(id);
            }
        }
        // Cutting a slow listener off ends its queue behind what it still holds; it resumes from there.
        for id in too_slow {
            self.leave(id);
        }
        self.delivered = recorded.position;
        self.follow_members(recorded);
        self.end_sessions(recorded);
    }

    /// Lets the devices of new members into the conversation's topic.
    fn follow_members(&mut self, recorded: &Recorded) {
        let Some((conversation, members)) = joining(recorded) else { return };
        let devices: Vec<ListenerId> = members
            .iter()
            .filter_map(|member| self.topics.get(&Topic::Account(*member)))
            .flatten()
            .copied()
            .collect();
        for id in devices {
            self.join(id, Topic::Conversation(conversation));
        }
    }

    fn end_sessions(&mut self, recorded: &Recorded) {
        if let Event::Account(AccountEvent::SignedOut { session }) = &recorded.event {
            for waiting in self.sessions.remove(session).into_iter().flatten() {
                // A socket that closed already needs no word.
                let _ = waiting.send(());
            }
        }
    }
}
