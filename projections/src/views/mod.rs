//! The views: one file per question, each with its table, its fold and its reads.

mod account_streams;
mod conversation_list;
mod conversation_reads;
mod conversation_writes;
mod friend_reads;
mod friends;
mod member_reads;
mod people;
mod timeline;
mod timeline_reads;

use std::sync::Arc;
use std::time::Duration;

use domain::Position;
use sqlx::PgPool;

pub(crate) use account_streams::AccountStreams;
pub(crate) use conversation_list::ConversationList;
pub use conversation_reads::{ConversationKind, ConversationRow};
pub use friend_reads::{Direction, Friend, FriendRequest, RequestState};
pub(crate) use friends::Friends;
pub use member_reads::{MemberPage, MemberRow};
pub(crate) use people::People;
pub use people::Person;
pub(crate) use timeline::Timeline;
pub use timeline_reads::{MessageKind, MessageRow, Order, TimelinePage};

use crate::position::{Reached, Waited};
use crate::projection::Catalogue;

/// The most rows that one read returns; a larger limit is taken as this one.
pub const ROWS_MAX: u32 = 1_000;

/// Reads the views. Cheap to clone.
///
/// Every read is one statement. Reads see what the projector has committed: to read one's own writes,
/// [`wait_for`](Views::wait_for) the position of the write first.
#[derive(Clone)]
pub struct Views {
    pool: PgPool,
    reached: Arc<Reached>,
}

impl Views {
    /// Reads on this pool, for processes without a projector; the projector hands out its own.
    pub fn new(pool: PgPool, catalogue: &Catalogue) -> Self {
        let names = catalogue.iter().map(|projection| projection.name()).collect();
        Self::with(pool, Arc::new(Reached::new(names)))
    }

    pub(crate) fn with(pool: PgPool, reached: Arc<Reached>) -> Self {
        Self { pool, reached }
    }

    /// The position that all running projections were seen to have reached. On a node that does not lead
    /// it moves only while somebody waits.
    pub fn position(&self) -> Position {
        self.reached.position()
    }

    /// Waits until all running views hold the events up to `position`, at most `timeout`. A projection
    /// that stopped at a poison event is not waited for.
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Waited {
        self.reached.wait_for(&self.pool, position, timeout).await
    }
}

/// A limit as SQL takes it, within [`ROWS_MAX`].
fn rows(limit: u32) -> i64 {
    i64::from(limit.min(ROWS_MAX))
}
