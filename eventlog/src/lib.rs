//! The event log on PostgreSQL: the only truth of Annal.
//!
//! One writer task per process appends finished decisions in batches, under one lock, so that positions
//! are dense and commit order is position order. Commands are decided on aggregates in memory; personal
//! fields are sealed before they are queued; secrets change in the transaction of their event.
//!
//! Invariant: this crate knows streams, events and their envelope, but no person and no conversation.
//! Invariant: nothing is acknowledged before it is committed and flushed.

mod attempts;
mod bus;
pub mod cluster;
mod config;
mod cqrs;
mod credentials;
mod epoch;
mod error;
pub mod fresh;
mod keys;
mod leaf;
mod log;
mod origins;
mod policies;
mod read;
mod seal;
mod stored;
mod tail;
#[cfg(feature = "testing")]
pub mod testing;
pub mod upcast;
mod wake;
mod writer;

pub use attempts::{Allowance, AttemptKey, Attempts, Lockout, Turn};
pub use bus::{CommandContext, Done, Outcome};
pub use config::LogConfig;
pub use cqrs::{CqrsStore, Loaded};
pub use credentials::{Bearer, Credentials};
pub use epoch::{Epoch, begin_epoch};
pub use error::{ExecuteError, LogError};
pub use fresh::{Clock, StoppedClock, SystemClock};
pub use keys::{MasterKey, MasterKeyError, MasterKeyId, MasterKeys, Rotation, has_keys, rotate_master_key};
pub use leaf::leaf_bytes;
pub use log::{EventLog, LogTasks};
pub use policies::PolicyCheckpoint;
pub use read::StreamPart;
pub use stored::StoredEvent;
pub use tail::LiveBatch;

/// The schema of the whole database, forward only.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// How to reach a database.
pub use sqlx::postgres::PgConnectOptions;

/// Brings the schema of a database up to date. Safe to call from several nodes at once.
pub async fn migrate(options: &PgConnectOptions) -> Result<(), LogError> {
    let mut connection = sqlx::ConnectOptions::connect(options).await?;
    MIGRATOR.run(&mut connection).await?;
    Ok(sqlx::Connection::close(connection).await?)
}
