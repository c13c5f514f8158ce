//! Firmware: updated (L01, L02; 1.6 edition 2, 5.19; 1.6 security, L01) and published (L03, L04), each told to its end.

use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::flows::{
    Awaited, Completion, FirmwarePublication, FirmwareSignature, FirmwareUpdate, Flow, FlowEnd, Progress,
};
use ocpp_core::csms::{CallOutcome, Input};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

const LOCATION: &str = "https://firmware.example.com/2.0.bin";

fn update(signed: bool) -> FirmwareUpdate {
    let begin: Timestamp = BEGIN.parse().unwrap();
    let mut update = FirmwareUpdate::new(LOCATION, begin);
    update.retries = Some(3);
    update.retry_interval = Some(Duration::from_secs(60));
    update.signature =
        signed.then(|| FirmwareSignature { certificate: "PEM".into(), signature: "c2lnbmF0dXJl".into() });
    update
}

/// How the version says what its firmware does: with the request's id where it has one.
fn notify(csms: &mut Csms, status: &str, request_id: Option<i64>) {
    let (action, payload) = match (csms.version, request_id) {
        (Version::V1_6, None) => ("FirmwareStatusNotification", json!({"status": status})),
        (Version::V1_6, Some(id)) => ("SignedFirmwareStatusNotification", json!({"status": status, "requestId": id})),
        (_, None) => ("FirmwareStatusNotification", json!({"status": status})),
        (_, Some(id)) => ("FirmwareStatusNotification", json!({"status": status, "requestId": id})),
    };
    assert_eq!(csms.exchange(action, payload), Reply::Result(json!({})));
}

/// The station takes the update; the session and the id of the request.
fn updating(version: Version, signed: bool) -> (Csms, Option<i64>, Value) {
    let mut csms = Csms::new(version);
    let (request_id, payload) = start(&mut csms, 1, signed, "Accepted");
    (csms, request_id, payload)
}

fn start(csms: &mut Csms, id: u64, signed: bool, status: &str) -> (Option<i64>, Value) {
    csms.flow(id, Flow::UpdateFirmware(update(signed)));
    let (action, payload) = match (csms.version, signed) {
        (Version::V1_6, false) => csms.answer(json!({})),
        _ => csms.answer_status(status),
    };
    let expected = if csms.version == Version::V1_6 && signed { "SignedUpdateFirmware" } else { "UpdateFirmware" };
    assert_eq!(action, expected);
    (payload.get("requestId").and_then(Value::as_i64), payload)
}

fn variants() -> Vec<(Version, bool)> {
    Version::ALL.into_iter().flat_map(|version| [(version, true), (version, false)]).collect()
}

/// L01.FR.10, L01.FR.11, L01.FR.20, L02.FR.06, L02.FR.14; 1.6 security, L01.FR.01/11
#[test]
fn an_update_is_followed_to_its_end() {
    for (version, signed) in variants() {
        let (mut csms, request_id, payload) = updating(version, signed);
        match (version, signed) {
            (Version::V1_6, false) => assert_eq!(
                payload,
                json!({"location": LOCATION, "retrieveDate": "2026-11-20T10:00:00.000Z", "retries": 3, "retryInterval": 60})
            ),
            _ => {
                let mut firmware = json!({"location": LOCATION, "retrieveDateTime": "2026-11-20T10:00:00.000Z"});
                if signed {
                    firmware["signingCertificate"] = json!("PEM");
                    firmware["signature"] = json!("c2lnbmF0dXJl");
                }
                let id = request_id.unwrap();
                let expected = json!({"requestId": id, "firmware": firmware, "retries": 3, "retryInterval": 60});
                assert_eq!(payload, expected);
            }
        }
        for status in ["Downloading", "Downloaded", "Installing"] {
            notify(&mut csms, status, request_id);
        }
        csms.restart();
        csms.connect();
        notify(&mut csms, "Idle", request_id);
        csms.assert_running();
        notify(&mut csms, "Installed", request_id);
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done), "{version} {signed}");
        notify(&mut csms, "Installed", request_id);
        csms.assert_running();
    }
}

