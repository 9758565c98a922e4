//! What the writer is asked for and what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use domain::credential::CredentialChange;
use domain::{IdempotencyKey, Position, Recorded, StreamId};
use tokio::sync::oneshot;

use super::batch::Verdict;
use crate::error::LogError;

/// Links the decisions that were made on one state of an aggregate in memory. When the writer fails
/// one, it breaks the chain, and every later link of it fails too: it was decided on events that never
/// came to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain(Arc<AtomicBool>);

impl Chain {
    pub(crate) fn is_broken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn break_up(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A stream that a command read or writes, and the version it was decided on.
#[derive(Debug)]
pub(crate) struct StreamAppend {
    pub(crate) id: StreamId,
    pub(crate) expected_version: i64,
    pub(crate) chain: Chain,
}

/// One event, sealed and encoded.
#[derive(Debug)]
pub(crate) struct NewEvent {
    /// Index of its stream in the request.
    pub(crate) stream: usize,
    pub(crate) event_type: String,
    pub(crate) event_version: String,
    pub(crate) payload: String,
    pub(crate) metadata: String,
    /// The event with its personal fields open; what the log allots is filled in once it is committed.
    pub(crate) opened: Recorded,
}

impl NewEvent {
    /// The event as everybody is told of it.
    fn placed(self, position: Position, recorded_at: DateTime<Utc>) -> Arc<Recorded> {
        Arc::new(Recorded { position, recorded_at, ..self.opened })
    }
}

/// The idempotency key of a command, and what it was given with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Receipt {
    pub(crate) actor: String,
    pub(crate) key: IdempotencyKey,
    pub(crate) input_hash: [u8; 32],
}

/// The finished decision of one command: all of it is appended, or none.
///
/// With no events it confirms a refusal or an "already so": it is answered under the lock like any
/// other, so that nobody is told something that was decided on events that were never committed.
#[derive(Debug)]
pub(crate) struct AppendRequest {
    /// The streams; the first one is the command's own.
    pub(crate) streams: Vec<StreamAppend>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) credentials: Vec<CredentialChange>,
    /// Looked up first: a command that was done before is not done again.
    pub(crate) receipt: Option<Receipt>,
    /// Whether to store the receipt. Not for refusals: the same command may be allowed later.
    pub(crate) store_receipt: bool,
    pub(crate) answer: AnswerTo,
}

/// Where an answer goes.
pub(crate) type AnswerTo = oneshot::Sender<Result<Answer, LogError>>;

impl AppendRequest {
    /// Bytes that the request adds to a batch.
    pub(crate) fn bytes(&self) -> usize {
        self.events.iter().map(|event| event.payload.len() + event.metadata.len()).sum()
    }

    /// What the caller is told once the batch is committed, and where.
    pub(super) fn answered(self, verdict: Verdict, recorded_at: DateTime<Utc>) -> (Answer, AnswerTo) {
        let answer = match verdict {
            Verdict::Append { first } => {
                let place =
                    |(position, event): (i64, NewEvent)| event.placed(Position(position), recorded_at);
                Answer::Appended((first.0..).zip(self.events).map(place).collect())
            }
            Verdict::Confirm { last } => Answer::Confirmed { last },
            Verdict::Repeat { first, last } => Answer::Repeated { first, last },
            Verdict::KeyReused => Answer::KeyReused,
            Verdict::Stale => Answer::Stale,
        };
        (answer, self.answer)
    }

    /// Whether it was decided on events that were never appended.
    pub(super) fn is_broken(&self) -> bool {
        self.streams.iter().any(|stream| stream.chain.is_broken())
    }

    /// Tells the caller to decide again, and everybody who decided on this request's events.
    pub(super) fn turn_back(self) {
        self.break_chains();
        // A caller that is gone needs no answer.
        drop(self.answer.send(Ok(Answer::Stale)));
    }

    /// Makes sure that nothing decided on this request's events is appended.
    pub(super) fn break_chains(&self) {
        for stream in &self.streams {
            stream.chain.break_up();
        }
    }
}

/// What became of a request.
#[derive(PartialEq, Debug)]
pub(crate) enum Answer {
    /// Its events, at least one, stand in the log, flushed to disk.
    Appended(Vec<Arc<Recorded>>),
    /// It had no events, and its streams are as it saw them; with the last position of its own stream.
    Confirmed { last: Position },
    /// Its idempotency key was used before, with the same input; what came of it then.
    Repeated { first: Option<Position>, last: Position },
    /// Its idempotency key was used before, with another input.
    KeyReused,
    /// A stream has moved on: decide again on fresh state.
    Stale,
}
