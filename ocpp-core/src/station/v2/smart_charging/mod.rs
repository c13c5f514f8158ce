//! Smart charging as 2.x writes it (block K).

mod changes;
mod needs;
mod profile;
mod report;

use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::Text;
use ocpp_types::v2_1::{
    ChargingProfilePurposeEnumType, ChargingProfileStatusEnumType, ChargingRateUnitEnumType,
    ClearChargingProfileRequest, ClearChargingProfileResponse, ClearChargingProfileStatusEnumType,
    CompositeScheduleType, GenericStatusEnumType, GetChargingProfileStatusEnumType, GetChargingProfilesRequest,
    GetChargingProfilesResponse, GetCompositeScheduleRequest, GetCompositeScheduleResponse, SetChargingProfileRequest,
    SetChargingProfileResponse, StatusInfoType,
};

use super::Rules;
use crate::rpc::{CallError, ErrorCode};
use crate::station::dialect::Answered;
use crate::station::settings::Key;
use crate::station::smart_charging::{Criteria, Place, PurposeKind, RateUnit, Refusal, Rival, Window};
use crate::station::{AfterAnswer, Station};

pub(super) use changes::{pulled, update_dynamic_schedule, use_priority_charging};
pub(super) use needs::{charging_needs, charging_plan, sends_schedule};
pub(super) use profile::profile_of_remote_start;
pub(super) use report::{charging_limit, report_profiles};

/// Why a profile is not taken (2.1 part 2 appendices, reason codes).
pub(super) const fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Evse => "UnknownEvse",
        Refusal::Place | Refusal::Profile | Refusal::Validity => "InvalidProfile",
        Refusal::Schedule | Refusal::TooManyPeriods => "InvalidSchedule",
        Refusal::Parameter => "UnsupportedParam",
        Refusal::Missing => "MissingParam",
        Refusal::Transaction => "TxNotFound",
        Refusal::Purpose => "UnsupportedPurpose",
        Refusal::Kind => "UnsupportedKind",
        Refusal::StackLevel => "InvalidStackLevel",
        Refusal::RateUnit => "UnsupportedRateUnit",
        Refusal::TooManyProfiles => "TooManyElements",
        Refusal::Duplicate => "DuplicateProfile",
        Refusal::Id => "InvalidProfileId",
    }
}

pub(super) fn status_info(reason: &str) -> StatusInfoType {
    StatusInfoType::new(Text::truncated(reason))
}

/// K01.FR.29: without smart charging there is nothing to answer.
pub(super) fn refused_as_a_whole() -> Answered {
    Answered::Refuse(CallError::new(ErrorCode::NotSupported, "smart charging is switched off"))
}

/// Where an EVSE's number points; `None` if there is no such EVSE.
fn place(station: &Station, evse: i64) -> Option<Place> {
    let evse = u32::try_from(evse).ok()?;
    match evse {
        0 => Some(Place::Station),
        _ => station.position(evse).map(|_| Place::Evse { evse, connector: None }),
    }
}

fn unit(wire: &ChargingRateUnitEnumType) -> Option<RateUnit> {
    match wire {
        ChargingRateUnitEnumType::A => Some(RateUnit::Amperes),
        ChargingRateUnitEnumType::W => Some(RateUnit::Watts),
        _ => None,
    }
}

fn wire_unit(unit: RateUnit) -> ChargingRateUnitEnumType {
    match unit {
        RateUnit::Amperes => ChargingRateUnitEnumType::A,
        RateUnit::Watts => ChargingRateUnitEnumType::W,
    }
}

fn purpose_kind(wire: &ChargingProfilePurposeEnumType) -> Option<PurposeKind> {
    Some(match wire {
        ChargingProfilePurposeEnumType::ChargingStationMaxProfile => PurposeKind::StationMax,
        ChargingProfilePurposeEnumType::TxDefaultProfile => PurposeKind::TransactionDefault,
        ChargingProfilePurposeEnumType::TxProfile => PurposeKind::Transaction,
        ChargingProfilePurposeEnumType::PriorityCharging => PurposeKind::Priority,
        ChargingProfilePurposeEnumType::ChargingStationExternalConstraints => PurposeKind::ExternalConstraints,
        ChargingProfilePurposeEnumType::LocalGeneration => PurposeKind::LocalGeneration,
        _ => return None,
    })
}

/// K01
pub(super) fn set_charging_profile(
    station: &mut Station,
    request: &SetChargingProfileRequest,
) -> SetChargingProfileResponse {
    let installed = profile::profile(station, request.evse_id, &request.charging_profile)
        .and_then(|profile| station.install_profile(profile, Rival::Preferred));
    match installed {
        Ok(()) => SetChargingProfileResponse::new(ChargingProfileStatusEnumType::Accepted),
        Err(refusal) => {
            let mut response = SetChargingProfileResponse::new(ChargingProfileStatusEnumType::Rejected);
            response.status_info = Some(status_info(reason(refusal)));
            response
        }
    }
}

