//! Plans as charging profiles: one form for all versions, which the session writes as the station's version says.

use jiff::{SignedDuration, Timestamp};
use ocpp_core::csms::{CallOutcome, CallResult, Command};
use ocpp_core::types::v2_1::{
    ChargingProfileKindEnumType, ChargingProfilePurposeEnumType, ChargingProfileType, ChargingRateUnitEnumType,
    ChargingSchedulePeriodType, ChargingScheduleType, ClearChargingProfileType,
};
use ocpp_core::types::{DateTime, Text, Version};
use rust_decimal::Decimal;

use super::held::Control;
use super::schedule::Schedule;

/// Ids of the profiles that this program installs; those of external systems are below (K01.FR.80).
const STATION: i64 = 700_000;
const DEFAULT: i64 = 710_000;
const SESSION: i64 = 720_000;
/// Periods that are sent at most.
const PERIODS: usize = 24;
/// How far in the past a schedule begins, so that the clock of the station may be late (1.6 edition 2, 5.16.4).
const EARLIER: SignedDuration = SignedDuration::from_mins(10);

/// How many periods a station takes.
pub(super) fn periods(control: &Control) -> usize {
    control.periods.unwrap_or(PERIODS).clamp(1, PERIODS)
}

/// A default profile of an EVSE: for sessions that have none of their own (1.6 edition 2, 3.13.1; K01.FR.08).
pub(super) fn default(evse: i64, tenths: u32, control: &Control, volts: u32) -> Command {
    let purpose = ChargingProfilePurposeEnumType::TxDefaultProfile;
    command(evse, DEFAULT + evse, purpose, &Schedule::constant(tenths), control, volts, None)
}

/// The profile of a session (K01.FR.01, K01.FR.03).
pub(super) fn session(evse: i64, transaction: &str, schedule: &Schedule, control: &Control, volts: u32) -> Command {
    let purpose = ChargingProfilePurposeEnumType::TxProfile;
    command(evse, SESSION + evse, purpose, schedule, control, volts, Some(transaction))
}

/// The most that the station may draw with all its EVSEs together (1.6 edition 2, 3.13.1; K04.FR.03).
pub(super) fn station(tenths: u32, control: &Control, volts: u32) -> Command {
    let purpose = ChargingProfilePurposeEnumType::ChargingStationMaxProfile;
    command(0, STATION, purpose, &Schedule::constant(tenths), control, volts, None)
}

fn command(
    evse: i64,
    id: i64,
    purpose: ChargingProfilePurposeEnumType,
    schedule: &Schedule,
    control: &Control,
    volts: u32,
    transaction: Option<&str>,
) -> Command {
    let now = Timestamp::now();
    let start = now.checked_sub(EARLIER).unwrap_or(now);
    let limit = |tenths: u32| match control.watts {
        false => Decimal::new(i64::from(tenths), 1),
        // Watts say nothing about phases: a vehicle may draw all of them on one.
        true => Decimal::from(u64::from(tenths) * u64::from(volts) / 10),
    };
    let period = |(at, tenths): (i64, u32)| {
        let mut period = ChargingSchedulePeriodType::new((at - start.as_second()).max(0));
        period.limit = Some(limit(tenths));
        period
    };
    // The present step holds since the start, whenever it began.
    let within = schedule.within(now.as_second(), periods(control));
    let steps = within
        .steps()
        .enumerate()
        .map(|(index, (at, tenths))| (if index == 0 { start.as_second() } else { at }, tenths));
    let unit = if control.watts { ChargingRateUnitEnumType::W } else { ChargingRateUnitEnumType::A };
    let mut written = ChargingScheduleType::new(1, unit, steps.map(period).collect());
    // K01.FR.40
    written.start_schedule = Some(DateTime::from(start));
    let kind = ChargingProfileKindEnumType::Absolute;
    let mut profile = ChargingProfileType::new(id, control.stack_level, purpose, kind, [written].into());
    profile.transaction_id = transaction.map(Text::truncated);
    Command::SetChargingProfile { evse, profile: Box::new(profile) }
}

/// Removes what others have installed, or this program: all of a purpose (1.6 errata 3.25; K10).
pub(super) fn clear(purpose: ChargingProfilePurposeEnumType) -> Command {
    let mut criteria = ClearChargingProfileType::new();
    criteria.charging_profile_purpose = Some(purpose);
    Command::ClearChargingProfile { profile: None, criteria: Some(criteria) }
}

/// The purposes of which this program removes everything before it takes over.
pub(super) const PURPOSES: [ChargingProfilePurposeEnumType; 3] = [
    ChargingProfilePurposeEnumType::TxProfile,
    ChargingProfilePurposeEnumType::TxDefaultProfile,
    ChargingProfilePurposeEnumType::ChargingStationMaxProfile,
];

