//! The way of a command.

use std::sync::Arc;

use domain::action::STREAMS_PER_ACTION_MAX;
use domain::{Action, Decider, Event, Position, Recorded, Refusal, StreamRef};
use sqlx::PgPool;
use tokio::sync::oneshot;

use super::deciding::{Deciding, Decision};
use super::encode::{encode, recorded};
use super::joining::InFlight;
use super::mailbox::{Held, Mailboxes};
use super::outcome::{CommandContext, Done, Outcome};
use super::snapshots::Snapshot;
use crate::config::LogConfig;
use crate::error::{ExecuteError, LogError};
use crate::fresh::Clock;
use crate::keys::KeyRing;
use crate::writer::{Answer, AppendRequest, Receipt, StreamAppend, WriterHandle};
use crate::{read, stored};

/// Executes commands. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Bus {
    pub(crate) pool: PgPool,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mailboxes: Arc<Mailboxes>,
    pub(crate) writer: WriterHandle,
    pub(crate) config: Arc<LogConfig>,
    in_flight: InFlight,
}

/// One decision, queued.
struct Queued {
    answer: oneshot::Receiver<Result<Answer, LogError>>,
    refusal: Option<Refusal>,
    /// States worth keeping, each with the index of its last event in `events`.
    snapshots: Vec<(usize, Snapshot)>,
}

impl Bus {
    pub(crate) fn new(
        pool: PgPool,
        keys: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
        writer: WriterHandle,
        config: Arc<LogConfig>,
    ) -> Self {
        let mailboxes = Arc::new(Mailboxes::new(pool.clone(), config.live_aggregates_max));
        Self { pool, keys, clock, mailboxes, writer, config, in_flight: InFlight::default() }
    }

    /// Decides an action and appends what follows, again on fresh state when others were faster.
    pub(crate) async fn execute<A: Action>(
        &self,
        action: A,
        context: CommandContext,
    ) -> Result<Outcome, ExecuteError> {
        let receipt = context.idempotency.as_ref().map(|(key, input)| Receipt {
            actor: context.actor.to_string(),
            key: *key,
            input_hash: self.keys.input_hash(&context.actor, *key, input),
        });
        let _joined = match &receipt {
            Some(receipt) => Some(self.in_flight.join(receipt.actor.clone(), receipt.key.0).await),
            None => None,
        };
        for _ in 0..self.config.decide_attempts_max {
            let queued = self.decide(&action, &context, receipt.clone()).await?;
            let answer = queued.answer.await.map_err(|_| LogError::Closed)??;
            match (answer, queued.refusal) {
                (Answer::Stale, _) => {}
                (Answer::KeyReused, _) => return Err(ExecuteError::KeyReused),
                (Answer::Repeated { first, last }, _) => return self.repeated(first, last).await,
                (Answer::Appended(_) | Answer::Confirmed { .. }, Some(refusal)) => {
                    return Ok(Outcome::Refused(refusal));
                }
                (Answer::Confirmed { last }, None) => {
                    return Ok(Outcome::Done(Done { events: vec![], position: last, repeated: false }));
                }
                (Answer::Appended(events), None) => {
                    self.keep(queued.snapshots, &events);
                    let position = events.last().map_or(Position::START, |last| last.position);
                    return Ok(Outcome::Done(Done { events, position, repeated: false }));
                }
            }
        }
        Err(ExecuteError::Contended)
    }

    /// Appends events that were decided elsewhere; none when the stream is not at `expected_version`.
    pub(crate) async fn append(
        &self,
        stream: StreamRef,
        expected_version: i64,
        events: Vec<Event>,
        context: CommandContext,
    ) -> Result<Option<Vec<Arc<Recorded>>>, ExecuteError> {
        let held = self.mailboxes.hold(vec![stream]).await?;
        if held.first().and_then(Held::live).map(|live| live.version) != Some(expected_version) {
            return Ok(None);
        }
        let events = events.into_iter().map(|event| (0, event)).collect();
        let decision = Decision { events, credentials: vec![] };
        let queued = self.queue(held, decision, None, None, &context).await?;
        match queued.answer.await.map_err(|_| LogError::Closed)?? {
            Answer::Appended(events) => Ok(Some(events)),
            Answer::Confirmed { .. } => Ok(Some(vec![])),
            Answer::Stale | Answer::Repeated { .. } | Answer::KeyReused => Ok(None),
        }
    }

