//! What the session knows and asks about a station from its boot on, and what it leaves out of its answers (2.1 part 2, B01, B02, B07,
//! B09, I08, Q01).

use ocpp_core::csms::{
    Authorization, AuthorizationStatus, CallOutcome, Command, Event, Input, Output, Registration, Session,
};
use ocpp_core::types::Version;
use ocpp_core::types::v2_1::{SetVariableDataType, TariffType};
use serde_json::{Value, json};

use crate::csms_support::*;

fn asking() -> ocpp_core::csms::SessionConfig {
    let mut config = accepting();
    config.inventory = true;
    config
}

/// Whether the station is asked for its inventory; it answers with one variable.
fn is_asked(csms: &mut Csms) -> bool {
    let calls = csms.drain_sent();
    let Some(frame) = calls.iter().find(|frame| frame[0] == 2) else { return false };
    assert_eq!((&frame[2], &frame[3]["reportBase"]), (&json!("GetBaseReport"), &json!("FullInventory")));
    csms.frame(json!([3, frame[1], {"status": "Accepted"}]).to_string());
    let data = json!([{"component": {"name": "A"}, "variable": {"name": "B"}, "variableAttribute": [{"value": "1"}]}]);
    let request_id = &frame[3]["requestId"];
    csms.exchange(
        "NotifyReport",
        json!({"requestId": request_id, "generatedAt": at(0), "seqNo": 0, "reportData": data}),
    )
    .result();
    true
}

/// B07.FR.14
#[test]
fn the_inventory_is_asked_for_at_first_and_after_another_firmware() {
    for version in V2 {
        let mut csms = Csms::with(version, asking());
        csms.call("BootNotification", boot(version));
        assert!(is_asked(&mut csms), "it is unknown");
        csms.call("BootNotification", boot(version));
        assert!(!is_asked(&mut csms), "nothing has changed");
        let mut updated = boot(version);
        updated["chargingStation"]["firmwareVersion"] = json!("2.0");
        csms.call("BootNotification", updated.clone());
        assert!(is_asked(&mut csms));
        // Another node knows it too.
        let snapshot = csms.session.snapshot();
        let mut csms = Csms::of(Session::restore(asking(), [9; 32], csms.now, snapshot), csms.now, version);
        csms.connect();
        csms.call("BootNotification", updated);
        assert!(!is_asked(&mut csms));
        assert!(
            !csms.events().iter().any(|event| matches!(event, Event::CallFinished { .. })),
            "nobody gave a command"
        );
    }
    let mut csms = Csms::with(Version::V1_6, asking());
    csms.call("BootNotification", boot(Version::V1_6));
    assert!(!is_asked(&mut csms));
    let mut csms = Csms::new(Version::V2_1);
    csms.call("BootNotification", boot(Version::V2_1));
    assert!(!is_asked(&mut csms), "unless it is told to, the session makes no calls of its own");
}

/// How a station that connects with this certificate is answered when it boots: whether it's cut off.
fn boots(version: Version, common_name: Option<&str>) -> (bool, bool) {
    let csms = Csms::new(version);
    let (mut session, now) = (csms.session, csms.now);
    if let Some(common_name) = common_name {
        session.handle(now, Input::ClientCertificate { common_name: common_name.into() });
    }
    session.handle(now, Input::Frame(json!([2, "1", "BootNotification", boot(version)]).to_string()));
    let (mut closed, mut answered) = (false, false);
    while let Some(output) = session.poll_output() {
        match output {
            Output::Close { .. } => closed = true,
            Output::Transmit(_) | Output::Event(Event::Booted(_)) => answered = true,
            _ => {}
        }
    }
    (closed, answered)
}

/// B01.FR.11, B01.FR.12
#[test]
fn a_station_with_the_certificate_of_another_is_cut_off_when_it_boots() {
    for version in V2 {
        assert_eq!(boots(version, None), (false, true));
        assert_eq!(boots(version, Some("S1")), (false, true));
        assert_eq!(boots(version, Some("Vendor S1")), (false, true));
        for other in ["S2", "S11", ""] {
            assert_eq!(boots(version, Some(other)), (true, false), "{other}");
        }
    }
}

/// B01.FR.11: the certificate is that of its connection.
#[test]
fn a_certificate_ends_with_its_connection() {
    let mut csms = Csms::new(Version::V2_1);
    csms.input(Input::ClientCertificate { common_name: "S2".into() });
    csms.connect();
    csms.exchange("BootNotification", boot(Version::V2_1)).result();
}

/// B02.FR.06
#[test]
fn the_connection_of_a_pending_station_stays() {
    for version in V2 {
        let mut config = accepting();
        config.registration = Registration::pending(std::time::Duration::from_secs(60));
        // The helper panics where the session wants the connection closed.
        let mut csms = Csms::with(version, config);
        csms.exchange("BootNotification", boot(version)).result();
        assert_eq!(csms.exchange("StatusNotification", status(version)).code(), "SecurityError");
        csms.pass(std::time::Duration::from_secs(3600));
        assert_eq!(csms.session.connected(), Some(version));
        csms.exchange("BootNotification", boot(version)).result();
    }
}

