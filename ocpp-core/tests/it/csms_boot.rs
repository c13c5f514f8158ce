//! The boot gate: who is served, when (2.1 part 2, B01 to B03; 1.6 edition 2, 4.2).

use std::time::Duration;

use ocpp_core::csms::{CallOutcome, Command, Event, Input, Place, Registration, RegistrationStatus, Token};
use ocpp_core::types::Version;
use serde_json::json;

use crate::csms_support::*;

const RETRY: Duration = Duration::from_secs(60);

fn pending(version: Version) -> Csms {
    let mut config = accepting();
    config.registration = Registration::pending(RETRY);
    Csms::with(version, config)
}

fn trigger_status() -> Command {
    Command::TriggerMessage { message: "StatusNotification".into(), place: Some(Place::connector(1, 1)) }
}

fn rejected(version: Version) -> Csms {
    let mut config = accepting();
    config.registration = Registration::rejected(RETRY);
    Csms::with(version, config)
}

/// B01.FR.02
#[test]
fn a_boot_is_answered_with_the_registration_and_the_time() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let reply = csms.exchange("BootNotification", boot(version)).result();
        assert_eq!(reply, json!({"status": "Accepted", "currentTime": "2026-11-20T10:00:00.000Z", "interval": 300}));
        let events = csms.events();
        let [Event::Booted(boot)] = &*events else { panic!("{events:?}") };
        assert_eq!((&*boot.vendor, &*boot.model), ("Vendor", "Model"));
        assert_eq!(boot.serial_number.as_deref(), Some("S1"));
        assert_eq!(boot.firmware_version.as_deref(), Some("1.0"));
        assert_eq!(boot.reason.as_deref(), (version != Version::V1_6).then_some("PowerUp"));
        assert_eq!(boot.registration, RegistrationStatus::Accepted);
    }
}

#[test]
fn a_heartbeat_is_answered_with_the_time_of_the_csms() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.pass(Duration::from_millis(61_250));
        let reply = csms.exchange("Heartbeat", json!({})).result();
        assert_eq!(reply, json!({"currentTime": "2026-11-20T10:01:01.250Z"}));
        assert_eq!(csms.events(), [Event::Heartbeat]);
    }
}

/// B01.FR.10, B02.FR.09, B03.FR.07; errata to OCPP-J 1.6, 3.10
#[test]
fn a_station_that_is_not_accepted_is_refused_everything_but_a_boot() {
    for version in Version::ALL {
        for (mut csms, word) in [(pending(version), "Pending"), (rejected(version), "Rejected")] {
            assert_eq!(csms.exchange("StatusNotification", status(version)).code(), "SecurityError", "before it boots");
            let reply = csms.exchange("BootNotification", boot(version)).result();
            assert_eq!((&reply["status"], &reply["interval"]), (&json!(word), &json!(60)));
            for (action, payload) in [
                ("StatusNotification", status(version)),
                ("Heartbeat", json!({})),
                ("Authorize", authorize(version, "TAG")),
            ] {
                assert_eq!(csms.exchange(action, payload).code(), "SecurityError", "{action}");
            }
            csms.assert_no_question();
            let refused = csms.events().into_iter().filter(|event| matches!(event, Event::NotAccepted { .. }));
            assert_eq!(refused.count(), 4);
        }
    }
}

#[test]
fn a_refused_call_is_refused_for_that_even_when_it_is_malformed() {
    let mut csms = pending(Version::V2_1);
    assert_eq!(csms.exchange("StatusNotification", json!({"evseId": "one"})).code(), "SecurityError");
    assert_eq!(csms.exchange("NoSuchAction", json!({})).code(), "SecurityError");
}

#[test]
fn a_station_that_connects_again_without_booting_is_served_if_it_is_accepted() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.input(Input::Disconnected);
        csms.connect();
        assert_eq!(csms.exchange("StatusNotification", status(version)).result(), json!({}));
    }
}

/// B02.FR.02, B02.FR.09
#[test]
fn a_pending_station_may_send_what_it_was_asked_for() {
    for version in Version::ALL {
        let mut csms = pending(version);
        csms.exchange("BootNotification", boot(version)).result();
        csms.command(1, trigger_status());
        let (id, action, _) = csms.received_call();
        assert_eq!(action, "TriggerMessage");
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        assert_eq!(csms.exchange("StatusNotification", status(version)).result(), json!({}));
        assert_eq!(csms.exchange("Heartbeat", json!({})).code(), "SecurityError");
    }
}

