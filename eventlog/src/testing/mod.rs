//! Real PostgreSQL databases for tests, for each test its own.
//!
//! All test processes share one private cluster without durability in `target/test-postgres`, which leads to a file
//! system in memory where there is one: the first that needs it starts it, and it stays until
//! `scripts/stop-test-postgres` ends it. A [`TestDatabase`] is a clone of a migrated
//! [`Template`]. Tests that kill the server take a [`PrivateCluster`] of their own.

mod database;
mod detached;
mod error;
mod private;
mod shared;
mod template;

pub use database::TestDatabase;
pub use error::TestingError;
pub use private::PrivateCluster;
pub use template::Template;

/// The advisory lock that orders all appends of a database, for tests that take it away.
pub const APPEND_LOCK: i64 = crate::writer::APPEND_LOCK;
