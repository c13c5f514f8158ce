//! Reading a profile, and saying what is wrong with it.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use ocpp_types::v2_1::{
    ChargingProfileKindEnumType, ChargingProfilePurposeEnumType, ChargingProfileType, ChargingSchedulePeriodType,
    ChargingScheduleType, OperationModeEnumType, RecurrencyKindEnumType,
};

use super::{place, unit};
use crate::station::Station;
use crate::station::settings::Key;
use crate::station::smart_charging::{
    Dynamic, OfflineRule, Period, Place, Profile, Purpose, Recurrence, Refusal, Rival, Schedule, SocLimit, Start,
};

/// A profile that the CSMS wants to be installed at an EVSE.
pub(super) fn profile(station: &Station, evse: i64, wire: &ChargingProfileType) -> Result<Profile, Refusal> {
    // K01.FR.28
    let place = place(station, evse).ok_or(Refusal::Evse)?;
    let purpose = purpose(station, place, wire)?;
    read(station, place, purpose, wire)
}

/// A profile that came with `RequestStartTransaction`. The transaction that it is about doesn't exist yet.
pub(in crate::station::v2) fn profile_of_remote_start(
    station: &Station,
    evse: u32,
    wire: &ChargingProfileType,
) -> Result<Profile, Refusal> {
    // K05.FR.02, F01.FR.11
    if wire.charging_profile_purpose != ChargingProfilePurposeEnumType::TxProfile || wire.transaction_id.is_some() {
        return Err(Refusal::Profile);
    }
    let place = Place::Evse { evse, connector: None };
    let profile = read(station, place, Purpose::Transaction(String::new()), wire)?;
    station.check_profile(&profile, Rival::Replaced)?;
    Ok(profile)
}

fn purpose(station: &Station, place: Place, wire: &ChargingProfileType) -> Result<Purpose, Refusal> {
    let transaction = wire.transaction_id.as_deref();
    let purpose = match wire.charging_profile_purpose {
        ChargingProfilePurposeEnumType::ChargingStationMaxProfile => Purpose::StationMax,
        ChargingProfilePurposeEnumType::TxDefaultProfile => Purpose::TransactionDefault,
        ChargingProfilePurposeEnumType::TxProfile => {
            // K01.FR.16
            let Place::Evse { evse, connector } = place else { return Err(Refusal::Place) };
            // K01.FR.03
            let wanted = transaction.ok_or(Refusal::Missing)?;
            // K01.FR.04, K01.FR.09, K01.FR.33
            let running = station.running_transaction(evse, connector).filter(|running| *running == wanted);
            return Ok(Purpose::Transaction(running.ok_or(Refusal::Transaction)?.into()));
        }
        // K01.FR.22
        ChargingProfilePurposeEnumType::ChargingStationExternalConstraints => return Err(Refusal::Profile),
        ref additional => {
            // K01.FR.120
            if !station.settings.has(Key::AdditionalChargingPurposes, additional.as_str()) {
                return Err(Refusal::Purpose);
            }
            match additional {
                ChargingProfilePurposeEnumType::PriorityCharging => Purpose::Priority,
                ChargingProfilePurposeEnumType::LocalGeneration => Purpose::LocalGeneration,
                _ => return Err(Refusal::Purpose),
            }
        }
    };
    // Only a profile of a transaction names one.
    if transaction.is_some() { Err(Refusal::Profile) } else { Ok(purpose) }
}

