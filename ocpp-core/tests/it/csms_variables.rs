//! Variables and configuration keys, read and written within the station's limits, and the mirrors that follow (2.1 part 2, B05,
//! B06; 1.6 edition 2, 5.3, 5.8).

use ocpp_core::csms::{CallOutcome, CallResult, Command, Event, Input, Mirror, Place, Session, Snapshot, VariableKey};
use ocpp_core::types::v2_1::{
    AttributeEnumType, ComponentType, EVSEType, GetVariableDataType, SetVariableDataType, VariableType,
};
use ocpp_core::types::{Text, Version};
use serde_json::{Value, json};

use crate::csms_support::*;

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

fn get(component: &str, variable: &str) -> GetVariableDataType {
    GetVariableDataType::new(ComponentType::new(text(component)), VariableType::new(text(variable)))
}

fn set(component: &str, variable: &str, value: &str) -> SetVariableDataType {
    SetVariableDataType::new(text(value), ComponentType::new(text(component)), VariableType::new(text(variable)))
}

/// What a station answers that has these values and refuses nothing.
fn answer_get(payload: &Value, value_of: impl Fn(&str) -> Option<String>) -> Value {
    let results: Vec<Value> = payload["getVariableData"]
        .as_array()
        .unwrap()
        .iter()
        .map(|data| {
            let name = data["variable"]["name"].as_str().unwrap();
            let instance = data["variable"]["instance"].as_str().unwrap_or_default();
            let mut result = data.clone();
            match value_of(&format!("{name}{instance}")) {
                Some(value) => {
                    result["attributeStatus"] = json!("Accepted");
                    result["attributeValue"] = json!(value);
                }
                None => result["attributeStatus"] = json!("UnknownVariable"),
            }
            result
        })
        .collect();
    json!({"getVariableResult": results})
}

fn answer_set(payload: &Value, status: &str) -> Value {
    let results: Vec<Value> = payload["setVariableData"]
        .as_array()
        .unwrap()
        .iter()
        .map(|data| {
            let mut result = data.clone();
            result.as_object_mut().unwrap().remove("attributeValue");
            result["attributeStatus"] = json!(status);
            result
        })
        .collect();
    json!({"setVariableResult": results})
}

/// Lets the station answer until it is asked nothing more; the numbers of entries that it was asked for at once.
fn serve(csms: &mut Csms, list: &str, value_of: impl Fn(&str) -> Option<String>) -> Vec<usize> {
    let mut sizes = Vec::new();
    loop {
        let calls = csms.drain_sent();
        let [frame] = &*calls else {
            assert!(calls.is_empty(), "one call at a time: {calls:?}");
            return sizes;
        };
        let answer = match frame[2].as_str().unwrap() {
            "GetVariables" => answer_get(&frame[3], &value_of),
            "SetVariables" => answer_set(&frame[3], "Accepted"),
            other => panic!("{other}"),
        };
        if let Some(entries) = frame[3][list].as_array() {
            sizes.push(entries.len());
        }
        csms.frame(json!([3, frame[1], answer]).to_string());
    }
}

fn answered(outcome: CallOutcome) -> CallResult {
    let CallOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    answer.result
}

/// B06.FR.05
#[test]
fn no_more_variables_are_asked_for_at_once_than_the_station_takes() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let variables = (0..7).map(|number| get("A", &format!("V{number}"))).collect();
        csms.command(1, Command::GetVariables { variables });
        let value_of = |name: &str| match name {
            "ItemsPerMessageGetVariables" => Some("3".into()),
            name => Some(format!("value of {name}")),
        };
        // The limit is asked for first, alone.
        assert_eq!(serve(&mut csms, "getVariableData", value_of), [1, 3, 3, 1]);
        let CallResult::Variables(results) = answered(csms.outcome(1)) else { panic!() };
        let values: Vec<_> = results.iter().map(|result| result.attribute_value.as_ref().unwrap().as_str()).collect();
        assert_eq!(values.len(), 7, "the answers are joined");
        assert_eq!((values[0], values[6]), ("value of V0", "value of V6"));
        let key = VariableKey::new("a", "v3");
        assert_eq!(csms.session.mirrors().device_model().value(&key), Some("value of V3"));
        // The limit is known now.
        let variables = (0..2).map(|number| get("A", &format!("V{number}"))).collect();
        csms.command(2, Command::GetVariables { variables });
        assert_eq!(serve(&mut csms, "getVariableData", value_of), [2]);
    }
}

