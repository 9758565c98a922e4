//! What can be done, one file per mutation.

mod confirm_friend;
mod register;
mod request_friend;
mod send_message;
mod sign_in;
mod sign_out;
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
