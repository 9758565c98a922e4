//! What the hub knows at one moment: who listens to what, and which events were the last.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::account::AccountEvent;
use domain::conversation::Conversation;
use domain::{AccountId, ConversationId, Event, Position, Recorded, SessionId};
use eventlog::StreamPart;
use tokio::sync::{mpsc, oneshot};

use super::event::LiveEvent;
use super::hub::HubLimits;
use super::recent::Recent;
use super::topics::{Leaving, Topic, joining, leaving, topics};

/// Names one listener of this process.
pub(super) type ListenerId = u64;

type Queue = mpsc::Sender<Arc<LiveEvent>>;

struct Listener {
    topics: HashSet<Topic>,
    /// Conversations that the person left since the listener began; none once it has joined the others.
    left: Option<HashSet<ConversationId>>,
    queue: Queue,
}

/// Topics, listeners, sessions and recent events. Every method leaves it consistent.
pub(super) struct State {
    delivered: Position,
    recent: Recent,
    listeners: HashMap<ListenerId, Listener>,
    topics: HashMap<Topic, Vec<(ListenerId, Queue)>>,
    sessions: HashMap<SessionId, Vec<oneshot::Sender<()>>>,
}

impl State {
    pub(super) fn new(delivered: Position, limits: HubLimits) -> Self {
        Self {
            delivered,
            recent: Recent::new(limits.recent_events_max, limits.recent_bytes_max),
            listeners: HashMap::new(),
            topics: HashMap::new(),
            sessions: HashMap::new(),
        }
    }

    pub(super) fn delivered(&self) -> Position {
        self.delivered
    }

    /// How many listen.
    pub(super) fn listening(&self) -> usize {
        self.listeners.len()
    }

    pub(super) fn recent(&self, after: Position, until: Position) -> Option<Vec<Arc<LiveEvent>>> {
        self.recent.range(after, until)
    }

    pub(super) fn await_end_of(&mut self, session: SessionId, sender: oneshot::Sender<()>) {
        let waiting = self.sessions.entry(session).or_default();
        waiting.retain(|sender| !sender.is_closed());
        waiting.push(sender);
    }

    pub(super) fn enter(&mut self, id: ListenerId, queue: Queue) {
        self.listeners.insert(id, Listener { topics: HashSet::new(), left: Some(HashSet::new()), queue });
    }

    pub(super) fn join(&mut self, id: ListenerId, topic: Topic) {
        if let Some(listener) = self.listeners.get_mut(&id)
            && listener.topics.insert(topic)
        {
            self.topics.entry(topic).or_default().push((id, listener.queue.clone()));
        }
    }

    pub(super) fn leave(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.remove(&id) else { return };
        for topic in listener.topics {
            self.drop_from(topic, id);
        }
    }

    fn drop_from(&mut self, topic: Topic, id: ListenerId) {
        let Some(members) = self.topics.get_mut(&topic) else { return };
        if let Some(at) = members.iter().position(|(member, _)| *member == id) {
            members.swap_remove(at);
        }
        if members.is_empty() {
            self.topics.remove(&topic);
        }
    }

    /// Lets a listener that begins into the conversations of its account, as the views show them. The views
    /// may be behind what was delivered here, or ahead: a conversation that was left since the listener began
    /// is passed over, and so is one that is joined by an event yet to come. Returns what was delivered.
    pub(super) fn join_conversations(&mut self, id: ListenerId, parts: &[StreamPart]) -> Position {
        let left = self.listeners.get_mut(&id).and_then(|listener| listener.left.take()).unwrap_or_default();
        let goes_on = |part: &StreamPart| match part.until {
            None => part.after < self.delivered,
            Some(until) => until > self.delivered,
        };
        let conversations: Vec<_> = parts
            .iter()
            .filter(|part| goes_on(part))
            .filter_map(|part| part.stream.id::<Conversation>())
            .collect();
        for conversation in conversations.into_iter().filter(|conversation| !left.contains(conversation)) {
            self.join(id, Topic::Conversation(conversation));
        }
        self.delivered
    }

    /// Hands the next event to everybody whom it concerns.
    pub(super) fn deliver(&mut self, event: &Arc<LiveEvent>) {
        let recorded = event.recorded();
        let topics = topics(recorded);
        let mut too_slow = Vec::new();
        // Only an event of several topics can meet somebody twice.
        let mut met = (topics.len() > 1).then(HashSet::new);
        for topic in &topics {
            for (id, queue) in self.topics.get(topic).into_iter().flatten() {
                if met.as_mut().is_some_and(|met| !met.insert(*id)) {
                    continue;
                }
                if queue.try_send(Arc::clone(event)).is_err() {
                    too_slow.push(*id);
                }
            }
        }
        // Cutting a slow listener off ends its queue behind what it still holds; it resumes from there.
        for id in too_slow {
            self.leave(id);
        }
        self.delivered = recorded.position;
        self.follow_members(recorded);
        self.end_sessions(recorded);
        self.remember(event);
    }

    /// Lets the devices of new members into the conversation's topic, and those of former members out.
    fn follow_members(&mut self, recorded: &Recorded) {
        if let Some((conversation, members)) = joining(recorded) {
            for id in members.iter().flat_map(|member| self.devices(*member)).collect::<Vec<_>>() {
                self.join(id, Topic::Conversation(conversation));
                if let Some(left) = self.listeners.get_mut(&id).and_then(|listener| listener.left.as_mut()) {
                    left.remove(&conversation);
                }
            }
        }
        if let Some((conversation, leaving)) = leaving(recorded) {
            let devices: Vec<_> = match leaving {
                Leaving::Member(member) => self.devices(member).collect(),
                Leaving::Everybody => self.listening_to(Topic::Conversation(conversation)).collect(),
            };
            for id in devices {
                self.part(id, conversation);
            }
        }
    }

    fn devices(&self, member: AccountId) -> impl Iterator<Item = ListenerId> + '_ {
        self.listening_to(Topic::Account(member))
    }

    fn listening_to(&self, topic: Topic) -> impl Iterator<Item = ListenerId> + '_ {
        self.topics.get(&topic).into_iter().flatten().map(|(id, _)| *id)
    }

    /// Lets a listener out of a conversation's topic.
    fn part(&mut self, id: ListenerId, conversation: ConversationId) {
        let topic = Topic::Conversation(conversation);
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        if let Some(left) = &mut listener.left {
            left.insert(conversation);
        }
        if listener.topics.remove(&topic) {
            self.drop_from(topic, id);
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

    fn remember(&mut self, event: &Arc<LiveEvent>) {
        // Recent events hold open texts: whoever is erased shall not be found here either.
        if matches!(event.recorded().event, Event::Account(AccountEvent::PersonalDataErased {})) {
            self.recent.clear();
        }
        self.recent.push(Arc::clone(event));
    }
}

#[cfg(test)]
mod tests;
