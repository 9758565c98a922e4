//! The rules of friendship.

use super::{Friendship, FriendshipEvent};
use crate::decider::{Decider, cqrs_aggregate};
use crate::ids::{AccountId, Pair};

/// What may be asked of a friendship.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FriendshipCommand {
    /// Ask the other to be friends; agrees when the other asked before.
    Request {
        /// Who asks.
        from: AccountId,
        /// Who is asked.
        to: AccountId,
    },
    /// Agree to a request.
    Confirm {
        /// Who agrees.
        by: AccountId,
    },
}

/// Why a friendship says no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FriendshipError {
    /// Nobody is their own friend.
    #[error("one cannot befriend oneself")]
    WithOneself,
    /// There is nothing to ask for.
    #[error("already friends")]
    AlreadyFriends,
    /// Nobody asked.
    #[error("there is no open request")]
    NoRequest,
    /// The other one has to answer.
    #[error("one cannot confirm one's own request")]
    OwnRequest,
}

cqrs_aggregate!(Friendship, "friendship", FriendshipCommand, FriendshipEvent, FriendshipError);

impl Decider for Friendship {
    type Id = Pair;

    fn decide(&self, command: &FriendshipCommand) -> Result<Vec<FriendshipEvent>, FriendshipError> {
        match command {
            FriendshipCommand::Request { from, to } => match self {
                Self::Strangers => Ok(vec![FriendshipEvent::FriendRequested { from: *from, to: *to }]),
                Self::Requested { by } if by == from => Ok(vec![]),
                Self::Requested { by } => {
                    Ok(vec![FriendshipEvent::FriendRequestConfirmed { from: *by, by: *from }])
                }
                Self::Friends => Err(FriendshipError::AlreadyFriends),
            },
            FriendshipCommand::Confirm { by: confirmer } => match self {
                Self::Strangers => Err(FriendshipError::NoRequest),
                Self::Requested { by } if by == confirmer => Err(FriendshipError::OwnRequest),
                Self::Requested { by } => {
                    Ok(vec![FriendshipEvent::FriendRequestConfirmed { from: *by, by: *confirmer }])
                }
                Self::Friends => Ok(vec![]),
            },
        }
    }

    fn evolve(&mut self, event: &FriendshipEvent) {
        *self = match event {
            FriendshipEvent::FriendRequested { from, to: _ } => Self::Requested { by: *from },
            FriendshipEvent::FriendRequestConfirmed { from: _, by: _ } => Self::Friends,
        };
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    fn friendship() -> TestFramework<Friendship> {
        TestFramework::with(())
    }

    fn ann() -> AccountId {
        AccountId(Uuid::from_u128(1))
    }

    fn bob() -> AccountId {
        AccountId(Uuid::from_u128(2))
    }

    fn request(from: AccountId, to: AccountId) -> FriendshipCommand {
        FriendshipCommand::Request { from, to }
    }

    fn requested() -> FriendshipEvent {
        FriendshipEvent::FriendRequested { from: ann(), to: bob() }
    }

    fn confirmed() -> FriendshipEvent {
        FriendshipEvent::FriendRequestConfirmed { from: ann(), by: bob() }
    }

    #[test]
    fn a_stranger_may_ask_and_asking_twice_adds_nothing() {
        let ask = request(ann(), bob());
        friendship().given_no_previous_events().when(ask).then_expect_events(vec![requested()]);
        friendship().given(vec![requested()]).when(ask).then_expect_events(vec![]);
    }

    #[test]
    fn crossing_requests_settle_each_other() {
        friendship()
            .given(vec![requested()])
            .when(request(bob(), ann()))
            .then_expect_events(vec![confirmed()]);
    }

    #[test]
    fn the_one_who_was_asked_confirms_and_twice_adds_nothing() {
        let confirm = FriendshipCommand::Confirm { by: bob() };
        friendship().given(vec![requested()]).when(confirm).then_expect_events(vec![confirmed()]);
        friendship().given(vec![requested(), confirmed()]).when(confirm).then_expect_events(vec![]);
    }

    #[test]
    fn nobody_confirms_their_own_request() {
        friendship()
            .given(vec![requested()])
            .when(FriendshipCommand::Confirm { by: ann() })
            .then_expect_error(FriendshipError::OwnRequest);
    }

    #[test]
    fn there_is_nothing_to_confirm_without_a_request() {
        friendship()
            .given_no_previous_events()
            .when(FriendshipCommand::Confirm { by: bob() })
            .then_expect_error(FriendshipError::NoRequest);
    }

    #[test]
    fn friends_do_not_ask_again() {
        friendship()
            .given(vec![requested(), confirmed()])
            .when(request(ann(), bob()))
            .then_expect_error(FriendshipError::AlreadyFriends);
    }
}
