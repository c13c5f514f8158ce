//! Charging profiles, from the types of 2.1 to those of 1.6 and back (1.6 edition 2, 3.13 and 5.16).

use alloc::vec::Vec;

use ocpp_types::v1_6::{
    ChargingProfile, ChargingProfileKindType, ChargingProfilePurposeType, ChargingRateUnitType, ChargingSchedule,
    ChargingSchedulePeriod, GetCompositeScheduleResponse, RecurrencyKindType,
};
use ocpp_types::v2_1::{
    ChargingProfileKindEnumType, ChargingProfilePurposeEnumType, ChargingProfileType, ChargingRateUnitEnumType,
    ChargingSchedulePeriodType, ChargingScheduleType, CompositeScheduleType, RecurrencyKindEnumType,
};
use ocpp_types::{Text, v2_1};

use crate::csms::command::CallOutcome;
use crate::csms::wire::invalid;

/// A profile as 1.6 can say it, or what it has no words for.
pub(super) fn to_profile(profile: &ChargingProfileType) -> Result<ChargingProfile, CallOutcome> {
    let purpose = to_purpose(&profile.charging_profile_purpose)?;
    let kind = match profile.charging_profile_kind {
        ChargingProfileKindEnumType::Absolute => ChargingProfileKindType::Absolute,
        ChargingProfileKindEnumType::Recurring => ChargingProfileKindType::Recurring,
        ChargingProfileKindEnumType::Relative => ChargingProfileKindType::Relative,
        _ => return Err(invalid("/chargingProfileKind", "1.6 knows no such kind of profile")),
    };
    let [schedule] = &*profile.charging_schedule else {
        return Err(invalid("/chargingSchedule", "a profile of 1.6 has one schedule"));
    };
    // What can't be said must not be left out: the station would do something else than was meant.
    let newer = profile.max_offline_duration.is_some()
        || profile.invalid_after_offline_duration.is_some()
        || profile.dyn_update_interval.is_some();
    if newer {
        return Err(invalid("/", "1.6 knows neither offline durations nor dynamic updates"));
    }
    let mut written = ChargingProfile::new(profile.id, profile.stack_level, purpose, kind, to_schedule(schedule)?);
    if let Some(transaction) = &profile.transaction_id {
        let number =
            transaction.parse().map_err(|_| invalid("/transactionId", "1.6 knows transactions by integers"))?;
        written.transaction_id = Some(number);
    }
    written.recurrency_kind = match &profile.recurrency_kind {
        None => None,
        Some(RecurrencyKindEnumType::Daily) => Some(RecurrencyKindType::Daily),
        Some(RecurrencyKindEnumType::Weekly) => Some(RecurrencyKindType::Weekly),
        Some(_) => return Err(invalid("/recurrencyKind", "1.6 knows days and weeks")),
    };
    written.valid_from = profile.valid_from;
    written.valid_to = profile.valid_to;
    Ok(written)
}

fn to_schedule(schedule: &ChargingScheduleType) -> Result<ChargingSchedule, CallOutcome> {
    let newer = schedule.limit_at_so_c.is_some()
        || schedule.use_local_time.is_some()
        || schedule.randomized_delay.is_some()
        || schedule.power_tolerance.is_some()
        || schedule.sales_tariff.is_some()
        || schedule.absolute_price_schedule.is_some()
        || schedule.price_level_schedule.is_some();
    if newer {
        return Err(invalid("/chargingSchedule/0", "1.6 has limits over time, and nothing else"));
    }
    let periods = schedule.charging_schedule_period.iter().map(to_period).collect::<Result<Vec<_>, _>>()?;
    let mut written = ChargingSchedule::new(to_unit(&schedule.charging_rate_unit)?, periods);
    written.duration = schedule.duration;
    written.start_schedule = schedule.start_schedule;
    written.min_charging_rate = schedule.min_charging_rate;
    Ok(written)
}

