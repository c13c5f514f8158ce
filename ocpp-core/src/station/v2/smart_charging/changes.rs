//! What changes in the course of things: limits of dynamic profiles, and priorities (2.1, K21, K28).

use ocpp_types::v2_1::{
    ChargingProfileStatusEnumType, ChargingScheduleUpdateType, PriorityChargingStatusEnumType,
    PullDynamicScheduleUpdateResponse, UpdateDynamicScheduleRequest, UpdateDynamicScheduleResponse,
    UsePriorityChargingRequest, UsePriorityChargingResponse,
};
use rust_decimal::Decimal;

use super::{reason, status_info};
use crate::station::Station;
use crate::station::smart_charging::{NoPriority, Refusal};

/// The new limit, if there is one. What only vehicles that give energy back could follow can't be taken over.
fn limit(update: &ChargingScheduleUpdateType) -> Result<Option<Decimal>, Refusal> {
    let others = [
        update.limit_l2,
        update.limit_l3,
        update.discharge_limit,
        update.discharge_limit_l2,
        update.discharge_limit_l3,
        update.setpoint,
        update.setpoint_l2,
        update.setpoint_l3,
        update.setpoint_reactive,
        update.setpoint_reactive_l2,
        update.setpoint_reactive_l3,
    ];
    if others.iter().any(Option::is_some) { Err(Refusal::Parameter) } else { Ok(update.limit) }
}

/// K28.FR.06, K28.FR.11
pub(in crate::station::v2) fn update_dynamic_schedule(
    station: &mut Station,
    request: &UpdateDynamicScheduleRequest,
) -> UpdateDynamicScheduleResponse {
    let updated = limit(&request.schedule_update)
        .and_then(|limit| station.update_dynamic_profile(request.charging_profile_id, limit));
    match updated {
        Ok(()) => UpdateDynamicScheduleResponse::new(ChargingProfileStatusEnumType::Accepted),
        Err(refusal) => {
            let mut response = UpdateDynamicScheduleResponse::new(ChargingProfileStatusEnumType::Rejected);
            response.status_info = Some(status_info(reason(refusal)));
            response
        }
    }
}

/// The new limit of a dynamic profile, which may be the old one; `None` where the CSMS has none (K28.FR.08).
pub(in crate::station::v2) fn pulled(answer: &PullDynamicScheduleUpdateResponse) -> Option<Option<Decimal>> {
    let update = answer.schedule_update.as_ref();
    let is_accepted = answer.status == ChargingProfileStatusEnumType::Accepted;
    update.filter(|_| is_accepted).and_then(|update| limit(update).ok())
}

/// K21
pub(in crate::station::v2) fn use_priority_charging(
    station: &mut Station,
    request: &UsePriorityChargingRequest,
) -> UsePriorityChargingResponse {
    let (status, reason) = match station.prioritize(&request.transaction_id, request.activate) {
        // K21.FR.03, K21.FR.06
        Ok(()) => return UsePriorityChargingResponse::new(PriorityChargingStatusEnumType::Accepted),
        Err(NoPriority::Transaction) => (PriorityChargingStatusEnumType::Rejected, "TxNotFound"),
        Err(NoPriority::Profile) => (PriorityChargingStatusEnumType::NoProfile, "NotFound"),
    };
    let mut response = UsePriorityChargingResponse::new(status);
    response.status_info = Some(status_info(reason));
    response
}
