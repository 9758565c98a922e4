//! How much one caller may ask of the house: requests, sockets, and tries with a password.
//!
//! Requests and sockets are counted in the memory of the process, which they are a load for. Tries with a
//! secret are counted in the database ([`eventlog::Attempts`]), so that a restart or a second node gives
//! nobody a second chance.
//!
//! Invariant: every table of callers is bounded.

mod config;
mod rates;
mod sockets;
mod source;
mod tries;

pub use config::{CallLimits, Rate, TryLimits};
pub use sockets::Place;
pub use source::Source;
pub use tries::{Subject, Tries, Try, TurnedAway};

pub(crate) use rates::Rates;
pub(crate) use sockets::Places;