/// B02.FR.02
#[test]
fn what_a_pending_station_declined_to_send_is_refused() {
    let mut csms = pending(Version::V2_0_1);
    csms.exchange("BootNotification", boot(Version::V2_0_1)).result();
    csms.command(1, trigger_status());
    let (id, ..) = csms.received_call();
    csms.frame(json!([3, id, {"status": "NotImplemented"}]).to_string());
    assert_eq!(csms.exchange("StatusNotification", status(Version::V2_0_1)).code(), "SecurityError");
}

/// B02.FR.01: the CSMS may read and write settings, and ask for reports.
#[test]
fn a_pending_station_can_be_configured_and_may_report() {
    let mut csms = pending(Version::V2_1);
    csms.exchange("BootNotification", boot(Version::V2_1)).result();
    let payload = r#"{"requestId": 5, "reportBase": "FullInventory"}"#.into();
    csms.command(1, Command::Raw { action: "GetBaseReport".into(), payload, validate: true });
    let (id, action, _) = csms.received_call();
    assert_eq!(action, "GetBaseReport");
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    let report = json!({"requestId": 5, "generatedAt": at(1), "seqNo": 0});
    assert_eq!(csms.exchange("NotifyReport", report).result(), json!({}));
    let notified = csms.events().into_iter().find_map(|event| match event {
        Event::VariablesReported { request_id, last, .. } => Some((request_id, last)),
        _ => None,
    });
    assert_eq!(notified, Some((5, true)));
}

/// B02.FR.05; 1.6 edition 2, 4.2
#[test]
fn transactions_are_not_started_or_stopped_at_a_pending_station() {
    for version in Version::ALL {
        let mut csms = pending(version);
        csms.exchange("BootNotification", boot(version)).result();
        csms.command(
            1,
            Command::RemoteStart {
                evse: Some(1),
                token: Token::new("TAG"),
                remote_start_id: 1,
                group: None,
                charging_profile: None,
            },
        );
        assert!(matches!(csms.outcome(1), CallOutcome::NotAllowed { .. }));
        csms.command(2, Command::RemoteStop { transaction: 7.into() });
        assert!(matches!(csms.outcome(2), CallOutcome::NotAllowed { .. }));
        csms.assert_nothing_sent();
    }
}

/// B03.FR.03
#[test]
fn a_rejected_station_is_sent_nothing() {
    for version in Version::ALL {
        let mut csms = rejected(version);
        csms.exchange("BootNotification", boot(version)).result();
        csms.command(1, Command::ClearCache);
        assert!(matches!(csms.outcome(1), CallOutcome::NotAllowed { .. }));
        let raw = Command::Raw { action: "ClearCache".into(), payload: "{}".into(), validate: false };
        csms.command(2, raw);
        assert!(matches!(csms.outcome(2), CallOutcome::NotAllowed { .. }));
        csms.assert_nothing_sent();
    }
}

/// B02.FR.04: a station boots early only when it is asked to.
#[test]
fn a_waiting_station_is_let_boot_when_it_is_accepted() {
    for version in Version::ALL {
        let mut csms = pending(version);
        csms.exchange("BootNotification", boot(version)).result();
        csms.input(Input::Registration(Registration::accepted(HEARTBEAT)));
        let (id, action, payload) = csms.received_call();
        assert_eq!((&*action, &payload), ("TriggerMessage", &json!({"requestedMessage": "BootNotification"})));
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        let reply = csms.exchange("BootNotification", boot(version)).result();
        assert_eq!(reply["status"], "Accepted");
        assert_eq!(csms.exchange("StatusNotification", status(version)).result(), json!({}));
        let finished = csms.events().into_iter().any(|event| matches!(event, Event::CallFinished { .. }));
        assert!(!finished, "no command of the application");
    }
}

#[test]
fn a_station_that_has_not_booted_is_not_asked_to_when_it_is_accepted() {
    let mut csms = pending(Version::V2_1);
    csms.input(Input::Registration(Registration::accepted(HEARTBEAT)));
    csms.assert_nothing_sent();
}

/// Errata to 1.6, 3.40
#[test]
fn a_station_of_1_6_is_not_asked_to_boot_once_it_was_accepted() {
    let mut csms = Csms::new(Version::V1_6);
    csms.exchange("BootNotification", boot(Version::V1_6)).result();
    csms.command(1, Command::TriggerMessage { message: "BootNotification".into(), place: None });
    assert!(matches!(csms.outcome(1), CallOutcome::NotAllowed { .. }));
    csms.assert_nothing_sent();
}

#[test]
fn a_decision_that_is_taken_back_counts_at_once() {
    let mut csms = Csms::new(Version::V2_1);
    csms.exchange("BootNotification", boot(Version::V2_1)).result();
    csms.input(Input::Registration(Registration::rejected(RETRY)));
    assert_eq!(csms.exchange("Heartbeat", json!({})).code(), "SecurityError");
    csms.assert_nothing_sent();
}
