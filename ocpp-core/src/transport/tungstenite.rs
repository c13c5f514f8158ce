//! The default adapter: tokio-tungstenite.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame as TungsteniteClose, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::connection::ConnectionConfig;
use super::inlet::{self, Inlet, Progress};
use super::wire::{CloseFrame, WireError, WireMessage, shortened};

/// Bytes of the read buffer. With the default of 128 KiB it is most of what a connection costs; with this one, a connection
/// takes about 7 KiB after a frame each way.
const READ_BUFFER: usize = 4096;

/// A WebSocket over any byte stream, by tokio-tungstenite.
#[derive(Debug)]
pub struct Tungstenite<S> {
    socket: WebSocketStream<Inlet<S>>,
    progress: Progress,
    /// Reading failed: what still comes is thrown away, so that the peer gets to read why.
    broken: bool,
    /// A pong may wait to be written.
    pong_due: bool,
    close: Close,
}

/// How far this side has come with closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    Open,
    FrameBuffered,
    FrameSent,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tungstenite<S> {
    /// The server's side of a stream on which the handshake was done by somebody else, such as the upgraded stream of
    /// an HTTP server, and no extension was agreed on. [`WebSocket::server`](super::WebSocket::server) knows which were.
    pub async fn server(stream: S, config: &ConnectionConfig) -> Self {
        Self::new(stream, Vec::new(), Role::Server, config).await
    }

    /// `early` is what was read from the stream behind the handshake.
    pub(super) async fn new(stream: S, early: Vec<u8>, role: Role, config: &ConnectionConfig) -> Self {
        let (inlet, progress) = Inlet::new(stream, early, config);
        let socket = WebSocketStream::from_raw_socket(inlet, role, Some(configuration(config.frame_limit))).await;
        Self { socket, progress, broken: false, pong_due: false, close: Close::Open }
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
            let inlet = this.socket.get_mut();
            if this.close == Close::FrameSent {
                let _ = ready!(inlet.poll_end(context));
            } else {
                ready!(inlet.poll_discard(context));
            }
            return Poll::Ready(None);
        }
        if this.pong_due {
            // Whoever does not read its pongs is not read: they would pile up.
            if let Err(error) = ready!(Pin::new(&mut this.socket).poll_flush(context)) {
                return Poll::Ready(Some(Err(this.failed(error))));
            }
            this.pong_due = false;
        }
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut this.socket).poll_next(context)) {
                None => None,
                Some(Ok(Message::Text(text))) => {
                    this.progress.message();
                    Some(Ok(WireMessage::Text(text.as_str().to_owned())))
                }
                Some(Ok(Message::Binary(_))) => {
                    this.progress.message();
                    Some(Ok(WireMessage::Binary))
                }
                Some(Ok(Message::Ping(data))) => {
                    this.pong_due = true;
                    this.progress.control(data.len());
                    Some(Ok(WireMessage::Ping))
                }
                Some(Ok(Message::Pong(data))) => {
                    this.progress.control(data.len());
                    Some(Ok(WireMessage::Pong))
                }
                Some(Ok(Message::Close(close))) => Some(Ok(WireMessage::Close(
                    close.map(|close| CloseFrame::new(close.code.into(), close.reason.as_str())),
                ))),
                // Never read from a socket; written only.
                Some(Ok(Message::Frame(_))) => continue,
                Some(Err(error)) => Some(Err(this.failed(error))),
            });
        }
    }
}

impl<S> Tungstenite<S> {
    fn failed(&mut self, error: Error) -> WireError {
        let error = wire_error(error);
        self.broken = !matches!(error, WireError::Io(_));
        error
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

fn wire_error(error: Error) -> WireError {
    match error {
        Error::Io(error) => inlet::wire_error(error),
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
