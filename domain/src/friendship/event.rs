//! Facts about a pair of people, stored for ever: names and fields are a file format.

use serde::{Deserialize, Serialize};

use crate::decider::event_versions;
use crate::event::{AggregateEvent, Event};
use crate::ids::AccountId;
use crate::personal::PersonalVisitor;
use crate::stream::StreamId;

/// What happens between two people.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum FriendshipEvent {
    /// One asked the other to be friends.
    FriendRequested {
        /// Who asks.
        from: AccountId,
        /// Who is asked.
        to: AccountId,
    },
    /// The one who was asked agreed.
    FriendRequestConfirmed {
        /// Who had asked.
        from: AccountId,
        /// Who agreed.
        by: AccountId,
    },
}

event_versions!(FriendshipEvent { FriendRequested: "1.0", FriendRequestConfirmed: "1.0" });

impl AggregateEvent for FriendshipEvent {
    fn of(event: &Event) -> Option<&Self> {
        if let Event::Friendship(event) = event { Some(event) } else { None }
    }

    fn personal(&mut self, _stream: &StreamId, _visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::FriendRequested { from: _, to: _ } | Self::FriendRequestConfirmed { from: _, by: _ } => {}
        }
    }
}
