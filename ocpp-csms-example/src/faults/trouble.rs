//! What counts as a fault, and what ends it: read from what stations report.

use ocpp_core::csms::{ConnectorStatus, Event};

use crate::store::{FaultKind, Trouble};

/// The least severe alert that is a fault: 5 is an error, 6 a warning (2.1 part 2, MonitoringDataType).
const LEAST_SEVERE: i64 = 5;

/// Security events that somebody has to look at, and how severe they are (2.1 part 2 appendices, 1).
const SECURITY: [(&str, i64); 12] = [
    ("TamperDetectionActivated", 1),
    ("SecurityLogWasCleared", 2),
    ("InvalidFirmwareSignature", 2),
    ("InvalidFirmwareSigningCertificate", 2),
    ("InvalidCsmsCertificate", 2),
    ("InvalidCentralSystemCertificate", 2),
    ("InvalidChargingStationCertificate", 2),
    ("InvalidChargePointCertificate", 2),
    ("AttemptedReplayAttacks", 2),
    ("MemoryExhaustion", 3),
    ("FailedToAuthenticateAtCsms", 3),
    ("CsmsFailedToAuthenticate", 3),
];

/// What a station's word means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Something is wrong.
    Wrong(Box<Trouble>),
    /// It is right again.
    Right(FaultKind, String),
}

pub(super) fn of(event: &Event) -> Option<Finding> {
    match event {
        Event::ConnectorStatus(status) => Some(connector(status)),
        Event::Monitored(event) if event.trigger == "Alerting" || event.cleared => {
            let place = event.component.evse.as_ref();
            let evse = place.map(|evse| evse.id);
            let connector = place.and_then(|evse| evse.connector_id);
            let instance = |text: Option<&str>| text.map(|text| format!("({text})")).unwrap_or_default();
            let code = format!(
                "{}{}.{}{}",
                event.component.name,
                instance(event.component.instance.as_deref()),
                event.variable.name,
                instance(event.variable.instance.as_deref())
            );
            let key = format!("{code} {} {}", evse.unwrap_or(0), connector.unwrap_or(0));
            if event.cleared {
                return Some(Finding::Right(FaultKind::Alert, key));
            }
            let severity = event.severity.unwrap_or(LEAST_SEVERE);
            if severity > LEAST_SEVERE {
                return None;
            }
            let words = [Some(event.value.as_str()), event.code.as_deref(), event.detail.as_deref()];
            let detail = words.into_iter().flatten().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("; ");
            let detail = (!detail.is_empty()).then_some(detail);
            Some(wrong(Trouble { kind: FaultKind::Alert, key, code, severity, evse, connector, detail }))
        }
        Event::FirmwareStatus { status, .. } => firmware(status),
        Event::SecurityEvent { kind, detail, .. } => {
            let (_, severity) = SECURITY.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind))?;
            Some(wrong(Trouble {
                kind: FaultKind::Security,
                key: kind.clone(),
                code: kind.clone(),
                severity: *severity,
                evse: None,
                connector: None,
                detail: detail.clone(),
            }))
        }
        _ => None,
    }
}

/// The station is away.
pub(super) fn offline(detail: String) -> Trouble {
    Trouble {
        kind: FaultKind::Offline,
        key: OFFLINE.to_owned(),
        code: "Offline".to_owned(),
        severity: 4,
        evse: None,
        connector: None,
        detail: Some(detail),
    }
}

/// The key of what a station can have once.
pub(super) const OFFLINE: &str = "";

fn wrong(trouble: Trouble) -> Finding {
    Finding::Wrong(Box::new(trouble))
}

fn connector(status: &ConnectorStatus) -> Finding {
    let (evse, connector) = (status.place.map(|place| place.evse), status.place.and_then(|place| place.connector));
    let key = format!("{} {}", evse.unwrap_or(0), connector.unwrap_or(0));
    let is_faulted = status.status == "Faulted";
    let code = match &status.error {
        Some(error) => error.clone(),
        None if is_faulted => "Faulted".to_owned(),
        None => return Finding::Right(FaultKind::Connector, key),
    };
    let severity = match (code.as_str(), is_faulted) {
        // These may hurt somebody.
        ("GroundFailure" | "HighTemperature" | "OverCurrentFailure" | "OverVoltage", _) => 1,
        (_, true) => 3,
        // 1.6 edition 2, 7.6: with another state it is a warning.
        (_, false) => 5,
    };
    wrong(Trouble { kind: FaultKind::Connector, key, code, severity, evse, connector, detail: status.detail.clone() })
}

fn firmware(status: &str) -> Option<Finding> {
    match status {
        "Installed" => Some(Finding::Right(FaultKind::Firmware, String::new())),
        "DownloadFailed"
        | "InstallationFailed"
        | "InstallVerificationFailed"
        | "InvalidSignature"
        | "InvalidCertificate"
        | "RevokedCertificate"
        | "InvalidChecksum"
        | "PublishFailed" => Some(wrong(Trouble {
            kind: FaultKind::Firmware,
            key: String::new(),
            code: status.to_owned(),
            severity: 3,
            evse: None,
            connector: None,
            detail: None,
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firmware_is(status: &str) -> Option<Finding> {
        of(&Event::FirmwareStatus { status: status.to_owned(), request_id: None })
    }

    #[test]
    fn an_update_that_failed_is_a_fault_until_one_is_installed() {
        assert!(matches!(firmware_is("InvalidSignature"), Some(Finding::Wrong(_))));
        assert!(matches!(firmware_is("Installed"), Some(Finding::Right(FaultKind::Firmware, _))));
        assert_eq!(firmware_is("Downloading"), None);
    }

    #[test]
    fn not_every_security_event_is_a_fault() {
        let event =
            |kind: &str| Event::SecurityEvent { kind: kind.to_owned(), at: jiff::Timestamp::UNIX_EPOCH, detail: None };
        let Some(Finding::Wrong(trouble)) = of(&event("TamperDetectionActivated")) else { panic!() };
        assert_eq!((trouble.severity, trouble.kind), (1, FaultKind::Security));
        assert_eq!(of(&event("StartupOfTheDevice")), None);
    }
}
