//! What the CSMS may not send: each rule with its number.

use ocpp_types::Version;
use ocpp_types::v2_1::{
    ChargingProfileCriterionType, ChargingProfileKindEnumType as Kind, ChargingProfilePurposeEnumType as Purpose,
    ChargingProfileType, ChargingRateUnitEnumType, ChargingSchedulePeriodType, ChargingScheduleType,
    ClearChargingProfileType, OperationModeEnumType as Mode,
};

use crate::csms::identity::Place;
use crate::csms::mirrors::{InstalledProfile, Mirrors, VariableKey};

/// A rule that would be broken.
type Rule = &'static str;

const CONTROLLER: &str = "SmartChargingCtrlr";

/// Whether a profile may be sent to this EVSE (0 is the station).
pub(in crate::csms) fn check_profile(
    version: Version,
    mirrors: &Mirrors,
    evse: i64,
    profile: &ChargingProfileType,
) -> Result<(), Rule> {
    purpose(version, evse, profile)?;
    if version == Version::V1_6 {
        return limits_v1_6(mirrors, profile);
    }
    unique(mirrors, evse, profile)?;
    limits(mirrors, evse, profile)?;
    kind(profile)?;
    for schedule in &profile.charging_schedule {
        order(profile, schedule)?;
        for period in &schedule.charging_schedule_period {
            phases(mirrors, evse, period)?;
            operation(schedule, period)?;
        }
    }
    vehicle(mirrors, evse, profile)
}

fn check(holds: bool, rule: Rule) -> Result<(), Rule> {
    if holds { Ok(()) } else { Err(rule) }
}

/// Purposes and where they may be.
fn purpose(version: Version, evse: i64, profile: &ChargingProfileType) -> Result<(), Rule> {
    let purpose = &profile.charging_profile_purpose;
    check(
        *purpose != Purpose::ChargingStationExternalConstraints,
        "K01.FR.22, K02.FR.07: only external systems set external constraints",
    )?;
    if *purpose == Purpose::TxProfile {
        check(evse > 0, "K01.FR.16: a TxProfile is for an EVSE, not for the station")?;
        check(
            version == Version::V1_6 || profile.transaction_id.is_some(),
            "K01.FR.03: a TxProfile names its transaction",
        )?;
    } else {
        check(profile.transaction_id.is_none(), "K02.FR.03: only a TxProfile is for one transaction")?;
    }
    let station = *purpose == Purpose::ChargingStationMaxProfile;
    check(!station || evse == 0, "K04.FR.03: a ChargingStationMaxProfile is for the station, EVSE 0")?;
    check(
        !station || profile.charging_profile_kind != Kind::Relative,
        "K01.FR.38: a ChargingStationMaxProfile is not relative",
    )
}

/// No two profiles compete at one level.
fn unique(mirrors: &Mirrors, evse: i64, profile: &ChargingProfileType) -> Result<(), Rule> {
    let competes = |installed: &&InstalledProfile| {
        let other = &installed.profile;
        other.id != profile.id
            && other.stack_level == profile.stack_level
            && other.charging_profile_purpose == profile.charging_profile_purpose
    };
    let mut others = mirrors.charging_profiles().iter().filter(competes);
    if profile.charging_profile_purpose == Purpose::TxProfile {
        let same = others.any(|installed| installed.profile.transaction_id == profile.transaction_id);
        return check(!same, "K01.FR.39: another TxProfile of the transaction has this stack level");
    }
    let overlaps = others.any(|installed| {
        let other = &installed.profile;
        let begins_before_end =
            |one: &ChargingProfileType, other: &ChargingProfileType| match (&one.valid_from, &other.valid_to) {
                (Some(from), Some(to)) => from.timestamp() < to.timestamp(),
                _ => true,
            };
        installed.evse == evse && begins_before_end(profile, other) && begins_before_end(other, profile)
    });
    check(!overlaps, "K01.FR.06: another profile has this stack level, purpose and EVSE while it is valid")
}

