//! A 1.6 station's answers.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v1_6::{GetConfigurationResponse, StationResponse};
use ocpp_types::{Conformance, DecodeError, Decoded};

use crate::csms::command::{CallResult, Setting};
use crate::csms::dialect::AnswerForm;
use crate::csms::message::AnswerMessage;
use crate::csms::wire::json_string;

pub(in crate::csms) fn decode_answer(
    action: &str,
    payload: &str,
    conformance: Conformance,
) -> Result<Decoded<AnswerMessage>, DecodeError> {
    let decoded = StationResponse::decode(action, payload, conformance)?;
    Ok(decoded.map(|response| AnswerMessage::V1_6(Box::new(response))))
}

pub(in crate::csms) fn meaning(form: &AnswerForm, response: StationResponse) -> CallResult {
    match (form, response) {
        (AnswerForm::Configuration, StationResponse::GetConfiguration(response)) => configuration(response),
        (AnswerForm::DataTransfer, StationResponse::DataTransfer(response)) => {
            let other = || response.extra.get("data").map(|json| json.get().to_string());
            let data = response.data.as_deref().map(json_string).or_else(other);
            CallResult::DataTransfer { status: response.status.to_string(), data }
        }
        (AnswerForm::CompositeSchedule, StationResponse::GetCompositeSchedule(response)) => {
            let status = response.status.to_string();
            match super::smart_charging::from_composite(response) {
                Some(schedule) if status == "Accepted" => CallResult::CompositeSchedule(Box::new(schedule)),
                _ => CallResult::Refused { status, reason: None },
            }
        }
        (AnswerForm::LocalListVersion, StationResponse::GetLocalListVersion(response)) => {
            CallResult::LocalListVersion(response.list_version)
        }
        (AnswerForm::Status(accepted), message) => match status(&message) {
            Some(status) if accepted.contains(&&*status) => CallResult::Accepted { status, transaction: None },
            Some(status) => CallResult::Refused { status, reason: None },
            None => CallResult::Raw,
        },
        _ => CallResult::Raw,
    }
}

fn status(response: &StationResponse) -> Option<String> {
    Some(match response {
        StationResponse::CancelReservation(response) => response.status.to_string(),
        StationResponse::ChangeAvailability(response) => response.status.to_string(),
        StationResponse::ReserveNow(response) => response.status.to_string(),
        StationResponse::ChangeConfiguration(response) => response.status.to_string(),
        StationResponse::ClearChargingProfile(response) => response.status.to_string(),
        StationResponse::SetChargingProfile(response) => response.status.to_string(),
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