fn read(station: &Station, place: Place, purpose: Purpose, wire: &ChargingProfileType) -> Result<Profile, Refusal> {
    // K01.FR.81
    if station.highest_external_id().is_some_and(|highest| wire.id <= highest) {
        return Err(Refusal::Id);
    }
    // K01.FR.34: more than one is for vehicles that choose, as ISO 15118 lets them.
    let [wire_schedule] = wire.charging_schedule.as_slice() else { return Err(Refusal::Schedule) };
    let dynamic = dynamic(station, wire, wire_schedule)?;
    let (start, recurrence) = beginning(wire, wire_schedule, &purpose, station.utc())?;
    is_supported(station, &purpose, wire_schedule)?;
    let periods = wire_schedule.charging_schedule_period.iter().map(|wire| period(station, place, &purpose, wire));
    let periods = periods.collect::<Result<Vec<_>, _>>()?;
    let unit = unit(&wire_schedule.charging_rate_unit).ok_or(Refusal::RateUnit)?;
    // K01.FR.31, K01.FR.35
    let mut schedule = Schedule::new(start, unit, periods).map_err(|_| Refusal::Schedule)?;
    if let Some(recurrence) = recurrence {
        schedule = schedule.recurring(recurrence);
    }
    if let Some(duration) = wire_schedule.duration {
        schedule = schedule.lasting(seconds(duration, Refusal::Schedule)?);
    }
    if let Some(rate) = wire_schedule.min_charging_rate {
        schedule = schedule.with_min_charging_rate(rate).map_err(|_| Refusal::Schedule)?;
    }
    if let Some(delay) = wire_schedule.randomized_delay.filter(|delay| *delay != 0) {
        schedule = schedule.with_randomized_delay(seconds(delay, Refusal::Schedule)?);
    }
    if let Some(capped) = &wire_schedule.limit_at_so_c {
        let soc = u32::try_from(capped.soc).map_err(|_| Refusal::Schedule)?;
        let capped = SocLimit { soc, limit: capped.limit };
        schedule = schedule.with_limit_at_soc(capped).map_err(|_| Refusal::Schedule)?;
    }
    let mut profile = Profile::new(wire.id, wire.stack_level, purpose, place, schedule);
    profile.schedule_id = Some(wire_schedule.id);
    profile.valid_from = wire.valid_from.map(|from| from.timestamp());
    profile.valid_to = wire.valid_to.map(|to| to.timestamp());
    profile.dynamic = dynamic;
    if let Some(offline) = wire.max_offline_duration {
        let ends = wire.invalid_after_offline_duration.unwrap_or(false);
        profile.offline = Some(OfflineRule { seconds: seconds(offline, Refusal::Profile)?, ends });
    }
    Ok(profile)
}

fn seconds(number: i64, refusal: Refusal) -> Result<u32, Refusal> {
    u32::try_from(number).map_err(|_| refusal)
}

/// What makes a profile a dynamic one.
fn dynamic(
    station: &Station,
    wire: &ChargingProfileType,
    schedule: &ChargingScheduleType,
) -> Result<Option<Dynamic>, Refusal> {
    if wire.charging_profile_kind != ChargingProfileKindEnumType::Dynamic {
        // K01.FR.122, K28.FR.04
        let has_none = wire.dyn_update_interval.is_none() && wire.dyn_update_time.is_none();
        return if has_none { Ok(None) } else { Err(Refusal::Profile) };
    }
    // K01.FR.121
    if !station.settings.boolean(Key::SupportsDynamicProfiles) {
        return Err(Refusal::Kind);
    }
    // K28.FR.01, K28.FR.02, K28.FR.03
    if schedule.charging_schedule_period.len() != 1 {
        return Err(Refusal::Schedule);
    }
    let interval = wire.dyn_update_interval.map(|interval| seconds(interval, Refusal::Profile)).transpose()?;
    Ok(Some(Dynamic {
        interval: interval.filter(|interval| *interval > 0),
        // K28.FR.05
        updated: wire.dyn_update_time.map_or_else(|| station.utc(), |time| time.timestamp()),
    }))
}

/// Where the seconds of a schedule are counted from, and how often it begins anew.
fn beginning(
    wire: &ChargingProfileType,
    schedule: &ChargingScheduleType,
    purpose: &Purpose,
    now: Timestamp,
) -> Result<(Start, Option<Recurrence>), Refusal> {
    let recurrence = wire.recurrency_kind.as_ref().map(|kind| match kind {
        RecurrencyKindEnumType::Daily => Ok(Recurrence::Daily),
        RecurrencyKindEnumType::Weekly => Ok(Recurrence::Weekly),
        _ => Err(Refusal::Profile),
    });
    let recurrence = recurrence.transpose()?;
    let start = schedule.start_schedule.map(|start| match schedule.use_local_time {
        // K01.FR.90: as it is written, whatever offset is written behind it.
        Some(true) => {
            let offset = SignedDuration::from_mins(start.offset_minutes().into());
            let written = start.timestamp().checked_add(offset).unwrap_or_else(|_| start.timestamp());
            Start::LocalTime(Offset::UTC.to_datetime(written))
        }
        _ => Start::At(start.timestamp()),
    });
    match (&wire.charging_profile_kind, start, recurrence) {
        // K01.FR.40
        (ChargingProfileKindEnumType::Absolute, Some(start), None) => Ok((start, None)),
        (ChargingProfileKindEnumType::Recurring, Some(start), Some(recurrence)) => Ok((start, Some(recurrence))),
        // K01.FR.41; K01.FR.38: no transaction begins a limit of the whole station.
        (ChargingProfileKindEnumType::Relative, None, None) if *purpose != Purpose::StationMax => {
            Ok((Start::Transaction, None))
        }
        // K28.FR.02: it counts from when it comes.
        (ChargingProfileKindEnumType::Dynamic, start, None) => Ok((start.unwrap_or(Start::At(now)), None)),
        (_, _, Some(_)) | (ChargingProfileKindEnumType::Recurring, _, None) => Err(Refusal::Profile),
        _ if *purpose == Purpose::StationMax => Err(Refusal::Profile),
        _ => Err(Refusal::Schedule),
    }
}

