//! Profiles of the station, written for the CSMS.

use alloc::vec::Vec;

use jiff::tz::Offset;
use ocpp_types::Text;
use ocpp_types::v2_1::{
    ChargingLimitType, ChargingProfileKindEnumType, ChargingProfilePurposeEnumType, ChargingProfileType,
    ChargingSchedulePeriodType, ChargingScheduleType, ClearedChargingLimitRequest, LimitAtSoCType,
    NotifyChargingLimitRequest, RecurrencyKindEnumType, ReportChargingProfilesRequest, StationRequest,
};

use super::wire_unit;
use crate::station::Station;
use crate::station::calls::ProfilesReport;
use crate::station::smart_charging::{
    CompositePeriod, LimitNotice, Period, Place, Profile, Purpose, Recurrence, Start, UNLIMITED,
};
use crate::station::v2::Rules;

/// K09.FR.01
pub(in crate::station::v2) fn report_profiles(rules: &Rules, report: &ProfilesReport) -> ReportChargingProfilesRequest {
    let profiles: Vec<ChargingProfileType> = report.profiles.iter().map(|known| profile(rules, known)).collect();
    let source = Text::truncated(&report.source);
    let mut request = ReportChargingProfilesRequest::new(report.request_id, source, profiles, report.evse.into());
    // K09.FR.02
    request.tbc = Some(report.more_follows);
    request
}

/// K11.FR.02, K12.FR.02, K13.FR.02, K27.FR.03; `None` where the version has no words for it.
pub(in crate::station::v2) fn charging_limit(
    station: &Station,
    rules: &Rules,
    notice: &LimitNotice,
) -> Option<StationRequest> {
    if notice.is_local_generation && !rules.has_extended_profiles {
        return None;
    }
    let source = Text::truncated(&notice.source);
    let evse = match notice.place {
        Place::Station => None,
        Place::Evse { evse, .. } => Some(evse.into()),
    };
    if notice.profile.is_none() {
        let mut request = ClearedChargingLimitRequest::new(source);
        request.evse_id = evse;
        return Some(request.into());
    }
    let mut limit = ChargingLimitType::new(source);
    limit.is_local_generation = notice.is_local_generation.then_some(true);
    let mut request = NotifyChargingLimitRequest::new(limit);
    request.evse_id = evse;
    // K11.FR.03, K12.FR.03, K27.FR.04
    request.charging_schedule = station.schedule_to_tell(notice).map(|known| alloc::vec![schedule_of(rules, known)]);
    Some(request.into())
}

fn profile(rules: &Rules, known: &Profile) -> ChargingProfileType {
    let purpose = match &known.purpose {
        Purpose::StationMax => ChargingProfilePurposeEnumType::ChargingStationMaxProfile,
        Purpose::TransactionDefault => ChargingProfilePurposeEnumType::TxDefaultProfile,
        Purpose::Transaction(_) => ChargingProfilePurposeEnumType::TxProfile,
        Purpose::Priority => ChargingProfilePurposeEnumType::PriorityCharging,
        Purpose::ExternalConstraints => ChargingProfilePurposeEnumType::ChargingStationExternalConstraints,
        Purpose::LocalGeneration => ChargingProfilePurposeEnumType::LocalGeneration,
    };
    let dynamic = known.dynamic.filter(|_| rules.has_extended_profiles);
    let kind = match (dynamic, known.schedule.recurrence(), known.schedule.start()) {
        (Some(_), ..) => ChargingProfileKindEnumType::Dynamic,
        (None, Some(_), _) => ChargingProfileKindEnumType::Recurring,
        (None, None, Start::Transaction) => ChargingProfileKindEnumType::Relative,
        (None, None, _) => ChargingProfileKindEnumType::Absolute,
    };
    let schedules = alloc::vec![schedule_of(rules, known)];
    let mut wire = ChargingProfileType::new(known.id, known.stack_level, purpose, kind, schedules);
    wire.recurrency_kind = known.schedule.recurrence().map(|recurrence| match recurrence {
        Recurrence::Daily => RecurrencyKindEnumType::Daily,
        Recurrence::Weekly => RecurrencyKindEnumType::Weekly,
    });
    wire.valid_from = known.valid_from.map(Into::into);
    wire.valid_to = known.valid_to.map(Into::into);
    if let Purpose::Transaction(transaction) = &known.purpose {
        wire.transaction_id = Some(Text::truncated(transaction));
    }
    if let Some(dynamic) = dynamic {
        wire.dyn_update_interval = dynamic.interval.map(Into::into);
        wire.dyn_update_time = Some(dynamic.updated.into());
    }
    if let Some(offline) = known.offline.filter(|_| rules.has_extended_profiles) {
        wire.max_offline_duration = Some(offline.seconds.into());
        wire.invalid_after_offline_duration = Some(offline.ends);
    }
    wire
}

fn schedule_of(rules: &Rules, known: &Profile) -> ChargingScheduleType {
    let schedule = &known.schedule;
    let periods = schedule.periods().iter().map(period).collect();
    let id = known.schedule_id.unwrap_or_default();
    let mut wire = ChargingScheduleType::new(id, wire_unit(schedule.unit()), periods);
    match schedule.start() {
        Start::At(start) => wire.start_schedule = Some(start.into()),
        // The local time, without saying where.
        Start::LocalTime(local) => {
            wire.start_schedule = Offset::UTC.to_timestamp(local).ok().map(Into::into);
            wire.use_local_time = rules.has_extended_profiles.then_some(true);
        }
        Start::Transaction => {}
    }
    wire.duration = schedule.duration().map(Into::into);
    wire.min_charging_rate = schedule.min_charging_rate();
    if rules.has_extended_profiles {
        wire.randomized_delay = schedule.randomized_delay().map(Into::into);
        wire.limit_at_so_c = schedule.limit_at_soc().map(|capped| LimitAtSoCType::new(capped.soc.into(), capped.limit));
    }
    wire
}

fn period(known: &Period) -> ChargingSchedulePeriodType {
    let mut wire = ChargingSchedulePeriodType::new(known.start.into());
    wire.limit = Some(known.limit);
    wire.number_phases = known.phases.map(Into::into);
    wire
}

pub(super) fn composite_period(known: &CompositePeriod) -> ChargingSchedulePeriodType {
    let mut wire = ChargingSchedulePeriodType::new(known.start.into());
    wire.limit = Some(known.limit.unwrap_or(UNLIMITED));
    wire.number_phases = Some(known.phases.into());
    wire
}
