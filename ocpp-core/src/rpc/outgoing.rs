//! Calls that this side makes.

use alloc::borrow::Cow;
use alloc::string::String;
use core::time::Duration;

use ocpp_types::Version;

/// A call of this side, for as long as its [`Endpoint`](super::Endpoint) lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u64);

/// A call that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingCall {
    pub(super) action: Cow<'static, str>,
    pub(super) payload: String,
    pub(super) timeout: Option<Duration>,
    pub(super) ahead: bool,
}

impl OutgoingCall {
    /// A call with the name of a message without `Request`, and the text of a JSON object.
    #[must_use]
    pub fn new(action: impl Into<Cow<'static, str>>, payload: impl Into<String>) -> Self {
        Self { action: action.into(), payload: payload.into(), timeout: None, ahead: false }
    }

    /// Waits this long for the answer, instead of [`EndpointConfig::call_timeout`](super::EndpointConfig::call_timeout).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Goes before the calls that are not so marked, and even while the queue is held: for a BootNotification.
    #[must_use]
    pub fn ahead_of_queue(mut self) -> Self {
        self.ahead = true;
        self
    }

    /// The action.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// A call that was not accepted, given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CallNotAccepted {
    /// Why.
    pub reason: NotAccepted,
    /// The call.
    pub call: OutgoingCall,
}

/// Why a call was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAccepted {
    /// There is no connection: try again after the next one was made.
    #[error("not connected")]
    NotConnected,
    /// [`EndpointConfig::queue_limit`](super::EndpointConfig::queue_limit) calls are waiting: try again when one was answered.
    #[error("the queue of calls is full")]
    QueueFull,
}

/// Why a SEND was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendNotAccepted {
    /// There is no connection.
    #[error("not connected")]
    NotConnected,
    /// Only 2.1 has SEND.
    #[error("OCPP {0} has no SEND")]
    NotInThisVersion(Version),
}