/// Asks what a station can do (1.6 edition 2, 3.13.5).
pub(super) fn abilities(version: Version) -> Command {
    let names: &[&str] = match version {
        Version::V1_6 => {
            &["ChargeProfileMaxStackLevel", "ChargingScheduleAllowedChargingRateUnit", "ChargingScheduleMaxPeriods"]
        }
        _ => &[
            "SmartChargingCtrlr.ProfileStackLevel",
            "SmartChargingCtrlr.RateUnit",
            "SmartChargingCtrlr.PeriodsPerSchedule",
        ],
    };
    Command::GetConfiguration { names: names.iter().map(|name| (*name).to_owned()).collect() }
}

/// Takes over what a station can do. What it does not tell stays as it was.
pub(super) fn read_abilities(control: &mut Control, outcome: &CallOutcome) {
    let CallOutcome::Answered(answer) = outcome else { return };
    let CallResult::Configuration { settings, .. } = &answer.result else { return };
    let value = |ending: &str| {
        let setting = settings.iter().find(|setting| setting.name.ends_with(ending));
        setting.and_then(|setting| setting.value.as_deref()).map(str::trim)
    };
    if let Some(level) = value("StackLevel").and_then(|level| level.parse::<i64>().ok()) {
        control.stack_level = level.clamp(0, 100);
    }
    let most = value("MaxPeriods").or_else(|| value("PeriodsPerSchedule"));
    if let Some(most) = most.and_then(|most| most.parse().ok()) {
        control.periods = Some(most);
    }
    if let Some(units) = value("RateUnit") {
        let knows = |names: [&str; 2]| {
            units.split(',').any(|unit| names.iter().any(|name| unit.trim().eq_ignore_ascii_case(name)))
        };
        control.watts = !knows(["A", "Current"]) && knows(["W", "Power"]);
    }
}

/// What an answer means for what a station holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It holds what it was sent.
    Accepted,
    /// It holds what it held before.
    Refused(String),
    /// It never will.
    Unsupported(String),
    /// One or the other.
    Uncertain(String),
}

/// Reads how a command ended.
pub(super) fn meaning(outcome: &CallOutcome) -> Meaning {
    match outcome {
        CallOutcome::Answered(answer) => match &answer.result {
            CallResult::Accepted { .. } => Meaning::Accepted,
            CallResult::Refused { status, .. } if status == "NotSupported" => Meaning::Unsupported(status.clone()),
            CallResult::Refused { status, reason } => {
                Meaning::Refused(reason.as_ref().map_or_else(|| status.clone(), |reason| format!("{status}: {reason}")))
            }
            other => Meaning::Uncertain(format!("{other:?}")),
        },
        // K01.FR.29; 1.6 errata 3.39
        CallOutcome::Error(error) if matches!(error.code.as_str(), "NotSupported" | "NotImplemented") => {
            Meaning::Unsupported(error.code.clone())
        }
        CallOutcome::NotSupported => Meaning::Unsupported("its version has no charging profiles".to_owned()),
        CallOutcome::NotConnected | CallOutcome::QueueFull => Meaning::Refused("it was not sent".to_owned()),
        CallOutcome::NotAllowed { rule } => Meaning::Refused((*rule).to_owned()),
        CallOutcome::Invalid { findings } => {
            Meaning::Refused(findings.first().map_or_else(String::new, |finding| finding.message.clone()))
        }
        CallOutcome::Error(error) => Meaning::Uncertain(format!("{} {}", error.code, error.description)),
        other => Meaning::Uncertain(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_begins_in_the_past_with_what_holds_now() {
        let now = Timestamp::now().as_second();
        let schedule = Schedule::new(vec![(now - 7_200, 320), (now - 3_600, 160), (now + 3_600, 65)]);
        let command = session(2, "T", &schedule, &Control::default(), 230);
        let Command::SetChargingProfile { evse: 2, profile } = command else { panic!("{command:?}") };
        assert_eq!(profile.transaction_id.as_deref(), Some("T"));
        let periods = &profile.charging_schedule[0].charging_schedule_period;
        assert_eq!(periods.len(), 2);
        assert_eq!((periods[0].start_period, periods[0].limit), (0, Some("16.0".parse().unwrap())));
        assert_eq!(periods[1].limit, Some("6.5".parse().unwrap()));
        assert!((4_190..=4_210).contains(&periods[1].start_period), "{periods:?}");
        assert!(profile.charging_schedule[0].duration.is_none());
    }

    #[test]
    fn a_station_that_knows_only_watts_is_told_those_of_one_phase() {
        let control = Control { watts: true, ..Control::default() };
        let Command::SetChargingProfile { profile, .. } = default(1, 60, &control, 230) else { panic!() };
        let schedule = &profile.charging_schedule[0];
        assert_eq!(schedule.charging_rate_unit, ChargingRateUnitEnumType::W);
        assert_eq!(schedule.charging_schedule_period[0].limit, Some(1_380.into()));
    }
}
