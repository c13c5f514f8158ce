//! Uploading logs (2.1 part 2, N01; 1.6 edition 2, 4.4 and 5.9; 1.6 security, N01).

use std::time::Duration;

use ocpp_core::station::{Answer, Input, LogKind, Output, UploadFailure, UploadId, UploadOutcome};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::VERSIONS;
use crate::scripted::{Reply, Said, Script};

fn request(id: i64) -> Value {
    json!({"logType": "DiagnosticsLog", "requestId": id, "log": {"remoteLocation": "https://csms.example/logs/"}})
}

fn diagnostics() -> Value {
    json!({"location": "ftp://user:secret@csms.example/logs/"})
}

fn said(status: &str, name: &str) -> Said {
    Said::Result(json!({"status": status, "filename": name}))
}

/// The words that the CSMS heard of uploads, in order.
fn statuses(world: &Script) -> Vec<String> {
    let is_status = |action: &str| matches!(action, "LogStatusNotification" | "DiagnosticsStatusNotification");
    let heard = world.peer.heard.iter().filter(|heard| is_status(&heard.action));
    heard.map(|heard| heard.payload["status"].as_str().unwrap().to_owned()).collect()
}

/// N01.FR.01, N01.FR.02, N01.FR.04, N01.FR.07, N01.FR.08, N01.FR.09; 1.6 security, N01.FR.01/02/04/07/08/09
#[test]
fn a_log_is_named_uploaded_and_reported_with_its_number() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        let mut wanted = request(3);
        wanted["log"]["oldestTimestamp"] = json!("2026-11-19T00:00:00Z");
        wanted["log"]["latestTimestamp"] = json!("2026-11-20T00:00:00Z");
        assert_eq!(world.ask("GetLog", wanted), said("Accepted", "diagnostics.log"), "{version}");
        assert_eq!(statuses(&world), ["Uploading"], "{version}");
        world.run(Duration::from_secs(30));
        assert_eq!(statuses(&world), ["Uploading", "Uploaded"], "{version}");
        let reports = world.peer.payloads("LogStatusNotification");
        assert!(reports.iter().all(|payload| payload["requestId"] == 3), "{version}");
        let upload = &world.transfers.uploaded[0];
        assert_eq!(upload.log.kind, LogKind::Diagnostics, "{version}");
        assert_eq!(upload.log.oldest.unwrap().to_string(), "2026-11-19T00:00:00Z", "{version}");
        assert_eq!(upload.log.latest.unwrap().to_string(), "2026-11-20T00:00:00Z", "{version}");
        assert_eq!(world.transfers.uploaded.len(), 1, "{version}");
    }
}

/// N01.FR.03, N01.FR.24; 1.6 security, N01.FR.03
#[test]
fn the_log_that_was_asked_for_is_uploaded() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        let mut wanted = request(3);
        wanted["logType"] = json!("SecurityLog");
        world.ask("GetLog", wanted);
        assert_eq!(world.transfers.uploaded[0].log.kind, LogKind::Security, "{version}");
    }
    let mut world = Script::booted(Version::V2_1);
    let mut wanted = request(3);
    wanted["logType"] = json!("DataCollectorLog");
    world.ask("GetLog", wanted);
    assert_eq!(world.transfers.uploaded[0].log.kind, LogKind::DataCollector);
}

/// N01.FR.21, N01.FR.29
#[test]
fn a_folder_is_completed_by_the_name_and_any_other_location_used_as_it_is() {
    for (location, expected) in [
        ("https://csms.example/logs/", "https://csms.example/logs/diagnostics.log"),
        ("https://csms.example/logs/7?key=a", "https://csms.example/logs/7?key=a"),
    ] {
        let mut world = Script::booted(Version::V2_1);
        let mut wanted = request(3);
        wanted["log"]["remoteLocation"] = json!(location);
        world.ask("GetLog", wanted);
        assert_eq!(world.transfers.uploaded[0].location, expected);
    }
}

/// N01.FR.05; 1.6 security, 5.10
#[test]
fn a_log_that_is_not_there_is_refused() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.transfers.log = Answer::Failed;
        assert_eq!(world.ask("GetLog", request(3)), Said::Result(json!({"status": "Rejected"})), "{version}");
        world.run(Duration::from_secs(30));
        assert!(statuses(&world).is_empty(), "{version}");
        let mut wanted = request(3);
        wanted["log"]["remoteLocation"] = json!("file:///var/log/");
        world.transfers.log = Answer::File("x".into());
        let Said::Result(answer) = world.ask("GetLog", wanted) else { panic!() };
        assert_eq!(answer["status"], "Rejected", "{version}");
        assert!(world.transfers.uploaded.is_empty(), "{version}");
    }
}

