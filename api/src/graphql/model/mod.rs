//! The nouns of the schema.

mod conversation;
mod friend;
mod message;
mod person;
mod viewer;

pub use conversation::{Conversation, ConversationKind};
pub use friend::{Friend, FriendRequest, FriendRequestDirection};
pub use message::Message;
pub use person::Person;
pub use viewer::Viewer;
