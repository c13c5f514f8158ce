//! Profiles of the station, written for the CSMS.

use alloc::vec::Vec;

use ocpp_types::Text;
use ocpp_types::v2_1::{
    ChargingProfileKindEnumType, ChargingProfilePurposeEnumType, ChargingProfileType, ChargingSchedulePeriodType,
    ChargingScheduleType, RecurrencyKindEnumType, ReportChargingProfilesRequest,
};

use super::wire_unit;
use crate::station::calls::ProfilesReport;
use crate::station::smart_charging::{
    CompositePeriod, Period, Profile, Purpose, Recurrence, Schedule, Start, UNLIMITED,
};

/// K09.FR.01
pub(in crate::station::v2) fn report_profiles(report: &ProfilesReport) -> ReportChargingProfilesRequest {
    let profiles: Vec<ChargingProfileType> = report.profiles.iter().map(profile).collect();
    let source = Text::truncated(&report.source);
    let mut request = ReportChargingProfilesRequest::new(report.request_id, source, profiles, report.evse.into());
    // K09.FR.02
    request.tbc = Some(report.more_follows);
    request
}

fn profile(known: &Profile) -> ChargingProfileType {
    let purpose = match &known.purpose {
        Purpose::StationMax => ChargingProfilePurposeEnumType::ChargingStationMaxProfile,
        Purpose::TransactionDefault => ChargingProfilePurposeEnumType::TxDefaultProfile,
        Purpose::Transaction(_) => ChargingProfilePurposeEnumType::TxProfile,
        Purpose::Priority => ChargingProfilePurposeEnumType::PriorityCharging,
        Purpose::ExternalConstraints => ChargingProfilePurposeEnumType::ChargingStationExternalConstraints,
        Purpose::LocalGeneration => ChargingProfilePurposeEnumType::LocalGeneration,
    };
    let kind = match (known.dynamic, known.schedule.recurrence(), known.schedule.start()) {
        (Some(_), ..) => ChargingProfileKindEnumType::Dynamic,
        (None, Some(_), _) => ChargingProfileKindEnumType::Recurring,
        (None, None, Start::Transaction) => ChargingProfileKindEnumType::Relative,
        (None, None, _) => ChargingProfileKindEnumType::Absolute,
    };
    let mut wire =
        ChargingProfileType::new(known.id, known.stack_level, purpose, kind, alloc::vec![schedule_of(known)]);
    wire.recurrency_kind = known.schedule.recurrence().map(|recurrence| match recurrence {
        Recurrence::Daily => RecurrencyKindEnumType::Daily,
        Recurrence::Weekly => RecurrencyKindEnumType::Weekly,
    });
    wire.valid_from = known.valid_from.map(Into::into);
    wire.valid_to = known.valid_to.map(Into::into);
    if let Purpose::Transaction(transaction) = &known.purpose {
        wire.transaction_id = Some(Text::truncated(transaction));
    }
    wire
}

fn schedule_of(known: &Profile) -> ChargingScheduleType {
    let mut wire = schedule(&known.schedule, known.schedule_id.unwrap_or_default());
    if known.dynamic.is_some() {
        // It begins when it comes.
        wire.start_schedule = None;
    }
    wire
}

/// A schedule under a number.
pub(in crate::station::v2) fn schedule(known: &Schedule, id: i64) -> ChargingScheduleType {
    let periods = known.periods().iter().map(period).collect();
    let mut wire = ChargingScheduleType::new(id, wire_unit(known.unit()), periods);
    match known.start() {
        Start::At(start) => wire.start_schedule = Some(start.into()),
        Start::LocalTime(_) | Start::Transaction => {}
    }
    wire.duration = known.duration().map(Into::into);
    wire.min_charging_rate = known.min_charging_rate();
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