#[test]
fn each_state_of_an_update_is_told() {
    let (mut csms, request_id, _) = updating(Version::V2_1, true);
    for status in ["DownloadScheduled", "Downloading", "SignatureVerified", "InstallRebooting"] {
        notify(&mut csms, status, request_id);
    }
    let told: Vec<_> = csms
        .progress()
        .into_iter()
        .map(|progress| match progress {
            Progress::Accepted { status } | Progress::Status { status } => status,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["Accepted", "DownloadScheduled", "Downloading", "SignatureVerified", "InstallRebooting"]);
}

#[test]
fn each_failure_of_an_update_is_its_end() {
    for (version, signed) in variants() {
        for status in ["DownloadFailed", "InstallationFailed"] {
            let (mut csms, request_id, _) = updating(version, signed);
            notify(&mut csms, status, request_id);
            assert_eq!(csms.end(1), FlowEnd::Failed { status: status.into() });
        }
    }
    for status in ["InvalidSignature", "InstallVerificationFailed"] {
        let (mut csms, request_id, _) = updating(Version::V2_0_1, true);
        notify(&mut csms, status, request_id);
        assert_eq!(csms.end(1), FlowEnd::Failed { status: status.into() });
    }
}

#[test]
fn an_update_that_is_refused_or_lost_ends_at_once() {
    for version in Version::ALL {
        for status in ["Rejected", "InvalidCertificate", "RevokedCertificate"] {
            let mut csms = Csms::new(version);
            start(&mut csms, 1, true, status);
            assert_eq!(csms.end(1), FlowEnd::Refused { status: status.into(), reason: None });
        }
        for lost in [true, false] {
            let mut csms = Csms::new(version);
            csms.flow(1, Flow::UpdateFirmware(update(true)));
            csms.received_call();
            if lost {
                csms.input(Input::Disconnected);
            } else {
                csms.pass(MINUTE);
            }
            let FlowEnd::CallFailed { outcome, .. } = csms.end(1) else { panic!() };
            assert_eq!(outcome, if lost { CallOutcome::ConnectionLost } else { CallOutcome::TimedOut });
        }
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::UpdateFirmware(update(true)));
        csms.received_call();
        csms.restart();
        assert_eq!(csms.end(1), FlowEnd::Interrupted);
    }
}

/// L01.FR.10, L02.FR.06
#[test]
fn what_is_told_of_another_update_is_not_of_this_one() {
    for version in Version::ALL {
        let (mut csms, request_id, _) = updating(version, true);
        notify(&mut csms, "Installed", request_id.map(|id| id + 1));
        csms.assert_running();
    }
    let (mut csms, ..) = updating(Version::V1_6, true);
    notify(&mut csms, "Installed", None);
    csms.assert_running();
    let (mut csms, ..) = updating(Version::V1_6, false);
    notify(&mut csms, "Installed", Some(1));
    csms.assert_running();
}

#[test]
fn a_station_of_2_x_that_forgets_the_id_is_understood() {
    for version in V2 {
        let (mut csms, ..) = updating(version, true);
        notify(&mut csms, "Idle", None);
        csms.assert_running();
        notify(&mut csms, "Installed", None);
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
    }
}

#[test]
fn silence_ends_an_update_but_not_before_it_was_to_begin() {
    for (version, signed) in variants() {
        let (mut csms, request_id, _) = updating(version, signed);
        csms.pass(5 * HOUR);
        notify(&mut csms, "Downloading", request_id);
        csms.pass(5 * HOUR);
        csms.assert_running();
        csms.pass(2 * HOUR);
        assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Status });
    }
    let mut csms = Csms::new(Version::V2_1);
    let mut later = update(true);
    later.install_at = Some("2026-11-21T10:00:00Z".parse().unwrap());
    csms.flow(1, Flow::UpdateFirmware(later));
    csms.answer_status("Accepted");
    csms.pass(29 * HOUR);
    csms.assert_running();
    csms.pass(2 * HOUR);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Status });
}

/// L01.FR.24; 1.6 security, L01.FR.26
#[test]
fn an_update_that_cancels_another_ends_it() {
    for version in Version::ALL {
        let (mut csms, first, _) = updating(version, true);
        let (second, _) = start(&mut csms, 2, true, "AcceptedCanceled");
        assert_ne!(first, second);
        assert_eq!(csms.end(1), FlowEnd::Superseded);
        notify(&mut csms, "Installed", second);
        assert_eq!(csms.end(2), FlowEnd::Completed(Completion::Done));
    }
    let (mut csms, ..) = updating(Version::V1_6, false);
    start(&mut csms, 2, false, "");
    assert_eq!(csms.end(1), FlowEnd::Superseded, "without an id nobody can tell them apart");
    let (mut csms, ..) = updating(Version::V2_1, true);
    start(&mut csms, 2, true, "Rejected");
    assert_eq!(csms.end(2), FlowEnd::Refused { status: "Rejected".into(), reason: None });
    csms.assert_running();
}

