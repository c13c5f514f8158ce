//! Judging what a station sends: strict or lenient, and never silent (2.1 part 4, 4.3; OCPP-J 1.6, 4.2.3).

use ocpp_core::csms::{CallOutcome, Command, Conformance, Event, Input};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_support::*;

fn strict(version: Version) -> Csms {
    let mut config = accepting();
    config.conformance = Conformance::Strict;
    Csms::with(version, config)
}

/// A status with a departure from the schema, the path of it, and the code in 1.6 and 2.x.
fn departures(version: Version) -> Vec<(Value, &'static str, &'static str)> {
    let one_six = version == Version::V1_6;
    let code = |old, new| if one_six { old } else { new };
    let status_name = if one_six { "status" } else { "connectorStatus" };
    let status_path = if one_six { "/status" } else { "/connectorStatus" };
    let mut extra = status(version);
    extra["odd"] = json!(1);
    let mut unknown = status(version);
    unknown[status_name] = json!("Sleeping");
    let mut wrong = status(version);
    wrong["connectorId"] = json!("one");
    let mut missing = status(version);
    missing.as_object_mut().unwrap().remove("connectorId");
    vec![
        (extra, "/odd", code("FormationViolation", "FormatViolation")),
        (unknown, status_path, "PropertyConstraintViolation"),
        (wrong, "/connectorId", "TypeConstraintViolation"),
        (missing, "/connectorId", code("OccurenceConstraintViolation", "OccurrenceConstraintViolation")),
    ]
}

#[test]
fn a_strict_session_refuses_each_departure_with_its_code() {
    for version in Version::ALL {
        for (payload, path, code) in departures(version) {
            let mut csms = strict(version);
            assert_eq!(csms.exchange("StatusNotification", payload).code(), code, "{version} {path}");
            let events = csms.events();
            let [Event::Finding { action, finding }, Event::Malformed { .. }] = &*events else { panic!("{events:?}") };
            assert_eq!((&**action, &*finding.path, &*finding.code), ("StatusNotification", path, code));
        }
    }
}

#[test]
fn a_lenient_session_processes_what_it_can_and_reports_each_kind_once() {
    for version in Version::ALL {
        for (payload, path, code) in departures(version).into_iter().take(2) {
            let mut csms = Csms::new(version);
            assert_eq!(csms.exchange("StatusNotification", payload.clone()).result(), json!({}));
            let events = csms.events();
            let [Event::Finding { finding, .. }, Event::ConnectorStatus(_)] = &*events else { panic!("{events:?}") };
            assert_eq!((&*finding.path, &*finding.code), (path, code));
            csms.exchange("StatusNotification", payload.clone()).result();
            assert!(matches!(&*csms.events(), [Event::ConnectorStatus(_)]), "reported before");
            csms.input(Input::Disconnected);
            csms.connect();
            csms.exchange("StatusNotification", payload).result();
            assert_eq!(csms.events().len(), 2, "reported once a connection");
        }
        for (payload, path, code) in departures(version).into_iter().skip(2) {
            let mut csms = Csms::new(version);
            assert_eq!(csms.exchange("StatusNotification", payload).code(), code, "unusable: {version} {path}");
        }
    }
}

#[test]
fn a_strict_session_judges_answers_too() {
    for version in Version::ALL {
        let mut csms = strict(version);
        csms.command(1, Command::ClearCache);
        let (id, ..) = csms.received_call();
        csms.frame(json!([3, id, {"status": "Accepted", "odd": 1}]).to_string());
        let CallOutcome::MalformedAnswer { findings, .. } = csms.outcome(1) else { panic!() };
        assert_eq!(findings[0].path, "/odd");
        let raw = Command::Raw { action: "ClearCache".into(), payload: "{}".into(), validate: true };
        csms.drain_sent();
        csms.command(2, raw);
        let (id, ..) = csms.received_call();
        csms.frame(json!([3, id, {"status": "Accepted", "odd": 1}]).to_string());
        assert!(matches!(csms.outcome(2), CallOutcome::Answered(_)), "whoever writes a call reads its answer");
    }
}

#[test]
fn strictness_is_chosen_at_run_time() {
    let mut csms = Csms::new(Version::V2_1);
    let (payload, ..) = departures(Version::V2_1).remove(0);
    csms.exchange("StatusNotification", payload.clone()).result();
    csms.input(Input::Conformance(Conformance::Strict));
    csms.exchange("StatusNotification", payload.clone()).code();
    csms.input(Input::Conformance(Conformance::Lenient));
    csms.exchange("StatusNotification", payload).result();
}

#[test]
fn a_name_that_is_too_long_to_be_remembered_is_refused_even_leniently() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let code = csms.exchange("TransactionEvent", event("Started", &"x".repeat(300), 0, 0, 0)).code();
        assert_eq!(code, "PropertyConstraintViolation");
        let id = csms.call("TransactionEvent", event("Started", &"x".repeat(200), 0, 0, 0));
        csms.store();
        csms.reply(&id).result();
    }
}

#[test]
fn an_action_that_nobody_knows_is_not_implemented() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        assert_eq!(csms.exchange("NoSuchAction", json!({})).code(), "NotImplemented");
        assert!(matches!(&*csms.events(), [Event::Malformed { .. }]));
        assert_eq!(csms.exchange("Reset", json!({"type": "Soft"})).code(), "NotSupported", "only a CSMS sends it");
        csms.events();
        csms.exchange("Heartbeat", json!({})).result();
    }
}

