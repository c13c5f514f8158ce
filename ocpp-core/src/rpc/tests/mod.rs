//! What goes over the wire, frame by frame.

mod calls;
mod codec;
mod malformed;
mod properties;

use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::Version;

use super::{CallId, Endpoint, EndpointConfig, IncomingCall, MessageIds, OutgoingCall, Received};
use crate::time::Instant;

const NOW: Instant = Instant::ORIGIN;

fn endpoint_with(version: Version, config: EndpointConfig) -> Endpoint {
    let mut endpoint = Endpoint::new(config, MessageIds::new([0; 10]));
    assert_eq!(endpoint.handle_connect(version), []);
    endpoint
}

fn endpoint(version: Version) -> Endpoint {
    endpoint_with(version, EndpointConfig::default())
}

/// Everything that is to be sent now.
fn sent(endpoint: &mut Endpoint) -> Vec<String> {
    core::iter::from_fn(|| endpoint.poll_transmit(NOW)).collect()
}

/// The call that a frame is.
#[track_caller]
fn incoming<'a>(endpoint: &mut Endpoint, text: &'a str) -> IncomingCall<'a> {
    match endpoint.handle_text(text) {
        Received::Call(call) => call,
        other => panic!("not a call: {other:?}"),
    }
}

/// Makes a call, and gives its message id.
#[track_caller]
fn calling(endpoint: &mut Endpoint, action: &'static str) -> (CallId, String) {
    let call = endpoint.call(OutgoingCall::new(action, "{}")).unwrap();
    let text = endpoint.poll_transmit(NOW).unwrap();
    let (_, id, sent_action, _): (u8, String, String, serde_json::Value) = serde_json::from_str(&text).unwrap();
    assert_eq!(sent_action, action);
    (call, id)
}
