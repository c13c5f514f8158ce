//! The adapter with compression: permessage-deflate (RFC 7692), by yawc.

mod negotiation;

use std::fmt;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::thread::available_parallelism;

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::Role;
use yawc::close::CloseCode;
use yawc::{CompressionLevel, DeflatePool, Frame, OpCode, Options, WebSocketError};

pub(super) use self::negotiation::Agreement;
pub use self::negotiation::Compression;
use super::connection::ConnectionConfig;
use super::inlet::{self, Inlet, Progress};
use super::wire::{CloseFrame, WireError, WireMessage, shortened};

/// Bytes of the buffers of a connection. What does not fit makes them grow for as long as it takes.
const BUFFER: usize = 1024;
/// Shorter messages get longer by compression. An answer such as `[3,"…",{}]` is one.
const THRESHOLD: usize = 64;

/// What compresses and decompresses, shared by all connections: one needs it only while a message is on its way through.
static POOL: LazyLock<DeflatePool> =
    LazyLock::new(|| DeflatePool::new(2 * available_parallelism().map_or(1, usize::from)));

/// A WebSocket over any byte stream, whose messages are compressed.
pub(super) struct Deflate<S> {
    socket: yawc::WebSocket<Inlet<S>>,
    progress: Progress,
    reading: Reading,
    /// A pong may wait to be written.
    pong_due: bool,
    close: Close,
}

impl<S> fmt::Debug for Deflate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflate").field("reading", &self.reading).field("close", &self.close).finish_non_exhaustive()
    }
}

/// How far this side has come with reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// The peer said goodbye.
    Goodbye,
    /// Reading failed: what still comes is thrown away, so that the peer gets to read why.
    Broken,
}

