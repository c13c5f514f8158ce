//! OCPP-J's remote procedure calls: the same code on both sides and in all versions.
//!
//! [`Frame`] is the codec of one WebSocket text message, [`Endpoint`] is one side of a conversation: one outstanding
//! CALL, a queue behind it, deadlines, correlation of the answers, and the exact error for each malformed frame
//! (2.1 part 4, chapter 4; OCPP-J 1.6, chapter 4). Nothing here reads a clock, opens a socket or draws a random number.
//!
//! ```
//! use ocpp_core::rpc::{Endpoint, EndpointConfig, MessageIds, OutgoingCall, Received};
//! use ocpp_core::time::Instant;
//! use ocpp_core::types::Version;
//!
//! let now = Instant::ORIGIN;
//! let mut station = Endpoint::new(EndpointConfig::default(), MessageIds::new([1; 10]));
//! let mut csms = Endpoint::new(EndpointConfig::default(), MessageIds::new([2; 10]));
//! station.handle_connect(Version::V2_1);
//! csms.handle_connect(Version::V2_1);
//!
//! let call = station.call(OutgoingCall::new("Heartbeat", "{}")).unwrap();
//! let frame = station.poll_transmit(now).unwrap();
//!
//! let Received::Call(incoming) = csms.handle_text(&frame) else { panic!() };
//! assert_eq!((&*incoming.action, incoming.payload), ("Heartbeat", "{}"));
//! assert!(csms.respond(incoming.id, r#"{"currentTime":"2026-11-20T10:00:00Z"}"#));
//! let frame = csms.poll_transmit(now).unwrap();
//!
//! let Received::Result(result) = station.handle_text(&frame) else { panic!() };
//! assert_eq!((result.call, result.payload), (call, r#"{"currentTime":"2026-11-20T10:00:00Z"}"#));
//! ```

mod endpoint;
mod error;
mod frame;
mod message_id;
mod outgoing;
mod received;
mod scan;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointConfig};
pub use error::{CallError, FrameError, Problem};
pub use frame::{Frame, MAX_DESCRIPTION, MAX_MESSAGE_ID, MessageType};
pub use message_id::MessageIds;
pub use ocpp_types::ErrorCode;
pub use outgoing::{CallId, CallNotAccepted, NotAccepted, OutgoingCall, SendNotAccepted};
pub use received::{
    CallFailure, CallResult, FailedCall, IncomingCall, IncomingId, IncomingSend, Malformed, Received, RejectedResult,
    Unmatched,
};
