//! Our own path: the frame, then the message that its action names, with every check.

use std::borrow::Cow;

use ocpp_core::rpc::Frame;
use ocpp_core::types::{Conformance, Version, v1_6, v2_1};

use crate::candidate::Candidate;
use crate::inputs::{ID, Message};

/// The path of a message.
#[must_use]
pub fn candidate(message: Message) -> Candidate {
    with("ours", message, Conformance::Strict)
}

/// The path that passes departures from the schema on.
#[must_use]
pub fn lenient(message: Message) -> Candidate {
    with("ours, lenient", message, Conformance::Lenient)
}

fn with(name: &'static str, message: Message, conformance: Conformance) -> Candidate {
    let frame = message.frame();
    match message {
        Message::BootNotification16 | Message::MeterValues16 => {
            Candidate::new(name, frame, move |text| decode_1_6(text, conformance), encode_1_6)
        }
        Message::BootNotification21 | Message::TransactionEvent21 => {
            Candidate::new(name, frame, move |text| decode_2_1(text, conformance), encode_2_1)
        }
    }
}

fn call(text: &str, version: Version) -> Result<(Cow<'_, str>, &str), String> {
    match Frame::parse(text, version) {
        Ok(Frame::Call { action, payload, .. }) => Ok((action, payload)),
        other => Err(format!("{other:?}")),
    }
}

/// Reads a CALL of a 1.6 station.
///
/// # Errors
/// What is wrong with it.
pub fn decode_1_6(text: &str, conformance: Conformance) -> Result<v1_6::StationRequest, String> {
    let (action, payload) = call(text, Version::V1_6)?;
    v1_6::StationRequest::decode(&action, payload, conformance)
        .map(|decoded| decoded.message)
        .map_err(|error| error.to_string())
}

/// Reads a CALL of a 2.1 station.
///
/// # Errors
/// What is wrong with it.
pub fn decode_2_1(text: &str, conformance: Conformance) -> Result<v2_1::StationRequest, String> {
    let (action, payload) = call(text, Version::V2_1)?;
    v2_1::StationRequest::decode(&action, payload, conformance)
        .map(|decoded| decoded.message)
        .map_err(|error| error.to_string())
}

/// Writes a CALL of a 1.6 station.
#[must_use]
pub fn encode_1_6(message: &v1_6::StationRequest) -> String {
    frame(message.action(), &message.encode())
}

/// Writes a CALL of a 2.1 station.
#[must_use]
pub fn encode_2_1(message: &v2_1::StationRequest) -> String {
    frame(message.action(), &message.encode())
}

fn frame(action: &str, payload: &str) -> String {
    Frame::Call { id: Cow::Borrowed(ID), action: Cow::Borrowed(action), payload }.encode()
}
