//! The default adapter: tokio-tungstenite.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame as TungsteniteClose, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::wire::{CloseFrame, WireError, WireMessage};

/// Bytes of the read buffer. With the default of 128 KiB it is most of what a connection costs; with this one, a connection
/// takes about 7 KiB after a frame each way.
const READ_BUFFER: usize = 4096;
/// Bytes of the reason in a close frame (RFC 6455, 5.5: 125 with the code).
const REASON: usize = 123;

/// A WebSocket over any byte stream, by tokio-tungstenite.
#[derive(Debug)]
pub struct Tungstenite<S> {
    socket: WebSocketStream<S>,
    /// Reading failed: what still comes is thrown away, so that the peer gets to read why.
    broken: bool,
    close: Close,
}

/// How far this side has come with closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    Open,
    FrameBuffered,
    FrameSent,
    Shutdown,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tungstenite<S> {
    /// The server's side of a stream on which the handshake was done by somebody else, such as the upgraded stream of
    /// an HTTP server. Longer messages than `frame_limit` bytes are an error.
    pub async fn server(stream: S, frame_limit: usize) -> Self {
        Self::from_raw(stream, Vec::new(), Role::Server, frame_limit).await
    }

    /// The same, with bytes that were read from the stream already.
    pub(super) async fn from_partially_read(stream: S, read: Vec<u8>, frame_limit: usize) -> Self {
        Self::from_raw(stream, read, Role::Server, frame_limit).await
    }

    async fn from_raw(stream: S, read: Vec<u8>, role: Role, frame_limit: usize) -> Self {
        let config = Some(configuration(frame_limit));
        Self::new(WebSocketStream::from_partially_read(stream, read, role, config).await)
    }

    /// A WebSocket that was configured elsewhere; [`server`](Self::server) and [`connect`](super::connect) do it with
    /// OCPP in mind.
    #[must_use]
    pub fn new(socket: WebSocketStream<S>) -> Self {
        Self { socket, broken: false, close: Close::Open }
    }
}

/// Small buffers, and no message longer than the limit.
pub(super) fn configuration(frame_limit: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        // Frames are written as they come: nothing is gained by collecting them.
        .write_buffer_size(0)
        .max_message_size(Some(frame_limit))
        .max_frame_size(Some(frame_limit))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for Tungstenite<S> {
    type Item = Result<WireMessage, WireError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.broken {
            if this.close == Close::FrameSent {
                // The peer's acknowledgement will not be read; the end of the stream is what it waits for.
                let _ = ready!(Pin::new(this.socket.get_mut()).poll_shutdown(context));
                this.close = Close::Shutdown;
            }
            return discard(this.socket.get_mut(), context).map(|()| None);
        }
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut this.socket).poll_next(context)) {
                None => None,
                Some(Ok(Message::Text(text))) => Some(Ok(WireMessage::Text(text.as_str().to_owned()))),
                Some(Ok(Message::Binary(_))) => Some(Ok(WireMessage::Binary)),
                Some(Ok(Message::Ping(_))) => Some(Ok(WireMessage::Ping)),
                Some(Ok(Message::Pong(_))) => Some(Ok(WireMessage::Pong)),
                Some(Ok(Message::Close(close))) => Some(Ok(WireMessage::Close(
                    close.map(|close| CloseFrame::new(close.code.into(), close.reason.as_str())),
                ))),
                // Never read from a socket; written only.
                Some(Ok(Message::Frame(_))) => continue,
                Some(Err(error)) => {
                    let error = wire_error(error);
                    this.broken = !matches!(error, WireError::Io(_));
                    Some(Err(error))
                }
            });
        }
    }
}

/// Reads to the end of the stream and keeps nothing. A socket that is closed with unread data resets the connection, and
/// the peer may lose the close frame that was sent before.
fn discard<S: AsyncRead + Unpin>(stream: &mut S, context: &mut Context<'_>) -> Poll<()> {
    let mut bytes = [0; READ_BUFFER];
    loop {
        let mut buffer = ReadBuf::new(&mut bytes);
        match ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer)) {
            Ok(()) if !buffer.filled().is_empty() => {}
            _ => return Poll::Ready(()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<WireMessage> for Tungstenite<S> {
    type Error = WireError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Pin::new(&mut self.get_mut().socket).poll_ready(context).map_err(wire_error)
    }

    fn start_send(self: Pin<&mut Self>, message: WireMessage) -> Result<(), WireError> {
        let this = self.get_mut();
        if matches!(message, WireMessage::Close(_)) {
            this.close = Close::FrameBuffered;
        }
        let message = match message {
            WireMessage::Text(text) => Message::Text(text.into()),
            WireMessage::Binary => return Ok(()),
            WireMessage::Ping => Message::Ping(Vec::new().into()),
            WireMessage::Pong => Message::Pong(Vec::new().into()),
            WireMessage::Close(close) => Message::Close(close.map(|CloseFrame { code, reason }| TungsteniteClose {
                code: code.into(),
                reason: Utf8Bytes::from(shortened(&reason)),
            })),
        };
        Pin::new(&mut this.socket).start_send(message).map_err(wire_error)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.socket).poll_flush(context)).map_err(wire_error)?;
        if this.close == Close::FrameBuffered {
            this.close = Close::FrameSent;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Pin::new(&mut self.get_mut().socket).poll_close(context).map_err(wire_error)
    }
}

fn shortened(reason: &str) -> &str {
    let end = (0..=REASON.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
    &reason[..end.unwrap_or(0)]
}

fn wire_error(error: Error) -> WireError {
    match error {
        Error::Io(error) => WireError::Io(error),
        Error::Capacity(error) => WireError::TooBig(error.to_string()),
        Error::Utf8(_) => WireError::NotUtf8,
        error @ (Error::ConnectionClosed | Error::AlreadyClosed) => {
            WireError::Io(std::io::Error::new(std::io::ErrorKind::NotConnected, error))
        }
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            WireError::Io(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "ended without a closing handshake"))
        }
        error => WireError::Protocol(error.to_string()),
    }
}
