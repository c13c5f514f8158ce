//! Flows that the application does not want any more: they end at once, once, and leave nothing behind that is wrong.

use ocpp_core::csms::flows::{
    Authentication, CertificateInstallation, CertificatePurpose, CertificateRenewal, Completion, Customer,
    CustomerQuery, FirmwareUpdate, Flow, FlowEnd, LocalListSynchronisation, LogRetrieval, MonitoringQuery,
    NetworkSwitch, PasswordChange, PasswordUsed, ProfileUpgrade, Progress, Secret,
};
use ocpp_core::csms::{Command, CommandId, Input};
use ocpp_core::types::Version;
use serde_json::json;

use crate::csms_flows_support::*;
use crate::csms_support::*;

fn flows(version: Version) -> Vec<Flow> {
    let mut flows = vec![
        Flow::ChangePassword(PasswordChange::new(Secret::new("0123456789abcdef"))),
        Flow::RenewCertificate(CertificateRenewal::new(CertificatePurpose::ChargingStation)),
        Flow::InstallCertificate(CertificateInstallation {
            kind: "CSMSRootCertificate".into(),
            certificate: "a certificate".into(),
        }),
        Flow::ListCertificates { kinds: vec![] },
        Flow::UpdateFirmware(FirmwareUpdate::new("https://example.com/firmware", BEGIN.parse().unwrap())),
        Flow::GetLog(LogRetrieval::new(Some("DiagnosticsLog"), "https://example.com/logs")),
        Flow::SynchroniseLocalList(LocalListSynchronisation::new(7, vec![])),
    ];
    if version == Version::V1_6 {
        flows.push(Flow::UpgradeProfile(ProfileUpgrade::new(2)));
    } else {
        flows.extend([
            Flow::SwitchNetwork(NetworkSwitch::new(2, vec![1])),
            Flow::CustomerInformation(CustomerQuery::report(Customer::Identifier("somebody".into()))),
            Flow::GetMonitors(MonitoringQuery::default()),
            Flow::SetMonitoringLevel { severity: 3 },
        ]);
    }
    flows
}

fn cancel(csms: &mut Csms) {
    csms.input(Input::Cancel(CommandId(1)));
}

#[test]
fn a_flow_whose_call_waits_behind_another_is_cancelled_unsent() {
    for version in Version::ALL {
        for flow in flows(version) {
            let mut csms = Csms::new(version);
            csms.command(9, Command::ClearCache);
            csms.flow(1, flow.clone());
            cancel(&mut csms);
            assert_eq!(csms.end(1), FlowEnd::Cancelled, "{flow:?}");
            assert_eq!(csms.progress(), [], "{flow:?}: the station was told nothing");
            assert_eq!(csms.answer_status("Accepted").0, "ClearCache");
            csms.assert_nothing_sent();
            assert_eq!(csms.session.running_flows().count(), 0);
        }
    }
}

#[test]
fn a_flow_whose_call_is_under_way_is_cancelled_and_the_answer_changes_nothing() {
    for version in Version::ALL {
        for flow in flows(version) {
            let mut csms = Csms::new(version);
            csms.flow(1, flow.clone());
            let (id, action, _) = csms.received_call();
            cancel(&mut csms);
            assert_eq!(csms.end(1), FlowEnd::Cancelled, "{flow:?}");
            // A station that was told of a password may have it.
            let is_password = matches!(flow, Flow::ChangePassword(_));
            let progress = if is_password { vec![Progress::PasswordUncertain] } else { vec![] };
            assert_eq!(csms.progress(), progress, "{flow:?}");
            csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
            assert_eq!(csms.progress(), [], "{action}");
            csms.pass(HOUR * 24);
            csms.assert_running();
            // An answer of another shape may be complained of; nothing is asked for any more.
            assert!(csms.drain_sent().iter().all(|frame| frame[0] != 2), "{action}");
        }
    }
}