#[test]
fn frames_that_are_none_are_reported_once_and_disturb_nothing() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let frames =
            ["", "{", "null", "[]", "[2]", "[9,\"x\",{}]", "[2,7,\"Heartbeat\",{}]", "[2,\"a\",\"Heartbeat\"]"];
        for frame in frames {
            csms.frame(frame);
            let events = csms.events();
            let [Event::Malformed { text, .. }] = &*events else { panic!("{frame}: {events:?}") };
            assert_eq!(text, frame);
        }
        csms.drain_sent();
        csms.exchange("Heartbeat", json!({})).result();
    }
}

#[test]
fn a_long_text_that_is_nothing_is_cut_in_the_report() {
    let mut csms = Csms::new(Version::V2_1);
    csms.frame("é".repeat(10_000));
    let events = csms.events();
    let [Event::Malformed { text, .. }] = &*events else { panic!("{events:?}") };
    assert_eq!(text.len(), 4096);
}

#[test]
fn an_answer_to_nothing_is_reported() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.frame(r#"[3,"unknown",{}]"#);
        csms.frame(r#"[4,"unknown","GenericError","",{}]"#);
        assert!(matches!(&*csms.events(), [Event::Malformed { .. }, Event::Malformed { .. }]));
        csms.assert_nothing_sent();
    }
}

/// Part 4, 4.2.3
#[test]
fn an_answer_that_the_station_cannot_use_is_reported() {
    let mut csms = Csms::new(Version::V2_1);
    let id = csms.call("Heartbeat", json!({}));
    csms.drain_sent();
    csms.events();
    csms.frame(json!([5, id, "FormatViolation", "no time in it", {}]).to_string());
    let events = csms.events();
    let [Event::AnswerRejected { action, error }] = &*events else { panic!("{events:?}") };
    assert_eq!((action.as_deref(), &*error.code), (Some("Heartbeat"), "FormatViolation"));
}

/// Part 4, 4.2.4
#[test]
fn a_message_that_wants_no_answer_gets_none() {
    let mut csms = Csms::new(Version::V2_1);
    let payload = json!({"id": 1, "pending": 0, "basetime": at(0), "data": [{"t": 0, "v": "1"}]});
    csms.frame(json!([6, "send-1", "NotifyPeriodicEventStream", payload]).to_string());
    csms.assert_nothing_sent();
    let [Event::Notification { action, .. }] = &*csms.events() else { panic!() };
    assert_eq!(action, "NotifyPeriodicEventStream");
    csms.frame(r#"[6,"send-2","NotifyPeriodicEventStream",{}]"#);
    csms.assert_nothing_sent();
    assert!(csms.events().iter().any(|event| matches!(event, Event::Malformed { .. })));
}

/// B01.FR.05, G05.FR.03: 2.1 tells the state of a connector by NotifyEvent.
#[test]
fn the_state_of_a_connector_is_told_however_the_station_says_it() {
    for version in V2 {
        let mut csms = Csms::new(version);
        csms.exchange("StatusNotification", status(version)).result();
        let by_status = csms.events();
        let event = json!({
            "eventId": 1, "timestamp": at(0), "trigger": "Delta", "actualValue": "Available",
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
            "variable": {"name": "AvailabilityState"},
        });
        csms.exchange("NotifyEvent", json!({"generatedAt": at(0), "seqNo": 0, "eventData": [event]})).result();
        let mut events = csms.events();
        events.retain(|event| matches!(event, Event::ConnectorStatus(_)));
        assert_eq!(events, by_status);
    }
}

#[test]
fn states_of_firmware_logs_and_connectors_are_told() {
    let mut csms = Csms::new(Version::V1_6);
    csms.exchange("FirmwareStatusNotification", json!({"status": "Downloading"})).result();
    csms.exchange("SignedFirmwareStatusNotification", json!({"status": "Installed", "requestId": 3})).result();
    csms.exchange("DiagnosticsStatusNotification", json!({"status": "Uploading"})).result();
    csms.exchange("LogStatusNotification", json!({"status": "Uploaded", "requestId": 4})).result();
    let payload = json!({
        "connectorId": 0, "status": "Faulted", "errorCode": "OtherError", "info": "wet", "vendorErrorCode": "E7",
    });
    csms.exchange("StatusNotification", payload).result();
    let firmware = |status: &str, request_id| Event::FirmwareStatus { status: status.into(), request_id };
    let log = |status: &str, request_id| Event::LogStatus { status: status.into(), request_id };
    let mut events = csms.events();
    let Some(Event::ConnectorStatus(connector)) = events.pop() else { panic!("{events:?}") };
    assert_eq!((connector.place, &*connector.status), (None, "Faulted"));
    assert_eq!((connector.error.as_deref(), connector.detail.as_deref()), (Some("OtherError"), Some("E7: wet")));
    assert_eq!(
        events,
        [
            firmware("Downloading", None),
            firmware("Installed", Some(3)),
            log("Uploading", None),
            log("Uploaded", Some(4))
        ]
    );
}
