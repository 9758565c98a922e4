//! A `graphql-transport-ws` client with one subscription, as light as it can be.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::friends::Person;

const DOCUMENT: &str =
    "subscription ($after: Position) { updates(after: $after) { position event { __typename
    ... on MessageSentUpdate { message { id number conversationId sentAt sender { id }
    content { ... on TextContent { text } } } } } } }";

/// A socket that listens to a person's updates.
pub(crate) struct Listener(WebSocketStream<TcpStream>);

/// An update, as far as it matters here.
pub(crate) struct Heard {
    pub(crate) position: i64,
    pub(crate) text: String,
}

impl Listener {
    /// Connects, signs in and subscribes; only what is sent from now on when `after` is none.
    pub(crate) async fn open(port: u16, person: &Person, after: Option<i64>) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut request = format!("ws://127.0.0.1:{port}/graphql/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let small = WebSocketConfig::default().read_buffer_size(2_048).write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, stream, Some(small)).await.unwrap();
        let mut listener = Self(stream);
        listener.say(&json!({ "type": "connection_init", "payload": { "token": &*person.token } })).await;
        let welcome = listener.text().await;
        assert!(welcome.contains("connection_ack"), "{welcome}");
        let after = after.map(|after| after.to_string());
        let payload = json!({ "query": DOCUMENT, "variables": { "after": after } });
        listener.say(&json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        listener
    }

    async fn say(&mut self, message: &serde_json::Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next text that is not a heartbeat, which is answered.
    async fn text(&mut self) -> String {
        loop {
            match self.0.next().await.expect("the socket stays open").unwrap() {
                Message::Text(text) if text.starts_with(r#"{"type":"ping""#) => {
                    self.say(&json!({ "type": "pong" })).await;
                }
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Close(frame) => panic!("the server closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next update. The text is cut out, not parsed: the client must not cost more than the server.
    pub(crate) async fn next(&mut self) -> Heard {
        let frame = self.text().await;
        let between = |begin: &str| {
            let rest = &frame[frame.find(begin)? + begin.len()..];
            Some(&rest[..rest.find('"')?])
        };
        let position = between(r#""position":""#).unwrap_or_else(|| panic!("no update: {frame}"));
        let text = between(r#""text":""#).unwrap_or_default();
        Heard { position: position.parse().unwrap(), text: text.to_owned() }
    }

    /// The next message with this text; others are passed over.
    pub(crate) async fn hears(&mut self, text: &str) -> Heard {
        loop {
            let heard = self.next().await;
            if heard.text == text {
                return heard;
            }
        }
    }
}
