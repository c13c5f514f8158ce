//! Smart charging as 1.6 writes it (edition 2, 3.13, 5.5, 5.7 and 5.16).

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::encode;
use ocpp_types::v1_6::{
    ChargingProfile, ChargingProfileKindType, ChargingProfilePurposeType, ChargingProfileStatus, ChargingRateUnitType,
    ChargingSchedule, ChargingSchedulePeriod, ClearChargingProfileRequest, ClearChargingProfileResponse,
    ClearChargingProfileStatus, GetCompositeScheduleRequest, GetCompositeScheduleResponse, GetCompositeScheduleStatus,
    RecurrencyKindType, SetChargingProfileRequest, SetChargingProfileResponse,
};

use crate::rpc::{CallError, ErrorCode};
use crate::station::Station;
use crate::station::dialect::Answered;
use crate::station::settings::Key;
use crate::station::smart_charging::{
    CompositePeriod, Criteria, Period, Place, Profile, Purpose, PurposeKind, RateUnit, Recurrence, Rival, Schedule,
    Start, UNLIMITED, Window,
};

/// Where a connector's number points; `None` if there is no such connector.
fn place(station: &Station, connector: i64) -> Option<Place> {
    if connector == 0 {
        return Some(Place::Station);
    }
    let (evse, connector) = station.by_through_number(connector)?;
    Some(Place::Evse { evse, connector: Some(connector) })
}

/// 1.6 edition 2, 5.16; 1.6 errata 3.38, 3.39, 3.53
pub(super) fn set_charging_profile(station: &mut Station, request: &SetChargingProfileRequest) -> Answered {
    let Some(place) = place(station, request.connector_id) else {
        // Errata 3.39
        let description = "/connectorId: there is no such connector";
        return Answered::Refuse(CallError::new(ErrorCode::PropertyConstraintViolation, description));
    };
    let wire = &request.cs_charging_profiles;
    let purpose = match wire.charging_profile_purpose {
        ChargingProfilePurposeType::ChargePointMaxProfile => Some(Purpose::StationMax),
        ChargingProfilePurposeType::TxDefaultProfile => Some(Purpose::TransactionDefault),
        // 1.6 edition 2, 3.13.1, 5.16.4: without a transaction there is nothing that it could be about.
        _ => meant_transaction(station, place, wire.transaction_id).map(Purpose::Transaction),
    };
    // 1.6 edition 2, 7.8: only a profile of a transaction names one.
    let names_in_vain = wire.transaction_id.is_some() && !matches!(purpose, Some(Purpose::Transaction(_)));
    let profile = purpose.filter(|_| !names_in_vain).and_then(|purpose| profile(wire, purpose, place, station.utc()));
    let is_installed = profile.is_some_and(|profile| station.install_profile(profile, Rival::Replaced).is_ok());
    Answered::Now(encode(&SetChargingProfileResponse::new(if is_installed {
        ChargingProfileStatus::Accepted
    } else {
        ChargingProfileStatus::Rejected
    })))
}

/// The transaction at a place, if the CSMS means that one.
fn meant_transaction(station: &Station, place: Place, csms_id: Option<i64>) -> Option<String> {
    let Place::Evse { evse, connector } = place else { return None };
    let running = station.running_transaction(evse, connector)?;
    let is_meant = csms_id.is_none() || station.outbox.csms_id(running) == csms_id;
    is_meant.then(|| running.into())
}

/// A profile that came with RemoteStartTransaction, if it can be used there (5.16.2 and errata 3.41). The transaction that
/// it is about doesn't exist yet.
/// 1.6 errata 3.41
pub(super) fn profile_of_remote_start(station: &Station, wire: &ChargingProfile, evse: u32) -> Option<Profile> {
    let is_allowed =
        wire.charging_profile_purpose == ChargingProfilePurposeType::TxProfile && wire.transaction_id.is_none();
    let place = Place::Evse { evse, connector: None };
    let profile = profile(wire, Purpose::Transaction(String::new()), place, station.utc()).filter(|_| is_allowed)?;
    station.check_profile(&profile, Rival::Replaced).is_ok().then_some(profile)
}

/// 1.6 edition 2, 7.8; `None` if it makes no sense.
/// 1.6 errata 3.56
fn profile(wire: &ChargingProfile, purpose: Purpose, place: Place, now: Timestamp) -> Option<Profile> {
    let schedule = schedule(wire, &purpose, now)?;
    let mut profile = Profile::new(wire.charging_profile_id, wire.stack_level, purpose, place, schedule);
    profile.valid_from = wire.valid_from.map(|from| from.timestamp());
    profile.valid_to = wire.valid_to.map(|to| to.timestamp());
    Some(profile)
}