/// B06.FR.05, where nothing is known of the station.
#[test]
fn a_station_that_tells_no_limit_is_asked_for_one_variable_at_a_time() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::GetVariables { variables: vec![get("A", "B"), get("A", "C")] });
    assert_eq!(serve(&mut csms, "getVariableData", |_| None), [1, 1, 1, 1], "two questions, two variables");
    let CallResult::Variables(results) = answered(csms.outcome(1)) else { panic!() };
    assert_eq!(results.len(), 2);
}

/// B05.FR.11
#[test]
fn no_more_variables_are_set_at_once_than_the_station_takes() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let variables = (0..5).map(|number| set("A", &format!("V{number}"), "1")).collect();
        csms.command(1, Command::SetVariables { variables });
        let value_of = |name: &str| (name == "ItemsPerMessageSetVariables").then(|| "2".into());
        assert_eq!(serve(&mut csms, "setVariableData", value_of), [2, 2, 1]);
        let CallResult::VariablesSet(results) = answered(csms.outcome(1)) else { panic!() };
        assert_eq!(results.len(), 5);
        assert_eq!(csms.session.mirrors().device_model().value(&VariableKey::new("A", "V4")), Some("1"));
    }
}

/// B05.FR.13: an attribute that isn't named is `Actual`.
#[test]
fn the_same_attribute_is_not_set_twice_in_one_message() {
    let mut csms = Csms::new(Version::V2_1);
    let mut actual = set("a", "b", "2");
    actual.attribute_type = Some(AttributeEnumType::Actual);
    let mut target = set("A", "B", "3");
    target.attribute_type = Some(AttributeEnumType::Target);
    csms.command(1, Command::SetVariables { variables: vec![set("A", "B", "1"), target, actual] });
    let value_of = |name: &str| (name == "ItemsPerMessageSetVariables").then(|| "9".into());
    assert_eq!(serve(&mut csms, "setVariableData", value_of), [2, 1]);
    assert_eq!(csms.session.mirrors().device_model().value(&VariableKey::new("A", "B")), Some("2"), "in this order");
}

/// B05, B06: `BytesPerMessage`.
#[test]
fn a_message_is_no_longer_than_the_station_takes() {
    let mut csms = Csms::new(Version::V2_1);
    let value_of = |name: &str| match name {
        "ItemsPerMessageSetVariables" => Some("50".into()),
        "BytesPerMessageSetVariables" => Some("700".into()),
        "ItemsPerMessageGetVariables" => Some("10".into()),
        _ => None,
    };
    let mut bytes = get("DeviceDataCtrlr", "BytesPerMessage");
    bytes.variable.instance = Some(text("SetVariables"));
    csms.command(1, Command::GetVariables { variables: vec![bytes] });
    serve(&mut csms, "getVariableData", value_of);
    csms.outcome(1);
    csms.command(2, Command::SetVariables { variables: (0..6).map(|_| set("A", "B", &"x".repeat(200))).collect() });
    csms.command(3, Command::SetVariables { variables: vec![set("A", "B", &"x".repeat(2000))] });
    assert!(matches!(csms.outcome(3), CallOutcome::Invalid { .. }), "it fits into no message");
    let mut messages = 0;
    while let Some(frame) = csms.drain_sent().pop() {
        assert!(frame.to_string().len() <= 700, "{}", frame.to_string().len());
        let answer = match frame[2].as_str().unwrap() {
            "GetVariables" => answer_get(&frame[3], value_of),
            _ => {
                messages += 1;
                answer_set(&frame[3], "Accepted")
            }
        };
        csms.frame(json!([3, frame[1], answer]).to_string());
    }
    assert_eq!(messages, 6);
}

#[test]
fn a_list_of_which_a_part_fails_ends_with_that() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::SetVariables { variables: vec![set("A", "B", "1"), set("A", "C", "1")] });
    for _ in 0..2 {
        let (id, action, _) = csms.received_call();
        assert_eq!(action, "GetVariables");
        csms.frame(json!([4, id, "InternalError", "", {}]).to_string());
        if csms.drain_sent().iter().any(|frame| frame[2] == "SetVariables") {
            break;
        }
    }
    csms.input(Input::Disconnected);
    assert_eq!(csms.outcome(1), CallOutcome::ConnectionLost);
    assert_eq!(csms.events(), []);
    csms.connect();
    csms.assert_nothing_sent();
}

