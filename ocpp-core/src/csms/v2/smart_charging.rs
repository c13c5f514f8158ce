//! Smart charging, bidirectional charging and DER control as 2.x writes them (2.1 part 2, K, Q, R).

use ocpp_types::DateTime;
use ocpp_types::v2_1::{
    AFRRSignalRequest, ClearChargingProfileRequest, CsmsRequest, GetCompositeScheduleRequest,
    NotifyAllowedEnergyTransferRequest, SetChargingProfileRequest, UpdateDynamicScheduleRequest,
    UsePriorityChargingRequest,
};

use super::calls::ACCEPTED;
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::AnswerForm;
use crate::csms::wire::bounded;

/// The call, where the command is one of these.
pub(super) fn to_request(command: &Command) -> Result<Option<(CsmsRequest, AnswerForm)>, CallOutcome> {
    let request: CsmsRequest = match command {
        // K01.FR.01, K01.FR.02, K01.FR.08
        Command::SetChargingProfile { evse, profile } => {
            SetChargingProfileRequest::new(*evse, (**profile).clone()).into()
        }
        // K10
        Command::ClearChargingProfile { profile, criteria } => {
            let mut request = ClearChargingProfileRequest::new();
            request.charging_profile_id = *profile;
            request.charging_profile_criteria.clone_from(criteria);
            request.into()
        }
        // K08.FR.01
        Command::GetCompositeSchedule { evse, duration, unit } => {
            let mut request = GetCompositeScheduleRequest::new(*duration, *evse);
            request.charging_rate_unit.clone_from(unit);
            return Ok(Some((request.into(), AnswerForm::CompositeSchedule)));
        }
        // K21, K22
        Command::UsePriorityCharging { transaction, activate } => {
            let id = bounded("/transactionId", transaction.as_str())?;
            UsePriorityChargingRequest::new(id, *activate).into()
        }
        // K28
        Command::UpdateDynamicSchedule { profile, update } => {
            UpdateDynamicScheduleRequest::new(*profile, (**update).clone()).into()
        }
        // Q02.FR.05
        Command::NotifyAllowedEnergyTransfer { transaction, allowed } => {
            let id = bounded("/transactionId", transaction.as_str())?;
            NotifyAllowedEnergyTransferRequest::new(id, allowed.clone()).into()
        }
        Command::AfrrSignal { at, signal } => AFRRSignalRequest::new(DateTime::from(*at), *signal).into(),
        Command::SetDERControl(request) => (**request).clone().into(),
        Command::ClearDERControl(request) => (**request).clone().into(),
        _ => return Ok(None),
    };
    Ok(Some((request, ACCEPTED)))
}
