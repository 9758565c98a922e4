//! What people ask for, one file per action.

mod confirm_erasure;
mod confirm_friend;
mod erase_person;
mod note_refused_sign_ins;
mod register;
mod request_friend;
mod send_message;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod world;

pub use confirm_erasure::ConfirmErasure;
pub use confirm_friend::ConfirmFriend;
pub use erase_person::ErasePerson;
pub use note_refused_sign_ins::NoteRefusedSignIns;
pub use register::Register;
pub use request_friend::RequestFriend;
pub use send_message::SendMessage;
pub use sign_in::{NewSession, SignIn};
pub use sign_out::SignOut;