/// What the station says that it can do.
fn limits(mirrors: &Mirrors, evse: i64, profile: &ChargingProfileType) -> Result<(), Rule> {
    let model = mirrors.device_model();
    let number = |variable| model.integer(&VariableKey::new(CONTROLLER, variable));
    check(
        number("ProfileStackLevel").is_none_or(|most| profile.stack_level <= most),
        "SmartChargingCtrlr.ProfileStackLevel: the station has no such stack level",
    )?;
    check(
        number("MaxExternalConstraintsId").is_none_or(|most| profile.id > most),
        "K01.FR.80: ids up to SmartChargingCtrlr.MaxExternalConstraintsId belong to external constraints",
    )?;
    let units = model.value(&VariableKey::new(CONTROLLER, "RateUnit"));
    let periods = number("PeriodsPerSchedule").and_then(|most| usize::try_from(most).ok());
    for schedule in &profile.charging_schedule {
        let unit = schedule.charging_rate_unit.as_str();
        check(
            units.is_none_or(|units| units.split(',').any(|known| known.trim() == unit)),
            "SmartChargingCtrlr.RateUnit: the station does not know the unit",
        )?;
        check(
            periods.is_none_or(|most| schedule.charging_schedule_period.len() <= most),
            "K15.FR.07, K17.FR.07, K18.FR.07, K19.FR.07: more periods than SmartChargingCtrlr.PeriodsPerSchedule",
        )?;
    }
    // K01.FR.34: ISO 15118 alone has a choice of schedules.
    check(
        profile.charging_schedule.len() == 1 || mirrors.charging_profiles().needs(evse).is_some(),
        "K01.FR.34: without ISO 15118 a profile has one schedule",
    )
}

/// What the kind and the purpose ask of the schedules.
fn kind(profile: &ChargingProfileType) -> Result<(), Rule> {
    let schedules = &profile.charging_schedule;
    let starts = schedules.iter().all(|schedule| schedule.start_schedule.is_some());
    let starts_not = schedules.iter().all(|schedule| schedule.start_schedule.is_none());
    match profile.charging_profile_kind {
        Kind::Absolute | Kind::Recurring => {
            check(starts, "K01.FR.40: an absolute or recurring schedule says when it starts")?;
        }
        Kind::Relative => check(starts_not, "K01.FR.41: a relative schedule does not say when it starts")?,
        Kind::Dynamic => {
            let one = matches!(&**schedules, [schedule] if schedule.charging_schedule_period.len() == 1);
            check(one, "K28.FR.01, K29.FR.01: a dynamic profile has one schedule with one period")?;
            let first = schedules.iter().flat_map(|schedule| &schedule.charging_schedule_period);
            check(
                first.into_iter().all(|period| period.start_period == 0),
                "K28.FR.02, K29.FR.02: the period of a dynamic profile starts at 0",
            )?;
        }
        _ => {}
    }
    if profile.charging_profile_purpose == Purpose::PriorityCharging {
        check(
            schedules.iter().all(|schedule| schedule.duration.is_none()),
            "K01.FR.70: a PriorityCharging profile has no duration",
        )?;
        let periods = schedules.iter().flat_map(|schedule| &schedule.charging_schedule_period);
        let charges = |mode: &Mode| *mode == Mode::ChargingOnly;
        check(
            periods.into_iter().all(|period| period.operation_mode.as_ref().is_none_or(charges)),
            "K01.FR.71: a PriorityCharging profile only charges",
        )?;
    }
    Ok(())
}

/// The periods of a schedule.
fn order(profile: &ChargingProfileType, schedule: &ChargingScheduleType) -> Result<(), Rule> {
    let _ = profile;
    let periods = &schedule.charging_schedule_period;
    check(
        periods.first().is_some_and(|period| period.start_period == 0),
        "K01.FR.31: the first period of a schedule starts at 0",
    )?;
    let starts = periods.iter().map(|period| period.start_period);
    let ascending = starts.clone().zip(starts.skip(1)).all(|(one, next)| one < next);
    check(ascending, "K01.FR.35: the periods of a schedule are in the order of their start")
}

