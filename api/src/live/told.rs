//! What each person has been told already, so that nobody reads less than that.
//!
//! Views follow the log by a few milliseconds. A person who was answered "sent", or who saw a message
//! arrive, must find it in the next query. So a query waits until the views hold everything that its
//! viewer was told by this node; who was told nothing new does not wait at all.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::{AccountId, Position};
use projections::Views;
use quick_cache::sync::Cache;

/// How long a query waits at most. After that it answers with what there is: views that are slow or
/// stopped must not make queries fail.
const PATIENCE: Duration = Duration::from_secs(1);
/// People remembered; who was told something longer ago finds it in the views anyway.
const PEOPLE_MAX: usize = 100_000;

/// The last position that each person was told of. Cheap to clone.
#[derive(Clone)]
pub struct Told(Arc<Cache<AccountId, Arc<AtomicI64>>>);

/// One person's entry, for those who tell often.
#[derive(Clone, Debug)]
pub(super) struct TellTale(Arc<AtomicI64>);

impl Default for Told {
    fn default() -> Self {
        Self(Arc::new(Cache::new(PEOPLE_MAX)))
    }
}

impl TellTale {
    /// Takes note that the person knows of everything up to a position.
    pub(super) fn note(&self, position: Position) {
        self.0.fetch_max(position.0, Ordering::Release);
    }
}

impl Told {
    /// The entry of a person.
    pub(super) fn of(&self, account: AccountId) -> TellTale {
        let Ok(entry) = self.0.get_or_insert_with(&account, || Ok::<_, Infallible>(Arc::default()));
        TellTale(entry)
    }

    /// Takes note that a person knows of everything up to a position.
    pub fn note(&self, account: AccountId, position: Position) {
        self.of(account).note(position);
    }

    /// Waits until the views hold what the person was told; a second at most.
    pub async fn wait(&self, views: &Views, account: AccountId) {
        if let Some(position) = self.0.get(&account) {
            // Whether it was reached or not, the views are read now.
            views.wait_for(Position(position.load(Ordering::Acquire)), PATIENCE).await;
        }
    }
}