/// 1.6 edition 2, 4.4, 5.9 and 7.24; 1.6 errata 3.31
#[test]
fn diagnostics_are_named_uploaded_and_reported() {
    let mut world = Script::booted(Version::V1_6);
    let mut wanted = diagnostics();
    wanted["startTime"] = json!("2026-11-19T00:00:00Z");
    assert_eq!(world.ask("GetDiagnostics", wanted), Said::Result(json!({"fileName": "diagnostics.log"})));
    world.run(Duration::from_secs(30));
    assert_eq!(statuses(&world), ["Uploading", "Uploaded"]);
    assert_eq!(world.peer.payloads("DiagnosticsStatusNotification").len(), 2);
    let upload = &world.transfers.uploaded[0];
    assert_eq!(upload.location, "ftp://user:secret@csms.example/logs/diagnostics.log");
    assert!(upload.log.oldest.is_some() && upload.log.latest.is_none());
}

/// 1.6 edition 2, 5.9 and 6.26
#[test]
fn without_diagnostics_there_is_no_file_name_and_no_upload() {
    let mut world = Script::booted(Version::V1_6);
    world.transfers.log = Answer::Failed;
    assert_eq!(world.ask("GetDiagnostics", diagnostics()), Said::Result(json!({})));
    world.run(Duration::from_secs(30));
    assert!(statuses(&world).is_empty());
    let long = json!({"location": format!("ftp://x.example/{}", "x".repeat(2_000))});
    assert_eq!(world.ask("GetDiagnostics", long), Said::Error("PropertyConstraintViolation".into()));
}

/// N01.FR.10; 1.6 security, N01.FR.10; 1.6 errata 3.50
#[test]
fn an_upload_is_tried_again_and_then_reported_with_its_failure() {
    let failures = [
        (UploadFailure::BadMessage, "BadMessage"),
        (UploadFailure::NotSupportedOperation, "NotSupportedOperation"),
        (UploadFailure::PermissionDenied, "PermissionDenied"),
        (UploadFailure::Other, "UploadFailure"),
    ];
    for version in VERSIONS {
        for (failure, word) in failures {
            let mut world = Script::booted(version);
            world.transfers.uploads.extend([UploadOutcome::Failed(failure); 4]);
            let mut wanted = request(3);
            wanted["retries"] = json!(3);
            wanted["retryInterval"] = json!(50);
            world.ask("GetLog", wanted);
            world.run(Duration::from_secs(185));
            assert_eq!(statuses(&world), ["Uploading"], "{version}");
            world.run(Duration::from_secs(10));
            assert_eq!(statuses(&world), ["Uploading", word], "{version}");
            assert_eq!(world.transfers.uploaded.len(), 4, "{version}");
        }
    }
    let mut world = Script::booted(Version::V1_6);
    world.transfers.uploads.extend([UploadOutcome::Failed(UploadFailure::PermissionDenied); 2]);
    let mut wanted = diagnostics();
    wanted["retries"] = json!(1);
    world.ask("GetDiagnostics", wanted);
    world.run(Duration::from_secs(200));
    assert_eq!(statuses(&world), ["Uploading", "UploadFailed"]);
}

/// N01.FR.12, N01.FR.20; 1.6 security, N01.FR.11
#[test]
fn a_newer_request_takes_the_place_of_the_upload() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.ask("GetLog", request(3));
        assert_eq!(world.ask("GetLog", request(4)), said("AcceptedCanceled", "diagnostics.log"), "{version}");
        let is_canceled = |(_, output): &(_, Output)| matches!(output, Output::CancelUpload { .. });
        assert!(world.outputs.iter().any(is_canceled), "{version}");
        world.run(Duration::from_secs(30));
        let reports = world.peer.payloads("LogStatusNotification");
        let heard: Vec<_> = reports
            .iter()
            .map(|report| (report["requestId"].as_i64().unwrap(), report["status"].as_str().unwrap()))
            .collect();
        match version {
            // The answer says it all; there is no word for it.
            Version::V1_6 => assert_eq!(heard, [(3, "Uploading"), (4, "Uploading"), (4, "Uploaded")]),
            _ => assert_eq!(
                heard,
                [(3, "Uploading"), (3, "AcceptedCanceled"), (4, "Uploading"), (4, "Uploaded")],
                "{version}"
            ),
        }
    }
}

