//! Log lines on standard error, and the traces beside them.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use super::traces::{Traces, TracesError};
use crate::settings::{LogFormat, LogSettings, TraceSettings};

/// What has to be ended in good order.
pub struct Observing(Option<Traces>);

/// Starts logging, and traces if a collector is named. Once per process.
///
/// # Errors
/// [`TracesError::Exporter`]: the address of the collector is of no use. Log lines are written all the same.
pub fn start(log: &LogSettings, traces: Option<&TraceSettings>) -> Result<Observing, TracesError> {
    let begun = traces.map_or(Ok(None), Traces::begin);
    let (traces, failed) = match begun {
        Ok(traces) => (traces, None),
        Err(error) => (None, Some(error)),
    };
    let layer = traces.as_ref().map(Traces::layer);
    tracing_subscriber::registry().with(lines(log)).with(layer).init();
    failed.map_or(Ok(Observing(traces)), Err)
}

/// The lines, in their format and filtered; anything else in the process sees everything.
fn lines<S>(settings: &LogSettings) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    // The command line has read it before: it fits.
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    match settings.log_format {
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
        LogFormat::Text => {
            lines.with_target(false).with_ansi(io::stderr().is_terminal()).with_filter(filter).boxed()
        }
    }
}

impl Observing {
    /// Sends the last traces; three seconds at most.
    pub async fn end(self) {
        let Some(traces) = self.0 else { return };
        if let Err(error) = tokio::task::spawn_blocking(|| traces.end()).await {
            tracing::error!(%error, "ending the traces failed");
        }
    }
}
