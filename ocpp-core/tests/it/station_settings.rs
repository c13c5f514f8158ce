//! Settings: 1.6 keys and 2.x variables of one table (2.1 part 2, B05 to B07; 1.6 edition 2, 5.3, 5.8, chapter 9).

use std::time::Duration;

use ocpp_core::station::{Event, SettingError};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::config;
use crate::scripted::{Said, Script};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

fn variable(component: &str, variable: &str) -> Value {
    json!({"component": {"name": component}, "variable": {"name": variable}})
}

fn status_of(world: &mut Script, action: &str, list: &str, data: &Value) -> Value {
    let said = world.ask(action, json!({ list: [data] }));
    let Said::Result(payload) = said else { panic!("{said:?}") };
    let result = payload.as_object().unwrap().values().next().unwrap()[0].clone();
    assert_eq!(result["component"], data["component"]);
    assert_eq!(result["variable"], data["variable"]);
    result
}

fn get(world: &mut Script, data: &Value) -> Value {
    status_of(world, "GetVariables", "getVariableData", data)
}

fn set(world: &mut Script, mut data: Value, value: &str) -> Value {
    data["attributeValue"] = json!(value);
    status_of(world, "SetVariables", "setVariableData", &data)
}

/// 1.6 edition 2, 5.8
#[test]
fn a_1_6_csms_reads_what_it_asks_for() {
    let mut world = Script::booted(Version::V1_6);
    world.ask("GetConfiguration", json!({"key": ["heartbeatinterval", "Nonsense", "NumberOfConnectors"]}));
    let result = world.peer.result();
    assert_eq!(result["unknownKey"], json!(["Nonsense"]));
    assert_eq!(
        result["configurationKey"],
        json!([{"key": "HeartbeatInterval", "readonly": false, "value": "300"},
               {"key": "NumberOfConnectors", "readonly": true, "value": "1"}])
    );
    world.ask("GetConfiguration", json!({}));
    let keys = world.peer.result()["configurationKey"].as_array().unwrap().clone();
    assert!(keys.len() >= 15);
    let password = keys.iter().find(|key| key["key"] == "AuthorizationKey").unwrap();
    assert_eq!(password.get("value"), None, "a secret is not told");
    assert!(world.peer.result().get("unknownKey").is_none());
}

/// 1.6 edition 2, 5.3
#[test]
fn a_1_6_csms_changes_what_may_be_changed() {
    let mut world = Script::booted(Version::V1_6);
    for (key, value, status) in [
        ("MeterValueSampleInterval", "15", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("MeterValueSampleInterval", "soon", "Rejected"),
        ("StopTransactionOnInvalidId", "FALSE", "Accepted"),
        ("StopTransactionOnInvalidId", "no", "Rejected"),
        ("MeterValuesSampledData", "SoC,Voltage", "Accepted"),
        ("MeterValuesSampledData", "Celcius", "Rejected"),
        ("NumberOfConnectors", "4", "Rejected"),
        ("WebSocketPingInterval", "-5", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ] {
        let said = world.ask("ChangeConfiguration", json!({"key": key, "value": value}));
        assert_eq!(said, Said::Result(json!({"status": status})), "{key} = {value}");
    }
    assert_eq!(world.station().setting(&"SampledDataCtrlr.TxUpdatedInterval".into()).unwrap(), "15");
    assert_eq!(world.station().setting(&"StopTransactionOnInvalidId".into()).unwrap(), "false");
}

/// B05.FR.01 to 12
#[test]
fn a_2_x_csms_sets_variables_one_result_each() {
    for version in V2 {
        let mut world = Script::booted(version);
        let interval = variable("SampledDataCtrlr", "TxUpdatedInterval");
        for (data, value, status) in [
            (interval.clone(), "15", "Accepted"),
            (interval.clone(), "-1", "Rejected"),
            (interval.clone(), "soon", "Rejected"),
            (variable("SecurityCtrlr", "Identity"), "other", "Rejected"),
            (variable("SampledDataCtrlr", "Nonsense"), "1", "UnknownVariable"),
            (variable("Nonsense", "TxUpdatedInterval"), "1", "UnknownComponent"),
            // B06.FR.15: it exists only with an instance.
            (variable("OCPPCommCtrlr", "MessageTimeout"), "20", "UnknownVariable"),
            (variable("TxCtrlr", "TxStartPoint"), "Authorized,EVConnected", "Accepted"),
            (variable("TxCtrlr", "TxStartPoint"), "Whenever", "Rejected"),
        ] {
            let result = set(&mut world, data.clone(), value);
            assert_eq!(result["attributeStatus"], status, "{version} {data} = {value}");
            assert_eq!(result["attributeType"], "Actual", "B05.FR.12 {version}");
        }
        let mut target = interval.clone();
        target["attributeType"] = json!("Target");
        let result = set(&mut world, target, "1");
        assert_eq!(result["attributeStatus"], "NotSupportedAttributeType", "{version}");
        assert_eq!(result["attributeType"], "Target", "B05.FR.03 {version}");
        let timeout = json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "MessageTimeout", "instance": "Default"}});
        assert_eq!(set(&mut world, timeout, "20")["attributeStatus"], "Accepted", "{version}");
        assert!(
            world
                .events()
                .any(|event| matches!(event, Event::SettingChanged { name, .. } if name == "TxCtrlr.TxStartPoint"))
        );

        let both = json!([
            {"attributeValue": "20", "component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}},
            {"attributeValue": "20", "component": {"name": "X"}, "variable": {"name": "Y"}}
        ]);
        world.ask("SetVariables", json!({"setVariableData": both}));
        let results = world.peer.result()["setVariableResult"].as_array().unwrap().clone();
        assert_eq!(
            (results.len(), &results[1]["attributeStatus"]),
            (2, &json!("UnknownComponent")),
            "B05.FR.01 {version}"
        );
    }
}