/// What of a schedule only some stations can do, or only some purposes have.
fn is_supported(station: &Station, purpose: &Purpose, wire: &ChargingScheduleType) -> Result<(), Refusal> {
    let supports = |key: Key| station.settings.boolean(key);
    let is_delayed = wire.randomized_delay.is_some_and(|delay| delay > 0);
    let is_of_transactions = matches!(purpose, Purpose::Transaction(_) | Purpose::TransactionDefault);
    let cannot_be = [
        // K01.FR.123
        wire.use_local_time == Some(true) && !supports(Key::SupportsLocalTime),
        // K01.FR.124
        is_delayed && !supports(Key::SupportsRandomizedDelay),
        // K01.FR.95
        is_delayed && !is_of_transactions,
        // K01.FR.125
        wire.limit_at_so_c.is_some() && !supports(Key::SupportsLimitAtSoc),
        // K01.FR.126
        wire.charging_schedule_period.iter().any(|period| period.evse_sleep == Some(true))
            && !supports(Key::SupportsEvseSleep),
        // K01.FR.70
        *purpose == Purpose::Priority && wire.duration.is_some(),
    ];
    if cannot_be.contains(&true) { Err(Refusal::Schedule) } else { Ok(()) }
}

fn period(
    station: &Station,
    place: Place,
    purpose: &Purpose,
    wire: &ChargingSchedulePeriodType,
) -> Result<Period, Refusal> {
    match wire.operation_mode {
        None | Some(OperationModeEnumType::ChargingOnly) => {}
        // K01.FR.71
        Some(_) if *purpose == Purpose::Priority => return Err(Refusal::Schedule),
        // Q09.FR.01: what the station can't do.
        Some(_) => return Err(Refusal::Parameter),
    }
    // A vehicle that only charges follows no set points and gives nothing back (2.1 part 2, Q, "Limits and setpoints per
    // operation mode").
    let is_of_other_modes = wire.discharge_limit.is_some()
        || wire.discharge_limit_l2.is_some()
        || wire.discharge_limit_l3.is_some()
        || wire.setpoint.is_some()
        || wire.setpoint_l2.is_some()
        || wire.setpoint_l3.is_some()
        || wire.setpoint_reactive.is_some()
        || wire.setpoint_reactive_l2.is_some()
        || wire.setpoint_reactive_l3.is_some();
    if is_of_other_modes {
        return Err(Refusal::Schedule);
    }
    // No phase is limited apart from the others.
    if wire.limit_l2.is_some() || wire.limit_l3.is_some() {
        return Err(Refusal::Parameter);
    }
    let start = u32::try_from(wire.start_period).map_err(|_| Refusal::Schedule)?;
    let period = Period::new(start, wire.limit.ok_or(Refusal::Schedule)?);
    // K01.FR.19; K01.FR.48: no phase can be chosen.
    if wire.phase_to_use.is_some() {
        return Err(Refusal::Schedule);
    }
    let Some(phases) = wire.number_phases else { return Ok(period) };
    let phases = u32::try_from(phases).map_err(|_| Refusal::Schedule)?;
    // K01.FR.43; more than there are is no harm (K01.FR.45).
    if phases < supply_phases(station, place) && !station.settings.boolean(Key::PhaseSwitching) {
        return Err(Refusal::Schedule);
    }
    Ok(period.over_phases(phases))
}

/// The most phases of the EVSEs that a profile is about.
fn supply_phases(station: &Station, place: Place) -> u32 {
    let evses = station.evses.iter().zip(&station.config.evses);
    let meant = evses.filter(|(known, _)| match place {
        Place::Station => true,
        Place::Evse { evse, .. } => known.id == evse,
    });
    meant.map(|(_, config)| config.supply_phases).max().unwrap_or(3)
}
