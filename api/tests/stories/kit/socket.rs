//! A `graphql-transport-ws` client, frame by frame.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::soon;

/// A greeted socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What the server said to `connection_init`.
    pub(crate) welcome: Heard,
}

/// A socket with one subscription to `updates`.
pub(crate) struct Updates(Socket);

/// Everything about what happens to groups.
const GROUPS: &str = "... on MemberJoinedUpdate { conversationId member { id userName } by { id } }
    ... on MemberLeftUpdate { conversationId member { id } }
    ... on MemberRemovedUpdate { conversationId member { id } by { id } }
    ... on ManagerAppointedUpdate { conversationId member { id } by { id } }
    ... on ManagerDismissedUpdate { conversationId member { id } by { id } }
    ... on OwnershipTransferredUpdate { conversationId from { id } to { id } }
    ... on GroupRenamedUpdate { conversationId name by { id } }
    ... on GroupDissolvedUpdate { conversationId by { id } }";

/// What a socket hears next.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Message(Value),
    Closed(u16),
}

impl Socket {
    /// Opens a socket and says hello; the HTTP status when there is no upgrade.
    pub(crate) async fn open(
        address: SocketAddr,
        token: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let tcp = TcpSocket::new_v4().unwrap();
        // A client that does not read shall be noticed after kilobytes, not megabytes.
        tcp.set_recv_buffer_size(4_096).unwrap();
        let tcp = MaybeTlsStream::Plain(soon(tcp.connect(address)).await.unwrap());
        let stream = match soon(tokio_tungstenite::client_async(request, tcp)).await {
            Ok((stream, _)) => stream,
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => return Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        };
        let mut socket = Self { stream, welcome: Heard::Closed(1006) };
        let payload = token.map_or(json!({}), |token| json!({ "token": token }));
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        socket.welcome = socket.hear().await;
        Ok(socket)
    }

    pub(crate) async fn say(&mut self, message: Value) {
        // A server that turns a caller away does not wait for what it has to say.
        drop(soon(self.stream.send(Message::text(message.to_string()))).await);
    }

    /// The next message that is not a heartbeat, or the close code.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            match soon(self.stream.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "ping" {
                        self.say(json!({ "type": "pong" })).await;
                    } else if message["type"] != "pong" {
                        return Heard::Message(message);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map_or(1005, |f| f.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(1006),
            }
        }
    }

    /// Subscribes to everything that concerns the person.
    pub(crate) async fn updates(self, after: Option<&str>) -> Updates {
        let query = format!(
            "subscription ($after: Position) {{ updates(after: $after) {{ position at event {{ __typename
                ... on SignInRefusedUpdate {{ times }}
                ... on MessageSentUpdate {{ {MESSAGE} }}
                ... on FriendRequestedUpdate {{ friendRequestId from {{ id userName }} to {{ id userName }} }}
                ... on FriendConfirmedUpdate {{ from {{ id }} by {{ id userName }} }}
                ... on ConversationStartedUpdate {{ conversationId kind name members {{ id }} }}
                {GROUPS} }} }} }}",
            MESSAGE = super::actor::MESSAGE,
        );
        self.subscribes(&query, json!({ "after": after })).await
    }

    /// Subscribes with a document of one's own.
    pub(crate) async fn subscribes(mut self, query: &str, variables: Value) -> Updates {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "id": "updates", "type": "subscribe", "payload": payload })).await;
        Updates(self)
    }
}

impl Updates {
    /// The next update.
    pub(crate) async fn next(&mut self) -> Value {
        match self.0.hear().await {
            Heard::Message(message) => {
                assert_eq!(message["type"], "next", "{message}");
                let payload = &message["payload"];
                assert!(payload.get("errors").is_none(), "{payload}");
                payload["data"]["updates"].clone()
            }
            Heard::Closed(code) => panic!("the socket was closed with {code}"),
        }
    }

    /// The next update of a kind; others are passed over.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let update = self.next().await;
            if update["event"]["__typename"] == kind {
                return update;
            }
        }
    }

    /// What comes next, whatever it is.
    pub(crate) async fn hear(&mut self) -> Heard {
        self.0.hear().await
    }
}
