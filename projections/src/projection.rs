//! What every projection is, and which there are.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Personal, Position, Recorded};
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::views;

/// One view's tables and the fold that fills them.
///
/// A fold is a function of the events alone: the same rows come of any cut into batches. It folds in
/// memory first and then writes with a few set-based statements per batch, never one per event.
#[async_trait]
pub trait Projection: Send + Sync {
    /// The name with the version: another fold or other tables get another name, and the view builds
    /// itself beside the old one.
    fn name(&self) -> &'static str;

    /// The tables, without a schema. No other projection has a table of these names.
    fn tables(&self) -> &'static [&'static str];

    /// Statements that create the tables and indexes, without a schema: they are made in the one that
    /// stands first in `search_path`.
    fn create_sql(&self) -> &'static str;

    /// Applies the events of a batch, oldest first, in the caller's transaction. `search_path` leads to
    /// the tables.
    ///
    /// # Errors
    /// Any error undoes the transaction; the batch is tried again, then its poison is looked for.
    async fn apply(&self, connection: &mut PgConnection, batch: &[Recorded]) -> Result<(), ProjectionError>;
}

/// Some projections that are kept together.
pub type Catalogue = Vec<Arc<dyn Projection>>;

/// Every projection of this build.
pub fn catalogue() -> Catalogue {
    vec![
        Arc::new(views::People),
        Arc::new(views::Friends),
        Arc::new(views::ConversationList),
        Arc::new(views::Timeline),
        Arc::new(views::AccountStreams),
    ]
}

/// The text of a personal field as views hold it: null when it was erased.
///
/// # Errors
/// [`ProjectionError::Damaged`]: the field is still sealed, so the event was not read through the log.
pub(crate) fn text_of<T: AsRef<str>>(
    field: &Personal<T>,
    position: Position,
) -> Result<Option<&str>, ProjectionError> {
    match field {
        Personal::Open(text) => Ok(Some(text.as_ref())),
        Personal::Erased => Ok(None),
        Personal::Sealed(_) => Err(ProjectionError::Damaged(position)),
    }
}

#[cfg(test)]
pub(crate) mod fixture;
