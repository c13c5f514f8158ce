//! Logs that a station uploads (N01; 1.6 edition 2, 5.9; 1.6 security, N01), each followed to its end.

use ocpp_core::csms::flows::{Awaited, Completion, Flow, FlowEnd, LogRetrieval, Progress};
use ocpp_core::csms::{CallOutcome, Event, Input};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

const LOCATION: &str = "https://csms.example.com/logs?for=CS1";

fn uploading(version: Version, answer: Value) -> (Csms, Option<i64>, Value) {
    let mut csms = Csms::new(version);
    let (request_id, payload) = start(&mut csms, 1, answer);
    (csms, request_id, payload)
}

fn start(csms: &mut Csms, id: u64, answer: Value) -> (Option<i64>, Value) {
    let mut log = LogRetrieval::new(Some("SecurityLog"), LOCATION);
    log.oldest = Some(BEGIN.parse().unwrap());
    csms.flow(id, Flow::GetLog(log));
    let (action, payload) = csms.answer(answer);
    assert_eq!(action, "GetLog");
    (payload["requestId"].as_i64(), payload)
}

fn notify(csms: &mut Csms, status: &str, request_id: Option<i64>) {
    let mut payload = json!({"status": status});
    if let Some(id) = request_id {
        payload["requestId"] = json!(id);
    }
    assert_eq!(csms.exchange("LogStatusNotification", payload), Reply::Result(json!({})));
}

/// N01.FR.07, N01.FR.13
#[test]
fn an_upload_is_followed_to_its_end() {
    for version in Version::ALL {
        let (mut csms, id, payload) = uploading(version, json!({"status": "Accepted", "filename": "security.log"}));
        let log = json!({"remoteLocation": LOCATION, "oldestTimestamp": "2026-11-20T10:00:00.000Z"});
        assert_eq!(payload, json!({"logType": "SecurityLog", "requestId": id.unwrap(), "log": log}));
        notify(&mut csms, "Uploading", id);
        assert_eq!(
            csms.progress(),
            [
                Progress::Accepted { status: "Accepted".into() },
                Progress::File { name: "security.log".into() },
                Progress::Status { status: "Uploading".into() },
            ]
        );
        notify(&mut csms, "Uploaded", id.map(|id| id + 1));
        csms.restart();
        csms.connect();
        notify(&mut csms, "Idle", None);
        csms.assert_running();
        notify(&mut csms, "Uploaded", id);
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
        let told = csms.take_events(|event| matches!(event, Event::LogStatus { .. }).then_some(()));
        assert!(!told.is_empty(), "the plain event goes on being told");
    }
}

#[test]
fn an_upload_that_fails_says_why() {
    for version in Version::ALL {
        for status in ["BadMessage", "NotSupportedOperation", "PermissionDenied", "UploadFailure"] {
            let (mut csms, id, _) = uploading(version, json!({"status": "Accepted"}));
            notify(&mut csms, status, id);
            assert_eq!(csms.end(1), FlowEnd::Failed { status: status.into() });
        }
        let (mut csms, ..) = uploading(version, json!({"status": "Rejected"}));
        assert_eq!(csms.end(1), FlowEnd::Refused { status: "Rejected".into(), reason: None });
        let (mut csms, ..) = uploading(version, json!({"status": "Accepted"}));
        csms.pass(7 * HOUR);
        assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Status });
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::GetLog(LogRetrieval::new(Some("DiagnosticsLog"), LOCATION)));
        csms.received_call();
        csms.input(Input::Disconnected);
        let FlowEnd::CallFailed { outcome: CallOutcome::ConnectionLost, .. } = csms.end(1) else { panic!() };
        csms.connect();
        csms.flow(2, Flow::GetLog(LogRetrieval::new(Some("Nonsense"), LOCATION)));
        assert!(matches!(csms.end(2), FlowEnd::CallFailed { outcome: CallOutcome::Invalid { .. }, .. }));
    }
}

/// N01.FR.12
#[test]
fn an_upload_that_cancels_another_ends_it() {
    for version in Version::ALL {
        let (mut csms, first, _) = uploading(version, json!({"status": "Accepted"}));
        let (second, _) = start(&mut csms, 2, json!({"status": "AcceptedCanceled", "filename": "b"}));
        assert_eq!(csms.end(1), FlowEnd::Superseded);
        notify(&mut csms, "AcceptedCanceled", first);
        csms.assert_running();
        notify(&mut csms, "Uploaded", second);
        assert_eq!(csms.end(2), FlowEnd::Completed(Completion::Done));
    }
}

/// N01.FR.27, N01.FR.28
#[test]
fn a_url_that_the_standard_forbids_is_not_sent() {
    for location in ["https://csms.example.com/logs#top", "https://csms.example.com/logs?path=a/"] {
        for version in Version::ALL {
            let mut csms = Csms::new(version);
            csms.flow(1, Flow::GetLog(LogRetrieval::new(Some("SecurityLog"), location)));
            assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }));
            csms.assert_nothing_sent();
        }
    }
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::GetLog(LogRetrieval::new(Some("SecurityLog"), "https://csms.example.com/logs/")));
    assert_eq!(csms.received_call().1, "GetLog", "a path may end in a slash");
}

/// 1.6 edition 2, 5.9; 1.6 edition 2, 4.4
#[test]
fn diagnostics_of_1_6_are_followed_without_an_id() {
    let diagnostics = |answer: Value| {
        let mut csms = Csms::new(Version::V1_6);
        csms.flow(1, Flow::GetLog(LogRetrieval::new(None, LOCATION)));
        let (action, payload) = csms.answer(answer);
        assert_eq!((&*action, payload), ("GetDiagnostics", json!({"location": LOCATION})));
        csms
    };
    let tell = |csms: &mut Csms, status: &str| {
        assert_eq!(csms.exchange("DiagnosticsStatusNotification", json!({"status": status})).result(), json!({}));
    };
    let mut csms = diagnostics(json!({"fileName": "diagnostics.zip"}));
    tell(&mut csms, "Uploading");
    csms.assert_running();
    tell(&mut csms, "Uploaded");
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
    let mut csms = diagnostics(json!({"fileName": "diagnostics.zip"}));
    tell(&mut csms, "UploadFailed");
    assert_eq!(csms.end(1), FlowEnd::Failed { status: "UploadFailed".into() });
    let mut csms = diagnostics(json!({}));
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Nothing), "without a name there is no file");
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::GetLog(LogRetrieval::new(None, LOCATION)));
    assert_eq!(csms.received_call().2["logType"], "DiagnosticsLog");
}
