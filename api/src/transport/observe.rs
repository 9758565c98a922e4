//! Counters of the transport, for the metrics page.

use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::parser::types::OperationType;
use metrics::counter;

use super::observed::{Outcome, kind_name};
use super::refusal::Code;

/// The metric that counts refusals, by the code that the client reads.
pub const REFUSALS: &str = "annal_refusals_total";

/// Counts one refusal, by whichever layer. The code must be one of a closed list: it becomes a label.
pub fn count_refusal(code: &'static str) {
    counter!(REFUSALS, "code" => code).increment(1);
}

/// Every kind of operation with every outcome, as the labels `kind` and `outcome` of metrics.
pub fn operation_labels() -> impl Iterator<Item = (&'static str, &'static str)> {
    [OperationType::Query, OperationType::Mutation, OperationType::Subscription]
        .into_iter()
        .flat_map(|kind| Outcome::ALL.map(|outcome| (kind_name(kind), outcome.name())))
}

/// Counters that only rise, except the open sockets. Written with relaxed atomics: no lock, no order.
#[derive(Debug, Default)]
pub struct TransportStats {
    operations: AtomicU64,
    refusals: [AtomicU64; Code::ALL.len()],
    faults: AtomicU64,
    sockets_open: AtomicU64,
    sockets_opened: AtomicU64,
    sockets_cut_off: AtomicU64,
    deliveries: AtomicU64,
}

/// [`TransportStats`] at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportCounts {
    /// Operations executed, over HTTP and sockets.
    pub operations: u64,
    /// Requests refused by the transport, by code, in the order of [`Code::ALL`].
    pub refusals: Vec<(Code, u64)>,
    /// Faults in resolvers, panics included.
    pub faults: u64,
    /// Sockets open now.
    pub sockets_open: u64,
    /// Sockets opened since start.
    pub sockets_opened: u64,
    /// Sockets cut off as slow consumers since start.
    pub sockets_cut_off: u64,
    /// Subscription payloads written to sockets since start.
    pub deliveries: u64,
}

impl TransportStats {
    /// Reads all counters; each is exact, together they are not one instant.
    pub fn read(&self) -> TransportCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TransportCounts {
            operations: of(&self.operations),
            refusals: Code::ALL.into_iter().map(|code| (code, of(&self.refusals[code as usize]))).collect(),
            faults: of(&self.faults),
            sockets_open: of(&self.sockets_open),
            sockets_opened: of(&self.sockets_opened),
            sockets_cut_off: of(&self.sockets_cut_off),
            deliveries: of(&self.deliveries),
        }
    }

    pub(crate) fn operation(&self) {
        self.operations.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, code: Code) {
        self.refusals[code as usize].fetch_add(1, Ordering::Relaxed);
        count_refusal(code.as_str());
    }

    pub(crate) fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn socket_opened(&self) {
        self.sockets_opened.fetch_add(1, Ordering::Relaxed);
        self.sockets_open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn socket_closed(&self) {
        self.sockets_open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn socket_cut_off(&self) {
        self.sockets_cut_off.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn delivery(&self) {
        self.deliveries.fetch_add(1, Ordering::Relaxed);
    }
}
