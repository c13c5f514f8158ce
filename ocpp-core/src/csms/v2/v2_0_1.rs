//! The wire format of 2.0.1.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};

use ocpp_types::v2_0_1::{CsmsRequest, CsmsResponse, StationRequest, StationResponse};
use ocpp_types::{Conformance, DecodeError, Decoded, Version};

use super::calls::Written;
use super::{Rules, calls, replies, requests};
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::{AnswerForm, Call};
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::request::{Reply, Request};
use crate::csms::wire::{invalid, raw};

const RULES: Rules = Rules {
    token_kinds: Some(&[
        "Central",
        "eMAID",
        "ISO14443",
        "ISO15693",
        "KeyCode",
        "Local",
        "MacAddress",
        "NoAuthorization",
    ]),
    newest: false,
    message_length: 512,
};

pub(in crate::csms) fn read_request(
    action: &str,
    payload: &str,
    conformance: Conformance,
) -> Result<Decoded<Request>, DecodeError> {
    let decoded = StationRequest::decode(action, payload, conformance)?;
    Ok(decoded.map(|request| requests::to_request(request.into(), payload)))
}

pub(in crate::csms) fn write_reply(reply: &Reply) -> String {
    let Some(response) = replies::to_response(reply, &RULES) else { return "{}".into() };
    let newer = response.encode();
    // The rules leave nothing to convert that 2.0.1 doesn't have.
    CsmsResponse::try_from(response).map_or(newer, |response| response.encode())
}

pub(in crate::csms) fn write_call(command: &Command) -> Result<Call, CallOutcome> {
    match calls::to_request(command)? {
        Written::Typed(request, answer) => encode_call(request, answer),
        Written::Raw { action, payload, validate } => {
            let check =
                |action: &str, payload: &str| CsmsRequest::decode(action, payload, Conformance::Strict).map(|_| ());
            let mut call = raw(Version::V2_0_1, action, payload, validate.then_some(check))?;
            let decoded = CsmsRequest::decode(action, payload, Conformance::Lenient);
            call.message = decoded.ok().map(|decoded| CallMessage::v2(decoded.message));
            Ok(call)
        }
    }
}

pub(in crate::csms) fn encode_call(
    request: Box<ocpp_types::v2_1::CsmsRequest>,
    answer: AnswerForm,
) -> Result<Call, CallOutcome> {
    if !CsmsRequest::ACTIONS.contains(&request.action()) {
        return Err(CallOutcome::NotSupported);
    }
    let older =
        CsmsRequest::try_from((*request).clone()).map_err(|error| invalid(&error.path, error.reason.to_string()))?;
    let (action, payload) = (Cow::Borrowed(older.action()), older.encode());
    Ok(Call { action, payload, answer, message: Some(CallMessage::V2(request)) })
}

pub(in crate::csms) fn decode_answer(
    action: &str,
    payload: &str,
    conformance: Conformance,
) -> Result<Decoded<AnswerMessage>, DecodeError> {
    let decoded = StationResponse::decode(action, payload, conformance)?;
    Ok(decoded.map(|response| AnswerMessage::V2(Box::new(response.into()))))
}
