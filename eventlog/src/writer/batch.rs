//! What becomes of each request of a batch, decided in memory under the lock.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::credential::CredentialChange;
use domain::{Position, StreamId};

use super::known::Mark;
use super::request::{AppendRequest, NewEvent, Receipt};

/// Where the log ends: the last position, and when that event was recorded; none before the first event.
pub(super) type Head = Option<(Position, DateTime<Utc>)>;

/// What the database says at the start of a batch.
#[derive(Debug, Default)]
pub(super) struct Found<'b> {
    pub(super) head: Head,
    /// The streams of the batch.
    pub(super) streams: HashMap<&'b StreamId, Mark>,
    /// Receipts of the batch's idempotency keys, by actor and key.
    pub(super) receipts: HashMap<(String, uuid::Uuid), Earlier>,
}

/// What a receipt tells of a command that was done before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Earlier {
    pub(super) input_hash: [u8; 32],
    pub(super) first: Option<Position>,
    pub(super) last: Position,
}

/// A receipt to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct StoredReceipt {
    pub(super) receipt: Receipt,
    pub(super) stream: StreamId,
    pub(super) first: Option<Position>,
    pub(super) last: Position,
}

/// What becomes of a request once the batch is committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Its events stand in the log from this position on.
    Append { first: Position },
    /// It had no events, and its streams are as it saw them; with the last position of its own stream.
    Confirm { last: Position },
    /// Its idempotency key was used before, with the same input; what came of it then.
    Repeat { first: Option<Position>, last: Position },
    /// Its idempotency key was used before, with another input.
    KeyReused,
    /// A stream has moved on.
    Stale,
}

/// What the batch writes, and what its requests are answered once that is committed.
#[derive(Debug)]
pub(super) struct Plan {
    /// One for each request, in their order.
    pub(super) verdicts: Vec<Verdict>,
    /// Where the log ends then.
    pub(super) head: Head,
    pub(super) recorded_at: DateTime<Utc>,
    /// New version and last position of each stream that moves.
    pub(super) streams: Vec<(StreamId, Mark)>,
    pub(super) receipts: Vec<StoredReceipt>,
    /// Whether a request is stale because another writer was faster, and not because of an earlier request
    /// of this one.
    pub(super) overtaken: bool,
}

/// An event of the batch at its place in the log.
pub(super) struct Placed<'b> {
    pub(super) position: Position,
    pub(super) stream: &'b StreamId,
    pub(super) new: &'b NewEvent,
}

impl Plan {
    /// Whether there is anything to write.
    pub(super) fn is_empty(&self, batch: &[AppendRequest]) -> bool {
        self.streams.is_empty() && self.receipts.is_empty() && self.credentials(batch).next().is_none()
    }

    /// The events to write, in the order of their positions.
    pub(super) fn events<'b>(&'b self, batch: &'b [AppendRequest]) -> impl Iterator<Item = Placed<'b>> {
        let appended = self.verdicts.iter().zip(batch).filter_map(|(verdict, request)| match verdict {
            Verdict::Append { first } => Some((*first, request)),
            Verdict::Confirm { .. } | Verdict::Repeat { .. } | Verdict::KeyReused | Verdict::Stale => None,
        });
        appended.flat_map(|(first, request)| {
            (first.0..).zip(&request.events).map(|(position, new)| Placed {
                position: Position(position),
                stream: &request.streams[new.stream].id,
                new,
            })
        })
    }

    /// The credential changes to make, in order.
    pub(super) fn credentials<'b>(
        &'b self,
        batch: &'b [AppendRequest],
    ) -> impl Iterator<Item = &'b CredentialChange> {
        let accepted = self.verdicts.iter().zip(batch).filter_map(|(verdict, request)| match verdict {
            Verdict::Append { .. } | Verdict::Confirm { .. } => Some(request),
            Verdict::Repeat { .. } | Verdict::KeyReused | Verdict::Stale => None,
        });
        accepted.flat_map(|request| &request.credentials)
    }
}

/// A plan in the making.
struct Planning<'b> {
    found: Found<'b>,
    head: Position,
    moved: BTreeSet<&'b StreamId>,
    receipts: Vec<StoredReceipt>,
}

/// Decides a batch in the order of its requests. Accepts a request when each of its streams has the
/// version it was decided on, counting the events of requests accepted before it.
pub(super) fn plan<'b>(requests: &'b [AppendRequest], found: Found<'b>, now: DateTime<Utc>) -> Plan {
    let (head, recorded_at) = match found.head {
        // Time never runs backwards in the log, whatever the clock does.
        Some((position, last)) => (position, now.max(last)),
        None => (Position::START, now),
    };
    let mut planning = Planning { found, head, moved: BTreeSet::new(), receipts: vec![] };
    let (mut verdicts, mut overtaken) = (Vec::with_capacity(requests.len()), false);
    for request in requests {
        let verdict = match planning.objection(request) {
            None => planning.accept(request),
            Some(objection) => {
                overtaken |= objection == Verdict::Stale && !request.is_broken();
                // What was decided on this request's events must not be appended.
                request.break_chains();
                objection
            }
        };
        verdicts.push(verdict);
    }
    let Planning { found, head, moved, receipts } = planning;
    let mark = |stream: &StreamId| (stream.clone(), found.streams[stream]);
    let streams = moved.into_iter().map(mark).collect();
    let head = if head == Position::START { None } else { Some((head, recorded_at)) };
    Plan { verdicts, head, recorded_at, streams, receipts, overtaken }
}

impl<'b> Planning<'b> {
    fn mark(&self, stream: &StreamId) -> Mark {
        self.found.streams.get(stream).copied().unwrap_or((0, Position::START))
    }

    /// Why a request is not appended, if it is not.
    fn objection(&self, request: &AppendRequest) -> Option<Verdict> {
        if let Some(receipt) = &request.receipt
            && let Some(earlier) = self.found.receipts.get(&(receipt.actor.clone(), receipt.key.0))
        {
            return Some(if earlier.input_hash == receipt.input_hash {
                Verdict::Repeat { first: earlier.first, last: earlier.last }
            } else {
                Verdict::KeyReused
            });
        }
        let fresh = request
            .streams
            .iter()
            .all(|stream| self.mark(&stream.id).0 == stream.expected_version && !stream.chain.is_broken());
        if fresh { None } else { Some(Verdict::Stale) }
    }

    fn accept(&mut self, request: &'b AppendRequest) -> Verdict {
        let first = self.head.next();
        for event in &request.events {
            self.head = self.head.next();
            let stream = &request.streams[event.stream].id;
            self.found.streams.insert(stream, (event.opened.sequence, self.head));
            self.moved.insert(stream);
        }
        let happened = !request.events.is_empty();
        let own = &request.streams[0].id;
        let last = if happened { self.head } else { self.mark(own).1 };
        if let Some(receipt) = request.receipt.as_ref().filter(|_| request.store_receipt) {
            let first = happened.then_some(first);
            let earlier = Earlier { input_hash: receipt.input_hash, first, last };
            self.found.receipts.insert((receipt.actor.clone(), receipt.key.0), earlier);
            self.receipts.push(StoredReceipt { receipt: receipt.clone(), stream: own.clone(), first, last });
        }
        if happened { Verdict::Append { first } } else { Verdict::Confirm { last } }
    }
}
