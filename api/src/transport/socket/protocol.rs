//! The two subprotocols: names, messages in, messages out.

use async_graphql::ServerError;
use axum::extract::ws::Utf8Bytes;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::close::Close;

/// A subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `graphql-transport-ws`, of the graphql-ws library.
    Current,
    /// `graphql-ws`, of the older subscriptions-transport-ws library.
    Older,
}

/// A message of the client.
#[derive(Debug, PartialEq)]
pub(crate) enum Incoming {
    /// `connection_init` with its payload.
    Init(Map<String, Value>),
    /// `ping`, to be echoed with its payload.
    Ping(Option<Value>),
    /// `pong`.
    Pong,
    /// `subscribe` (older: `start`).
    Subscribe { id: String, payload: Map<String, Value> },
    /// `complete` (older: `stop`).
    Complete { id: String },
    /// `connection_terminate` of the older protocol.
    Terminate,
}

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Value>,
}

impl Dialect {
    /// The name in `Sec-WebSocket-Protocol`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Current => "graphql-transport-ws",
            Self::Older => "graphql-ws",
        }
    }

    /// The first of the client's offers that we speak.
    pub(crate) fn choose(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(header::SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(|offer| [Self::Current, Self::Older].into_iter().find(|own| own.name() == offer.trim()))
    }

    /// Reads one message.
    ///
    /// # Errors
    /// [`Close::BadMessage`]: not JSON, not an object, an unknown type, or a part is missing.
    pub(crate) fn read(self, text: &str) -> Result<Incoming, Close> {
        let frame: Frame = serde_json::from_str(text).map_err(|_| Close::BadMessage("Invalid message"))?;
        let id = |id: Option<String>| {
            id.filter(|id| !id.is_empty()).ok_or(Close::BadMessage("Invalid message: id is missing"))
        };
        match (self, frame.kind.as_str()) {
            (_, "connection_init") => match frame.payload {
                None | Some(Value::Null) => Ok(Incoming::Init(Map::new())),
                Some(Value::Object(payload)) => Ok(Incoming::Init(payload)),
                Some(_) => Err(Close::BadMessage("Invalid message: payload must be an object")),
            },
            (Self::Current, "subscribe") | (Self::Older, "start") => match frame.payload {
                Some(Value::Object(payload)) => Ok(Incoming::Subscribe { id: id(frame.id)?, payload }),
                _ => Err(Close::BadMessage("Invalid message: payload must be an object")),
            },
            (Self::Current, "complete") | (Self::Older, "stop") => {
                Ok(Incoming::Complete { id: id(frame.id)? })
            }
            (Self::Current, "ping") => Ok(Incoming::Ping(frame.payload)),
            (Self::Current, "pong") => Ok(Incoming::Pong),
            (Self::Older, "connection_terminate") => Ok(Incoming::Terminate),
            _ => Err(Close::BadMessage("Invalid message type")),
        }
    }

    /// `connection_ack`; without a payload when there is nothing to say.
    pub(crate) fn ack(payload: &Map<String, Value>) -> Utf8Bytes {
        if payload.is_empty() {
            return Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#);
        }
        json!({ "type": "connection_ack", "payload": payload }).to_string().into()
    }

    /// The server's sign of life.
    pub(crate) fn ping(self) -> Utf8Bytes {
        Utf8Bytes::from_static(match self {
            Self::Current => r#"{"type":"ping"}"#,
            Self::Older => r#"{"type":"ka"}"#,
        })
    }

    /// The answer to a `ping`.
    pub(crate) fn pong(payload: Option<&Value>) -> Utf8Bytes {
        match payload {
            None => Utf8Bytes::from_static(r#"{"type":"pong"}"#),
            Some(payload) => json!({ "type": "pong", "payload": payload }).to_string().into(),
        }
    }

    /// How every result of an operation begins: `next` (older: `data`), its id, and up to the payload.
    pub(crate) fn next_head(self, id: &str) -> Box<str> {
        let kind = match self {
            Self::Current => "next",
            Self::Older => "data",
        };
        format!(r#"{{"type":"{kind}","id":{},"payload":"#, Value::from(id)).into()
    }

    /// A result: a head and a payload, which is JSON already and may be on its way to other sockets too.
    pub(crate) fn next(head: &str, payload: &str) -> Utf8Bytes {
        [head, payload, "}"].concat().into()
    }

    /// A refused operation: `error` with the list of errors (older: with the first one).
    pub(crate) fn error(self, id: &str, errors: &[ServerError]) -> Utf8Bytes {
        let payload = match self {
            Self::Current => json!(errors),
            Self::Older => json!(errors.first()),
        };
        json!({ "type": "error", "id": id, "payload": payload }).to_string().into()
    }

    /// The end of an operation.
    pub(crate) fn complete(id: &str) -> Utf8Bytes {
        json!({ "type": "complete", "id": id }).to_string().into()
    }

    /// What the older protocol says before it refuses a connection.
    pub(crate) fn connection_error(self, message: &str) -> Option<Utf8Bytes> {
        (self == Self::Older).then(|| {
            json!({ "type": "connection_error", "payload": { "message": message } }).to_string().into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_the_subprotocol() {
        for (offer, dialect) in [
            ("graphql-transport-ws", Some(Dialect::Current)),
            ("graphql-ws, graphql-transport-ws", Some(Dialect::Older)),
            ("soap,graphql-transport-ws,graphql-ws", Some(Dialect::Current)),
            ("soap", None),
        ] {
            let headers = HeaderMap::from_iter([(header::SEC_WEBSOCKET_PROTOCOL, offer.parse().unwrap())]);
            assert_eq!(Dialect::choose(&headers), dialect, "{offer}");
        }
        assert_eq!(Dialect::choose(&HeaderMap::new()), None);
    }

    #[test]
    fn ids_are_spliced_in_escaped() {
        let frame = Dialect::next(&Dialect::Current.next_head("a\"\n"), r#"{"data":null}"#);
        let read: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(read, json!({ "type": "next", "id": "a\"\n", "payload": { "data": null } }));
    }
}
