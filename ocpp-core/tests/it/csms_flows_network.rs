//! Another way for a station to connect: network profiles and security profiles, and the way back (A05, B09, B10; 1.6 security, A05).

use ocpp_core::csms::flows::{
    Authentication, Awaited, Completion, Flow, FlowEnd, NetworkSwitch, ProfileUpgrade, Progress,
};
use ocpp_core::csms::{CallOutcome, Command, Input, Output};
use ocpp_core::types::v2_1::{
    NetworkConnectionProfileType, OCPPInterfaceEnumType, OCPPTransportEnumType, OCPPVersionEnumType,
};
use ocpp_core::types::{Text, Version};
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

/// One that 2.0.1 can say as well.
fn profile(security_profile: i64) -> Box<NetworkConnectionProfileType> {
    let url = Text::new("wss://csms.example.com/ocpp").unwrap();
    let (wired, json) = (OCPPInterfaceEnumType::Wired0, OCPPTransportEnumType::JSON);
    let mut profile = NetworkConnectionProfileType::new(wired, json, 30, url, security_profile);
    profile.ocpp_version = Some(OCPPVersionEnumType::OCPP20);
    profile.into()
}

fn switch(security_profile: i64) -> NetworkSwitch {
    let mut switch = NetworkSwitch::new(2, vec![1]);
    switch.profile = Some(profile(security_profile));
    switch
}

fn upgrade(security_profile: u8) -> Flow {
    let mut upgrade = ProfileUpgrade::new(security_profile);
    upgrade.network = Some(switch(security_profile.into()));
    Flow::UpgradeProfile(upgrade)
}

fn set_variable(status: &str) -> Value {
    json!({"setVariableResult": [{
        "attributeStatus": status,
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "NetworkConfigurationPriority"},
    }]})
}

fn active(slot: &str) -> Value {
    json!({"getVariableResult": [{
        "attributeStatus": "Accepted", "attributeValue": slot,
        "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "ActiveNetworkProfile"},
    }]})
}

/// A station on this security profile.
fn station(version: Version, security_profile: u8) -> Csms {
    let mut csms = Csms::new(version);
    csms.reconnect(Authentication::new(security_profile));
    csms
}

/// The station takes what it is told, and resets.
fn resetting(version: Version, flow: Flow) -> Csms {
    let mut csms = station(version, 1);
    csms.flow(1, flow);
    let (action, payload) = csms.answer_status("Accepted");
    assert_eq!(action, "SetNetworkProfile");
    assert_eq!(payload["configurationSlot"], 2);
    let (action, payload) = csms.answer(set_variable("Accepted"));
    assert_eq!(action, "SetVariables");
    assert_eq!(payload["setVariableData"][0]["variable"]["name"], "NetworkConfigurationPriority");
    assert_eq!(
        payload["setVariableData"][0]["attributeValue"], "2,1",
        "the new one first, the old one to fall back to"
    );
    let (action, payload) = csms.answer_status("Scheduled");
    assert_eq!((&*action, payload), ("Reset", json!({"type": "OnIdle"})));
    assert_eq!(csms.progress(), [Progress::Accepted { status: "Scheduled".into() }]);
    csms.assert_running();
    csms
}

/// It comes back by this security profile, boots, and says which slot it uses.
fn back(csms: &mut Csms, security_profile: u8, slot: &str) {
    csms.reconnect(Authentication::new(security_profile));
    csms.exchange("BootNotification", boot(csms.version)).result();
    let (action, payload) = csms.answer(active(slot));
    assert_eq!(action, "GetVariables");
    assert_eq!(payload["getVariableData"][0]["variable"]["name"], "ActiveNetworkProfile");
}

/// B09.FR.21
#[test]
fn a_network_profile_that_may_be_in_use_is_not_written_variable_by_variable() {
    let write = |slot: &str| {
        let component = json!({"name": "NetworkConfiguration", "instance": slot});
        let data = json!({"component": component, "variable": {"name": "OcppCsmsUrl"}, "attributeValue": "ws://b"});
        Command::Raw {
            action: "SetVariables".into(),
            payload: json!({"setVariableData": [data]}).to_string(),
            validate: true,
        }
    };
    let mut csms = station(Version::V2_1, 1);
    csms.command(1, Command::GetConfiguration { names: vec!["OCPPCommCtrlr.NetworkConfigurationPriority".into()] });
    csms.answer(json!({"getVariableResult": [{
        "attributeStatus": "Accepted", "attributeValue": "1, 2",
        "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"},
    }]}));
    csms.outcome(1);
    csms.command(2, write("2"));
    assert!(matches!(csms.outcome(2), CallOutcome::NotAllowed { .. }));
    csms.assert_nothing_sent();
    csms.command(3, write("3"));
    assert_eq!(csms.received_call().1, "SetVariables");
}