#[test]
fn what_is_set_or_read_by_any_call_is_known_and_survives_a_restart() {
    let mut csms = Csms::new(Version::V2_0_1);
    let payload = json!({"setVariableData": [
        {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}, "attributeType": "Target",
         "attributeValue": "7"},
        {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": "secret"},
    ]});
    csms.command(1, Command::Raw { action: "SetVariables".into(), payload: payload.to_string(), validate: true });
    let (id, _, payload) = csms.received_call();
    csms.frame(json!([3, id, answer_set(&payload, "Accepted")]).to_string());
    assert_eq!(csms.events()[0], Event::MirrorChanged(Mirror::DeviceModel));
    let state = serde_json::to_string(&csms.session.snapshot()).unwrap();
    assert!(!state.contains("secret"));
    let snapshot: Snapshot = serde_json::from_str(&state).unwrap();
    let restored = Session::restore(accepting(), [8; 32], csms.now, snapshot);
    let power = VariableKey::new("EVSE", "Power").at(Place::evse(1));
    let power = restored.mirrors().device_model().get(&power).unwrap();
    assert_eq!(power.attribute(&AttributeEnumType::Target).unwrap().value.as_deref(), Some("7"));
    assert_eq!(power.value(), None);
    let bare = csms.session.snapshot().without_mirrors();
    assert!(Session::restore(accepting(), [8; 32], csms.now, bare).mirrors().device_model().is_empty());
}

#[test]
fn a_known_variable_follows_the_events_of_the_station() {
    let mut csms = Csms::new(Version::V2_1);
    let mut variable = get("Connector", "Temperature");
    let mut evse = EVSEType::new(1);
    evse.connector_id = Some(1);
    variable.component.evse = Some(evse);
    csms.command(1, Command::GetVariables { variables: vec![variable] });
    serve(&mut csms, "getVariableData", |_| Some("20".into()));
    let event = |name: &str| {
        json!({"generatedAt": at(0), "seqNo": 0, "eventData": [{
            "eventId": 1, "timestamp": at(0), "trigger": "Delta", "actualValue": "35",
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}, "variable": {"name": name},
            "eventNotificationType": "CustomMonitor",
        }]})
    };
    csms.exchange("NotifyEvent", event("Temperature")).result();
    csms.exchange("NotifyEvent", event("NeverAskedFor")).result();
    let model = csms.session.mirrors().device_model();
    let key = VariableKey::new("Connector", "Temperature").at(Place::connector(1, 1));
    assert_eq!((model.value(&key), model.len()), (Some("35"), 1));
}

/// 1.6 edition 2, 5.8, 9.1.8
#[test]
fn no_more_keys_are_asked_for_at_once_than_a_1_6_station_takes() {
    let mut csms = Csms::new(Version::V1_6);
    let names: Vec<String> = (0..5).map(|number| format!("Key{number}")).collect();
    csms.command(1, Command::GetConfiguration { names });
    let mut sizes = Vec::new();
    while let Some(frame) = csms.drain_sent().pop() {
        let keys = frame[3]["key"].as_array().unwrap().clone();
        sizes.push(keys.len());
        let settings: Vec<Value> = keys
            .iter()
            .filter(|key| *key != "Key4")
            .map(|key| {
                let value = if key == "GetConfigurationMaxKeys" { "2" } else { "x" };
                json!({"key": key, "readonly": true, "value": value})
            })
            .collect();
        let unknown: Vec<&Value> = keys.iter().filter(|key| *key == "Key4").collect();
        csms.frame(json!([3, frame[1], {"configurationKey": settings, "unknownKey": unknown}]).to_string());
    }
    assert_eq!(sizes, [1, 2, 2, 1]);
    let CallResult::Configuration { settings, unknown } = answered(csms.outcome(1)) else { panic!() };
    assert_eq!((settings.len(), unknown), (4, vec!["Key4".to_string()]));
    assert_eq!(csms.session.mirrors().configuration().value("key3"), Some("x"));
}

/// 1.6 edition 2, 5.3
#[test]
fn a_key_that_was_changed_is_known_unless_it_takes_a_restart_or_is_a_password() {
    let mut csms = Csms::new(Version::V1_6);
    for (key, status) in [("A", "Accepted"), ("B", "RebootRequired"), ("AuthorizationKey", "Accepted")] {
        csms.command(1, Command::SetConfiguration { name: key.into(), value: "1".into() });
        let (id, ..) = csms.received_call();
        csms.frame(json!([3, id, {"status": status}]).to_string());
        csms.outcome(1);
    }
    let keys: Vec<_> = csms.session.mirrors().configuration().iter().map(|setting| &*setting.name).collect();
    assert_eq!(keys, ["A"]);
    // All keys are asked for: what is not among them is gone.
    csms.command(2, Command::GetBaseReport { base: "FullInventory".into() });
    let (id, action, payload) = csms.received_call();
    assert_eq!((&*action, payload), ("GetConfiguration", json!({})));
    csms.frame(json!([3, id, {"configurationKey": [{"key": "C", "readonly": false}]}]).to_string());
    csms.outcome(2);
    let keys: Vec<_> = csms.session.mirrors().configuration().iter().map(|setting| &*setting.name).collect();
    assert_eq!(keys, ["C"]);
}