    /// Looks at an aggregate as it is, queued events included.
    pub(crate) async fn inspect<D: Decider, R>(
        &self,
        id: &D::Id,
        look: impl FnOnce(&D) -> R,
    ) -> Result<R, LogError> {
        let held = self.mailboxes.hold(vec![StreamRef::of::<D>(id)]).await?;
        let state = held.first().and_then(Held::live).and_then(|live| live.state.as_any().downcast_ref());
        Ok(look(state.expect("a held stream is loaded and has one type")))
    }

    /// Holds the streams, decides, seals, queues, and lets the streams go before the flush.
    async fn decide<A: Action>(
        &self,
        action: &A,
        context: &CommandContext,
        receipt: Option<Receipt>,
    ) -> Result<Queued, ExecuteError> {
        let streams = action.streams();
        debug_assert!((1..=STREAMS_PER_ACTION_MAX).contains(&streams.len()));
        let own = streams.first().map(|stream| stream.id.clone());
        let mut held = self.mailboxes.hold(streams).await?;
        // The writer answers with the last position of the first stream: the command's own.
        if let Some(index) = held.iter().position(|held| Some(&held.stream.id) == own.as_ref()) {
            held.swap(0, index);
        }
        let mut deciding = Deciding::on(&held);
        let decided = action.decide(&mut deciding);
        let (decision, refusal) = match decided {
            Ok(()) => (deciding.into_decision(), None),
            Err(refusal) => (Decision::default(), Some(refusal)),
        };
        self.queue(held, decision, refusal, receipt, context).await
    }

    async fn queue(
        &self,
        mut held: Vec<Held>,
        decision: Decision,
        refusal: Option<Refusal>,
        receipt: Option<Receipt>,
        context: &CommandContext,
    ) -> Result<Queued, ExecuteError> {
        let now = self.clock.now();
        let events = recorded(&held, decision.events, context, now);
        let events = encode(events, &self.keys, now).await?;
        let place = self.writer.reserve()?;
        let streams = held
            .iter()
            .filter_map(|held| held.live().map(|live| (held, live)))
            .map(|(held, live)| StreamAppend {
                id: held.stream.id.clone(),
                expected_version: live.version,
                chain: live.chain.clone(),
            })
            .collect();
        for event in &events {
            if let Some(live) = held[event.stream].live_mut() {
                live.state.apply_event(&event.opened.event);
                live.version = event.opened.sequence;
                live.tail.add(event.payload.len());
            }
        }
        let last_event_of = |index| events.iter().rposition(|event| event.stream == index);
        let snapshots = held
            .iter_mut()
            .enumerate()
            .filter_map(|(index, held)| Some((last_event_of(index)?, held.snapshot()?)))
            .collect();
        let (sender, answer) = oneshot::channel();
        place.send(AppendRequest {
            streams,
            events,
            credentials: decision.credentials,
            receipt,
            store_receipt: refusal.is_none(),
            answer: sender,
        });
        Ok(Queued { answer, refusal, snapshots })
    }

    /// Keeps snapshots whose last event was committed with the command.
    fn keep(&self, snapshots: Vec<(usize, Snapshot)>, committed: &[Arc<Recorded>]) {
        for (place, snapshot) in snapshots {
            if let Some(last) = committed.get(place) {
                self.mailboxes.snapshots.keep(snapshot, last.position);
            }
        }
    }

    /// What came of a command the first time, rendered afresh from the log.
    async fn repeated(&self, first: Option<Position>, last: Position) -> Result<Outcome, ExecuteError> {
        let events = match first {
            Some(first) => {
                let count = u32::try_from(last.0 - first.0 + 1).unwrap_or(u32::MAX);
                let stored = read::by_position(&self.pool, Position(first.0 - 1), count).await?;
                stored::open(&stored, &self.keys).await?.into_iter().map(Arc::new).collect()
            }
            None => vec![],
        };
        Ok(Outcome::Done(Done { events, position: last, repeated: true }))
    }
}
