//! What vehicles need and plan, written for the CSMS (K15 to K17).

use jiff::Timestamp;
use ocpp_types::v2_1::{
    ACChargingParametersType, ChargingNeedsType, ChargingSchedulePeriodType, ChargingScheduleType,
    DCChargingParametersType, EnergyTransferModeEnumType, NotifyEVChargingNeedsRequest, NotifyEVChargingNeedsResponse,
    NotifyEVChargingNeedsStatusEnumType, NotifyEVChargingScheduleRequest,
};
use rust_decimal::Decimal;

use super::wire_unit;
use crate::station::smart_charging::{EnergyTransfer, VehicleNeeds, VehiclePlan};
use crate::station::v2::Rules;

/// K15.FR.01, K15.FR.06, K17.FR.01, K17.FR.06
pub(in crate::station::v2) fn charging_needs(
    rules: &Rules,
    evse: u32,
    needs: &VehicleNeeds,
    since: Timestamp,
) -> NotifyEVChargingNeedsRequest {
    // 2.0.1 has whole numbers here.
    let number = |number: Decimal| if rules.has_extended_profiles { number } else { number.round() };
    let mut wire = match &needs.transfer {
        EnergyTransfer::Ac { phases, energy, min_current, max_current, max_voltage } => {
            let mut wire = ChargingNeedsType::new(match phases {
                1 => EnergyTransferModeEnumType::ACSinglePhase,
                2 => EnergyTransferModeEnumType::ACTwoPhase,
                _ => EnergyTransferModeEnumType::ACThreePhase,
            });
            let parameters = ACChargingParametersType::new(
                number(*energy),
                number(*min_current),
                number(*max_current),
                number(*max_voltage),
            );
            wire.ac_charging_parameters = Some(parameters.into());
            wire
        }
        EnergyTransfer::Dc { max_current, max_voltage, max_power, energy, state_of_charge } => {
            let mut wire = ChargingNeedsType::new(EnergyTransferModeEnumType::DC);
            let mut parameters = DCChargingParametersType::new(number(*max_current), number(*max_voltage));
            parameters.ev_max_power = max_power.map(number);
            parameters.energy_amount = energy.map(number);
            parameters.state_of_charge = state_of_charge.map(Into::into);
            wire.dc_charging_parameters = Some(parameters.into());
            wire
        }
    };
    wire.departure_time = needs.departure.map(Into::into);
    let mut request = NotifyEVChargingNeedsRequest::new(evse.into(), wire);
    request.max_schedule_tuples = needs.max_periods.map(Into::into);
    // K15.FR.20, K17.FR.17
    request.timestamp = rules.has_extended_profiles.then(|| since.into());
    request
}

/// Whether the CSMS is going to send a schedule in time (K15.FR.03 to 05).
pub(in crate::station::v2) fn sends_schedule(answer: &NotifyEVChargingNeedsResponse) -> bool {
    answer.status == NotifyEVChargingNeedsStatusEnumType::Accepted
}

/// K15.FR.10, K16.FR.05, K17.FR.10
pub(in crate::station::v2) fn charging_plan(
    rules: &Rules,
    evse: u32,
    plan: &VehiclePlan,
    at: Timestamp,
) -> NotifyEVChargingScheduleRequest {
    let periods = plan.schedule.periods().iter().map(|period| {
        let mut wire = ChargingSchedulePeriodType::new(period.start.into());
        wire.limit = Some(period.limit);
        wire.number_phases = period.phases.map(Into::into);
        wire
    });
    let unit = wire_unit(plan.schedule.unit());
    let mut schedule = ChargingScheduleType::new(plan.selected.unwrap_or(0), unit, periods.collect());
    schedule.duration = plan.schedule.duration().map(Into::into);
    let mut request = NotifyEVChargingScheduleRequest::new(at.into(), schedule, evse.into());
    // K15.FR.21, K16.FR.14, K17.FR.18
    request.selected_charging_schedule_id = plan.selected.filter(|_| rules.has_extended_profiles);
    request
}
