//! What can be done, one file per mutation.

pub mod confirm_friend;
pub mod register;
pub mod request_friend;
pub mod send_message;
pub mod sign_in;
pub mod sign_out;
mod signed_in;

use async_graphql::MergedObject;

/// What can be done. Every mutation answers with `userErrors` when a rule says no; nothing happened then.
#[derive(MergedObject, Default)]
pub struct Mutation(
    register::Register,
    sign_in::SignIn,
    sign_out::SignOut,
    request_friend::RequestFriend,
    confirm_friend::ConfirmFriend,
    send_message::SendMessage,
);
