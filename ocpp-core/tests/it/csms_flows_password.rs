//! Another password for a station: the old one is good until the new one is, and nobody is locked out (A01; 1.6 security, A01).

use std::time::Duration;

use ocpp_core::csms::flows::{
    Authentication, Awaited, Completion, Flow, FlowEnd, PasswordChange, PasswordUsed, ProfileUpgrade, Progress, Secret,
};
use ocpp_core::csms::{CallOutcome, Input};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

const PASSWORD: &str = "0123456789abcdef";

fn change() -> PasswordChange {
    PasswordChange::new(Secret::new(PASSWORD))
}

fn with_grace() -> PasswordChange {
    let mut change = change();
    change.keep_old = Duration::from_secs(300);
    change
}

/// The station's answer to the request for another password.
fn verdict_of(version: Version, status: &str) -> Value {
    match version {
        Version::V1_6 => json!({"status": status}),
        _ => json!({"setVariableResult": [{
            "attributeStatus": status,
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
        }]}),
    }
}

fn changing(version: Version, change: PasswordChange, status: &str) -> (Csms, (String, Value)) {
    let mut csms = Csms::new(version);
    csms.flow(1, Flow::ChangePassword(change));
    let call = csms.answer(verdict_of(version, status));
    (csms, call)
}

/// A01.FR.01, A01.FR.02, A01.FR.03; 1.6 security, A01.FR.02/03; 1.6 security, 7.2
#[test]
fn a_password_is_set_accepted_and_proven_by_the_next_connection() {
    for version in Version::ALL {
        let (mut csms, (action, payload)) = changing(version, change(), "Accepted");
        match version {
            Version::V1_6 => {
                assert_eq!(action, "ChangeConfiguration");
                let hexadecimal = "30313233343536373839616263646566";
                assert_eq!(payload, json!({"key": "AuthorizationKey", "value": hexadecimal}));
            }
            _ => {
                assert_eq!(action, "SetVariables");
                let data = &payload["setVariableData"][0];
                assert_eq!(data["component"]["name"], "SecurityCtrlr");
                assert_eq!(data["variable"]["name"], "BasicAuthPassword");
                assert_eq!(data["attributeValue"], PASSWORD);
            }
        }
        assert_eq!(csms.progress(), [Progress::PasswordAccepted, Progress::PasswordSuperseded], "{version}");
        csms.assert_running();
        csms.reconnect(by_password(PasswordUsed::New));
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done), "{version}");
        assert!(csms.progress().is_empty());
    }
}

/// A01.FR.04; 1.6 security, A01.FR.04
#[test]
fn a_password_that_is_refused_changes_nothing() {
    for version in Version::ALL {
        let (mut csms, _) = changing(version, change(), "Rejected");
        assert_eq!(csms.end(1), FlowEnd::Refused { status: "Rejected".into(), reason: None });
        assert!(csms.progress().is_empty());
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::ChangePassword(change()));
        let (id, ..) = csms.received_call();
        csms.frame(json!([4, id, "InternalError", "", {}]).to_string());
        let FlowEnd::CallFailed { outcome: CallOutcome::Error(_), .. } = csms.end(1) else { panic!() };
        assert!(csms.progress().is_empty());
    }
}

#[test]
fn a_station_that_is_given_time_may_come_with_the_old_password_for_so_long() {
    for version in Version::ALL {
        let (mut csms, _) = changing(version, with_grace(), "Accepted");
        assert_eq!(csms.progress(), [Progress::PasswordAccepted], "the old one is still good");
        csms.reconnect(by_password(PasswordUsed::New));
        assert_eq!(csms.progress(), [Progress::PasswordSuperseded]);
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));

        let (mut csms, _) = changing(version, with_grace(), "Accepted");
        csms.progress();
        csms.reconnect(by_password(PasswordUsed::Old));
        assert!(csms.progress().is_empty(), "it goes by the old one, which stays good");
        assert_eq!(csms.end(1), FlowEnd::WentBack);
    }
}