/// K10
pub(super) fn clear_charging_profile(
    station: &mut Station,
    request: &ClearChargingProfileRequest,
) -> ClearChargingProfileResponse {
    let criteria = match (request.charging_profile_id, &request.charging_profile_criteria) {
        // K10.FR.03
        (Some(id), _) => Some(Criteria { ids: Some(alloc::vec![id]), ..Criteria::default() }),
        // K10.FR.04
        (None, Some(wanted)) => {
            criteria(station, wanted.evse_id, wanted.charging_profile_purpose.as_ref(), wanted.stack_level)
        }
        (None, None) => Some(Criteria::default()),
    };
    let cleared = criteria.is_some_and(|criteria| station.clear_profiles(&criteria));
    ClearChargingProfileResponse::new(if cleared {
        ClearChargingProfileStatusEnumType::Accepted
    } else {
        // K10.FR.01
        ClearChargingProfileStatusEnumType::Unknown
    })
}

/// What has to fit; `None` where nothing can.
fn criteria(
    station: &Station,
    evse: Option<i64>,
    purpose: Option<&ChargingProfilePurposeEnumType>,
    stack_level: Option<i64>,
) -> Option<Criteria> {
    Some(Criteria {
        place: match evse {
            Some(evse) => Some(place(station, evse)?),
            None => None,
        },
        purpose: match purpose {
            Some(purpose) => Some(purpose_kind(purpose)?),
            None => None,
        },
        stack_level,
        ..Criteria::default()
    })
}

/// K09
pub(super) fn get_charging_profiles(
    station: &mut Station,
    rules: &Rules,
    request: &GetChargingProfilesRequest,
) -> GetChargingProfilesResponse {
    let wanted = &request.charging_profile;
    let criteria = criteria(station, request.evse_id, wanted.charging_profile_purpose.as_ref(), wanted.stack_level)
        .map(|known| {
            let sources = wanted.charging_limit_source.as_ref();
            Criteria {
                ids: wanted.charging_profile_id.clone(),
                plain: !rules.has_extended_profiles,
                sources: sources.map(|sources| sources.iter().map(|source| source.as_str().into()).collect()),
                ..known
            }
        });
    match criteria.filter(|criteria| station.has_profiles(criteria)) {
        Some(criteria) => {
            station.after_answer.push(AfterAnswer::ChargingProfiles(criteria, request.request_id));
            GetChargingProfilesResponse::new(GetChargingProfileStatusEnumType::Accepted)
        }
        None => GetChargingProfilesResponse::new(GetChargingProfileStatusEnumType::NoProfiles),
    }
}

/// K08
pub(super) fn get_composite_schedule(
    station: &Station,
    request: &GetCompositeScheduleRequest,
) -> GetCompositeScheduleResponse {
    composite_schedule(station, request).unwrap_or_else(|refusal| {
        // K08.FR.05, K08.FR.07
        let mut response = GetCompositeScheduleResponse::new(GenericStatusEnumType::Rejected);
        response.status_info = Some(status_info(reason(refusal)));
        response
    })
}

fn composite_schedule(
    station: &Station,
    request: &GetCompositeScheduleRequest,
) -> Result<GetCompositeScheduleResponse, Refusal> {
    let place = place(station, request.evse_id).ok_or(Refusal::Evse)?;
    let unit = match &request.charging_rate_unit {
        Some(wire) => unit(wire).filter(|unit| station.takes_unit(*unit)).ok_or(Refusal::RateUnit)?,
        None => station.usual_rate_unit(),
    };
    let now = station.utc();
    let window = Window {
        // In whole seconds, as the periods are.
        from: Timestamp::from_second(now.as_second()).unwrap_or(now),
        seconds: u32::try_from(request.duration).map_err(|_| Refusal::Schedule)?,
        unit,
        decimal_places: 1,
        max_periods: usize::try_from(station.settings.integer(Key::PeriodsPerSchedule)).unwrap_or(usize::MAX),
    };
    let composite = station.composite_schedule(place, &window).ok_or(Refusal::Evse)?;
    let schedule = CompositeScheduleType::new(
        request.evse_id,
        composite.seconds.into(),
        composite.from.into(),
        wire_unit(unit),
        composite.periods.iter().map(report::composite_period).collect::<Vec<_>>(),
    );
    let mut response = GetCompositeScheduleResponse::new(GenericStatusEnumType::Accepted);
    response.schedule = Some(schedule.into());
    Ok(response)
}
