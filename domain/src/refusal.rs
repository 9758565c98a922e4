//! Every way in which the rules say no.

use crate::account::AccountError;
use crate::contacts::ContactsError;
use crate::conversation::ConversationError;
use crate::friendship::FriendshipError;
use crate::handle::HandleError;
use crate::values::InvalidValue;

/// A domain outcome, not a fault: the caller is told what and why, and may try something else.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// A value of the input breaks its rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// The account says no.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The user name says no.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// What is between the two says no.
    #[error(transparent)]
    Friendship(#[from] FriendshipError),
    /// The address book says no.
    #[error(transparent)]
    Contacts(#[from] ContactsError),
    /// The conversation says no.
    #[error(transparent)]
    Conversation(#[from] ConversationError),
}
