//! What can be done, one file per mutation.

pub mod add_group_members;
pub mod appoint_manager;
pub mod confirm_friend;
pub mod create_group;
pub mod dismiss_manager;
pub mod dissolve_group;
mod in_group;
pub mod leave_group;
pub mod register;
pub mod remove_group_member;
pub mod rename_group;
pub mod request_friend;
pub mod send_message;
pub mod sign_in;
pub mod sign_out;
mod signed_in;
pub mod transfer_ownership;

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
    create_group::CreateGroup,
    add_group_members::AddGroupMembers,
    leave_group::LeaveGroup,
    remove_group_member::RemoveGroupMember,
    appoint_manager::AppointManager,
    dismiss_manager::DismissManager,
    transfer_ownership::TransferOwnership,
    rename_group::RenameGroup,
    dissolve_group::DissolveGroup,
);
