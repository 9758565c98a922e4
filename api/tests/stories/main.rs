//! Stories through the public API: real server, real sockets, real PostgreSQL.
//!
//! After every story the views are built again from the log and must be equal.

#![allow(clippy::unwrap_used)]

mod kit;

mod accounts;
mod bad_input;
mod chat;
mod erasure;
mod friends;
mod groups;
mod hardening;
mod identity;
mod limits;
mod live;
mod policies;
mod schema;
mod seams;
mod secrets;
mod sharing;
