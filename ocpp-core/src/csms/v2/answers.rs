//! A 2.x station's answers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v2_1::{GetVariableResultType, GetVariableStatusEnumType, StationResponse, StatusInfoType};

use super::names;
use crate::csms::command::{CallResult, Setting};
use crate::csms::dialect::AnswerForm;
use crate::csms::identity::TransactionId;

pub(in crate::csms) fn meaning(form: &AnswerForm, response: StationResponse) -> CallResult {
    match (form, response) {
        (AnswerForm::Configuration, StationResponse::GetVariables(response)) => settings(response.get_variable_result),
        (AnswerForm::TransactionStatus, StationResponse::GetTransactionStatus(response)) => {
            CallResult::TransactionStatus {
                ongoing: response.ongoing_indicator,
                messages_in_queue: response.messages_in_queue,
            }
        }
        (AnswerForm::Received, _) => CallResult::Accepted { status: String::from("Accepted"), transaction: None },
        (AnswerForm::DataTransfer, StationResponse::DataTransfer(response)) => CallResult::DataTransfer {
            status: response.status.to_string(),
            data: response.data.map(|json| json.get().to_string()),
        },
        (AnswerForm::Status(accepted), message) => match status(&message) {
            Some((status, _)) if accepted.contains(&&*status) => {
                CallResult::Accepted { status, transaction: transaction(&message) }
            }
            Some((status, info)) => CallResult::Refused { status, reason: info.map(reason) },
            None => CallResult::Raw,
        },
        _ => CallResult::Raw,
    }
}

fn status(response: &StationResponse) -> Option<(String, Option<&StatusInfoType>)> {
    Some(match response {
        StationResponse::CancelReservation(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::ChangeAvailability(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::ReserveNow(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::ClearCache(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::RequestStartTransaction(response) => {
            (response.status.to_string(), response.status_info.as_ref())
        }
        StationResponse::RequestStopTransaction(response) => {
            (response.status.to_string(), response.status_info.as_ref())
        }
        StationResponse::Reset(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::SetVariables(response) => {
            let result = response.set_variable_result.first()?;
            (result.attribute_status.to_string(), result.attribute_status_info.as_ref())
        }
        StationResponse::TriggerMessage(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::UnlockConnector(response) => (response.status.to_string(), response.status_info.as_ref()),
        _ => return None,
    })
}

fn transaction(response: &StationResponse) -> Option<TransactionId> {
    let StationResponse::RequestStartTransaction(response) = response else { return None };
    response.transaction_id.as_ref().map(|id| TransactionId::new(id.as_str()))
}

pub(in crate::csms) fn reason(info: &StatusInfoType) -> String {
    match &info.additional_info {
        Some(words) => format!("{}: {words}", info.reason_code),
        None => info.reason_code.to_string(),
    }
}

/// Settings by their names.
pub(in crate::csms) fn settings(results: Vec<GetVariableResultType>) -> CallResult {
    let (mut settings, mut unknown) = (Vec::new(), Vec::new());
    for result in results {
        let name = names::write(&result.component, &result.variable);
        match result.attribute_status {
            // A variable that may not be read is refused.
            GetVariableStatusEnumType::Accepted | GetVariableStatusEnumType::Rejected => {
                let value = result.attribute_value.map(|value| value.to_string());
                settings.push(Setting { name, value, readonly: None });
            }
            _ => unknown.push(name),
        }
    }
    CallResult::Configuration { settings, unknown }
}
