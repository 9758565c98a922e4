//! The nouns of the schema.

pub mod conversation;
pub mod friend;
pub mod member;
pub mod message;
pub mod person;
pub mod viewer;

pub use conversation::{Conversation, ConversationKind};
pub use friend::{Friend, FriendRequest, FriendRequestDirection};
pub use member::{Member, MemberRole};
pub use message::Message;
pub use person::Person;
pub use viewer::Viewer;
