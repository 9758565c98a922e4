//! From a command to its outcome: load the streams, decide, queue, and wait for the flush.
//!
//! Decisions on one aggregate are made on its state in memory, which includes events that are queued
//! but not yet committed, so that a busy conversation is not limited to one message per flush. Nothing
//! is told to anybody before it is committed: refusals and "already so" pass through the writer too.

mod deciding;
mod encode;
mod execute;
mod joining;
mod mailbox;
mod outcome;
mod snapshots;

pub(crate) use execute::Bus;
pub(crate) use mailbox::Mailboxes;
pub use outcome::{CommandContext, Done, Outcome};
