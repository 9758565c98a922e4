//! The writer: one task per process that appends finished decisions, many at a time, in one transaction.
//!
//! While one batch is being flushed the next one gathers, so the more callers there are, the more
//! commands share a flush. Conflicts and repeated idempotency keys are decided per command, in Rust,
//! under the lock that orders all appends: a command that conflicts fails alone.
//!
//! Invariant: positions are dense and commit order is position order, because the lock is taken in a
//! statement of its own, the last position is read after it, and it is held until the commit is visible.

mod append;
mod batch;
mod known;
mod observed;
mod receipts;
mod request;
mod session;
mod sql;
mod task;

pub(crate) use request::{Answer, AppendRequest, Chain, NewEvent, Receipt, StreamAppend};
pub(crate) use sql::APPEND_LOCK;
pub(crate) use task::{Writer, WriterHandle};