fn network(slot: &str, variable: &str, value: &str) -> SetVariableDataType {
    let component = json!({"name": "NetworkConfiguration", "instance": slot});
    serde_json::from_value(json!({"component": component, "variable": {"name": variable}, "attributeValue": value}))
        .unwrap()
}

/// B09.FR.21
#[test]
fn a_network_configuration_in_use_is_not_set() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let priority = json!([{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"},
            "variableAttribute": [{"value": "1, 2"}]}]);
        let report = json!({"requestId": 1, "generatedAt": at(0), "seqNo": 0, "reportData": priority});
        csms.exchange("NotifyReport", report).result();
        csms.command(1, Command::SetVariables { variables: vec![network("2", "MessageTimeout", "30")] });
        let CallOutcome::NotAllowed { rule } = csms.outcome(1) else { panic!() };
        assert!(rule.contains("B09.FR.21"));
        csms.command(1, Command::SetVariables { variables: vec![network("3", "MessageTimeout", "30")] });
        assert_eq!(csms.received_call().1, "SetVariables");
    }
}

/// What is said of access points and private networks, where these variables are set.
fn switches(variables: Vec<SetVariableDataType>) -> Vec<(String, String)> {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::SetVariables { variables });
    let mut found = Vec::new();
    while let Some(frame) = csms.drain_sent().pop() {
        let mut result = frame[3].clone();
        let answer = if frame[2] == "GetVariables" {
            result["getVariableData"][0]["attributeStatus"] = json!("UnknownVariable");
            json!({"getVariableResult": result["getVariableData"]})
        } else {
            let data = &mut result["setVariableData"][0];
            let name = data["variable"]["name"].as_str().unwrap().to_string();
            if name.ends_with("Enabled") {
                found.push((name, data["attributeValue"].as_str().unwrap().to_string()));
            }
            data["attributeStatus"] = json!("Accepted");
            data.as_object_mut().unwrap().remove("attributeValue");
            json!({"setVariableResult": [data]})
        };
        csms.frame(json!([3, frame[1], answer]).to_string());
    }
    assert!(matches!(csms.outcome(1), CallOutcome::Answered(_)));
    found
}

/// B09.FR.29, B09.FR.30
#[test]
fn a_network_configuration_says_whether_it_has_an_access_point_or_a_private_network() {
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    let whole = network("3", "OcppCsmsUrl", "wss://csms");
    let plain = switches(vec![whole.clone()]);
    assert_eq!(plain, [pair("ApnEnabled", "false"), pair("VpnEnabled", "false")]);
    let with_apn = switches(vec![whole.clone(), network("3", "Apn", "internet")]);
    assert_eq!(with_apn, [pair("ApnEnabled", "true"), pair("VpnEnabled", "false")]);
    let with_vpn = switches(vec![network("3", "VpnServer", "vpn.example")]);
    assert_eq!(with_vpn, [pair("VpnEnabled", "true")]);
    let said = switches(vec![whole, network("3", "ApnEnabled", "false"), network("3", "VpnEnabled", "false")]);
    assert_eq!(said, [pair("ApnEnabled", "false"), pair("VpnEnabled", "false")], "what the application says holds");
    assert!(switches(vec![network("3", "MessageTimeout", "30")]).is_empty());
}

fn authorized(version: Version, authorization: Authorization) -> Value {
    let mut csms = Csms::new(version);
    let call = csms.call("Authorize", authorize(version, "TAG"));
    csms.judge(authorization);
    csms.reply(&call).result()
}

/// I08.FR.01, I08.FR.09
#[test]
fn a_drivers_own_tariff_goes_with_the_authorization() {
    let tariff = json!({"tariffId": "T1", "currency": "EUR", "energy": {"prices": [{"priceKwh": 1}]}});
    let mut with_start = tariff.clone();
    with_start["validFrom"] = json!(at(0));
    let mut authorization = Authorization::accepted();
    authorization.tariff = Some(Box::new(serde_json::from_value::<TariffType>(with_start).unwrap()));
    assert_eq!(authorized(Version::V2_1, authorization.clone())["tariff"], tariff);
    assert_eq!(authorized(Version::V2_0_1, authorization.clone()).get("tariff"), None);
    authorization.status = AuthorizationStatus::Blocked;
    assert_eq!(authorized(Version::V2_1, authorization).get("tariff"), None);
}

/// Q01.FR.01, Q01.FR.08, Q02.FR.03
#[test]
fn the_ways_of_charging_go_with_the_authorization_where_they_are_known() {
    let mut authorization = Authorization::accepted();
    assert_eq!(authorized(Version::V2_1, authorization.clone()).get("allowedEnergyTransfer"), None);
    authorization.allowed_energy_transfer = vec!["DC".into(), "DC_BPT".into()];
    assert_eq!(authorized(Version::V2_1, authorization.clone())["allowedEnergyTransfer"], json!(["DC", "DC_BPT"]));
    assert_eq!(authorized(Version::V2_0_1, authorization).get("allowedEnergyTransfer"), None);
}