/// B09.FR.14
#[test]
fn the_identity_and_the_password_of_2_1_come_with_the_network_profile() {
    let mut csms = station(Version::V2_1, 1);
    let mut switch = switch(2);
    let mut profile = profile(2);
    profile.identity = Some(Text::new("CS-2").unwrap());
    profile.basic_auth_password = Some(Text::new("0123456789abcdef").unwrap());
    switch.profile = Some(profile);
    csms.flow(1, Flow::SwitchNetwork(switch));
    let text = serde_json::to_string(&csms.session.snapshot()).unwrap();
    assert!(!text.contains("0123456789abcdef"), "no snapshot holds a password");
    let (_, action, payload) = csms.received_call();
    assert_eq!(action, "SetNetworkProfile");
    assert_eq!(payload["connectionData"]["identity"], "CS-2");
    assert_eq!(payload["connectionData"]["basicAuthPassword"], "0123456789abcdef");
}

/// A05.FR.07
#[test]
fn a_station_of_2_x_is_led_to_a_higher_security_profile_by_a_network_profile() {
    for version in V2 {
        let mut csms = resetting(version, upgrade(2));
        back(&mut csms, 2, "2");
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done), "{version}");
        assert_eq!(csms.session.least_security_profile(), 2);
    }
}

/// A05.FR.07; 1.6 security, A05.FR.09
#[test]
fn a_station_that_reached_a_profile_is_not_let_in_by_a_lower_one() {
    let mut csms = resetting(Version::V2_1, upgrade(2));
    back(&mut csms, 2, "2");
    csms.end(1);
    csms.restart();
    let mut session = csms.session;
    session.handle(csms.now, Input::Authenticated(Authentication::new(1)));
    session.handle(csms.now, Input::Connected { version: Version::V2_1 });
    assert!(matches!(session.poll_output(), Some(Output::Close { .. })));
    assert_eq!(session.connected(), None);
    session.handle(csms.now, Input::Authenticated(Authentication::new(3)));
    session.handle(csms.now, Input::Connected { version: Version::V2_1 });
    assert_eq!(session.connected(), Some(Version::V2_1));
}

#[test]
fn a_station_that_falls_back_to_its_old_profile_ends_the_upgrade() {
    for version in V2 {
        let mut csms = resetting(version, upgrade(2));
        back(&mut csms, 1, "1");
        assert_eq!(csms.end(1), FlowEnd::WentBack);
        assert_eq!(csms.session.least_security_profile(), 0, "it may go on as before");
        let mut csms = resetting(version, Flow::SwitchNetwork(switch(1)));
        back(&mut csms, 1, "1");
        assert_eq!(csms.end(1), FlowEnd::WentBack, "by the slot, where the profiles are equal");
    }
}

#[test]
fn a_station_that_does_not_say_its_slot_is_judged_by_how_it_connected() {
    for (used, end) in [(2, FlowEnd::Completed(Completion::Done)), (1, FlowEnd::WentBack)] {
        let mut csms = resetting(Version::V2_0_1, upgrade(2));
        csms.reconnect(Authentication::new(used));
        csms.exchange("BootNotification", boot(csms.version)).result();
        csms.answer(json!({"getVariableResult": [{
            "attributeStatus": "UnknownVariable",
            "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "ActiveNetworkProfile"},
        }]}));
        assert_eq!(csms.end(1), end);
    }
}

#[test]
fn a_line_that_was_bad_for_a_moment_is_no_way_back() {
    let mut csms = resetting(Version::V2_1, upgrade(2));
    csms.reconnect(Authentication::new(1));
    csms.exchange("Heartbeat", json!({})).result();
    csms.assert_running();
    csms.assert_nothing_sent();
    back(&mut csms, 2, "2");
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
}

#[test]
fn a_station_that_is_lost_while_it_is_asked_is_asked_again() {
    let mut csms = resetting(Version::V2_1, upgrade(2));
    csms.reconnect(Authentication::new(2));
    csms.exchange("BootNotification", boot(csms.version)).result();
    csms.received_call();
    csms.input(Input::Disconnected);
    csms.assert_running();
    back(&mut csms, 2, "2");
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
}

#[test]
fn a_station_that_never_comes_back_ends_the_switch() {
    let mut csms = resetting(Version::V2_1, Flow::SwitchNetwork(switch(1)));
    csms.input(Input::Disconnected);
    csms.pass(16 * MINUTE);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Reconnection });
}

