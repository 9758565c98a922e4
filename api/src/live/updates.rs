//! One device's updates: what it missed, then what happens, every event once and in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::conversation::Conversation;
use domain::{AccountId, Position, Recorded};
use eventlog::{EventLog, LogError, StreamPart};
use futures_util::Stream;
use futures_util::stream;
use projections::{ProjectionError, Views, Waited};

use super::hub::{Hub, Subscription};
use super::told::Told;

/// How long a subscription waits for the views before it gives up and lets the client come back.
const VIEWS_PATIENCE: Duration = Duration::from_secs(5);

/// Why a feed ended.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The position is beyond the end of the log, as after a restore: the client reads everything anew.
    #[error("the position lies beyond the end of the log")]
    Ahead,
    /// The device takes events in too slowly. It resumes from the last position it saw.
    #[error("events were not taken in fast enough")]
    SlowConsumer,
    /// The views are too far behind. Retry.
    #[error("the views are too far behind")]
    ViewsBehind,
    /// The log failed. Retry.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A view failed. Retry.
    #[error(transparent)]
    View(#[from] ProjectionError),
}

/// Opens feeds. Cheap to clone.
#[derive(Clone)]
pub struct Feeds {
    log: EventLog,
    views: Views,
    hub: Hub,
    told: Told,
}

impl Feeds {
    /// Feeds over a log, its views and its hub; what they deliver is noted in `told`.
    pub fn new(log: EventLog, views: Views, hub: Hub, told: Told) -> Self {
        Self { log, views, hub, told }
    }

    /// Everything that concerns the account above `after`, without end; only what is new when `after` is
    /// none. Catching up reads the account's own streams and nothing else.
    pub fn open(
        &self,
        account: AccountId,
        after: Option<Position>,
    ) -> impl Stream<Item = Result<Arc<Recorded>, FeedError>> + Send + use<> {
        let feed =
            Feed { feeds: self.clone(), account, waiting: VecDeque::new(), phase: Phase::Start(after) };
        stream::unfold(feed, Feed::next)
    }
}

enum Phase {
    Start(Option<Position>),
    CatchingUp { seen: Position, seam: Position, parts: Vec<StreamPart>, live: Subscription },
    Live { seen: Position, live: Subscription },
    Ended,
}

struct Feed {
    feeds: Feeds,
    account: AccountId,
    waiting: VecDeque<Arc<Recorded>>,
    phase: Phase,
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Arc<Recorded>, FeedError>, Self)> {
        loop {
            if let Some(recorded) = self.waiting.pop_front() {
                self.feeds.told.note(self.account, recorded.position);
                return Some((Ok(recorded), self));
            }
            let phase = std::mem::replace(&mut self.phase, Phase::Ended);
            match self.step(phase).await {
                Ok(Phase::Ended) => return None,
                Ok(phase) => self.phase = phase,
                Err(error) => return Some((Err(error), self)),
            }
        }
    }

    async fn step(&mut self, phase: Phase) -> Result<Phase, FeedError> {
        match phase {
            Phase::Start(after) => self.begin(after).await,
            Phase::CatchingUp { seen, seam, parts, live } => {
                let events_max = self.feeds.hub.limits().catch_up_events_max;
                let page = self.feeds.log.read_streams(&parts, seen, seam, events_max).await?;
                let last = page.last().map(|recorded| recorded.position);
                let full = page.len() == events_max as usize;
                self.waiting.extend(page.into_iter().map(Arc::new));
                match last {
                    Some(seen) if full => Ok(Phase::CatchingUp { seen, seam, parts, live }),
                    Some(_) | None => Ok(Phase::Live { seen: seam, live }),
                }
            }
            Phase::Live { seen, mut live } => match live.events.recv().await {
                Some(recorded) if recorded.position > seen => {
                    let seen = recorded.position;
                    self.waiting.push_back(recorded);
                    Ok(Phase::Live { seen, live })
                }
                // Read from the log already.
                Some(_) => Ok(Phase::Live { seen, live }),
                None => Err(FeedError::SlowConsumer),
            },
            Phase::Ended => Ok(Phase::Ended),
        }
    }

    /// Listens first, then finds the seam: everything up to it is read from the log, everything behind
    /// it comes live.
    async fn begin(&mut self, after: Option<Position>) -> Result<Phase, FeedError> {
        if let Some(after) = after
            && after > self.feeds.log.head().await?
        {
            return Err(FeedError::Ahead);
        }
        let (live, heard) = self.feeds.hub.subscribe(self.account);
        let known = self.parts(heard).await?;
        let conversations = known.iter().filter_map(|part| match part.until {
            None => part.stream.id::<Conversation>(),
            Some(_) => None,
        });
        let seam = self.feeds.hub.join(&live, conversations);
        match after {
            None => Ok(Phase::Live { seen: seam, live }),
            Some(seen) => {
                let parts = self.parts(seam).await?;
                Ok(Phase::CatchingUp { seen, seam: seam.max(seen), parts, live })
            }
        }
    }

    /// The account's streams, including everything that happened up to a position.
    async fn parts(&self, including: Position) -> Result<Vec<StreamPart>, FeedError> {
        match self.feeds.views.wait_for(including, VIEWS_PATIENCE).await {
            Waited::Reached => Ok(self.feeds.views.streams_of(self.account).await?),
            Waited::TimedOut => Err(FeedError::ViewsBehind),
        }
    }
}
