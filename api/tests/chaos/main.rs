//! The whole server under attack: killed again and again on a durable database, and restored to an earlier
//! moment. The log's own attacks are in `eventlog/tests/chaos`.
//!
//! The long version is called `soak_...` and runs in `make soak`.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]
#![allow(dead_code, reason = "the binary and its people are shared with the end-to-end tests")]

#[cfg(test)]
#[path = "../end_to_end/annal.rs"]
mod annal;
#[cfg(test)]
#[path = "../end_to_end/folder.rs"]
mod folder;
#[cfg(test)]
mod kills;
#[cfg(test)]
#[path = "../end_to_end/person.rs"]
mod person;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod storm;
