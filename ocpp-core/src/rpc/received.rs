//! What came of a frame, a deadline or the end of a connection.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use super::error::{CallError, Problem};
use super::frame::MessageType;
use super::outgoing::CallId;

/// What one frame came to. Borrows from the text of the frame.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received<'a> {
    /// The peer calls, and waits for [`respond`](super::Endpoint::respond) or [`refuse`](super::Endpoint::refuse).
    Call(IncomingCall<'a>),
    /// The peer sent something that is not answered (2.1).
    Send(IncomingSend<'a>),
    /// A call of this side was answered.
    Result(CallResult<'a>),
    /// A call of this side came to nothing: the peer refused it, or its answer cannot be read.
    Failed(FailedCall),
    /// The peer could not use an answer of this side (2.1).
    ResultRejected(RejectedResult),
    /// An answer that nothing waits for; it changed nothing.
    Unmatched(Unmatched<'a>),
    /// A frame that could not be used; it changed nothing.
    Malformed(Malformed<'a>),
}

/// A call of the peer.
#[derive(Debug)]
#[non_exhaustive]
pub struct IncomingCall<'a> {
    /// What the answer is given with, once.
    pub id: IncomingId,
    /// The name of the message without `Request`, unchecked.
    pub action: Cow<'a, str>,
    /// The JSON text of the payload, unread: see [`Frame`](super::Frame).
    pub payload: &'a str,
    /// A call with the same message id was answered on this connection before. A retry may have the id of the original
    /// (2.1 part 4, 4.1.4; errata of 2.0.1 part 4 and of OCPP-J 1.6), so this is an ordinary call.
    pub repeated: bool,
}

/// The right to answer a call of the peer, once. One that is dropped leaves the peer to its timeout.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the peer waits for an answer"]
pub struct IncomingId {
    pub(super) connection: u64,
    pub(super) message_id: Box<str>,
}

impl IncomingId {
    /// The message id on the wire, for logs.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }
}

/// A message of the peer that is not answered (2.1 part 4, 4.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncomingSend<'a> {
    /// The message id.
    pub message_id: Cow<'a, str>,
    /// The name of the message, unchecked.
    pub action: Cow<'a, str>,
    /// The JSON text of the payload, unread: see [`Frame`](super::Frame).
    pub payload: &'a str,
}

/// The answer to a call of this side.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallResult<'a> {
    /// The call.
    pub call: CallId,
    /// Its action, which says how to read the payload.
    pub action: Cow<'static, str>,
    /// The JSON text of the payload, unread: see [`Frame`](super::Frame).
    pub payload: &'a str,
}

/// A call of this side that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedCall {
    /// The call.
    pub call: CallId,
    /// Its action.
    pub action: Cow<'static, str>,
    /// Why.
    pub failure: CallFailure,
}

/// Why a call of this side was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// The peer answered with an error.
    #[error("the peer refused the call: {0}")]
    Refused(CallError),
    /// The peer answered with a frame that cannot be read.
    #[error("the answer cannot be read: {0}")]
    Unreadable(Problem),
    /// No answer came in time. It may still come, as [`Received::Unmatched`].
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended before the answer.
    #[error("the connection was lost")]
    Disconnected {
        /// Whether the call had been given out for transmission, so that the peer may have seen it.
        sent: bool,
    },
}

/// An answer of this side that the peer could not use (2.1 part 4, 4.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectedResult {
    /// The message id of the answer.
    pub message_id: Box<str>,
    /// The action that was answered, where that was recent enough to be remembered.
    pub action: Option<Box<str>>,
    /// What the peer objects to.
    pub error: CallError,
}

/// An answer that nothing waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmatched<'a> {
    /// CALLRESULT or CALLERROR.
    pub message_type: MessageType,
    /// The message id; `-1` where the peer says that it could not read the id of something it was sent.
    pub message_id: Cow<'a, str>,
    /// The call that it came too late for, where that is remembered.
    pub late_for: Option<CallId>,
    /// The JSON text of the payload of a CALLRESULT, unread.
    pub payload: Option<&'a str>,
    /// The content of a CALLERROR.
    pub error: Option<CallError>,
}

/// A frame that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Malformed<'a> {
    /// What is wrong.
    pub problem: Problem,
    /// The message id, where it could be read.
    pub message_id: Option<Cow<'a, str>>,
    /// The first characters of the frame, at most 200. Empty for a binary one.
    pub excerpt: &'a str,
    /// Whether the peer is told.
    pub answered: bool,
}
