//! Smart charging: what the engine takes.
//!
//! 1.6 edition 2, 3.13.5, 9.4.1 to 9.4.5; 1.6 errata 3.88; 2.1 part 2, `SmartChargingCtrlr`

use super::{COUNT, Definition, Key, Kind, instance, row, variable};

const COMPONENT: &str = "SmartChargingCtrlr";
const PERCENT: Kind = Kind::Decimal { maximum: 100 };
const ID: Kind = Kind::Integer { minimum: i32::MIN as i64, maximum: i32::MAX as i64 };

pub(super) const ROWS: &[Definition] = &[
    row(Key::SmartChargingAvailable, None, variable(COMPONENT, "Available"), Kind::Boolean, "true").read_only(),
    row(Key::SmartChargingEnabled, None, variable(COMPONENT, "Enabled"), Kind::Boolean, "true"),
    row(
        Key::ChargingProfileMaxStackLevel,
        Some("ChargeProfileMaxStackLevel"),
        variable(COMPONENT, "ProfileStackLevel"),
        COUNT,
        "9",
    )
    .read_only(),
    row(Key::ChargingProfiles, Some("MaxChargingProfilesInstalled"), None, COUNT, "20").read_only(),
    // What is installed now; its greatest value is the row above.
    row(Key::ChargingProfileEntries, None, instance(COMPONENT, "Entries", "ChargingProfiles"), COUNT, "0").read_only(),
    row(
        Key::ChargingRateUnits,
        Some("ChargingScheduleAllowedChargingRateUnit"),
        None,
        Kind::Text { maximum: 20 },
        "Current,Power",
    )
    .read_only(),
    // The same in the words of 2.x.
    row(Key::ChargingRateUnitSymbols, None, variable(COMPONENT, "RateUnit"), Kind::Members(&["A", "W"]), "A,W")
        .read_only(),
    row(
        Key::PeriodsPerSchedule,
        Some("ChargingScheduleMaxPeriods"),
        variable(COMPONENT, "PeriodsPerSchedule"),
        COUNT,
        "100",
    )
    .read_only(),
    row(
        Key::PhaseSwitching,
        Some("ConnectorSwitch3to1PhaseSupported"),
        variable(COMPONENT, "Phases3to1"),
        Kind::Boolean,
        "false",
    )
    .read_only(),
    row(Key::LimitChangeSignificance, None, variable(COMPONENT, "LimitChangeSignificance"), PERCENT, "5")
        .unit("Percent"),
    row(
        Key::NotifyLimitWithSchedules,
        None,
        variable(COMPONENT, "NotifyChargingLimitWithSchedules"),
        Kind::Boolean,
        "false",
    ),
    row(Key::ExternalControlSignals, None, variable(COMPONENT, "ExternalControlSignalsEnabled"), Kind::Boolean, "true"),
    row(
        Key::ExternalConstraintsDisallowed,
        None,
        variable(COMPONENT, "ExternalConstraintsProfileDisallowed"),
        Kind::Boolean,
        "false",
    )
    .since_2_1(),
    row(Key::MaxExternalConstraintsId, None, variable(COMPONENT, "MaxExternalConstraintsId"), ID, "-1")
        .since_2_1()
        .optional()
        .read_only(),
    row(
        Key::AdditionalChargingPurposes,
        None,
        variable(COMPONENT, "SupportedAdditionalPurposes"),
        Kind::Members(&["PriorityCharging", "LocalGeneration"]),
        "PriorityCharging,LocalGeneration",
    )
    .since_2_1()
    .read_only(),
    // K01.FR.55: all that the CSMS sets is stored; what others have set, they say again.
    persistence(Key::TxProfilePersistence, "TxProfile", "true"),
    persistence(Key::LocalGenerationPersistence, "LocalGeneration", "false"),
    persistence(Key::ExternalConstraintsPersistence, "ChargingStationExternalConstraints", "false"),
    support(Key::SupportsDynamicProfiles, "SupportsDynamicProfiles", "true"),
    support(Key::SupportsMaxOfflineDuration, "SupportsMaxOfflineDuration", "true"),
    support(Key::SupportsLocalTime, "SupportsUseLocalTime", "true"),
    support(Key::SupportsRandomizedDelay, "SupportsRandomizedDelay", "true"),
    support(Key::SupportsLimitAtSoc, "SupportsLimitAtSoC", "true"),
    support(Key::SupportsEvseSleep, "SupportsEvseSleep", "false"),
];

/// Whether profiles of a purpose outlive a restart.
const fn persistence(key: Key, purpose: &'static str, value: &'static str) -> Definition {
    row(key, None, instance(COMPONENT, "ChargingProfilePersistence", purpose), Kind::Boolean, value)
        .since_2_1()
        .read_only()
}

/// Whether the station can do what only some can.
const fn support(key: Key, name: &'static str, value: &'static str) -> Definition {
    row(key, None, variable(COMPONENT, name), Kind::Boolean, value).since_2_1().read_only()
}
