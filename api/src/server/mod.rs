//! Putting the house together, and taking it down in good order.

mod house;
mod routes;
mod storage;

pub use house::{House, HouseError};
pub use storage::{Storage, StorageError, read_master_key};

use std::future::IntoFuture as _;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

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

/// Serves until `stop` resolves, then drains: sockets close with 1012, open requests are finished within
/// the configured time, everything queued is committed, and the private PostgreSQL stops.
/// `ready` is told the address once requests are answered.
pub async fn serve(
    settings: ServeSettings,
    stop: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let address = settings.listen;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let storage = Storage::open(&settings.data).await?;
    let (draining, drained) = watch::channel(false);
    let house = House::build(&settings, &storage, drained.clone()).await?;
    let service = house.router().into_make_service_with_connect_info::<SocketAddr>();
    let mut told = drained;
    let finish = async move {
        // A sender that is gone means the same: stop.
        drop(told.wait_for(|draining| *draining).await);
    };
    ready(listener.local_addr().map_err(listen)?);
    let serving = tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(finish).into_future());
    stop.await;
    tracing::info!("stopping: finishing open requests");
    draining.send_replace(true);
    match tokio::time::timeout(settings.drain(), serving).await {
        Ok(Ok(served)) => served?,
        Ok(Err(error)) => tracing::error!(%error, "the server task did not end well"),
        Err(_) => tracing::warn!("some requests took too long and were cut off"),
    }
    house.close().await;
    Ok(storage.close().await?)
}
