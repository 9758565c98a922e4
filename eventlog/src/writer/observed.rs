//! One batch as operators see it: a span, its size, its time, its outcome.

use metrics::{counter, histogram};
use tokio::time::Instant;
use tracing::Span;

use super::batch::Plan;
use super::request::AppendRequest;

/// What became of a batch.
#[derive(Clone, Copy)]
pub(super) enum BatchOutcome {
    /// Its events are in the log.
    Appended,
    /// It had no events: refusals, repeated commands, stale decisions.
    Confirmed,
    /// The database refused it, as a whole or its one command.
    Refused,
    /// The database was away for too long.
    Unknown,
}

impl BatchOutcome {
    fn name(self) -> &'static str {
        match self {
            Self::Appended => "appended",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// A batch under way.
pub(super) struct Observed {
    span: Span,
    started: Instant,
}

impl Observed {
    pub(super) fn begin(batch: &[AppendRequest]) -> Self {
        let span = tracing::info_span!(
            parent: None,
            "append",
            commands = batch.len(),
            events = tracing::field::Empty,
            outcome = tracing::field::Empty,
        );
        Self { span, started: Instant::now() }
    }

    /// For what is done for the batch.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes that the batch was carried out.
    pub(super) fn committed(self, batch: &[AppendRequest], plan: &Plan) {
        let events = plan.events(batch).count();
        let outcome = if events > 0 { BatchOutcome::Appended } else { BatchOutcome::Confirmed };
        self.end(outcome, batch.len(), events);
    }

    /// Notes that nothing came of it, as far as is known.
    pub(super) fn failed(self, outcome: BatchOutcome, batch: &[AppendRequest]) {
        self.end(outcome, batch.len(), 0);
    }

    fn end(self, outcome: BatchOutcome, commands: usize, events: usize) {
        self.span.record("events", events);
        self.span.record("outcome", outcome.name());
        counter!("annal_append_batches_total", "outcome" => outcome.name()).increment(1);
        histogram!("annal_append_batch_commands").record(number(commands));
        histogram!("annal_append_batch_events").record(number(events));
        histogram!("annal_append_seconds").record(self.started.elapsed().as_secs_f64());
    }
}

/// Batches are far smaller than what a float counts exactly.
fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
