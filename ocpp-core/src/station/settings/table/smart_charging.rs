//! Smart charging: what the engine takes.
//!
//! 1.6 edition 2, 3.13.5, 9.4.1 to 9.4.5; 1.6 errata 3.88; 2.1 part 2, `SmartChargingCtrlr`

use super::{COUNT, Definition, Key, Kind, instance, row, variable};

const COMPONENT: &str = "SmartChargingCtrlr";

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
];
