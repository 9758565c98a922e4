//! One device's feed: a stream that catches up first and then costs nothing but its queue.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use domain::Position;
use eventlog::LogError;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use projections::ProjectionError;

use super::event::LiveEvent;
use super::hub::Subscription;
use super::told::TellTale;

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

/// One step of catching up.
pub(super) enum Step {
    /// An event that was missed.
    Missed(Arc<LiveEvent>),
    /// Everything up to `seen` has been read; what comes behind it comes live.
    Live { seen: Position, live: Subscription },
}

/// The events of one account, in order, each once.
pub(super) struct Feed {
    phase: Phase,
    told: TellTale,
}

enum Phase {
    /// Dropped when it is over: what it needs is much, and most feeds only wait.
    CatchingUp(BoxStream<'static, Result<Step, FeedError>>),
    Live {
        seen: Position,
        live: Subscription,
    },
    Ended,
}

impl Feed {
    /// A feed that begins by catching up; what it delivers is noted.
    pub(super) fn new(catching_up: BoxStream<'static, Result<Step, FeedError>>, told: TellTale) -> Self {
        Self { phase: Phase::CatchingUp(catching_up), told }
    }

    fn end(&mut self, error: FeedError) -> Poll<Option<Result<Arc<LiveEvent>, FeedError>>> {
        self.phase = Phase::Ended;
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Feed {
    type Item = Result<Arc<LiveEvent>, FeedError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let event = loop {
            match &mut this.phase {
                Phase::CatchingUp(steps) => match ready!(steps.poll_next_unpin(cx)) {
                    Some(Ok(Step::Missed(event))) => break event,
                    Some(Ok(Step::Live { seen, live })) => this.phase = Phase::Live { seen, live },
                    Some(Err(error)) => return this.end(error),
                    None => return Poll::Ready(None),
                },
                Phase::Live { seen, live } => match ready!(live.events.poll_recv(cx)) {
                    Some(event) if event.position() > *seen => {
                        *seen = event.position();
                        break event;
                    }
                    // Read from the log already.
                    Some(_) => {}
                    None => return this.end(FeedError::SlowConsumer),
                },
                Phase::Ended => return Poll::Ready(None),
            }
        };
        this.told.note(event.position());
        Poll::Ready(Some(Ok(event)))
    }
}