#[test]
fn diagnostics_and_logs_take_each_others_place() {
    let mut world = Script::booted(Version::V1_6);
    world.ask("GetDiagnostics", diagnostics());
    assert_eq!(world.ask("GetLog", request(4)), said("AcceptedCanceled", "diagnostics.log"));
    world.ask("GetDiagnostics", diagnostics());
    world.run(Duration::from_secs(30));
    let heard: Vec<_> = world
        .peer
        .heard
        .iter()
        .filter(|heard| heard.action.contains("StatusNotification") && heard.action != "StatusNotification")
        .map(|heard| (heard.action.as_str(), heard.payload["status"].as_str().unwrap()))
        .collect();
    let (diagnostics, log) = ("DiagnosticsStatusNotification", "LogStatusNotification");
    assert_eq!(
        heard,
        [
            (diagnostics, "Uploading"),
            (diagnostics, "UploadFailed"),
            (log, "Uploading"),
            (log, "UploadFailure"),
            (diagnostics, "Uploading"),
            (diagnostics, "Uploaded"),
        ]
    );
}

/// N01.FR.13, F06.FR.15
#[test]
fn a_trigger_gives_the_upload_at_hand_and_idle_otherwise() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = Script::booted(version);
        let trigger = |world: &mut Script| {
            world.peer.forget();
            world.ask("TriggerMessage", json!({"requestedMessage": "LogStatusNotification"}));
            world.peer.payloads("LogStatusNotification")[0].clone()
        };
        assert_eq!(trigger(&mut world), json!({"status": "Idle"}), "{version}");
        world.ask("GetLog", request(3));
        assert_eq!(trigger(&mut world), json!({"status": "Uploading", "requestId": 3}), "{version}");
        world.run(Duration::from_secs(30));
        assert_eq!(trigger(&mut world), json!({"status": "Idle"}), "{version}");
    }
}

/// 1.6 security, N01.FR.12
#[test]
fn an_extended_trigger_gives_the_upload_at_hand_and_idle_otherwise() {
    let mut world = Script::booted(Version::V1_6);
    let trigger = |world: &mut Script| {
        world.peer.forget();
        world.ask("ExtendedTriggerMessage", json!({"requestedMessage": "LogStatusNotification"}));
        world.peer.payloads("LogStatusNotification")[0].clone()
    };
    assert_eq!(trigger(&mut world), json!({"status": "Idle"}));
    world.ask("GetLog", request(3));
    assert_eq!(trigger(&mut world), json!({"status": "Uploading", "requestId": 3}));
}

/// 1.6 edition 2, 4.4 and 5.17
#[test]
fn a_trigger_for_diagnostics_gives_idle_unless_diagnostics_are_uploaded() {
    let mut world = Script::booted(Version::V1_6);
    let trigger = |world: &mut Script| {
        world.peer.forget();
        world.ask("TriggerMessage", json!({"requestedMessage": "DiagnosticsStatusNotification"}));
        world.peer.payloads("DiagnosticsStatusNotification")[0]["status"].clone()
    };
    assert_eq!(trigger(&mut world), "Idle");
    world.ask("GetDiagnostics", diagnostics());
    assert_eq!(trigger(&mut world), "Uploading");
    world.ask("GetLog", request(4));
    assert_eq!(trigger(&mut world), "Idle");
}

/// N01.FR.09
#[test]
fn an_upload_that_ends_during_an_outage_is_told_afterwards() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.ask("GetLog", request(3));
        world.cut();
        world.run(Duration::from_secs(60));
        world.network.up = true;
        world.run(Duration::from_secs(300));
        assert_eq!(statuses(&world), ["Uploading", "Uploaded"], "{version}");
    }
}

#[test]
fn a_csms_that_takes_no_report_does_not_make_the_station_grow() {
    let mut world = Script::booted(Version::V2_1);
    world.peer.always("LogStatusNotification", Reply::Silence);
    for id in 0..200 {
        world.ask("GetLog", request(id));
    }
    assert!(world.storage.keys().filter(|key| key.starts_with("progress/")).count() <= 50);
}

/// Questions that the integrator never answers are bounded, and the CSMS is answered.
#[test]
fn a_log_that_nobody_looks_for_is_refused() {
    let mut world = Script::booted(Version::V2_1);
    world.answers = false;
    world.peer.call("GetLog", request(3));
    world.run(Duration::from_secs(16));
    assert_eq!(world.peer.result()["status"], "Rejected");
}

#[test]
fn facts_about_uploads_that_are_not_under_way_change_nothing() {
    let mut world = Script::booted(Version::V2_1);
    world.handle(Input::Log { upload: UploadId(1), outcome: UploadOutcome::Uploaded });
    world.ask("GetLog", request(3));
    world.handle(Input::Log { upload: UploadId(9), outcome: UploadOutcome::Uploaded });
    world.settle();
    assert_eq!(statuses(&world), ["Uploading"]);
}
