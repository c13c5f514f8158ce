//! Whether the plan of a vehicle keeps to the schedule that it was given (2.1 part 2, K15.FR.11, K16.FR.06, K17.FR.11, K18.FR.11).

use ocpp_types::v2_1::ChargingScheduleType;
use rust_decimal::Decimal;

/// Whether a schedule of a vehicle stays within the limits of one of the CSMS, at each moment of it. Schedules in other units can't
/// be compared, and are taken as they come: the station has compared them by what it measures.
pub(in crate::csms) fn is_within(vehicle: &ChargingScheduleType, given: &ChargingScheduleType) -> bool {
    if vehicle.charging_rate_unit != given.charging_rate_unit {
        return true;
    }
    // Both begin at the same moment, when the vehicle was given its schedule.
    let moments = [vehicle, given].into_iter().flat_map(|schedule| &schedule.charging_schedule_period);
    let end = vehicle.duration.unwrap_or(i64::MAX).min(given.duration.unwrap_or(i64::MAX));
    moments.map(|period| period.start_period).filter(|moment| *moment < end).all(|moment| {
        match (limit_at(vehicle, moment), limit_at(given, moment)) {
            (Some(wanted), Some(allowed)) => wanted <= allowed,
            _ => true,
        }
    })
}

/// The limit that holds this many seconds after the start.
fn limit_at(schedule: &ChargingScheduleType, moment: i64) -> Option<Decimal> {
    let periods = schedule.charging_schedule_period.iter();
    periods.filter(|period| period.start_period <= moment).max_by_key(|period| period.start_period)?.limit
}
