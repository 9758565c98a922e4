//! What people ask for, one file per action.

mod add_members;
mod appoint_manager;
mod confirm_erasure;
mod confirm_friend;
mod create_group;
mod dismiss_manager;
mod dissolve_group;
mod erase_person;
mod leave_group;
mod note_refused_sign_ins;
mod register;
mod remove_member;
mod rename_group;
mod request_friend;
mod send_message;
mod sign_in;
mod sign_out;
mod transfer_ownership;
#[cfg(test)]
mod world;

pub use add_members::AddMembers;
pub use appoint_manager::AppointManager;
pub use confirm_erasure::ConfirmErasure;
pub use confirm_friend::ConfirmFriend;
pub use create_group::CreateGroup;
pub use dismiss_manager::DismissManager;
pub use dissolve_group::DissolveGroup;
pub use erase_person::ErasePerson;
pub use leave_group::LeaveGroup;
pub use note_refused_sign_ins::NoteRefusedSignIns;
pub use register::Register;
pub use remove_member::RemoveMember;
pub use rename_group::RenameGroup;
pub use request_friend::RequestFriend;
pub use send_message::SendMessage;
pub use sign_in::{NewSession, SignIn};
pub use sign_out::SignOut;
pub use transfer_ownership::TransferOwnership;