/// B06.FR.06 to 10
#[test]
fn a_2_x_csms_gets_variables_one_result_each() {
    for version in V2 {
        let mut world = Script::booted(version);
        let result = get(&mut world, &variable("ocppcommctrlr", "heartbeatinterval"));
        assert_eq!((&result["attributeStatus"], &result["attributeValue"]), (&json!("Accepted"), &json!("300")));
        let result = get(&mut world, &variable("SecurityCtrlr", "BasicAuthPassword"));
        assert_eq!(result["attributeStatus"], "Rejected", "B06.FR.09 {version}");
        assert_eq!(result.get("attributeValue"), None);
        assert_eq!(get(&mut world, &variable("X", "Y"))["attributeStatus"], "UnknownComponent", "{version}");
        assert_eq!(get(&mut world, &variable("TxCtrlr", "Y"))["attributeStatus"], "UnknownVariable", "{version}");
        let time = get(&mut world, &variable("ClockCtrlr", "DateTime"));
        assert!(time["attributeValue"].as_str().unwrap().starts_with("2026-11-20T08:00:"), "{version} {time}");
        // A variable that came with 2.1.
        let status = get(&mut world, &variable("TxCtrlr", "TxResumptionTimeout"))["attributeStatus"].clone();
        assert_eq!(status, if version == Version::V2_1 { "Accepted" } else { "UnknownVariable" }, "{version}");
    }
}

/// B07.FR.01 to 03, B07.FR.07, B07.FR.08, B07.FR.12
#[test]
fn a_base_report_has_all_that_the_version_knows_and_no_secret() {
    for version in V2 {
        for (base, everything) in [("FullInventory", true), ("ConfigurationInventory", false)] {
            let mut world = Script::booted(version);
            let said = world.ask("GetBaseReport", json!({"requestId": 5, "reportBase": base}));
            assert_eq!(said, Said::Result(json!({"status": "Accepted"})), "{version}");
            let parts = world.peer.payloads("NotifyReport");
            let numbers: Vec<_> = parts.iter().map(|part| part["seqNo"].as_u64().unwrap()).collect();
            assert_eq!(numbers, (0..parts.len() as u64).collect::<Vec<_>>(), "{version}");
            let more: Vec<_> = parts.iter().map(|part| part["tbc"].as_bool().unwrap()).collect();
            assert!(more.iter().rev().skip(1).all(|more| *more) && !more.last().unwrap(), "{version}");
            let items: Vec<_> = parts.iter().flat_map(|part| part["reportData"].as_array().unwrap()).collect();
            let of = |name: &str| items.iter().find(|item| item["variable"]["name"] == name).copied();
            assert_eq!(of("Identity").is_some(), everything, "{version} {base}");
            assert_eq!(of("TxResumptionTimeout").is_some(), version == Version::V2_1, "{version} {base}");
            assert_eq!(of("BasicAuthPassword").unwrap()["variableAttribute"][0].get("value"), None, "B07.FR.03");
            let interval = of("TxUpdatedInterval").unwrap();
            assert_eq!(interval["variableCharacteristics"]["unit"], "s");
            assert_eq!(interval["variableAttribute"][0]["value"], "60");
        }
    }
}

/// B07.FR.09, B06.FR.10, B05.FR.09
#[test]
fn the_summary_says_what_is_available() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.plug();
        let said = world.ask("GetBaseReport", json!({"requestId": 6, "reportBase": "SummaryInventory"}));
        assert_eq!(said, Said::Result(json!({"status": "Accepted"})), "{version}");
        let data = world.peer.payloads("NotifyReport")[0]["reportData"].as_array().unwrap().clone();
        let told: Vec<_> = data
            .iter()
            .map(|item| (item["component"].clone(), item["variableAttribute"][0]["value"].clone()))
            .collect();
        assert_eq!(
            told,
            [
                (json!({"name": "ChargingStation"}), json!("Available")),
                (json!({"name": "EVSE", "evse": {"id": 1}}), json!("Occupied")),
                (json!({"name": "Connector", "evse": {"id": 1, "connectorId": 1}}), json!("Occupied")),
            ],
            "{version}"
        );
        let mut state = json!({"component": told[2].0, "variable": {"name": "AvailabilityState"}});
        assert_eq!(get(&mut world, &state)["attributeValue"], "Occupied", "{version}");
        assert_eq!(set(&mut world, state.clone(), "Available")["attributeStatus"], "Rejected", "{version}");
        state["component"]["evse"]["connectorId"] = json!(2);
        assert_eq!(get(&mut world, &state)["attributeStatus"], "UnknownComponent", "{version}");
    }
}

