//! Global ids: opaque text that carries its type, so that an id of the wrong type finds nothing.

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AccountId, Position};

/// What an id names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum NodeId {
    /// A person, by account.
    Person(AccountId),
    /// A conversation, by the position of its start.
    Conversation(Position),
    /// A message, by the position of its sending.
    Message(Position),
    /// A friend request, by the position of its asking.
    FriendRequest(Position),
}

impl NodeId {
    /// Reads an id; none when it names nothing of ours.
    pub(super) fn parse(id: &ID) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(id.as_str()).ok()?;
        let (kind, key) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        let position = || key.parse().ok().filter(|position| *position > 0).map(Position);
        match kind {
            "person" => key.parse().ok().map(Self::Person),
            "conversation" => position().map(Self::Conversation),
            "message" => position().map(Self::Message),
            "friend_request" => position().map(Self::FriendRequest),
            _ => None,
        }
    }

    /// The person that an id names.
    pub(super) fn person(id: &ID) -> Option<AccountId> {
        if let Some(Self::Person(account)) = Self::parse(id) { Some(account) } else { None }
    }

    /// The conversation that an id names.
    pub(super) fn conversation(id: &ID) -> Option<Position> {
        if let Some(Self::Conversation(position)) = Self::parse(id) { Some(position) } else { None }
    }
}

impl From<NodeId> for ID {
    fn from(id: NodeId) -> Self {
        let text = match id {
            NodeId::Person(account) => format!("person:{account}"),
            NodeId::Conversation(position) => format!("conversation:{position}"),
            NodeId::Message(position) => format!("message:{position}"),
            NodeId::FriendRequest(position) => format!("friend_request:{position}"),
        };
        ID(URL_SAFE_NO_PAD.encode(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let account = AccountId(uuid::Uuid::from_u128(7));
        for id in [
            NodeId::Person(account),
            NodeId::Conversation(Position(1)),
            NodeId::Message(Position(2)),
            NodeId::FriendRequest(Position(3)),
        ] {
            assert_eq!(NodeId::parse(&id.into()), Some(id));
        }
    }

    #[test]
    fn nonsense_names_nothing() {
        for text in ["", "x", "你好", "cGVyc29uOng", "bWVzc2FnZTotMQ", "bWVzc2FnZTow", "YTpi"] {
            assert_eq!(NodeId::parse(&ID(text.into())), None, "{text}");
        }
        assert_eq!(NodeId::person(&NodeId::Message(Position(1)).into()), None);
    }
}
