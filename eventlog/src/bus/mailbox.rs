//! Live aggregates: the state in memory, one decision at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::stream::LiveState;
use domain::{Recorded, StreamId, StreamRef};
use quick_cache::sync::Cache;
use sqlx::PgPool;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::snapshots::{Snapshot, Snapshots, Tail};
use crate::error::LogError;
use crate::writer::Chain;

/// An aggregate's state with the version it has, queued events included.
pub(super) struct Live {
    pub(super) state: Box<dyn LiveState>,
    pub(super) version: i64,
    pub(super) chain: Chain,
    pub(super) tail: Tail,
}

impl Live {
    /// Before the first event.
    pub(super) fn fresh(stream: &StreamRef) -> Self {
        Self { state: stream.fresh(), version: 0, chain: Chain::default(), tail: Tail::default() }
    }
}

/// The place where commands to one aggregate queue up, first come, first served.
#[derive(Default)]
pub(super) struct Mailbox {
    live: Arc<Mutex<Option<Live>>>,
    /// The highest sequence that was seen committed, by whichever node.
    committed: AtomicI64,
}

/// A mailbox that is held, with its state loaded.
pub(super) struct Held {
    pub(super) stream: StreamRef,
    guard: OwnedMutexGuard<Option<Live>>,
}

impl Held {
    pub(super) fn live(&self) -> Option<&Live> {
        self.guard.as_ref()
    }

    pub(super) fn live_mut(&mut self) -> Option<&mut Live> {
        self.guard.as_mut()
    }

    /// A snapshot of the state as it is now, queued events included, if it is worth one.
    pub(super) fn snapshot(&mut self) -> Option<Snapshot> {
        let Self { stream, guard } = self;
        guard.as_mut().and_then(|live| Snapshot::take(stream, live))
    }
}

/// The live aggregates of a process, bounded; the least used are forgotten and loaded again on demand.
pub(crate) struct Mailboxes {
    pub(super) snapshots: Snapshots,
    mailboxes: Cache<StreamId, Arc<Mailbox>>,
}

impl Mailboxes {
    pub(crate) fn new(pool: PgPool, live_aggregates_max: usize) -> Self {
        Self { snapshots: Snapshots::new(pool), mailboxes: Cache::new(live_aggregates_max) }
    }

    /// Takes the mailboxes of some streams, in the order of their ids, so that two commands over the same
    /// streams never wait for each other, and loads what is not in memory.
    pub(super) async fn hold(&self, mut streams: Vec<StreamRef>) -> Result<Vec<Held>, LogError> {
        streams.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        streams.dedup_by(|one, other| one.id == other.id);
        let mut held = Vec::with_capacity(streams.len());
        for stream in streams {
            held.push(self.hold_one(stream).await?);
        }
        Ok(held)
    }

    async fn hold_one(&self, stream: StreamRef) -> Result<Held, LogError> {
        let fresh = || Ok::<_, Infallible>(Arc::default());
        let Ok(mailbox) = self.mailboxes.get_or_insert_with(&stream.id, fresh);
        let mut guard = mailbox.live.clone().lock_owned().await;
        let seen = mailbox.committed.load(Ordering::Acquire);
        let usable = guard.as_ref().is_some_and(|live| !live.chain.is_broken() && live.version >= seen);
        if !usable {
            *guard = None;
            *guard = Some(self.snapshots.load(&stream).await?);
        }
        Ok(Held { stream, guard })
    }

    /// Takes note of a committed event: state that does not include it is loaded again before its next
    /// decision. Events of this node are included already.
    pub(crate) fn observe(&self, event: &Recorded) {
        if let Some(mailbox) = self.mailboxes.get(&event.stream) {
            mailbox.committed.fetch_max(event.sequence, Ordering::AcqRel);
        }
    }
}
