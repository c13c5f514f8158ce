//! Smart charging: what the engine takes.
//!
//! 1.6 edition 2, 3.13.5, 9.4.1 to 9.4.5; 1.6 errata 3.88

use super::{COUNT, Definition, Key, Kind, row};

pub(super) const ROWS: &[Definition] = &[
    row(Key::ChargingProfileMaxStackLevel, Some("ChargeProfileMaxStackLevel"), None, COUNT, "9").read_only(),
    row(Key::ChargingProfiles, Some("MaxChargingProfilesInstalled"), None, COUNT, "20").read_only(),
    row(
        Key::ChargingRateUnits,
        Some("ChargingScheduleAllowedChargingRateUnit"),
        None,
        Kind::Text { maximum: 20 },
        "Current,Power",
    )
    .read_only(),
    row(Key::PeriodsPerSchedule, Some("ChargingScheduleMaxPeriods"), None, COUNT, "100").read_only(),
    row(Key::PhaseSwitching, Some("ConnectorSwitch3to1PhaseSupported"), None, Kind::Boolean, "false").read_only(),
];