#[test]
fn the_old_password_ends_with_its_time_and_the_change_with_its_own() {
    let (mut csms, _) = changing(Version::V2_1, with_grace(), "Accepted");
    csms.progress();
    csms.input(Input::Disconnected);
    csms.pass(4 * MINUTE);
    assert!(csms.progress().is_empty());
    csms.pass(2 * MINUTE);
    assert_eq!(csms.progress(), [Progress::PasswordSuperseded]);
    csms.assert_running();
    csms.pass(10 * MINUTE);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Reconnection });
}

#[test]
fn after_a_lost_answer_both_passwords_are_good_until_the_station_shows_which() {
    for version in Version::ALL {
        for (used, superseded, end) in [
            (PasswordUsed::New, &[Progress::PasswordSuperseded][..], FlowEnd::Completed(Completion::Done)),
            (PasswordUsed::Old, &[][..], FlowEnd::WentBack),
        ] {
            for lost in [true, false] {
                let mut csms = Csms::new(version);
                csms.flow(1, Flow::ChangePassword(change()));
                csms.received_call();
                if lost {
                    csms.input(Input::Disconnected);
                } else {
                    csms.pass(MINUTE);
                }
                assert_eq!(csms.progress(), [Progress::PasswordUncertain]);
                csms.assert_running();
                csms.reconnect(by_password(used));
                assert_eq!(csms.progress(), superseded);
                assert_eq!(csms.end(1), end);
            }
        }
    }
}

#[test]
fn a_station_that_needs_a_reboot_first_goes_by_the_old_password_until_then() {
    let (mut csms, _) = changing(Version::V2_0_1, change(), "RebootRequired");
    assert_eq!(csms.progress(), [Progress::PasswordAccepted]);
    csms.reconnect(by_password(PasswordUsed::Old));
    csms.assert_running();
    csms.reconnect(by_password(PasswordUsed::New));
    assert_eq!(csms.progress(), [Progress::PasswordSuperseded]);
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
}

#[test]
fn a_password_that_the_version_does_not_allow_is_not_sent() {
    for (version, length) in [
        (Version::V1_6, 15),
        (Version::V1_6, 21),
        (Version::V2_0_1, 15),
        (Version::V2_0_1, 41),
        (Version::V2_1, 15),
        (Version::V2_1, 65),
    ] {
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::ChangePassword(PasswordChange::new(Secret::new("x".repeat(length)))));
        assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }), "{version} {length}");
        csms.assert_nothing_sent();
    }
}

#[test]
fn the_way_a_station_connects_is_changed_once_at_a_time() {
    let (mut csms, _) = changing(Version::V1_6, change(), "Accepted");
    for flow in [Flow::ChangePassword(change()), Flow::UpgradeProfile(ProfileUpgrade::new(2))] {
        csms.flow(2, flow);
        assert!(matches!(csms.end(2), FlowEnd::NotAllowed { .. }));
        csms.assert_nothing_sent();
    }
    csms.reconnect(by_password(PasswordUsed::New));
    csms.end(1);
    csms.flow(3, Flow::ChangePassword(change()));
    assert_eq!(csms.received_call().1, "ChangeConfiguration");
}

#[test]
fn a_change_outlives_the_node_while_it_waits_for_the_station() {
    let (mut csms, _) = changing(Version::V2_1, with_grace(), "Accepted");
    csms.restart();
    csms.assert_running();
    csms.input(Input::Authenticated(by_password(PasswordUsed::New)));
    csms.connect();
    assert_eq!(csms.progress(), [Progress::PasswordSuperseded]);
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));

    let (mut csms, _) = changing(Version::V2_1, with_grace(), "Accepted");
    csms.now = csms.now + HOUR;
    csms.restart();
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Reconnection }, "its time went on");
}

#[test]
fn a_change_whose_call_was_under_way_ends_with_the_node() {
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::ChangePassword(change()));
    csms.received_call();
    let text = serde_json::to_string(&csms.session.snapshot()).unwrap();
    assert!(!text.contains(PASSWORD), "no snapshot holds a password");
    csms.restart();
    assert_eq!(csms.end(1), FlowEnd::Interrupted);
    csms.input(Input::Authenticated(Authentication::new(1)));
    csms.connect();
    csms.assert_nothing_sent();
}
