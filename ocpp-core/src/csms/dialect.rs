//! Which version's wire format a connection speaks.

use alloc::borrow::Cow;
use alloc::string::String;

use jiff::Timestamp;
use ocpp_types::{Conformance, DecodeError, Decoded, Version};

use super::command::{CallOutcome, CallResult, Command};
use super::message::{AnswerMessage, CallMessage};
use super::request::{Reply, Request};

/// A call to the station, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) action: Cow<'static, str>,
    pub(super) payload: String,
    pub(super) answer: AnswerForm,
    /// What is sent, for the concerns that keep track of it; `None` where it can't be read.
    pub(super) message: Option<CallMessage>,
}

/// How to read the answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AnswerForm {
    /// A status, of which these mean that the station does it.
    Status(&'static [&'static str]),
    Configuration,
    CompositeSchedule,
    LocalListVersion,
    Tariffs,
    TariffsCleared,
    TransactionStatus,
    /// An answer that says nothing but that the call arrived.
    Received,
    DataTransfer,
    Raw,
}

/// Whether this version was compiled in.
pub(super) const fn is_available(version: Version) -> bool {
    match version {
        Version::V1_6 => cfg!(feature = "v1_6"),
        Version::V2_0_1 => cfg!(feature = "v2_0_1"),
        Version::V2_1 => cfg!(feature = "v2_1"),
    }
}

/// Reads a call of the station; `at` is used where the station doesn't say when something happened.
pub(super) fn read_request(
    version: Version,
    action: &str,
    payload: &str,
    conformance: Conformance,
    at: Timestamp,
) -> Result<Decoded<Request>, DecodeError> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => super::v1_6::read_request(action, payload, conformance, at),
        #[cfg(feature = "v2_0_1")]
        Version::V2_0_1 => super::v2::v2_0_1::read_request(action, payload, conformance),
        #[cfg(feature = "v2_1")]
        Version::V2_1 => super::v2::v2_1::read_request(action, payload, conformance),
        #[allow(unreachable_patterns)]
        _ => Err(DecodeError::unknown_action(action)),
    }
}

/// Writes an answer to the station.
pub(super) fn write_reply(version: Version, reply: &Reply) -> String {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => super::v1_6::write_reply(reply),
        #[cfg(feature = "v2_0_1")]
        Version::V2_0_1 => super::v2::v2_0_1::write_reply(reply),
        #[cfg(feature = "v2_1")]
        Version::V2_1 => super::v2::v2_1::write_reply(reply),
        #[allow(unreachable_patterns)]
        _ => "{}".into(),
    }
}

/// Writes a call to the station, or says why there is none.
pub(super) fn write_call(version: Version, command: &Command) -> Result<Call, CallOutcome> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => super::v1_6::write_call(command),
        #[cfg(feature = "v2_0_1")]
        Version::V2_0_1 => super::v2::v2_0_1::write_call(command),
        #[cfg(feature = "v2_1")]
        Version::V2_1 => super::v2::v2_1::write_call(command),
        #[allow(unreachable_patterns)]
        _ => Err(CallOutcome::NotSupported),
    }
}

/// Writes a call of an operation, or says why there is none.
pub(super) fn encode_call(version: Version, message: CallMessage, answer: AnswerForm) -> Result<Call, CallOutcome> {
    match (version, message) {
        #[cfg(feature = "v1_6")]
        (Version::V1_6, CallMessage::V1_6(request)) => Ok(super::v1_6::encode_call(request, answer)),
        #[cfg(feature = "v2_0_1")]
        (Version::V2_0_1, CallMessage::V2(request)) => super::v2::v2_0_1::encode_call(request, answer),
        #[cfg(feature = "v2_1")]
        (Version::V2_1, CallMessage::V2(request)) => Ok(super::v2::v2_1::encode_call(request, answer)),
        #[allow(unreachable_patterns)]
        _ => Err(CallOutcome::NotSupported),
    }
}

/// Reads the station's answer to a call.
pub(super) fn decode_answer(
    version: Version,
    action: &str,
    payload: &str,
    conformance: Conformance,
) -> Result<Decoded<AnswerMessage>, DecodeError> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => super::v1_6::decode_answer(action, payload, conformance),
        #[cfg(feature = "v2_0_1")]
        Version::V2_0_1 => super::v2::v2_0_1::decode_answer(action, payload, conformance),
        #[cfg(feature = "v2_1")]
        Version::V2_1 => super::v2::v2_1::decode_answer(action, payload, conformance),
        #[allow(unreachable_patterns)]
        _ => Err(DecodeError::unknown_action(action)),
    }
}

/// What an answer means.
pub(super) fn meaning(form: &AnswerForm, answer: AnswerMessage) -> CallResult {
    if *form == AnswerForm::Raw {
        return CallResult::Raw;
    }
    match answer {
        #[cfg(feature = "v1_6")]
        AnswerMessage::V1_6(response) => super::v1_6::meaning(form, *response),
        AnswerMessage::V2(response) => super::v2::meaning(form, *response),
    }
}
