//! What becomes of each request of a batch, decided in memory under the lock.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::credential::CredentialChange;
use domain::{Position, StreamId};

use super::request::{Answer, AppendRequest, Receipt};
use crate::stored::StoredEvent;

/// What the database says at the start of a batch.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The last position of the log, and when that event was recorded.
    pub(super) head: Option<(Position, DateTime<Utc>)>,
    /// Version and last position of the streams of the batch; those without events are missing.
    pub(super) streams: BTreeMap<StreamId, (i64, Position)>,
    /// Receipts of the batch's idempotency keys, by actor and key.
    pub(super) receipts: BTreeMap<(String, uuid::Uuid), StoredReceipt>,
}

/// A receipt as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct StoredReceipt {
    pub(super) receipt: Receipt,
    pub(super) stream: StreamId,
    pub(super) first: Option<Position>,
    pub(super) last: Position,
}

/// What the batch writes, and what its requests are answered once that is committed.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) answers: Vec<Answer>,
    pub(super) events: Vec<StoredEvent>,
    /// New version and last position of each stream that moves.
    pub(super) streams: BTreeMap<StreamId, (i64, Position)>,
    pub(super) receipts: Vec<StoredReceipt>,
    pub(super) credentials: Vec<CredentialChange>,
    /// Whether a request is stale because another writer was faster, and not because of an earlier request
    /// of this one.
    pub(super) overtaken: bool,
}

impl Plan {
    /// Whether there is anything to write.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.receipts.is_empty() && self.credentials.is_empty()
    }
}

/// Decides a batch in the order of its requests. Accepts a request when each of its streams has the
/// version it was decided on, counting the events of requests accepted before it.
pub(super) fn plan(requests: &[AppendRequest], mut found: Found, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan::default();
    let (mut head, recorded_at) = match found.head {
        // Time never runs backwards in the log, whatever the clock does.
        Some((position, last)) => (position, now.max(last)),
        None => (Position::START, now),
    };
    for request in requests {
        let answer = match objection(request, &found) {
            None => accept(request, &mut plan, &mut found, &mut head, recorded_at),
            Some(objection) => {
                plan.overtaken |= objection == Answer::Stale && !request.is_broken();
                // What was decided on this request's events must not be appended.
                request.break_chains();
                objection
            }
        };
        plan.answers.push(answer);
    }
    plan
}

/// Why a request is not appended, if it is not.
fn objection(request: &AppendRequest, found: &Found) -> Option<Answer> {
    if let Some(receipt) = &request.receipt
        && let Some(stored) = found.receipts.get(&(receipt.actor.clone(), receipt.key.0))
    {
        let same_input = stored.receipt.input_hash == receipt.input_hash;
        return Some(if same_input {
            Answer::Repeated { first: stored.first, last: stored.last }
        } else {
            Answer::KeyReused
        });
    }
    let fresh = request.streams.iter().all(|stream| {
        let version = found.streams.get(&stream.id).map_or(0, |(version, _)| *version);
        version == stream.expected_version && !stream.chain.is_broken()
    });
    if fresh { None } else { Some(Answer::Stale) }
}

fn accept(
    request: &AppendRequest,
    plan: &mut Plan,
    found: &mut Found,
    head: &mut Position,
    recorded_at: DateTime<Utc>,
) -> Answer {
    let first = head.next();
    for event in &request.events {
        *head = head.next();
        let stream = request.streams[event.stream].id.clone();
        found.streams.insert(stream.clone(), (event.sequence, *head));
        plan.streams.insert(stream.clone(), (event.sequence, *head));
        plan.events.push(StoredEvent {
            position: *head,
            stream,
            sequence: event.sequence,
            event_type: event.event_type.clone(),
            event_version: event.event_version.clone(),
            payload: event.payload.clone(),
            metadata: event.metadata.clone(),
            recorded_at,
        });
    }
    plan.credentials.extend(request.credentials.iter().cloned());
    let own = &request.streams[0].id;
    let happened = !request.events.is_empty();
    let last =
        if happened { *head } else { found.streams.get(own).map_or(Position::START, |(_, last)| *last) };
    if let Some(receipt) = request.receipt.as_ref().filter(|_| request.store_receipt) {
        let first = happened.then_some(first);
        let stored = StoredReceipt { receipt: receipt.clone(), stream: own.clone(), first, last };
        found.receipts.insert((receipt.actor.clone(), receipt.key.0), stored.clone());
        plan.receipts.push(stored);
    }
    if happened { Answer::Appended { first, last, recorded_at } } else { Answer::Confirmed { last } }
}
