//! A server on a database of its own, and people who use it as clients do.

mod actor;
mod app;
mod socket;

pub(crate) use actor::{Actor, MESSAGE, codes};
pub(crate) use app::{PASSWORD, TestApp, node};
pub(crate) use socket::{Heard, Socket, Updates};

use std::time::Duration;

/// The longest a story waits for something that should be there at once.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for something that should be there at once.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it took too long")
}
