//! The wire format of 2.0.1.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};

use ocpp_types::v2_0_1::{CsmsRequest, CsmsResponse, StationRequest, StationResponse};
use ocpp_types::{Conformance, DecodeError, Decoded, Version};

use super::calls::Written;
use super::{Rules, answers, calls, replies, requests};
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::{Answer, AnswerForm, Call};
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
        Written::Typed(request, answer) => {
            let request =
                CsmsRequest::try_from(*request).map_err(|error| invalid(&error.path, error.reason.to_string()))?;
            Ok(Call { action: Cow::Borrowed(request.action()), payload: request.encode(), answer })
        }
        Written::Raw { action, payload, validate } => {
            let check =
                |action: &str, payload: &str| CsmsRequest::decode(action, payload, Conformance::Strict).map(|_| ());
            raw(Version::V2_0_1, action, payload, validate.then_some(check))
        }
    }
}

pub(in crate::csms) fn read_answer(form: &AnswerForm, action: &str, payload: &str, conformance: Conformance) -> Answer {
    let decoded = StationResponse::decode(action, payload, conformance);
    answers::read(form, decoded.map(|decoded| decoded.map(Into::into)))
}
