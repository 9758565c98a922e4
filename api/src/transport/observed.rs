//! One operation as operators see it: a span, one counted outcome, a time.

use async_graphql::parser::types::OperationType;
use metrics::{counter, histogram};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry::{Context, propagation::TextMapPropagator as _};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tokio::time::Instant;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Longest operation name in a span, in bytes: clients choose it.
const NAME_BYTES_MAX: usize = 64;
/// The header by which a caller hands its trace over (W3C Trace Context).
const TRACE_PARENT: &str = "traceparent";

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With data and no errors; user errors are data.
    Ok,
    /// With errors, faults and refusals alike.
    Errors,
    /// It took too long and was stopped.
    Timeout,
    /// A resolver panicked.
    Panic,
    /// The client left, or ended its subscription.
    Cancelled,
}

impl Outcome {
    /// Every outcome.
    pub(crate) const ALL: [Self; 5] = [Self::Ok, Self::Errors, Self::Timeout, Self::Panic, Self::Cancelled];

    /// The outcome in spans and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Errors => "errors",
            Self::Timeout => "timeout",
            Self::Panic => "panic",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The kind of an operation in spans and metrics.
pub(crate) fn kind_name(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// An operation under way; counted as cancelled when it is dropped before its end.
pub(crate) struct Observed {
    span: Span,
    kind: OperationType,
    started: Instant,
    outcome: Outcome,
}

impl Observed {
    /// Begins to watch an operation. Neither its document nor its variables are looked at.
    pub(crate) fn begin(
        kind: OperationType,
        name: Option<&str>,
        correlation: &str,
        parent: Option<&SpanContext>,
    ) -> Self {
        let span = tracing::info_span!(
            "graphql",
            kind = kind_name(kind),
            name = name.map(|name| &name[..name.floor_char_boundary(NAME_BYTES_MAX)]),
            correlation,
            outcome = tracing::field::Empty,
        );
        if let Some(parent) = parent
            && let Err(error) = span.set_parent(Context::new().with_remote_span_context(parent.clone()))
        {
            tracing::trace!(%error, "nobody takes traces");
        }
        Self { span, kind, started: Instant::now(), outcome: Outcome::Cancelled }
    }

    /// For what runs in it.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes how it ended.
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let (kind, outcome) = (kind_name(self.kind), self.outcome.name());
        self.span.record("outcome", outcome);
        counter!("annal_graphql_operations_total", "kind" => kind, "outcome" => outcome).increment(1);
        // A subscription lasts as long as its client likes: its time tells nothing.
        if self.kind != OperationType::Subscription {
            let took = self.started.elapsed();
            histogram!("annal_graphql_operation_seconds", "kind" => kind).record(took.as_secs_f64());
        }
    }
}

/// The caller's span, when the request names one.
pub(crate) fn parent(headers: &axum::http::HeaderMap) -> Option<SpanContext> {
    headers.get(TRACE_PARENT)?;
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    let parent = context.span().span_context().clone();
    parent.is_valid().then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;

    #[test]
    fn a_trace_is_taken_over_from_a_valid_header_only() {
        for (header, taken) in [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("4bf92f3577b34da6a3ce929d0e0e4736", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(TRACE_PARENT, header.parse().unwrap());
            assert_eq!(parent(&headers).is_some(), taken, "{header:?}");
        }
        assert!(parent(&HeaderMap::new()).is_none());
    }
}