/// The answers by which each of them comes to wait for the station.
fn waiting(version: Version, flow: &Flow) -> Option<Csms> {
    let mut csms = Csms::new(version);
    csms.flow(1, flow.clone());
    match flow {
        Flow::ChangePassword(_) if version != Version::V1_6 => {
            csms.answer(json!({"setVariableResult": [{"attributeStatus": "Accepted",
                "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}]}));
        }
        Flow::UpdateFirmware(_) if version == Version::V1_6 => {
            csms.answer(json!({}));
        }
        Flow::ChangePassword(_)
        | Flow::RenewCertificate(_)
        | Flow::UpdateFirmware(_)
        | Flow::GetLog(_)
        | Flow::CustomerInformation(_)
        | Flow::GetMonitors(_) => {
            csms.answer_status("Accepted");
        }
        _ => return None,
    }
    assert_eq!(csms.session.running_flows().count(), 1, "{flow:?}");
    csms.assert_nothing_sent();
    Some(csms)
}

#[test]
fn a_flow_that_waits_for_the_station_is_cancelled_connected_or_not_and_after_a_restart() {
    for version in Version::ALL {
        let mut tried = 0;
        for flow in flows(version) {
            for place in ["connected", "away", "restored"] {
                let Some(mut csms) = waiting(version, &flow) else { continue };
                tried += 1;
                match place {
                    "away" => csms.input(Input::Disconnected),
                    "restored" => csms.restart(),
                    _ => {}
                }
                cancel(&mut csms);
                assert_eq!(csms.end(1), FlowEnd::Cancelled, "{place}: {flow:?}");
                assert!(!csms.session.has_flows());
                // It has one end, and no second.
                cancel(&mut csms);
                csms.reconnect(Authentication::new(1));
                csms.pass(HOUR * 24);
                csms.assert_running();
                // There is room for another of its kind.
                csms.flow(2, flow.clone());
                assert_eq!(csms.session.running_flows().collect::<Vec<_>>(), [CommandId(2)], "{place}: {flow:?}");
            }
        }
        assert!(tried >= 12, "{version}: {tried}");
    }
}

/// A01.FR.03: a password that the station accepted is not taken back by who gives up waiting.
#[test]
fn a_cancelled_change_of_password_tells_which_passwords_are_good() {
    let mut change = PasswordChange::new(Secret::new("0123456789abcdef"));
    change.keep_old = HOUR;
    let mut csms = Csms::new(Version::V1_6);
    csms.flow(1, Flow::ChangePassword(change));
    csms.answer_status("Accepted");
    cancel(&mut csms);
    assert_eq!(csms.end(1), FlowEnd::Cancelled);
    assert_eq!(csms.progress(), [Progress::PasswordAccepted], "neither is superseded");
    csms.pass(HOUR * 2);
    csms.reconnect(by_password(PasswordUsed::New));
    assert_eq!(csms.progress(), []);
}

#[test]
fn cancelling_what_is_no_flow_or_has_ended_changes_nothing() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::ClearCache);
    cancel(&mut csms);
    csms.answer_status("Accepted");
    assert!(matches!(csms.outcome(1), ocpp_core::csms::CallOutcome::Answered(_)));
    csms.flow(1, Flow::SetMonitoringLevel { severity: 3 });
    csms.answer_status("Accepted");
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
    cancel(&mut csms);
    csms.assert_running();
}

/// A03: who cancels the renewal does not take its certificate from a station that has asked for it.
#[test]
fn a_station_that_asked_for_its_certificate_gets_it_though_the_renewal_is_cancelled() {
    use ocpp_core::csms::flows::Signing;
    use ocpp_core::csms::{Answer, Event, Question};

    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::RenewCertificate(CertificateRenewal::new(CertificatePurpose::ChargingStation)));
    csms.answer_status("Accepted");
    let id = csms.call("SignCertificate", json!({"csr": "-", "certificateType": "ChargingStationCertificate"}));
    cancel(&mut csms);
    assert_eq!(csms.end(1), FlowEnd::Cancelled);
    let about = csms.decide(Answer::Signing(Signing::Signed { chain: "a chain".into() }));
    assert!(matches!(about, Question::SignCertificate(_)));
    assert_eq!(csms.reply(&id).result()["status"], "Accepted");
    assert_eq!(csms.answer_status("Accepted").0, "CertificateSigned");
    let ends = csms.take_events(|event| match event {
        Event::CertificateDelivered { end, .. } => Some(end.clone()),
        _ => None,
    });
    assert_eq!(ends, [FlowEnd::Completed(Completion::Done)]);
}
