//! Putting the house together, and taking it down in good order.

mod house;
mod readiness;
mod routes;
mod storage;

pub use house::{House, HouseError};
pub use storage::{Storage, StorageError, read_master_key};

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::observe::{MetricsError, MetricsPage};
use crate::settings::ServeSettings;

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The house does not stand.
    #[error(transparent)]
    House(#[from] HouseError),
    /// Metrics cannot be shown.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The listener failed.
    #[error("serving failed: {0}")]
    Serve(#[from] std::io::Error),
}

/// Where a server is open.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Its address.
    pub address: SocketAddr,
    /// The address of its metrics, if there are any.
    pub metrics: Option<SocketAddr>,
}

/// Serves until `stop` resolves, then drains: `/readyz` says no, and after the configured notice sockets close
/// with 1012, open requests are finished within the configured time, everything queued is committed, and the
/// private PostgreSQL stops. `ready` is told the addresses once requests are answered.
pub async fn serve(
    settings: ServeSettings,
    stop: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(Open),
) -> Result<(), ServeError> {
    let address = settings.listen;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let metrics = match settings.observe.metrics_listen {
        Some(address) => Some(MetricsPage::open(address).await?),
        None => None,
    };
    let storage = Storage::open(&settings.data).await?;
    let (draining, drained) = watch::channel(false);
    let house = House::build(&settings, &storage, drained.clone()).await?;
    let open = Open {
        address: listener.local_addr().map_err(listen)?,
        metrics: metrics.as_ref().map(|page| page.address),
    };
    let page = metrics.map(|page| page.serve(house.sampler(), house.checks()));
    let serving = tokio::spawn(serve_until(drained, listener, house.router()));
    ready(open);
    stop.await;
    house.leave();
    tokio::time::sleep(settings.notice()).await;
    tracing::info!("stopping: finishing open requests");
    draining.send_replace(true);
    match tokio::time::timeout(settings.drain(), serving).await {
        Ok(Ok(served)) => served?,
        Ok(Err(error)) => tracing::error!(%error, "the server task did not end well"),
        Err(_) => tracing::warn!("some requests took too long and were cut off"),
    }
    house.close().await;
    if let Some(page) = page {
        page.abort();
    }
    Ok(storage.close().await?)
}

/// Takes new requests until the server drains, and ends with the last one.
async fn serve_until(
    mut drained: watch::Receiver<bool>,
    listener: TcpListener,
    router: Router,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let finish = async move {
        // A sender that is gone means the same: stop.
        drop(drained.wait_for(|draining| *draining).await);
    };
    axum::serve(listener, service).with_graceful_shutdown(finish).await
}