/// How far this side has come with closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    Open,
    /// A close frame is on its way, or has been sent.
    Sent,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Deflate<S> {
    pub(super) fn new(stream: S, early: Vec<u8>, role: Role, agreement: Agreement, config: &ConnectionConfig) -> Self {
        let role = match role {
            Role::Server => yawc::Role::Server,
            Role::Client => yawc::Role::Client,
        };
        let (inlet, progress) = Inlet::new(stream, early, config);
        // A message must be shorter than this limit, on the wire and inflated alike.
        let limit = config.frame_limit.saturating_add(1);
        let options = Options::default()
            .with_compression_level(CompressionLevel::fast())
            .with_compression_threshold(THRESHOLD)
            .with_deflate_pool(POOL.clone())
            .with_limits(limit, limit)
            .with_read_buffer_capacity(BUFFER)
            .with_write_buffer_capacity(BUFFER);
        let terms = agreement.to_string();
        let socket = match yawc::WebSocket::from_stream_with_extensions(inlet, role, Some(&terms), options) {
            Ok(socket) => socket,
            // It fails only for options without compression.
            Err(error) => unreachable!("compression is switched on: {error}"),
        };
        Self { socket, progress, reading: Reading::Open, pong_due: false, close: Close::Open }
    }

    fn received(&mut self, frame: Frame) -> Result<WireMessage, WireError> {
        let data = frame.payload().len();
        match frame.opcode() {
            OpCode::Text => {
                self.progress.message();
                String::from_utf8(frame.into_payload().into()).map(WireMessage::Text).map_err(|_| {
                    self.reading = Reading::Broken;
                    WireError::NotUtf8
                })
            }
            // Continuations are put together before they get here.
            OpCode::Binary | OpCode::Continuation => {
                self.progress.message();
                Ok(WireMessage::Binary)
            }
            OpCode::Ping => {
                self.pong_due = true;
                self.progress.control(data);
                Ok(WireMessage::Ping)
            }
            OpCode::Pong => {
                self.progress.control(data);
                Ok(WireMessage::Pong)
            }
            OpCode::Close => {
                self.reading = Reading::Goodbye;
                let reason = frame.close_reason().ok().flatten().unwrap_or_default().to_owned();
                Ok(WireMessage::Close(frame.close_code().map(|code| CloseFrame::new(code.into(), reason))))
            }
        }
    }

    /// What becomes of an error while reading.
    fn failed(&mut self, error: WebSocketError, context: &mut Context<'_>) -> Option<WireError> {
        let error = match wire_error(error) {
            Some(error) => error,
            None if self.reading == Reading::Goodbye => return None,
            None => ended_early(),
        };
        if matches!(error, WireError::Io(_)) {
            return Some(error);
        }
        self.reading = Reading::Broken;
        // Most errors have a close frame queued already, and end reading; one kind may not.
        let ended = self.socket.poll_next_frame(context);
        if matches!(ended, Poll::Ready(Err(WebSocketError::ConnectionClosed))) {
            self.close = Close::Sent;
        }
        Some(error)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for Deflate<S> {
    type Item = Result<WireMessage, WireError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.reading == Reading::Goodbye && this.close == Close::Sent {
            // The peer has answered the close frame of this side, and expects nothing more.
            return Poll::Ready(None);
        }
        if this.reading == Reading::Broken {
            if this.close == Close::Open {
                // Whoever uses this is about to say why.
                return Poll::Pending;
            }
            // Sends what is left, and reads to the end of the stream.
            let _ = ready!(Pin::new(&mut this.socket).poll_close(context));
            return Poll::Ready(None);
        }
        if this.pong_due {
            // Whoever does not read its pongs is not read: they would pile up.
            if let Err(error) = ready!(Pin::new(&mut this.socket).poll_ready(context)) {
                return Poll::Ready(this.failed(error, context).map(Err));
            }
            this.pong_due = false;
        }
        Poll::Ready(match ready!(this.socket.poll_next_frame(context)) {
            Ok(frame) => Some(this.received(frame)),
            Err(error) => this.failed(error, context).map(Err),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<WireMessage> for Deflate<S> {
    type Error = WireError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Pin::new(&mut self.get_mut().socket).poll_ready(context).map_err(sink_error)
    }

    fn start_send(self: Pin<&mut Self>, message: WireMessage) -> Result<(), WireError> {
        let this = self.get_mut();
        if this.close == Close::Sent {
            return Ok(());
        }
        let frame = match message {
            WireMessage::Text(text) => Frame::text(text),
            WireMessage::Binary => return Ok(()),
            WireMessage::Ping => Frame::ping(Vec::new()),
            WireMessage::Pong => Frame::pong(Vec::new()),
            WireMessage::Close(close) => {
                this.close = Close::Sent;
                let close = close.unwrap_or(CloseFrame::new(CloseFrame::NORMAL, ""));
                Frame::close(CloseCode::from(close.code), shortened(&close.reason))
            }
        };
        Pin::new(&mut this.socket).start_send(frame).map_err(sink_error)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        let socket = &mut self.get_mut().socket;
        // Takes along what answers the peer's control frames.
        ready!(Pin::new(&mut *socket).poll_ready(context)).map_err(sink_error)?;
        Pin::new(socket).poll_flush(context).map_err(sink_error)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Pin::new(&mut self.get_mut().socket).poll_close(context).map_err(sink_error)
    }
}

fn sink_error(error: WebSocketError) -> WireError {
    wire_error(error).unwrap_or_else(ended_early)
}

fn ended_early() -> WireError {
    WireError::Io(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "ended without a closing handshake"))
}

/// `None` for the end of the stream.
fn wire_error(error: WebSocketError) -> Option<WireError> {
    Some(match error {
        WebSocketError::ConnectionClosed => return None,
        WebSocketError::IoError(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            // What a text inflates from is what the peer made.
            WireError::Protocol(error.to_string())
        }
        WebSocketError::IoError(error) => inlet::wire_error(error),
        error @ WebSocketError::FrameTooLarge => WireError::TooBig(error.to_string()),
        WebSocketError::InvalidUTF8 => WireError::NotUtf8,
        error => WireError::Protocol(error.to_string()),
    })
}
