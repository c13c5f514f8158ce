//! What a WebSocket implementation has to offer.

use std::io;

use futures_util::{Sink, Stream};

/// A WebSocket message. The implementation answers pings and closes by itself; both are passed on all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireMessage {
    /// A text message: one OCPP-J frame.
    Text(String),
    /// A binary message came. OCPP-J has no use for one; given to the sink, it is left out.
    Binary,
    /// A ping, without data when sent.
    Ping,
    /// A pong.
    Pong,
    /// The beginning or the acknowledgement of a closing handshake.
    Close(Option<CloseFrame>),
}

/// Why a connection is closed (RFC 6455, 5.5.1 and 7.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// The status code.
    pub code: u16,
    /// For a person to read; at most 123 bytes are sent.
    pub reason: String,
}

impl CloseFrame {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: u16 = 1000;
    /// The peer goes away: a restart, a shutdown.
    pub const GOING_AWAY: u16 = 1001;
    /// The peer broke the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// The peer sent a kind of data that is not accepted, such as binary.
    pub const UNSUPPORTED: u16 = 1003;
    /// The peer sent text that is not UTF-8.
    pub const INVALID: u16 = 1007;
    /// The peer broke a rule that has no code of its own.
    pub const POLICY: u16 = 1008;
    /// The peer sent a message that is too big.
    pub const TOO_BIG: u16 = 1009;

    /// A code and a reason.
    #[must_use]
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// As much of a reason as a close frame holds: 123 bytes (RFC 6455, 5.5).
pub(super) fn shortened(reason: &str) -> &str {
    let end = (0..=123.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
    end.and_then(|end| reason.get(..end)).unwrap_or_default()
}

/// Why a WebSocket implementation cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The peer sent a message longer than the limit.
    #[error("a message is too big: {0}")]
    TooBig(String),
    /// The peer began a message and did not end it in time.
    #[error("a message is too slow: {0}")]
    TooSlow(String),
    /// The peer sent text that is not UTF-8.
    #[error("a message is not UTF-8")]
    NotUtf8,
    /// The peer broke RFC 6455.
    #[error("WebSocket protocol error: {0}")]
    Protocol(String),
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A WebSocket whose handshake is done. Implemented for everything that is such a `Stream` and `Sink`, a
/// `Box<dyn Wire + Send>` included.
///
/// After an error the stream may end, but the sink still has to take a [`WireMessage::Close`] unless the connection
/// itself is gone.
pub trait Wire: Stream<Item = Result<WireMessage, WireError>> + Sink<WireMessage, Error = WireError> + Unpin {}

impl<W> Wire for W where
    W: Stream<Item = Result<WireMessage, WireError>> + Sink<WireMessage, Error = WireError> + Unpin + ?Sized
{
}