/// B06.FR.01, B07.FR.08: what a CSMS asks about the parts of a station before anything else.
#[test]
fn the_parts_of_the_station_are_told_with_what_they_are() {
    for version in V2 {
        let mut config = config(version);
        config.evses[0].max_power = Some("22000".parse().unwrap());
        config.evses[0].connector_type = Some("cType2".into());
        let mut world = Script::booted_with(config);
        let evse = json!({"name": "EVSE", "evse": {"id": 1}});
        let connector = json!({"name": "Connector", "evse": {"id": 1, "connectorId": 1}});
        let station = json!({"name": "ChargingStation"});
        for (component, name, value) in [
            (&station, "Available", "true"),
            (&station, "VendorName", "ACME"),
            (&station, "Model", "Wallbox"),
            (&station, "SupplyPhases", "3"),
            (&evse, "Available", "true"),
            (&evse, "SupplyPhases", "3"),
            (&evse, "Power", "0"),
            (&connector, "ConnectorType", "cType2"),
            (&connector, "SupplyPhases", "3"),
        ] {
            let asked = json!({"component": component, "variable": {"name": name}});
            assert_eq!(get(&mut world, &asked)["attributeValue"], value, "{version} {name}");
            assert_eq!(set(&mut world, asked, value)["attributeStatus"], "Rejected", "{version} {name}");
        }
        let asked = json!({"component": evse, "variable": {"name": "Nonsense"}});
        assert_eq!(get(&mut world, &asked)["attributeStatus"], "UnknownVariable", "{version}");
        world.peer.forget();
        world.ask("GetBaseReport", json!({"requestId": 5, "reportBase": "FullInventory"}));
        let parts = world.peer.payloads("NotifyReport");
        let mut items = parts.iter().flat_map(|part| part["reportData"].as_array().unwrap());
        let power = items.find(|item| item["variable"]["name"] == "Power").unwrap();
        assert_eq!(power["variableCharacteristics"]["maxLimit"].as_f64(), Some(22_000.0), "{version}");
    }
}

#[test]
fn a_change_survives_the_power_cut_and_the_local_operator_can_take_it_back() {
    for version in [Version::V1_6, Version::V2_0_1, Version::V2_1] {
        let mut config = config(version);
        config.settings = vec![("ConnectionTimeOut".into(), "90".to_owned())];
        let mut world = Script::booted_with(config);
        let name = "TxCtrlr.EVConnectionTimeOut".into();
        assert_eq!(world.station().setting(&name).unwrap(), "90", "{version}");
        world.set("ConnectionTimeOut", "45");
        world.settle();
        world.power_cut(Duration::from_secs(1));
        assert_eq!(world.station().setting(&name).unwrap(), "45", "{version}");
        let now = world.now;
        world.station().change_setting(now, &name, None).unwrap();
        world.settle();
        world.power_cut(Duration::from_secs(1));
        assert_eq!(world.station().setting(&name).unwrap(), "90", "{version}");
    }
}

#[test]
fn the_local_operator_is_told_what_is_wrong() {
    let mut world = Script::booted(Version::V2_1);
    let now = world.now;
    let unknown = world.station().change_setting(now, &"Nonsense".into(), Some("1"));
    assert!(matches!(unknown, Err(SettingError::Unknown(_))));
    let wrong = world.station().change_setting(now, &"HeartbeatInterval".into(), Some("often")).unwrap_err();
    assert_eq!(wrong.to_string(), "`OCPPCommCtrlr.HeartbeatInterval` must be a whole number from 1 to 2147483647");
    let secret = world.station().setting(&"AuthorizationKey".into());
    assert!(matches!(secret, Err(SettingError::WriteOnly(_))));
    // What is read-only for the CSMS is his to change.
    assert!(world.station().change_setting(now, &"SupportedFeatureProfiles".into(), Some("Core")).is_ok());
}

/// G02.FR.02
#[test]
fn a_new_heartbeat_interval_counts_at_once() {
    let mut world = Script::booted(Version::V1_6);
    world.ask("ChangeConfiguration", json!({"key": "HeartbeatInterval", "value": "10"}));
    world.peer.forget();
    world.run(Duration::from_secs(11));
    assert_eq!(world.peer.actions(), ["Heartbeat"]);
}
