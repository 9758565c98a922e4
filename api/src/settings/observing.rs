//! What operators see, and where.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// The log on standard error. Shared by every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Observing")]
pub struct LogSettings {
    /// What to log: error, warn, info, debug or trace, or per module as `RUST_LOG` takes it.
    #[arg(
        long, env = "ANNAL_LOG", default_value = "info,sqlx=warn", value_parser = filter, global = true
    )]
    pub log: String,

    /// How to write log lines: for people, or as one JSON object a line.
    #[arg(long, env = "ANNAL_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Metrics and traces of `annal serve`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Observing")]
pub struct ObserveSettings {
    /// An address of its own for `/metrics`, and `/healthz` and `/readyz` beside it, such as 127.0.0.1:9464.
    /// Without it no metrics are collected. Not for the public: it tells how much the server is used.
    #[arg(long, env = "ANNAL_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,

    /// Traces.
    #[command(flatten)]
    pub traces: TraceSettings,
}

/// Where traces go.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Observing")]
pub struct TraceSettings {
    /// The OpenTelemetry collector that traces are sent to over OTLP/HTTP, such as <http://localhost:4318>.
    /// Without it nothing is traced. Plain HTTP only: put a collector near.
    #[arg(long, env = "ANNAL_OTLP_ENDPOINT", value_parser = plain_http)]
    pub otlp_endpoint: Option<String>,

    /// The share of operations and batches that is traced, from 0.0 to 1.0, where no caller has decided it.
    #[arg(long, env = "ANNAL_TRACE_RATIO", default_value_t = 1.0, value_parser = ratio)]
    pub trace_ratio: f64,
}

fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn plain_http(text: &str) -> Result<String, String> {
    let fits = text.strip_prefix("http://").is_some_and(|host| !host.is_empty());
    if fits { Ok(text.to_owned()) } else { Err("it must begin with http://".to_owned()) }
}

fn ratio(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        Ok(_) | Err(_) => Err("it must be a number from 0.0 to 1.0".to_owned()),
    }
}