fn phases(mirrors: &Mirrors, evse: i64, period: &ChargingSchedulePeriodType) -> Result<(), Rule> {
    if period.phase_to_use.is_none() {
        return Ok(());
    }
    check(period.number_phases == Some(1), "K01.FR.19: a phase is chosen for one phase only")?;
    let station = VariableKey::new(CONTROLLER, "ACPhaseSwitchingSupported");
    let key = station.clone().at(Place::evse(evse));
    let model = mirrors.device_model();
    let supported = model.value(&key).or_else(|| model.value(&station));
    check(
        supported.is_some_and(|value| value.eq_ignore_ascii_case("true")),
        "K01.FR.20: the EVSE can't choose the phase (SmartChargingCtrlr.ACPhaseSwitchingSupported)",
    )
}

/// What goes with which mode of operation.
fn operation(schedule: &ChargingScheduleType, period: &ChargingSchedulePeriodType) -> Result<(), Rule> {
    let mode = period.operation_mode.as_ref().unwrap_or(&Mode::ChargingOnly);
    let (limits, discharges, setpoints) = (has_limit(period), has_discharge_limit(period), has_setpoint(period));
    match mode {
        Mode::CentralSetpoint => {
            check(!limits && !discharges, "Q03.FR.02: with CentralSetpoint there are no limits")?;
        }
        Mode::LocalFrequency => {
            check(
                !limits && !discharges && !setpoints,
                "Q08.FR.01: with LocalFrequency there are neither limits nor setpoints",
            )?;
            let curve = period.v2x_freq_watt_curve.as_ref().map_or(0, alloc::vec::Vec::len);
            check(
                curve >= 2 && period.v2x_baseline.is_some(),
                "Q08.FR.02: LocalFrequency takes a baseline and a curve of two points at least",
            )?;
            check(
                schedule.charging_rate_unit == ChargingRateUnitEnumType::W,
                "Q08.FR.05: with LocalFrequency the unit is W",
            )?;
        }
        Mode::Idle => {
            check(!limits && !discharges && !setpoints, "Q10.FR.01: with Idle there are neither limits nor setpoints")?;
        }
        Mode::ChargingOnly => {
            check(!setpoints, "Q03.FR.01: a setpoint goes with CentralSetpoint")?;
        }
        _ => {}
    }
    Ok(())
}

fn has_limit(period: &ChargingSchedulePeriodType) -> bool {
    period.limit.or(period.limit_l2).or(period.limit_l3).is_some()
}

fn has_discharge_limit(period: &ChargingSchedulePeriodType) -> bool {
    period.discharge_limit.or(period.discharge_limit_l2).or(period.discharge_limit_l3).is_some()
}

fn has_setpoint(period: &ChargingSchedulePeriodType) -> bool {
    let active = period.setpoint.or(period.setpoint_l2).or(period.setpoint_l3);
    let reactive = period.setpoint_reactive.or(period.setpoint_reactive_l2).or(period.setpoint_reactive_l3);
    active.or(reactive).is_some()
}

/// What the vehicle can take, by its own account.
fn vehicle(mirrors: &Mirrors, evse: i64, profile: &ChargingProfileType) -> Result<(), Rule> {
    if profile.charging_profile_purpose != Purpose::TxProfile {
        return Ok(());
    }
    let Some(needs) = mirrors.charging_profiles().needs(evse) else { return Ok(()) };
    let schedules = &profile.charging_schedule;
    check(
        !needs.dynamic_control || schedules.len() == 1,
        "K17.FR.19, K19.FR.07: in dynamic control mode a profile has one schedule",
    )?;
    let most = needs.max_schedule_tuples.and_then(|most| usize::try_from(most).ok());
    for schedule in schedules {
        let mut entries = [schedule.charging_schedule_period.len(), 0, 0, 0];
        entries[1] = schedule.sales_tariff.as_ref().map_or(0, |tariff| tariff.sales_tariff_entry.len());
        entries[2] =
            schedule.price_level_schedule.as_ref().map_or(0, |levels| levels.price_level_schedule_entries.len());
        entries[3] = schedule.absolute_price_schedule.as_ref().map_or(0, |prices| prices.price_rule_stacks.len());
        check(
            most.is_none_or(|most| entries.iter().all(|entries| *entries <= most)),
            "K15.FR.07, K17.FR.07, K18.FR.07, K19.FR.07: more periods than the vehicle's maxScheduleTuples",
        )?;
    }
    if needs.bidirectional {
        return Ok(());
    }
    for period in schedules.iter().flat_map(|schedule| &schedule.charging_schedule_period) {
        let mode = period.operation_mode.as_ref();
        check(
            mode.is_none_or(|mode| *mode == Mode::ChargingOnly),
            "Q02.FR.01: the vehicle was not asked for power in both directions: it only charges",
        )?;
        check(
            !has_discharge_limit(period) && !has_setpoint(period),
            "Q02.FR.02: the vehicle only charges: neither setpoints nor limits of discharging",
        )?;
    }
    Ok(())
}

