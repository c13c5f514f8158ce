//! A 2.x station's answers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    GenericStatusEnumType, GetVariableResultType, GetVariableStatusEnumType, StationResponse, StatusInfoType,
    TariffGetStatusEnumType,
};

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
        (AnswerForm::CompositeSchedule, StationResponse::GetCompositeSchedule(response)) => match response.schedule {
            Some(schedule) if response.status == GenericStatusEnumType::Accepted => {
                CallResult::CompositeSchedule(schedule)
            }
            _ => refused(response.status.as_str(), response.status_info.as_ref()),
        },
        (AnswerForm::LocalListVersion, StationResponse::GetLocalListVersion(response)) => {
            CallResult::LocalListVersion(response.version_number)
        }
        (AnswerForm::Tariffs, StationResponse::GetTariffs(response)) => match response.status {
            TariffGetStatusEnumType::Accepted => CallResult::Tariffs(response.tariff_assignments.unwrap_or_default()),
            TariffGetStatusEnumType::NoTariff => CallResult::Tariffs(Vec::new()),
            other => refused(other.as_str(), response.status_info.as_ref()),
        },
        (AnswerForm::TariffsCleared, StationResponse::ClearTariffs(response)) => {
            CallResult::TariffsCleared(response.clear_tariffs_result)
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

fn refused(status: &str, info: Option<&StatusInfoType>) -> CallResult {
    CallResult::Refused { status: status.into(), reason: info.map(reason) }
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
        StationResponse::AFRRSignal(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::ChangeTransactionTariff(response) => {
            (response.status.to_string(), response.status_info.as_ref())
        }
        StationResponse::ClearChargingProfile(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::ClearDERControl(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::ClearDisplayMessage(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::NotifyAllowedEnergyTransfer(response) => {
            (response.status.to_string(), response.status_info.as_ref())
        }
        StationResponse::RequestBatterySwap(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::SetChargingProfile(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::SetDERControl(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::SetDefaultTariff(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::SetDisplayMessage(response) => (response.status.to_string(), response.status_info.as_ref()),
        StationResponse::UpdateDynamicSchedule(response) => {
            (response.status.to_string(), response.status_info.as_ref())
        }
        StationResponse::UsePriorityCharging(response) => (response.status.to_string(), response.status_info.as_ref()),
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
