//! From a position to a feed: what an account missed, and from where on it listens.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::{AccountId, Position, StreamId};
use eventlog::{EventLog, StreamPart};
use futures_util::{Stream, StreamExt as _, stream};
use projections::{Views, Waited};

use super::event::LiveEvent;
use super::feed::{Feed, FeedError, Step};
use super::hub::{Hub, Subscription};
use super::told::Told;

/// How long a subscription waits for the views before it gives up and lets the client come back.
const VIEWS_PATIENCE: Duration = Duration::from_secs(5);

/// Opens feeds. Cheap to clone.
#[derive(Clone)]
pub struct Feeds {
    log: EventLog,
    views: Views,
    hub: Hub,
    told: Told,
}

/// A feed that is on its way to be live.
enum Phase {
    Start(Option<Position>),
    Missed { events: VecDeque<Arc<LiveEvent>>, rest: Rest },
    Done,
}

/// What comes when the events at hand have been delivered.
enum Rest {
    Log { seen: Position, seam: Position, parts: Vec<StreamPart>, live: Subscription },
    Live { seen: Position, live: Subscription },
}

impl Feeds {
    /// Feeds over a log, its views and its hub; what they deliver is noted in `told`.
    pub fn new(log: EventLog, views: Views, hub: Hub, told: Told) -> Self {
        Self { log, views, hub, told }
    }

    /// Everything that concerns the account above `after`, without end; only what is new when `after` is
    /// none. Catching up reads recent events in memory, and for older ones the account's own streams and
    /// nothing else.
    pub fn open(
        &self,
        account: AccountId,
        after: Option<Position>,
    ) -> impl Stream<Item = Result<Arc<LiveEvent>, FeedError>> + Send + Unpin + use<> {
        let feeds = self.clone();
        let steps = stream::unfold(Phase::Start(after), move |phase| {
            let feeds = feeds.clone();
            async move { feeds.next(account, phase).await }
        });
        Feed::new(steps.boxed(), self.told.of(account))
    }

    async fn next(&self, account: AccountId, phase: Phase) -> Option<(Result<Step, FeedError>, Phase)> {
        let mut step = match phase {
            Phase::Start(after) => self.begin(account, after).await,
            other => Ok(other),
        };
        loop {
            step = match step {
                Err(error) => return Some((Err(error), Phase::Done)),
                Ok(Phase::Missed { mut events, rest }) => match (events.pop_front(), rest) {
                    (Some(event), rest) => {
                        return Some((Ok(Step::Missed(event)), Phase::Missed { events, rest }));
                    }
                    (None, Rest::Live { seen, live }) => {
                        return Some((Ok(Step::Live { seen, live }), Phase::Done));
                    }
                    (None, Rest::Log { seen, seam, parts, live }) => self.page(seen, seam, parts, live).await,
                },
                Ok(Phase::Start(_) | Phase::Done) => return None,
            };
        }
    }

    /// Listens first, then finds the seam: everything up to it is read, everything behind it comes live.
    async fn begin(&self, account: AccountId, after: Option<Position>) -> Result<Phase, FeedError> {
        if let Some(after) = after
            && after > self.hub.delivered()
            && after > self.log.head().await?
        {
            return Err(FeedError::Ahead);
        }
        let (live, heard) = self.hub.subscribe(account);
        let known = self.parts(account, heard).await?;
        let seam = self.hub.join(&live, &known);
        let Some(seen) = after else {
            return Ok(Phase::Missed { events: VecDeque::new(), rest: Rest::Live { seen: seam, live } });
        };
        // What began between the two positions is in nobody's list yet.
        let parts = if seam == heard { known } else { self.parts(account, seam).await? };
        let seam = seam.max(seen);
        Ok(match self.hub.recent(seen, seam) {
            Some(recent) => {
                Phase::Missed { events: visible(recent, &parts), rest: Rest::Live { seen: seam, live } }
            }
            None => Phase::Missed { events: VecDeque::new(), rest: Rest::Log { seen, seam, parts, live } },
        })
    }

    async fn page(
        &self,
        seen: Position,
        seam: Position,
        parts: Vec<StreamPart>,
        live: Subscription,
    ) -> Result<Phase, FeedError> {
        let events_max = self.hub.limits().catch_up_events_max;
        let page = self.log.read_streams(&parts, seen, seam, events_max).await?;
        let last = page.last().map(|recorded| recorded.position);
        let rest = match last {
            Some(seen) if page.len() == events_max as usize => Rest::Log { seen, seam, parts, live },
            Some(_) | None => Rest::Live { seen: seam, live },
        };
        let events = page.into_iter().map(|recorded| Arc::new(LiveEvent::new(Arc::new(recorded)))).collect();
        Ok(Phase::Missed { events, rest })
    }

    /// The account's streams, including everything that happened up to a position.
    async fn parts(&self, account: AccountId, including: Position) -> Result<Vec<StreamPart>, FeedError> {
        match self.views.wait_for(including, VIEWS_PATIENCE).await {
            Waited::Reached => Ok(self.views.streams_of(account).await?),
            Waited::TimedOut => Err(FeedError::ViewsBehind),
        }
    }
}

/// Of everybody's events those that somebody may see: the same as reading these parts from the log.
fn visible(events: Vec<Arc<LiveEvent>>, parts: &[StreamPart]) -> VecDeque<Arc<LiveEvent>> {
    let parts: HashMap<&StreamId, &StreamPart> = parts.iter().map(|part| (&part.stream, part)).collect();
    let is_visible = |event: &LiveEvent| {
        parts.get(&event.recorded().stream).is_some_and(|part| {
            event.position() > part.after && part.until.is_none_or(|until| event.position() <= until)
        })
    };
    events.into_iter().filter(|event| is_visible(event)).collect()
}
