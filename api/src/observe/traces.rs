//! Traces over OTLP: one span per operation and one per batch of the writer.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{DynFilterFn, LevelFilter, dynamic_filter_fn};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::settings::TraceSettings;

/// The name of the service in traces.
const SERVICE: &str = "annal";
/// Where a collector takes traces, below its address (OTLP/HTTP).
const PATH: &str = "/v1/traces";
/// How long one export may take.
const EXPORT_MAX: Duration = Duration::from_secs(5);
/// How long the last spans may take to leave when the process ends.
const FAREWELL_MAX: Duration = Duration::from_secs(3);
/// Spans come from our own crates only.
const ROOMS: [&str; 3] = ["api", "eventlog", "projections"];

/// Why there are no traces.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The exporter does not take the address.
    #[error("traces cannot be sent: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// Sends spans in batches, from a thread of its own.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Prepares sending; none when no collector is named.
    pub(super) fn begin(settings: &TraceSettings) -> Result<Option<Self>, TracesError> {
        let Some(endpoint) = &settings.otlp_endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/').trim_end_matches(PATH)))
            .with_timeout(EXPORT_MAX)
            .build()?;
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(SERVICE).with_attribute(version).build();
        // A caller that traces decides for its operations; the rest is drawn.
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.trace_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(sampler)
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self(provider)))
    }

    /// The layer that turns our spans into those of OpenTelemetry. Log lines stay log lines: what an error says
    /// is not sent.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer::<S>()
            .with_tracer::<SdkTracer>(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(own_spans())
    }

    /// Sends what is left. Blocks for three seconds at most.
    pub(super) fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(FAREWELL_MAX) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Asked anew for each span: the answer of a filter that is asked once per call site is kept for the thread
/// until somebody takes it, and a question between (`enabled!`) leaves the wrong one there, which loses spans.
fn own_spans<S: Subscriber>() -> DynFilterFn<S, impl Fn(&Metadata<'_>, &Context<'_, S>) -> bool> {
    let is_ours = |metadata: &Metadata<'_>, _: &Context<'_, S>| {
        metadata.is_span() && metadata.target().split("::").next().is_some_and(|room| ROOMS.contains(&room))
    };
    dynamic_filter_fn(is_ours).with_max_level_hint(LevelFilter::INFO)
}
