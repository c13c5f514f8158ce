//! A 1.6 station's answers.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v1_6::{GetConfigurationResponse, StationResponse};
use ocpp_types::{Conformance, Decoded};

use crate::csms::command::{CallResult, Setting};
use crate::csms::dialect::{Answer, AnswerForm};
use crate::csms::wire::json_string;

pub(in crate::csms) fn read_answer(form: &AnswerForm, action: &str, payload: &str, conformance: Conformance) -> Answer {
    let decoded = StationResponse::decode(action, payload, conformance);
    if *form == AnswerForm::Raw {
        let findings = decoded.map_or_else(|error| error.findings, |decoded| decoded.findings);
        return Ok((CallResult::Raw, findings));
    }
    let Decoded { message, findings } = decoded?;
    let result = match (form, message) {
        (AnswerForm::Configuration, StationResponse::GetConfiguration(response)) => configuration(response),
        (AnswerForm::DataTransfer, StationResponse::DataTransfer(response)) => {
            let other = || response.extra.get("data").map(|json| json.get().to_string());
            let data = response.data.as_deref().map(json_string).or_else(other);
            CallResult::DataTransfer { status: response.status.to_string(), data }
        }
        (AnswerForm::Status(accepted), message) => match status(&message) {
            Some(status) if accepted.contains(&&*status) => CallResult::Accepted { status, transaction: None },
            Some(status) => CallResult::Refused { status, reason: None },
            None => CallResult::Raw,
        },
        _ => CallResult::Raw,
    };
    Ok((result, findings))
}

fn status(response: &StationResponse) -> Option<String> {
    Some(match response {
        StationResponse::ChangeAvailability(response) => response.status.to_string(),
        StationResponse::ChangeConfiguration(response) => response.status.to_string(),
        StationResponse::ClearCache(response) => response.status.to_string(),
        StationResponse::ExtendedTriggerMessage(response) => response.status.to_string(),
        StationResponse::RemoteStartTransaction(response) => response.status.to_string(),
        StationResponse::RemoteStopTransaction(response) => response.status.to_string(),
        StationResponse::Reset(response) => response.status.to_string(),
        StationResponse::TriggerMessage(response) => response.status.to_string(),
        StationResponse::UnlockConnector(response) => response.status.to_string(),
        _ => return None,
    })
}

fn configuration(response: GetConfigurationResponse) -> CallResult {
    let settings = response.configuration_key.unwrap_or_default().into_iter().map(|setting| Setting {
        name: setting.key.to_string(),
        value: setting.value.map(|value| value.to_string()),
        readonly: Some(setting.readonly),
    });
    let unknown = response.unknown_key.unwrap_or_default();
    CallResult::Configuration {
        settings: settings.collect(),
        unknown: unknown.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }
}