fn to_period(period: &ChargingSchedulePeriodType) -> Result<ChargingSchedulePeriod, CallOutcome> {
    let path = "/chargingSchedule/0/chargingSchedulePeriod";
    let limit = period.limit.ok_or_else(|| invalid(path, "a period of 1.6 has a limit"))?;
    let mut written = ChargingSchedulePeriod::new(period.start_period, limit);
    written.number_phases = period.number_phases;
    // All that is said must be what 1.6 can say.
    let mut plain = ChargingSchedulePeriodType::new(period.start_period);
    plain.limit = period.limit;
    plain.number_phases = period.number_phases;
    plain.operation_mode.clone_from(&period.operation_mode);
    let charges = period.operation_mode.as_ref().is_none_or(|mode| *mode == v2_1::OperationModeEnumType::ChargingOnly);
    if *period != plain || !charges {
        return Err(invalid(path, "a period of 1.6 has a start, a limit and a number of phases"));
    }
    Ok(written)
}

pub(super) fn to_unit(unit: &ChargingRateUnitEnumType) -> Result<ChargingRateUnitType, CallOutcome> {
    match unit {
        ChargingRateUnitEnumType::A => Ok(ChargingRateUnitType::A),
        ChargingRateUnitEnumType::W => Ok(ChargingRateUnitType::W),
        _ => Err(invalid("/chargingRateUnit", "1.6 knows A and W")),
    }
}

pub(super) fn to_purpose(purpose: &ChargingProfilePurposeEnumType) -> Result<ChargingProfilePurposeType, CallOutcome> {
    match purpose {
        ChargingProfilePurposeEnumType::ChargingStationMaxProfile => {
            Ok(ChargingProfilePurposeType::ChargePointMaxProfile)
        }
        ChargingProfilePurposeEnumType::TxDefaultProfile => Ok(ChargingProfilePurposeType::TxDefaultProfile),
        ChargingProfilePurposeEnumType::TxProfile => Ok(ChargingProfilePurposeType::TxProfile),
        _ => Err(invalid("/chargingProfilePurpose", "1.6 knows no such purpose")),
    }
}

pub(in crate::csms) fn from_purpose(purpose: &ChargingProfilePurposeType) -> ChargingProfilePurposeEnumType {
    match purpose {
        ChargingProfilePurposeType::ChargePointMaxProfile => ChargingProfilePurposeEnumType::ChargingStationMaxProfile,
        other => other.as_str().into(),
    }
}

/// A profile in the types of 2.1.
pub(in crate::csms) fn from_profile(profile: &ChargingProfile) -> ChargingProfileType {
    let purpose = from_purpose(&profile.charging_profile_purpose);
    let kind = profile.charging_profile_kind.as_str().into();
    let schedule = from_schedule(&profile.charging_schedule);
    let id = profile.charging_profile_id;
    let mut read = ChargingProfileType::new(id, profile.stack_level, purpose, kind, [schedule].into());
    read.transaction_id = profile.transaction_id.map(|number| Text::truncated(&alloc::format!("{number}")));
    read.recurrency_kind = profile.recurrency_kind.as_ref().map(|kind| kind.as_str().into());
    read.valid_from = profile.valid_from;
    read.valid_to = profile.valid_to;
    read
}

fn from_schedule(schedule: &ChargingSchedule) -> ChargingScheduleType {
    let unit = schedule.charging_rate_unit.as_str().into();
    let mut read = ChargingScheduleType::new(0, unit, from_periods(&schedule.charging_schedule_period));
    read.duration = schedule.duration;
    read.start_schedule = schedule.start_schedule;
    read.min_charging_rate = schedule.min_charging_rate;
    read
}

fn from_periods(periods: &[ChargingSchedulePeriod]) -> Vec<ChargingSchedulePeriodType> {
    let period = |period: &ChargingSchedulePeriod| {
        let mut read = ChargingSchedulePeriodType::new(period.start_period);
        read.limit = Some(period.limit);
        read.number_phases = period.number_phases;
        read
    };
    periods.iter().map(period).collect()
}

/// A composite schedule in the types of 2.1.
pub(super) fn from_composite(response: GetCompositeScheduleResponse) -> Option<CompositeScheduleType> {
    let schedule = response.charging_schedule?;
    let start = response.schedule_start.or(schedule.start_schedule)?;
    let unit = schedule.charging_rate_unit.as_str().into();
    let periods = from_periods(&schedule.charging_schedule_period);
    let evse = response.connector_id.unwrap_or(0);
    Some(CompositeScheduleType::new(evse, schedule.duration.unwrap_or(0), start, unit, periods))
}