/// 1.6 edition 2, 7.9, 7.13, 7.14, 7.37
fn schedule(wire: &ChargingProfile, purpose: &Purpose, now: Timestamp) -> Option<Schedule> {
    let recurrence = match (&wire.charging_profile_kind, &wire.recurrency_kind) {
        (ChargingProfileKindType::Recurring, Some(RecurrencyKindType::Daily)) => Some(Recurrence::Daily),
        (ChargingProfileKindType::Recurring, Some(RecurrencyKindType::Weekly)) => Some(Recurrence::Weekly),
        // Errata 3.56: a recurrence belongs to what recurs, and nothing recurs without one.
        (ChargingProfileKindType::Recurring, _) | (_, Some(_)) => return None,
        (_, None) => None,
    };
    let wire_schedule = &wire.charging_schedule;
    let start = match (&wire.charging_profile_kind, wire_schedule.start_schedule, purpose) {
        (ChargingProfileKindType::Absolute | ChargingProfileKindType::Recurring, Some(start), _) => {
            Start::At(start.timestamp())
        }
        // No transaction starts a limit of the whole station: the station chooses the start (7.9).
        (_, _, Purpose::StationMax) => Start::At(now),
        // 1.6 edition 2, 7.13: without a start it is relative to the start of charging.
        _ => Start::Transaction,
    };
    let periods: Option<Vec<Period>> = wire_schedule.charging_schedule_period.iter().map(period).collect();
    let mut schedule = Schedule::new(start, unit(&wire_schedule.charging_rate_unit)?, periods?).ok()?;
    if let Some(recurrence) = recurrence {
        schedule = schedule.recurring(recurrence);
    }
    if let Some(duration) = wire_schedule.duration {
        schedule = schedule.lasting(u32::try_from(duration).ok()?);
    }
    match wire_schedule.min_charging_rate {
        Some(rate) => schedule.with_min_charging_rate(rate).ok(),
        None => Some(schedule),
    }
}

fn period(wire: &ChargingSchedulePeriod) -> Option<Period> {
    let period = Period::new(u32::try_from(wire.start_period).ok()?, wire.limit);
    match wire.number_phases {
        Some(phases) => Some(period.over_phases(u32::try_from(phases).ok()?)),
        None => Some(period),
    }
}

fn unit(wire: &ChargingRateUnitType) -> Option<RateUnit> {
    match wire {
        ChargingRateUnitType::A => Some(RateUnit::Amperes),
        ChargingRateUnitType::W => Some(RateUnit::Watts),
        _ => None,
    }
}

/// 1.6 edition 2, 5.5
pub(super) fn clear_charging_profile(
    station: &mut Station,
    request: &ClearChargingProfileRequest,
) -> ClearChargingProfileResponse {
    let place = request.connector_id.map(|connector| place(station, connector));
    // Errata 3.25, 3.26: everything that is given has to fit. At a connector that doesn't exist, nothing does.
    let cleared = place != Some(None)
        && station.clear_profiles(&Criteria {
            ids: request.id.map(|id| alloc::vec![id]),
            place: place.flatten(),
            purpose: request.charging_profile_purpose.as_ref().map(|purpose| match purpose {
                ChargingProfilePurposeType::ChargePointMaxProfile => PurposeKind::StationMax,
                ChargingProfilePurposeType::TxDefaultProfile => PurposeKind::TransactionDefault,
                _ => PurposeKind::Transaction,
            }),
            stack_level: request.stack_level,
            ..Criteria::default()
        });
    ClearChargingProfileResponse::new(if cleared {
        ClearChargingProfileStatus::Accepted
    } else {
        ClearChargingProfileStatus::Unknown
    })
}

/// 1.6 edition 2, 5.7; 1.6 errata 3.24, 3.29, 3.51, 3.57
pub(super) fn get_composite_schedule(
    station: &Station,
    request: &GetCompositeScheduleRequest,
) -> GetCompositeScheduleResponse {
    composite_schedule(station, request)
        .unwrap_or_else(|| GetCompositeScheduleResponse::new(GetCompositeScheduleStatus::Rejected))
}

fn composite_schedule(
    station: &Station,
    request: &GetCompositeScheduleRequest,
) -> Option<GetCompositeScheduleResponse> {
    let place = place(station, request.connector_id)?;
    let unit = match &request.charging_rate_unit {
        Some(wire) => unit(wire).filter(|unit| station.takes_unit(*unit))?,
        None => station.usual_rate_unit(),
    };
    let now = station.utc();
    let window = Window {
        // In whole seconds, as the periods are.
        from: Timestamp::from_second(now.as_second()).unwrap_or(now),
        seconds: u32::try_from(request.duration).ok()?,
        unit,
        decimal_places: 1,
        max_periods: usize::try_from(station.settings.integer(Key::PeriodsPerSchedule)).unwrap_or(usize::MAX),
    };
    let composite = station.composite_schedule(place, &window)?;
    let wire_unit = match unit {
        RateUnit::Amperes => ChargingRateUnitType::A,
        RateUnit::Watts => ChargingRateUnitType::W,
    };
    let mut schedule = ChargingSchedule::new(wire_unit, composite.periods.iter().map(composite_period).collect());
    // Errata 3.57: the start is in the response, not in the schedule.
    schedule.duration = Some(composite.seconds.into());
    let mut response = GetCompositeScheduleResponse::new(GetCompositeScheduleStatus::Accepted);
    response.connector_id = Some(request.connector_id);
    response.schedule_start = Some(composite.from.into());
    response.charging_schedule = Some(schedule.into());
    Some(response)
}

fn composite_period(period: &CompositePeriod) -> ChargingSchedulePeriod {
    let mut wire = ChargingSchedulePeriod::new(period.start.into(), period.limit.unwrap_or(UNLIMITED));
    wire.number_phases = Some(period.phases.into());
    wire
}
