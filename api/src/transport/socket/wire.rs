//! The socket itself: every write has a time limit, nothing else touches it.

use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use tokio::time::timeout;

use super::close::Close;

/// How long the close frame may take, and then the client's answer to it.
const GOODBYE: Duration = Duration::from_secs(1);

/// One WebSocket with bounded writes.
pub(crate) struct Wire {
    socket: WebSocket,
    stalled: Duration,
}

/// What came in.
pub(crate) enum Received {
    /// A text message.
    Text(Utf8Bytes),
    /// A ping or pong of the WebSocket itself; the library has answered it.
    Heartbeat,
    /// The client is gone or said goodbye.
    Gone,
    /// Something that the protocol does not know.
    Refused(Close),
}

impl Wire {
    /// A socket whose writes may take `stalled` each.
    pub(crate) fn new(socket: WebSocket, stalled: Duration) -> Self {
        Self { socket, stalled }
    }

    /// Waits for the next message; may be dropped at any time without losing one.
    pub(crate) async fn receive(&mut self) -> Received {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => Received::Text(text),
            Some(Ok(Message::Binary(_))) => {
                Received::Refused(Close::BadMessage("Binary messages are not read"))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::Heartbeat,
            Some(Err(error)) if is_too_large(&error) => Received::Refused(Close::TooLarge),
            Some(Err(error)) if is_not_utf8(&error) => Received::Refused(Close::BadMessage("Invalid UTF-8")),
            None | Some(Ok(Message::Close(_)) | Err(_)) => Received::Gone,
        }
    }

    /// Writes messages and flushes once.
    ///
    /// # Errors
    /// `Some(Close::SlowConsumer)`: the client did not take them in time. `None`: the client is gone.
    pub(crate) async fn send(
        &mut self,
        messages: impl IntoIterator<Item = Message>,
    ) -> Result<(), Option<Close>> {
        let writing = async {
            for message in messages {
                self.socket.feed(message).await?;
            }
            self.socket.flush().await
        };
        match timeout(self.stalled, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_gone)) => Err(None),
            Err(_elapsed) => Err(Some(Close::SlowConsumer)),
        }
    }

    /// Writes one text message.
    ///
    /// # Errors
    /// As [`Wire::send`].
    pub(crate) async fn say(&mut self, text: Utf8Bytes) -> Result<(), Option<Close>> {
        self.send([Message::Text(text)]).await
    }

    /// Closes with a code and waits a moment for the client's own close frame, because a connection that
    /// is torn down with unread bytes in it loses the frame on the way.
    pub(crate) async fn close(mut self, close: Close) {
        let goodbye = async {
            if self.socket.send(Message::Close(Some(close.frame()))).await.is_err() {
                return;
            }
            while let Some(Ok(_)) = self.socket.recv().await {}
            if close == Close::TooLarge {
                // The rest of the message can be neither read nor skipped: give the frame time to arrive.
                std::future::pending::<()>().await;
            }
        };
        if timeout(GOODBYE, goodbye).await.is_err() {
            tracing::debug!(?close, "the client did not answer the close frame");
        }
    }

    /// Lets the answer to the client's own close frame out; without it clients see an abnormal end (1006).
    pub(crate) async fn part(mut self) {
        let goodbye = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        if timeout(GOODBYE, goodbye).await.is_err() {
            tracing::debug!("the client did not hang up");
        }
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    text_of_source(error).contains("Space limit exceeded")
}

fn is_not_utf8(error: &axum::Error) -> bool {
    text_of_source(error).contains("UTF-8")
}

/// The library's error type is not in axum's interface; its text is.
fn text_of_source(error: &axum::Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}
