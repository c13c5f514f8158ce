//! The wire format of 2.1.

use alloc::borrow::Cow;
use alloc::string::String;

use ocpp_types::v2_1::{CsmsRequest, StationRequest, StationResponse};
use ocpp_types::{Conformance, DecodeError, Decoded, Version};

use super::calls::Written;
use super::{Rules, answers, calls, replies, requests};
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::{Answer, AnswerForm, Call};
use crate::csms::request::{Reply, Request};
use crate::csms::wire::raw;

const RULES: Rules = Rules { token_kinds: None, message_length: 1024 };

pub(in crate::csms) fn read_request(
    action: &str,
    payload: &str,
    conformance: Conformance,
) -> Result<Decoded<Request>, DecodeError> {
    let decoded = StationRequest::decode(action, payload, conformance)?;
    Ok(decoded.map(|request| requests::to_request(request, payload)))
}

pub(in crate::csms) fn write_reply(reply: &Reply) -> String {
    replies::to_response(reply, &RULES).map_or("{}".into(), |response| response.encode())
}

pub(in crate::csms) fn write_call(command: &Command) -> Result<Call, CallOutcome> {
    match calls::to_request(command)? {
        Written::Typed(request, answer) => {
            Ok(Call { action: Cow::Borrowed(request.action()), payload: request.encode(), answer })
        }
        Written::Raw { action, payload, validate } => {
            let check =
                |action: &str, payload: &str| CsmsRequest::decode(action, payload, Conformance::Strict).map(|_| ());
            raw(Version::V2_1, action, payload, validate.then_some(check))
        }
    }
}

pub(in crate::csms) fn read_answer(form: &AnswerForm, action: &str, payload: &str, conformance: Conformance) -> Answer {
    answers::read(form, StationResponse::decode(action, payload, conformance))
}
