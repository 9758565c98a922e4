//! Annal's server: GraphQL, live delivery, sign-in, and the command line.
//!
//! Invariant: no SQL and no rule lives here; both have a room of their own.

pub mod accounts;
pub mod cli;
pub mod graphql;
pub mod limits;
pub mod live;
pub mod observe;
pub mod policies;
pub mod refusals;
pub mod server;
pub mod settings;
pub mod transport;
