//! Live delivery: committed events reach the people whom they concern, once and in order.
//!
//! The hub hands each new event to the subscribers of its topics; nothing is expanded per member. A
//! subscription first reads what it missed from the log, then goes live; between the two there is no
//! gap and no double, because positions are dense and the hub says from where on it delivers.

mod event;
mod feed;
mod hub;
mod recent;
mod state;
mod told;
mod topics;
mod updates;

pub use event::LiveEvent;
pub use feed::FeedError;
pub use hub::{Hub, HubLimits};
pub use told::Told;
pub use updates::Feeds;
