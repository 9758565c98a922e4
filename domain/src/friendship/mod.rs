//! What is between two people: strangers, asked, friends.

mod decide;
mod event;

use serde::{Deserialize, Serialize};

pub use decide::{FriendshipCommand, FriendshipError};
pub use event::FriendshipEvent;

use crate::ids::AccountId;

/// What is between the two of a pair.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum Friendship {
    /// Nothing.
    #[default]
    Strangers,
    /// One asked the other, who has not answered.
    Requested {
        /// Who asked.
        by: AccountId,
    },
    /// Both agreed.
    Friends,
}
