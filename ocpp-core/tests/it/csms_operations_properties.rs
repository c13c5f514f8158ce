//! Commands of several messages: whatever the station does, each comes to exactly one end.

use std::collections::BTreeMap;
use std::time::Duration;

use ocpp_core::csms::{Command, Event, Input};
use ocpp_core::types::Version;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::csms_support::*;

/// What the station does about the call that it has.
#[derive(Debug, Clone, Copy)]
enum Reaction {
    /// Answers as it should, or with this status where that fits as well.
    Answers(&'static str),
    /// Answers with what cannot be read.
    Garbles,
    /// Answers with an error.
    Refuses,
    /// Says nothing.
    Ignores,
    /// Sends a part of what it was asked for, with this number; more follow or not.
    Tells(i64, bool),
    /// Is gone, and comes back.
    Reconnects,
    /// Time passes.
    Waits(u64),
}

fn reaction() -> impl Strategy<Value = Reaction> {
    prop_oneof![
        6 => Just(Reaction::Answers("Accepted")),
        1 => prop_oneof![Just("Rejected"), Just("Failed"), Just("EmptyResultSet"), Just("NoProfiles")].prop_map(Reaction::Answers),
        1 => Just(Reaction::Garbles),
        1 => Just(Reaction::Refuses),
        1 => Just(Reaction::Ignores),
        5 => (0..4_i64, any::<bool>()).prop_map(|(part, more)| Reaction::Tells(part, more)),
        1 => Just(Reaction::Reconnects),
        1 => (1..59_u64).prop_map(Reaction::Waits),
    ]
}

fn command(version: Version, number: usize) -> Command {
    let data = |name: String| json!({"component": {"name": "A"}, "variable": {"name": name}});
    let list = |set: bool| -> Vec<Value> {
        (0..5)
            .map(|number| {
                let mut entry = data(format!("V{number}"));
                if set {
                    entry["attributeValue"] = json!("1");
                }
                entry
            })
            .collect()
    };
    let tokens: Vec<Value> =
        (0..4).map(|number| json!({"idToken": {"idToken": format!("T{number}"), "type": "Central"}})).collect();
    let entries = || serde_json::from_value(json!(tokens)).unwrap();
    match number % 9 {
        0 => Command::GetVariables { variables: serde_json::from_value(json!(list(false))).unwrap() },
        1 => Command::SetVariables { variables: serde_json::from_value(json!(list(true))).unwrap() },
        2 => Command::GetBaseReport { base: "FullInventory".into() },
        3 => Command::GetReport { criteria: vec![], variables: serde_json::from_value(json!(list(false))).unwrap() },
        4 => {
            let criterion = serde_json::from_value(json!({"stackLevel": 1})).unwrap();
            Command::GetChargingProfiles { evse: None, criterion }
        }
        5 => Command::GetDisplayMessages { ids: vec![], priority: None, state: None },
        6 => Command::SendLocalList {
            version: 1,
            update: "Differential".into(),
            entries: entries(),
            whole: Some(entries()),
        },
        7 => Command::GetConfiguration { names: vec!["A.B".into(), "C.D".into()] },
        _ if version == Version::V2_1 => Command::GetTariffs { evse: 0 },
        _ => Command::ClearCache,
    }
}

/// What a station answers that does as it is asked.
fn answer(action: &str, payload: &Value, status: &str) -> Value {
    let results = |list: &str| -> Vec<Value> {
        let entries = payload[list].as_array().cloned().unwrap_or_default();
        let result = |mut entry: Value| {
            let object = entry.as_object_mut().unwrap();
            object.remove("attributeValue");
            object.insert("attributeStatus".into(), json!("Accepted"));
            if list == "getVariableData" {
                object.insert("attributeValue".into(), json!("2"));
            }
            entry
        };
        entries.into_iter().map(result).collect()
    };
    match action {
        "GetVariables" => json!({"getVariableResult": results("getVariableData")}),
        "SetVariables" => json!({"setVariableResult": results("setVariableData")}),
        "GetConfiguration" => json!({"unknownKey": payload["key"]}),
        _ => json!({"status": status}),
    }
}

/// A part of what was asked for last.
fn part(action: &str, request_id: &Value, number: i64, more: bool) -> Option<(&'static str, Value)> {
    Some(match action {
        "GetBaseReport" | "GetReport" => {
            let report = json!({"requestId": request_id, "generatedAt": at(0), "seqNo": number, "tbc": more});
            ("NotifyReport", report)
        }
        "GetChargingProfiles" => {
            let schedule =
                json!({"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]});
            let profile = json!({"id": number, "stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Relative", "chargingSchedule": [schedule]});
            let report = json!({"requestId": request_id, "chargingLimitSource": "CSO", "evseId": 1, "tbc": more,
                "chargingProfile": [profile]});
            ("ReportChargingProfiles", report)
        }
        "GetDisplayMessages" => ("NotifyDisplayMessages", json!({"requestId": request_id, "tbc": more})),
        _ => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn each_command_of_several_messages_ends_exactly_once(
        version in prop_oneof![Just(Version::V1_6), Just(Version::V2_0_1), Just(Version::V2_1)],
        commands in prop::collection::vec(0..9_usize, 1..8),
        reactions in prop::collection::vec(reaction(), 0..60),
    ) {
        let mut csms = Csms::new(version);
        let mut ended: BTreeMap<u64, u32> = BTreeMap::new();
        let mut note = |events: Vec<Event>| {
            for event in events {
                if let Event::CallFinished { command, .. } = event {
                    *ended.entry(command.0).or_default() += 1;
                }
            }
        };
        for (id, number) in commands.iter().enumerate() {
            csms.command(id as u64, command(version, *number));
        }
        let mut calls: Vec<Value> = Vec::new();
        let (mut last, mut request_id) = (String::new(), Value::Null);
        let mut passed = false;
        for reaction in reactions {
            calls.extend(csms.drain_sent().into_iter().filter(|frame| frame[0] == 2));
            if std::mem::take(&mut passed) {
                // Calls that were never answered are over.
                calls.drain(..calls.len().saturating_sub(1));
            }
            prop_assert!(calls.len() <= 1, "one call at a time: {calls:?}");
            if let Some(frame) = calls.first() {
                last = frame[2].as_str().unwrap().into();
                if !frame[3]["requestId"].is_null() {
                    request_id = frame[3]["requestId"].clone();
                }
            }
            match (reaction, calls.first().cloned()) {
                (Reaction::Answers(status), Some(frame)) => {
                    calls.clear();
                    let payload = answer(frame[2].as_str().unwrap(), &frame[3], status);
                    csms.frame(json!([3, frame[1], payload]).to_string());
                }
                (Reaction::Garbles, Some(frame)) => {
                    calls.clear();
                    csms.frame(json!([3, frame[1], {"odd": [1]}]).to_string());
                }
                (Reaction::Refuses, Some(frame)) => {
                    calls.clear();
                    csms.frame(json!([4, frame[1], "InternalError", "", {}]).to_string());
                }
                (Reaction::Ignores, Some(_)) => {
                    calls.clear();
                    csms.pass(Duration::from_secs(30));
                    passed = true;
                }
                (Reaction::Tells(number, more), _) => {
                    if let Some((action, payload)) = part(&last, &request_id, number, more) {
                        csms.call(action, payload);
                    }
                }
                (Reaction::Reconnects, _) => {
                    calls.clear();
                    csms.connect();
                    csms.drain_sent();
                }
                (Reaction::Waits(seconds), Some(_)) if seconds >= 30 => {
                    calls.clear();
                    csms.pass(Duration::from_secs(seconds));
                    passed = true;
                }
                (Reaction::Waits(_), _) | (_, None) => {}
            }
            note(csms.events());
        }
        csms.input(Input::Disconnected);
        note(csms.events());
        let expected: BTreeMap<u64, u32> = (0..commands.len() as u64).map(|id| (id, 1)).collect();
        prop_assert_eq!(ended, expected);
        prop_assert_eq!(csms.session.poll_timeout(), None, "nothing is left to wait for");
    }
}