/// What a 1.6 station says that it can do (1.6 edition 2, 9.4).
fn limits_v1_6(mirrors: &Mirrors, profile: &ChargingProfileType) -> Result<(), Rule> {
    let keys = mirrors.configuration();
    check(
        keys.integer("ChargeProfileMaxStackLevel").is_none_or(|most| profile.stack_level <= most),
        "ChargeProfileMaxStackLevel: the station has no such stack level",
    )?;
    let most = keys.integer("ChargingScheduleMaxPeriods").and_then(|most| usize::try_from(most).ok());
    let units = keys.value("ChargingScheduleAllowedChargingRateUnit");
    for schedule in &profile.charging_schedule {
        check(
            most.is_none_or(|most| schedule.charging_schedule_period.len() <= most),
            "ChargingScheduleMaxPeriods: the station does not take so many periods",
        )?;
        let unit = if schedule.charging_rate_unit == ChargingRateUnitEnumType::A { "Current" } else { "Power" };
        check(
            units.is_none_or(|units| units.split(',').any(|known| known.trim().eq_ignore_ascii_case(unit))),
            "ChargingScheduleAllowedChargingRateUnit: the station does not know the unit",
        )?;
        order(profile, schedule)?;
    }
    Ok(())
}

/// Whether a profile may go with the start of a transaction: JSON of a profile.
pub(in crate::csms) fn check_start(profile: &str) -> Result<(), Rule> {
    #[derive(serde::Deserialize)]
    struct Profile<'a> {
        #[serde(rename = "chargingProfilePurpose", borrow)]
        purpose: alloc::borrow::Cow<'a, str>,
    }
    // What can't be read is found out where it's written.
    let Ok(profile) = serde_json::from_str::<Profile<'_>>(profile) else { return Ok(()) };
    check(profile.purpose == "TxProfile", "K05.FR.02: only a TxProfile goes with the start of a transaction")
}

/// Whether profiles may be asked for like this.
pub(in crate::csms) fn check_criterion(criterion: &ChargingProfileCriterionType) -> Result<(), Rule> {
    let ids = criterion.charging_profile_id.as_ref().is_some_and(|ids| !ids.is_empty());
    let others = criterion.stack_level.is_some()
        || criterion.charging_profile_purpose.is_some()
        || criterion.charging_limit_source.as_ref().is_some_and(|sources| !sources.is_empty());
    check(ids != others, "K09.FR.03: either ids, or one or more of stack level, source and purpose")
}

/// Whether profiles may be cleared like this.
pub(in crate::csms) fn check_clear(id: Option<i64>, criteria: Option<&ClearChargingProfileType>) -> Result<(), Rule> {
    let named = criteria.is_some_and(|criteria| {
        criteria.evse_id.is_some() || criteria.stack_level.is_some() || criteria.charging_profile_purpose.is_some()
    });
    check(id.is_some() || named, "K10.FR.02: an id, or one or more of stack level, EVSE and purpose")?;
    let purpose = criteria.and_then(|criteria| criteria.charging_profile_purpose.as_ref());
    let foreign =
        |purpose: &Purpose| matches!(purpose, Purpose::ChargingStationExternalConstraints | Purpose::LocalGeneration);
    check(!purpose.is_some_and(foreign), "K10.FR.06: what external systems have set is not cleared")
}
