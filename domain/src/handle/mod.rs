//! A user name (later also an e-mail) as a thing that only one account holds: unique by its stream.

use serde::{Deserialize, Serialize};

use crate::decider::{Decider, cqrs_aggregate, event_versions};
use crate::event::{AggregateEvent, Event};
use crate::ids::{AccountId, HandleId};
use crate::personal::PersonalVisitor;
use crate::stream::StreamId;

/// Facts about a handle, stored for ever: names and fields are a file format.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum HandleEvent {
    /// The handle belongs to an account now.
    HandleClaimed {
        /// Whose it is.
        account: AccountId,
    },
    /// The handle is free again.
    HandleReleased {
        /// Whose it was.
        account: AccountId,
    },
}

event_versions!(HandleEvent { HandleClaimed: "1.0", HandleReleased: "1.0" });

impl AggregateEvent for HandleEvent {
    fn of(event: &Event) -> Option<&Self> {
        if let Event::Handle(event) = event { Some(event) } else { None }
    }

    fn personal(&mut self, _stream: &StreamId, _visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::HandleClaimed { account: _ } | Self::HandleReleased { account: _ } => {}
        }
    }
}

/// A handle in one of its phases.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum Handle {
    /// Anybody may claim it.
    #[default]
    Free,
    /// Somebody holds it.
    Claimed {
        /// Who.
        by: AccountId,
    },
}

impl Handle {
    /// Who holds it.
    pub fn holder(&self) -> Option<AccountId> {
        match self {
            Self::Free => None,
            Self::Claimed { by } => Some(*by),
        }
    }
}

/// What may be asked of a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandleCommand {
    /// Take it.
    Claim {
        /// For whom.
        account: AccountId,
        /// Whether the name belongs to the product and nobody may have it.
        reserved: bool,
    },
    /// Give it back.
    Release {
        /// Who gives it back.
        account: AccountId,
    },
}

/// Why a handle says no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HandleError {
    /// Somebody else holds it, or the product itself does.
    #[error("the name is taken")]
    Taken,
    /// Only its holder gives it back.
    #[error("the name is held by somebody else")]
    NotHolder,
}

cqrs_aggregate!(Handle, "handle", HandleCommand, HandleEvent, HandleError);

impl Decider for Handle {
    type Id = HandleId;

    fn decide(&self, command: &HandleCommand) -> Result<Vec<HandleEvent>, HandleError> {
        match (command, self) {
            (HandleCommand::Claim { reserved: true, .. }, _) => Err(HandleError::Taken),
            (HandleCommand::Claim { account, .. }, Self::Free) => {
                Ok(vec![HandleEvent::HandleClaimed { account: *account }])
            }
            (HandleCommand::Claim { account, .. }, Self::Claimed { by }) => {
                if account == by {
                    Ok(vec![])
                } else {
                    Err(HandleError::Taken)
                }
            }
            (HandleCommand::Release { .. }, Self::Free) => Ok(vec![]),
            (HandleCommand::Release { account }, Self::Claimed { by }) => {
                if account != by {
                    return Err(HandleError::NotHolder);
                }
                Ok(vec![HandleEvent::HandleReleased { account: *account }])
            }
        }
    }

    fn evolve(&mut self, event: &HandleEvent) {
        *self = match event {
            HandleEvent::HandleClaimed { account } => Self::Claimed { by: *account },
            HandleEvent::HandleReleased { account: _ } => Self::Free,
        };
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    fn handle() -> TestFramework<Handle> {
        TestFramework::with(())
    }

    fn person(n: u128) -> AccountId {
        AccountId(Uuid::from_u128(n))
    }

    fn claim(n: u128) -> HandleCommand {
        HandleCommand::Claim { account: person(n), reserved: false }
    }

    fn claimed(n: u128) -> HandleEvent {
        HandleEvent::HandleClaimed { account: person(n) }
    }

    #[test]
    fn a_free_name_is_claimed_and_twice_adds_nothing() {
        handle().given_no_previous_events().when(claim(1)).then_expect_events(vec![claimed(1)]);
        handle().given(vec![claimed(1)]).when(claim(1)).then_expect_events(vec![]);
    }

    #[test]
    fn a_held_name_and_a_reserved_name_are_taken() {
        handle().given(vec![claimed(1)]).when(claim(2)).then_expect_error(HandleError::Taken);
        let reserved = HandleCommand::Claim { account: person(1), reserved: true };
        handle().given_no_previous_events().when(reserved).then_expect_error(HandleError::Taken);
    }

    #[test]
    fn only_the_holder_releases_and_then_anybody_may_claim() {
        let release = |n| HandleCommand::Release { account: person(n) };
        let released = HandleEvent::HandleReleased { account: person(1) };
        handle().given(vec![claimed(1)]).when(release(2)).then_expect_error(HandleError::NotHolder);
        handle().given(vec![claimed(1)]).when(release(1)).then_expect_events(vec![released.clone()]);
        handle().given(vec![claimed(1), released.clone()]).when(release(1)).then_expect_events(vec![]);
        handle().given(vec![claimed(1), released]).when(claim(2)).then_expect_events(vec![claimed(2)]);
    }
}