#[test]
fn a_refusal_at_any_step_ends_the_switch_as_the_station_said_it() {
    let refused = || FlowEnd::Refused { status: "Rejected".into(), reason: None };
    let mut csms = station(Version::V2_1, 1);
    csms.flow(1, Flow::SwitchNetwork(switch(1)));
    csms.answer_status("Rejected");
    assert_eq!(csms.end(1), refused());

    let mut csms = station(Version::V2_1, 1);
    csms.flow(1, Flow::SwitchNetwork(switch(1)));
    csms.answer_status("Accepted");
    csms.answer(set_variable("Rejected"));
    assert_eq!(csms.end(1), refused());
    csms.assert_nothing_sent();
}

#[test]
fn where_the_reset_is_refused_the_priorities_are_put_back() {
    let mut csms = station(Version::V2_1, 1);
    csms.flow(1, Flow::SwitchNetwork(switch(1)));
    csms.answer_status("Accepted");
    csms.answer(set_variable("RebootRequired"));
    csms.answer_status("Rejected");
    csms.assert_running();
    let (action, payload) = csms.answer(set_variable("Accepted"));
    assert_eq!(action, "SetVariables");
    assert_eq!(payload["setVariableData"][0]["attributeValue"], "1");
    assert_eq!(csms.end(1), FlowEnd::Refused { status: "Rejected".into(), reason: None });
}

#[test]
fn a_station_that_resets_before_it_answers_is_waited_for() {
    let mut csms = station(Version::V2_1, 1);
    csms.flow(1, Flow::SwitchNetwork(switch(1)));
    csms.answer_status("Accepted");
    csms.answer(set_variable("Accepted"));
    csms.received_call();
    back(&mut csms, 1, "2");
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
}

#[test]
fn a_lost_call_before_the_reset_is_the_end() {
    let mut csms = station(Version::V2_1, 1);
    csms.flow(1, Flow::SwitchNetwork(switch(1)));
    csms.received_call();
    csms.input(Input::Disconnected);
    let end = csms.end(1);
    let FlowEnd::CallFailed { action, outcome } = end else { panic!("{end:?}") };
    assert_eq!((&*action, outcome), ("SetNetworkProfile", CallOutcome::ConnectionLost));
}

/// A05 remark: a profile is not lowered by OCPP; 1.6 security, A05.FR.01
#[test]
fn a_station_is_not_led_to_a_lower_security_profile() {
    for version in Version::ALL {
        let mut csms = station(version, 2);
        let flow = match version {
            Version::V1_6 => Flow::UpgradeProfile(ProfileUpgrade::new(1)),
            _ => upgrade(1),
        };
        csms.flow(1, flow);
        assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }));
        csms.assert_nothing_sent();
    }
    for version in V2 {
        let mut csms = station(version, 2);
        csms.flow(1, Flow::SwitchNetwork(switch(1)));
        assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }));
        csms.flow(2, Flow::UpgradeProfile(ProfileUpgrade::new(3)));
        assert!(matches!(csms.end(2), FlowEnd::NotAllowed { .. }), "which network profile?");
        let mut other = ProfileUpgrade::new(3);
        other.network = Some(switch(2));
        csms.flow(3, Flow::UpgradeProfile(other));
        assert!(matches!(csms.end(3), FlowEnd::NotAllowed { .. }), "the network profile is another");
        csms.assert_nothing_sent();
    }
    let mut csms = station(Version::V1_6, 1);
    csms.flow(1, Flow::SwitchNetwork(switch(1)));
    assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }), "1.6 has no network profiles");
}

/// 1.6 security, A05.FR.09; 1.6 security, A05.FR.06/07/08
#[test]
fn a_station_of_1_6_is_told_its_profile_and_reconnects_by_it() {
    let upgrading = || {
        let mut csms = station(Version::V1_6, 1);
        csms.flow(1, Flow::UpgradeProfile(ProfileUpgrade::new(2)));
        let (action, payload) = csms.answer_status("Accepted");
        assert_eq!((&*action, payload), ("ChangeConfiguration", json!({"key": "SecurityProfile", "value": "2"})));
        csms.assert_running();
        csms
    };
    let mut csms = upgrading();
    csms.reconnect(Authentication::new(2));
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
    assert_eq!(csms.session.least_security_profile(), 2);
    let mut csms = upgrading();
    csms.reconnect(Authentication::new(1));
    assert_eq!(csms.end(1), FlowEnd::WentBack);
    assert_eq!(csms.session.least_security_profile(), 0);
    let mut csms = upgrading();
    csms.pass(HOUR);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Reconnection });
    let mut csms = upgrading();
    csms.restart();
    csms.input(Input::Authenticated(Authentication::new(2)));
    csms.connect();
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done), "another node went on");
    let mut csms = station(Version::V1_6, 1);
    csms.flow(1, Flow::UpgradeProfile(ProfileUpgrade::new(2)));
    csms.answer_status("NotSupported");
    assert_eq!(csms.end(1), FlowEnd::Refused { status: "NotSupported".into(), reason: None });
}
