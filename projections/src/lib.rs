//! Views: what the log says, arranged by the questions that people ask.
//!
//! Each view is one file: its table, its fold, its reads. One task, the [`Projector`], reads the log in
//! batches and moves views and checkpoints in one transaction, so an event takes effect exactly once,
//! whatever crashes. Every view can be dropped and built again ([`rebuild`]), and be proved equal to the
//! log ([`verify`]).
//!
//! Invariant: a view has one writer, its fold. There is no clock, no randomness and no I/O in a fold.
//! Invariant: nothing here has effects outside of the schema `views` (and its shadows).

mod ahead;
mod checkpoint;
mod config;
mod error;
mod position;
mod projection;
mod projector;
mod rebuild;
mod schema;
mod shadow;
mod status;
mod stopped;
mod verify;
mod views;

pub use config::ProjectorConfig;
pub use error::ProjectionError;
pub use position::Waited;
pub use projection::{Catalogue, Projection, catalogue};
pub use projector::{Projector, ProjectorTask};
pub use rebuild::rebuild;
pub use shadow::Progress;
pub use status::{ViewState, ViewStatus, status};
pub use verify::{Verdict, verify};
pub use views::{
    ConversationKind, ConversationRow, Direction, Friend, FriendRequest, MemberPage, MemberRow, MessageKind,
    MessageRow, Order, Person, ROWS_MAX, RequestState, TimelinePage, Views,
};