/// A05 of 1.6 security knows a request's id as 32 bits, and so do all versions.
#[test]
fn ids_of_requests_differ_and_fit_the_wire() {
    let mut csms = Csms::new(Version::V2_1);
    let mut ids = vec![];
    for id in 1..4 {
        let (request_id, _) = start(&mut csms, id, true, "Accepted");
        ids.push(request_id.unwrap());
    }
    csms.restart();
    csms.connect();
    ids.push(start(&mut csms, 9, true, "Accepted").0.unwrap());
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert!(ids.iter().all(|id| (1..=i64::from(i32::MAX)).contains(id)));
}

const CHECKSUM: &str = "0123456789abcdef0123456789abcdef";

fn publishing(status: &str) -> (Csms, i64) {
    let mut csms = Csms::new(Version::V2_0_1);
    csms.flow(1, Flow::PublishFirmware(FirmwarePublication::new(LOCATION, CHECKSUM)));
    let (action, payload) = csms.answer_status(status);
    let id = payload["requestId"].as_i64().unwrap();
    assert_eq!(action, "PublishFirmware");
    assert_eq!(payload, json!({"location": LOCATION, "checksum": CHECKSUM, "requestId": id}));
    (csms, id)
}

fn publication(csms: &mut Csms, status: &str, id: i64) {
    let mut payload = json!({"status": status, "requestId": id});
    if status == "Published" {
        payload["location"] = json!(["http://10.0.0.1/fw", "ftp://10.0.0.1/fw"]);
    }
    assert_eq!(csms.exchange("PublishFirmwareStatusNotification", payload), Reply::Result(json!({})));
}

/// L03.FR.01, L03.FR.04, L03.FR.05, L03.FR.09
#[test]
fn a_local_controller_publishes_firmware_and_tells_where() {
    let (mut csms, id) = publishing("Accepted");
    for status in ["Downloading", "Downloaded", "ChecksumVerified"] {
        publication(&mut csms, status, id);
    }
    assert_eq!(csms.progress().len(), 4);
    publication(&mut csms, "Published", id + 1);
    csms.assert_running();
    csms.restart();
    csms.connect();
    publication(&mut csms, "Published", id);
    let locations = vec!["http://10.0.0.1/fw".into(), "ftp://10.0.0.1/fw".into()];
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Published { locations }));
}

/// L03.FR.05, L03.FR.06, L03.FR.07, L03.FR.08
#[test]
fn a_publication_that_fails_says_why() {
    for status in ["DownloadFailed", "InvalidChecksum", "PublishFailed"] {
        let (mut csms, id) = publishing("Accepted");
        publication(&mut csms, status, id);
        assert_eq!(csms.end(1), FlowEnd::Failed { status: status.into() });
    }
    let (mut csms, _) = publishing("Rejected");
    assert_eq!(csms.end(1), FlowEnd::Refused { status: "Rejected".into(), reason: None });
    let (mut csms, _) = publishing("Accepted");
    csms.pass(7 * HOUR);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Status });
    let mut csms = Csms::new(Version::V1_6);
    csms.flow(1, Flow::PublishFirmware(FirmwarePublication::new(LOCATION, CHECKSUM)));
    assert!(matches!(csms.end(1), FlowEnd::CallFailed { outcome: CallOutcome::NotSupported, .. }));
}

/// L04.FR.01, L04.FR.02, L04.FR.03, L04.FR.04
#[test]
fn firmware_is_unpublished_unless_it_is_being_fetched() {
    for version in V2 {
        for (status, end) in [
            ("Unpublished", FlowEnd::Completed(Completion::Done)),
            ("NoFirmware", FlowEnd::Refused { status: "NoFirmware".into(), reason: None }),
            ("DownloadOngoing", FlowEnd::Refused { status: "DownloadOngoing".into(), reason: None }),
        ] {
            let mut csms = Csms::new(version);
            csms.flow(1, Flow::UnpublishFirmware { checksum: CHECKSUM.into() });
            let (action, payload) = csms.answer_status(status);
            assert_eq!((&*action, payload), ("UnpublishFirmware", json!({"checksum": CHECKSUM})));
            assert_eq!(csms.end(1), end);
        }
    }
}
