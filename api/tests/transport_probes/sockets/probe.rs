//! A client that sends exactly what it is told and says exactly what comes back.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::Server;

/// Nothing in these tests takes longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// The current subprotocol.
pub(crate) const CURRENT: &str = "graphql-transport-ws";
/// The older subprotocol.
pub(crate) const OLDER: &str = "graphql-ws";

/// One open socket.
pub(crate) struct Probe {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What the server chose.
    pub(crate) subprotocol: Option<String>,
}

impl Probe {
    /// Opens a socket with headers of one's own.
    pub(crate) async fn try_open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}/graphql/ws", server.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        match connect_async(request).await {
            Ok((socket, response)) => {
                let chosen = response.headers().get("sec-websocket-protocol");
                Ok(Self { socket, subprotocol: chosen.map(|name| name.to_str().unwrap().to_owned()) })
            }
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a socket with a subprotocol.
    pub(crate) async fn open(server: &Server, subprotocols: &str) -> Self {
        Self::try_open(server, &[("sec-websocket-protocol", subprotocols)]).await.unwrap()
    }

    /// Opens a socket and is greeted.
    pub(crate) async fn greeted(server: &Server, token: Option<&str>) -> Self {
        let mut probe = Self::open(server, CURRENT).await;
        probe.say(&json!({ "type": "connection_init", "payload": { "token": token } })).await;
        assert_eq!(probe.hear().await["type"], "connection_ack");
        probe
    }

    /// Sends a message.
    pub(crate) async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends any frame.
    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Subscribes.
    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    /// The next JSON message.
    pub(crate) async fn hear(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("no message but {other:?}"),
        }
    }

    /// The next frame of any kind but heartbeats of the WebSocket itself.
    pub(crate) async fn frame(&mut self) -> Message {
        loop {
            match timeout(DEADLINE, self.socket.next())
                .await
                .expect("in time")
                .expect("not torn down")
                .unwrap()
            {
                Message::Ping(_) | Message::Pong(_) => {}
                frame => return frame,
            }
        }
    }

    /// The code with which the server closes, and what it said before.
    pub(crate) async fn closed(&mut self) -> (u16, Vec<Value>) {
        let mut heard = Vec::new();
        loop {
            match self.frame().await {
                Message::Text(text) => heard.push(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(frame)) => return (frame.code.into(), heard),
                other => panic!("no close frame but {other:?}"),
            }
        }
    }
}
