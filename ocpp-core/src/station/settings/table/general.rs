//! The station itself.
//!
//! 1.6 edition 2, 3.3, 9.1.4, 9.1.7 to 9.1.11, 9.1.20 to 9.1.22, 9.1.29, 9.1.30; 1.6 errata 3.3, 3.81

use super::{COUNT, Definition, Key, Kind, SECONDS, row, variable};

pub(super) const ROWS: &[Definition] = &[
    row(Key::BlinkRepeat, Some("BlinkRepeat"), None, COUNT, "0").optional(),
    row(Key::ConnectorPhaseRotation, Some("ConnectorPhaseRotation"), None, Kind::PhaseRotations, ""),
    row(Key::ConnectorPhaseRotationMaxLength, Some("ConnectorPhaseRotationMaxLength"), None, COUNT, "2").read_only(),
    // L01.FR.07
    row(
        Key::AllowNewSessionsPendingFirmwareUpdate,
        None,
        variable("ChargingStation", "AllowNewSessionsPendingFirmwareUpdate"),
        Kind::Boolean,
        "false",
    ),
    row(Key::DateTime, None, variable("ClockCtrlr", "DateTime"), Kind::DateTime, "").read_only(),
    row(Key::LightIntensity, Some("LightIntensity"), None, Kind::Integer { minimum: 0, maximum: 100 }, "100")
        .optional()
        .unit("%"),
    row(Key::MinimumStatusDuration, Some("MinimumStatusDuration"), None, SECONDS, "0").unit("s"),
    row(Key::NumberOfConnectors, Some("NumberOfConnectors"), None, COUNT, "1").read_only(),
    row(Key::ResetRetries, Some("ResetRetries"), variable("OCPPCommCtrlr", "ResetRetries"), COUNT, "0"),
    row(
        Key::SupportedFeatureProfiles,
        Some("SupportedFeatureProfiles"),
        None,
        Kind::Text { maximum: 500 },
        "Core,FirmwareManagement,LocalAuthListManagement,RemoteTrigger,Reservation,SmartCharging",
    )
    .read_only(),
    row(
        Key::TimeAdjustmentReportingThreshold,
        None,
        variable("ClockCtrlr", "TimeAdjustmentReportingThreshold"),
        SECONDS,
        "20",
    )
    .unit("s"),
    // K01.FR.90
    row(Key::TimeOffset, None, variable("ClockCtrlr", "TimeOffset"), Kind::TimeOffset, "+00:00"),
    row(Key::TimeSource, None, variable("ClockCtrlr", "TimeSource"), Kind::Text { maximum: 500 }, "Heartbeat")
        .read_only(),
];
