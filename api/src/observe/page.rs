//! The page that Prometheus reads, on an address of its own.
//!
//! Not on the server's own address: a proxy passes everything on by default, and how much a server is used is
//! nobody else's business. There is no page until an operator names an address for it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::catalogue::{ALL, Kind};
use super::sample::Sampler;
use crate::refusals::UserErrorCode;
use crate::transport::{Code, REFUSALS, operation_labels};

/// Pause between two times that recorded values are put into their buckets; a scrape does it too.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What a batch may come to; the label `outcome` of `annal_append_batches_total`.
const BATCH_OUTCOMES: [&str; 4] = ["appended", "confirmed", "refused", "unknown"];

/// Why there is no metrics page.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for metrics: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Something else collects metrics in this process already.
    #[error("metrics cannot be collected: {0}")]
    Build(#[from] BuildError),
}

/// Collects the metrics of this process, and the socket that they are asked for on.
pub struct MetricsPage {
    handle: PrometheusHandle,
    listener: TcpListener,
    /// The address, with the port that was chosen.
    pub address: SocketAddr,
}

impl MetricsPage {
    /// Listens, and collects from now on. Once per process.
    ///
    /// # Errors
    /// [`MetricsError::Listen`]: the address is taken or not ours.
    /// [`MetricsError::Build`]: metrics are collected already.
    pub async fn open(address: SocketAddr) -> Result<Self, MetricsError> {
        let failed = |source| MetricsError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut builder = PrometheusBuilder::new();
        for metric in ALL {
            if let Kind::Histogram(bounds) = metric.kind {
                builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?;
            }
        }
        let handle = builder.install_recorder()?;
        describe();
        begin_at_zero();
        Ok(Self { handle, listener, address })
    }

    /// Serves `/metrics`, and beside it what `checks` answers, until the task is aborted: operators look while
    /// the server drains, too.
    pub fn serve(self, sampler: Sampler, checks: Router) -> JoinHandle<()> {
        let page = Router::new().route("/metrics", get(show)).with_state((self.handle.clone(), sampler));
        let handle = self.handle;
        tokio::spawn(async move {
            let upkeep = async {
                loop {
                    tokio::time::sleep(UPKEEP_EVERY).await;
                    handle.run_upkeep();
                }
            };
            tokio::select! {
                served = axum::serve(self.listener, page.merge(checks)) => {
                    if let Err(error) = served {
                        tracing::error!(%error, "the metrics page ended");
                    }
                }
                () = upkeep => {}
            }
        })
    }
}

async fn show(State((handle, sampler)): State<(PrometheusHandle, Sampler)>) -> impl IntoResponse {
    sampler.sample().await;
    ([(header::CONTENT_TYPE, TEXT)], handle.render())
}

fn describe() {
    for metric in ALL {
        // Units are part of the names.
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, Unit::Count, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, Unit::Count, metric.help),
            Kind::Histogram(_) => describe_histogram!(metric.name, Unit::Count, metric.help),
        }
    }
}

/// Shows what has not happened yet as zero: a counter that appears with its first event hides that event from
/// rates.
fn begin_at_zero() {
    for code in Code::ALL.map(Code::as_str).into_iter().chain(UserErrorCode::names()) {
        counter!(REFUSALS, "code" => code).absolute(0);
    }
    for (kind, outcome) in operation_labels() {
        counter!("annal_graphql_operations_total", "kind" => kind, "outcome" => outcome).absolute(0);
    }
    for outcome in BATCH_OUTCOMES {
        counter!("annal_append_batches_total", "outcome" => outcome).absolute(0);
    }
    for metric in ALL.iter().filter(|metric| metric.labels.is_empty()) {
        match metric.kind {
            Kind::Counter => counter!(metric.name).absolute(0),
            Kind::Gauge => gauge!(metric.name).set(0),
            // Registering is enough to be shown.
            Kind::Histogram(_) => drop(histogram!(metric.name)),
        }
    }
    for kind in ["query", "mutation"] {
        drop(histogram!("annal_graphql_operation_seconds", "kind" => kind));
    }
    gauge!("annal_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
}
