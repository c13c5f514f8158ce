//! Commands: one call at a time, and each command ends exactly once (2.1 part 2, B05, B06, B11, C11, F, G; part 4, 4.1.1; 1.6
//! edition 2, chapter 5).

use std::time::Duration;

use ocpp_core::csms::{
    CallError, CallOutcome, CallResult, Command, Event, Finding, Input, Place, ResetKind, Setting, Token,
};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_support::*;

/// What a command looks like on the wire in each version, and how it ends with this answer.
fn round_trip(version: Version, command: Command, action: &str, payload: Value, answer: Value) -> CallResult {
    let mut csms = Csms::new(version);
    csms.command(1, command);
    let (id, sent_action, sent) = csms.received_call();
    assert_eq!((&*sent_action, &sent), (action, &payload), "{version}");
    csms.frame(json!([3, id, answer]).to_string());
    let CallOutcome::Answered(answered) = csms.outcome(1) else { panic!("{version} {action}") };
    assert_eq!(answered.payload, answer.to_string());
    answered.result
}

fn accepted(status: &str) -> CallResult {
    CallResult::Accepted { status: status.into(), transaction: None }
}

/// F01, F02; 1.6 edition 2, 5.11
#[test]
fn a_remote_start_names_the_token_and_the_place() {
    let command = || Command::RemoteStart {
        evse: Some(2),
        token: Token::with_kind("TAG", "ISO14443"),
        remote_start_id: 9,
        group: None,
        charging_profile: None,
    };
    let answer = json!({"status": "Accepted"});
    let old = json!({"idTag": "TAG", "connectorId": 2});
    let result = round_trip(Version::V1_6, command(), "RemoteStartTransaction", old, answer.clone());
    assert_eq!(result, accepted("Accepted"));
    for version in V2 {
        let new = json!({"idToken": {"idToken": "TAG", "type": "ISO14443"}, "remoteStartId": 9, "evseId": 2});
        let answer = json!({"status": "Accepted", "transactionId": "tx"});
        let result = round_trip(version, command(), "RequestStartTransaction", new, answer);
        assert_eq!(
            result,
            CallResult::Accepted {
                status: "Accepted".into(),
                transaction: Some(ocpp_core::csms::TransactionId::new("tx"))
            }
        );
    }
}

#[test]
fn a_refusal_comes_with_the_stations_reason() {
    let command = Command::RemoteStart {
        evse: None,
        token: Token::new("TAG"),
        remote_start_id: 9,
        group: None,
        charging_profile: None,
    };
    let payload = json!({"idToken": {"idToken": "TAG", "type": "Central"}, "remoteStartId": 9});
    let answer =
        json!({"status": "Rejected", "statusInfo": {"reasonCode": "TxInProgress", "additionalInfo": "EVSE 1"}});
    let result = round_trip(Version::V2_1, command, "RequestStartTransaction", payload, answer);
    let reason = Some("TxInProgress: EVSE 1".into());
    assert_eq!(result, CallResult::Refused { status: "Rejected".into(), reason });
}

/// F03.FR.01, F04.FR.01; 1.6 edition 2, 5.12
#[test]
fn a_remote_stop_names_the_transaction_as_the_station_does() {
    let answer = json!({"status": "Accepted"});
    let command = Command::RemoteStop { transaction: 12.into() };
    round_trip(Version::V1_6, command, "RemoteStopTransaction", json!({"transactionId": 12}), answer.clone());
    for version in V2 {
        let command = Command::RemoteStop { transaction: ocpp_core::csms::TransactionId::new("tx") };
        round_trip(version, command, "RequestStopTransaction", json!({"transactionId": "tx"}), answer.clone());
    }
}

#[test]
fn a_name_that_the_station_used_twice_is_translated_back() {
    let mut csms = Csms::new(Version::V2_1).obliging();
    for (kind, sequence, second) in [("Started", 0, 0), ("Ended", 1, 10), ("Started", 0, 100)] {
        csms.exchange("TransactionEvent", event(kind, "1", sequence, second, 0)).result();
    }
    let (transaction, _) = csms.session.open_transactions().next().unwrap();
    let transaction = transaction.clone();
    assert_ne!(transaction.as_str(), "1");
    csms.command(1, Command::RemoteStop { transaction });
    assert_eq!(csms.received_call().2, json!({"transactionId": "1"}));
}

/// B11, B12; 1.6 edition 2, 5.14
#[test]
fn a_reset_reads_as_the_version_can_say_it() {
    let answer = json!({"status": "Accepted"});
    for (kind, old, new) in [
        (ResetKind::Immediate, "Soft", "Immediate"),
        (ResetKind::OnIdle, "Soft", "OnIdle"),
        (ResetKind::Hard, "Hard", "Immediate"),
    ] {
        let command = Command::Reset { kind, evse: None };
        round_trip(Version::V1_6, command.clone(), "Reset", json!({"type": old}), answer.clone());
        for version in V2 {
            round_trip(version, command.clone(), "Reset", json!({"type": new}), answer.clone());
        }
    }
    let command = Command::Reset { kind: ResetKind::OnIdle, evse: Some(2) };
    let payload = json!({"type": "OnIdle", "evseId": 2});
    let result = round_trip(Version::V2_0_1, command.clone(), "Reset", payload, json!({"status": "Scheduled"}));
    assert_eq!(result, accepted("Scheduled"));
    let mut csms = Csms::new(Version::V1_6);
    csms.command(1, command);
    assert_eq!(csms.outcome(1), CallOutcome::NotSupported);
}

/// F05, G03, G04, C11
#[test]
fn unlocking_availability_and_cache_reach_the_station() {
    let unlock = Command::Unlock { evse: 2, connector: 1 };
    let unlocked = json!({"status": "Unlocked"});
    round_trip(Version::V1_6, unlock.clone(), "UnlockConnector", json!({"connectorId": 2}), unlocked.clone());
    let failed = json!({"status": "UnlockFailed"});
    let result = round_trip(Version::V1_6, unlock.clone(), "UnlockConnector", json!({"connectorId": 2}), failed);
    assert_eq!(result, CallResult::Refused { status: "UnlockFailed".into(), reason: None });
    let operative = Command::ChangeAvailability { place: None, operative: true };
    let inoperative = Command::ChangeAvailability { place: Some(Place::connector(2, 1)), operative: false };
    let scheduled = json!({"status": "Scheduled"});
    let payload = json!({"connectorId": 0, "type": "Operative"});
    round_trip(Version::V1_6, operative.clone(), "ChangeAvailability", payload, scheduled.clone());
    let payload = json!({"connectorId": 2, "type": "Inoperative"});
    round_trip(Version::V1_6, inoperative.clone(), "ChangeAvailability", payload, scheduled.clone());
    round_trip(Version::V1_6, Command::ClearCache, "ClearCache", json!({}), json!({"status": "Accepted"}));
    for version in V2 {
        let payload = json!({"evseId": 2, "connectorId": 1});
        round_trip(version, unlock.clone(), "UnlockConnector", payload, unlocked.clone());
        let payload = json!({"operationalStatus": "Operative"});
        round_trip(version, operative.clone(), "ChangeAvailability", payload, scheduled.clone());
        let payload = json!({"operationalStatus": "Inoperative", "evse": {"id": 2, "connectorId": 1}});
        assert_eq!(
            round_trip(version, inoperative.clone(), "ChangeAvailability", payload, scheduled.clone()),
            accepted("Scheduled")
        );
        round_trip(version, Command::ClearCache, "ClearCache", json!({}), json!({"status": "Accepted"}));
    }
}

/// F06.FR.01, F06.FR.02; 1.6 edition 2, 5.17; security whitepaper, 6
#[test]
fn a_message_is_triggered_by_whichever_call_knows_it() {
    let answer = json!({"status": "Accepted"});
    let trigger = |message: &str| Command::TriggerMessage { message: message.into(), place: Some(Place::evse(1)) };
    let payload = |message: &str| json!({"requestedMessage": message, "connectorId": 1});
    let heartbeat = payload("Heartbeat");
    round_trip(Version::V1_6, trigger("Heartbeat"), "TriggerMessage", heartbeat, answer.clone());
    let logs = payload("LogStatusNotification");
    round_trip(Version::V1_6, trigger("LogStatusNotification"), "ExtendedTriggerMessage", logs, answer.clone());
    for version in V2 {
        let payload = json!({"requestedMessage": "MeterValues", "evse": {"id": 1}});
        round_trip(version, trigger("MeterValues"), "TriggerMessage", payload, answer.clone());
    }
    for version in V2 {
        // F06.FR.13
        let mut csms = Csms::new(version);
        csms.command(1, trigger("StatusNotification"));
        assert!(matches!(csms.outcome(1), CallOutcome::Invalid { .. }));
    }
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(1, trigger("NoSuchMessage"));
        assert!(matches!(csms.outcome(1), CallOutcome::Invalid { .. }));
        csms.assert_nothing_sent();
    }
}

/// B06; 1.6 edition 2, 5.8
#[test]
fn settings_are_read_by_key_or_by_variable() {
    let command = Command::GetConfiguration { names: vec!["HeartbeatInterval".into()] };
    let answer = json!({
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": false, "value": "300"}],
        "unknownKey": ["Nonsense"],
    });
    let payload = json!({"key": ["HeartbeatInterval"]});
    let result = round_trip(Version::V1_6, command, "GetConfiguration", payload, answer);
    let setting = |name: &str, value: Option<&str>, readonly| Setting {
        name: name.into(),
        value: value.map(Into::into),
        readonly,
    };
    let settings = vec![setting("HeartbeatInterval", Some("300"), Some(false))];
    assert_eq!(result, CallResult::Configuration { settings, unknown: vec!["Nonsense".into()] });
    let all = Command::GetConfiguration { names: vec![] };
    round_trip(Version::V1_6, all.clone(), "GetConfiguration", json!({}), json!({}));

    for version in V2 {
        let read = |name: &str, variable: Value, status: &str, value: Option<&str>| {
            let mut result = variable.clone();
            result["attributeStatus"] = json!(status);
            if let Some(value) = value {
                result["attributeValue"] = json!(value);
            }
            let command = Command::GetConfiguration { names: vec![name.into()] };
            let payload = json!({"getVariableData": [variable]});
            round_trip(version, command, "GetVariables", payload, json!({"getVariableResult": [result]}))
        };
        let name = "OCPPCommCtrlr.MessageTimeout.Default";
        let timeout = json!({
            "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "MessageTimeout", "instance": "Default"},
        });
        let settings = vec![setting(name, Some("30"), None)];
        let expected = CallResult::Configuration { settings, unknown: vec![] };
        assert_eq!(read(name, timeout, "Accepted", Some("30")), expected);
        let name = "SecurityCtrlr.BasicAuthPassword";
        let password = json!({"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}});
        let settings = vec![setting(name, None, None)];
        let expected = CallResult::Configuration { settings, unknown: vec![] };
        assert_eq!(read(name, password, "Rejected", None), expected, "it may not be read");
        let nothing = json!({"component": {"name": "A"}, "variable": {"name": "B"}});
        let expected = CallResult::Configuration { settings: vec![], unknown: vec!["A.B".into()] };
        assert_eq!(read("A.B", nothing, "UnknownComponent", None), expected);
        let mut csms = Csms::new(version);
        csms.command(1, all.clone());
        assert!(matches!(csms.outcome(1), CallOutcome::Invalid { .. }));
    }
}

/// B05; 1.6 edition 2, 5.3
#[test]
fn a_setting_is_written_by_key_or_by_variable() {
    let command = Command::SetConfiguration { name: "HeartbeatInterval".into(), value: "60".into() };
    let payload = json!({"key": "HeartbeatInterval", "value": "60"});
    let answer = json!({"status": "RebootRequired"});
    assert_eq!(round_trip(Version::V1_6, command, "ChangeConfiguration", payload, answer), accepted("RebootRequired"));
    for version in V2 {
        let name = "OCPPCommCtrlr.HeartbeatInterval";
        let command = Command::SetConfiguration { name: name.into(), value: "60".into() };
        let variable = json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}});
        let (mut data, mut result) = (variable.clone(), variable);
        data["attributeValue"] = json!("60");
        result["attributeStatus"] = json!("Rejected");
        let result = round_trip(
            version,
            command,
            "SetVariables",
            json!({"setVariableData": [data]}),
            json!({"setVariableResult": [result]}),
        );
        assert_eq!(result, CallResult::Refused { status: "Rejected".into(), reason: None });
    }
}

#[test]
fn a_vendors_message_goes_out_and_comes_back() {
    for version in Version::ALL {
        let command = Command::DataTransfer {
            vendor_id: "com.vendor".into(),
            message_id: Some("Ping".into()),
            data: Some(r#""ping""#.into()),
        };
        let payload = json!({"vendorId": "com.vendor", "messageId": "Ping", "data": "ping"});
        let answer = json!({"status": "Accepted", "data": "pong"});
        let result = round_trip(version, command, "DataTransfer", payload, answer);
        let data = Some(r#""pong""#.into());
        assert_eq!(result, CallResult::DataTransfer { status: "Accepted".into(), data });
    }
}

#[test]
fn what_the_schema_does_not_allow_is_not_sent() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(
            1,
            Command::RemoteStart {
                evse: None,
                token: Token::new("x".repeat(300)),
                remote_start_id: 1,
                group: None,
                charging_profile: None,
            },
        );
        let CallOutcome::Invalid { findings } = csms.outcome(1) else { panic!() };
        assert_eq!(findings[0].code, "PropertyConstraintViolation");
        csms.assert_nothing_sent();
    }
    let mut csms = Csms::new(Version::V2_0_1);
    let token = Token::with_kind("TAG", "VendorKind");
    csms.command(
        1,
        Command::RemoteStart { evse: None, token, remote_start_id: 1, group: None, charging_profile: None },
    );
    assert!(matches!(csms.outcome(1), CallOutcome::Invalid { .. }), "2.0.1 has a list of kinds");
    csms.assert_nothing_sent();
}

fn raw(action: &str, payload: &str, validate: bool) -> Command {
    Command::Raw { action: action.into(), payload: payload.into(), validate }
}

#[test]
fn any_call_is_sent_as_it_is_if_it_fits_the_schema() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, raw("Reset", r#"{ "type": "OnIdle", "customData": {"vendorId": "v", "x": 1.50} }"#, true));
    let frame = csms.drain_sent().remove(0);
    assert_eq!(frame[3], json!({"type": "OnIdle", "customData": {"vendorId": "v", "x": 1.5}}));
    let payload = r#"{"status":"Accepted","odd":1}"#;
    csms.frame(format!("[3,{},{payload}]", frame[1]));
    let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
    assert_eq!((&*answer.payload, &answer.result), (payload, &CallResult::Raw));
    assert!(matches!(&*csms.events(), [Event::Finding { .. }]), "the extra property");
}

#[test]
fn a_payload_that_breaks_the_schema_is_kept_back_with_findings() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(1, raw("Reset", r#"{"type": "Sometimes"}"#, true));
        let CallOutcome::Invalid { findings } = csms.outcome(1) else { panic!() };
        let [Finding { path, code, .. }] = &*findings else { panic!("{findings:?}") };
        assert_eq!((&**path, &**code), ("/type", "PropertyConstraintViolation"));
        csms.command(2, raw("Reset", "{}", true));
        let CallOutcome::Invalid { findings } = csms.outcome(2) else { panic!() };
        let code =
            if version == Version::V1_6 { "OccurenceConstraintViolation" } else { "OccurrenceConstraintViolation" };
        assert_eq!(findings[0].code, code);
        csms.command(3, raw("NoSuchAction", "{}", true));
        assert_eq!(csms.outcome(3), CallOutcome::NotSupported);
        csms.command(4, raw("Heartbeat", "{}", true));
        assert_eq!(csms.outcome(4), CallOutcome::NotSupported, "only stations send it");
        csms.command(5, raw("Reset", "{", false));
        assert!(matches!(csms.outcome(5), CallOutcome::Invalid { .. }), "what is not JSON makes no frame");
        csms.assert_nothing_sent();
    }
}

#[test]
fn a_payload_that_breaks_the_schema_is_sent_where_the_application_insists() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(1, raw("NoSuchAction", r#"{"a": [1, 2]}"#, false));
        let (id, action, payload) = csms.received_call();
        assert_eq!((&*action, payload), ("NoSuchAction", json!({"a": [1, 2]})));
        csms.frame(json!([4, id, "NotImplemented", "never heard of it", {"hint": 1}]).to_string());
        let error = CallError {
            code: "NotImplemented".into(),
            description: "never heard of it".into(),
            details: r#"{"hint":1}"#.into(),
        };
        assert_eq!(csms.outcome(1), CallOutcome::Error(error));
    }
}

/// Part 4, 4.1.1: one call at a time.
#[test]
fn one_call_at_a_time_is_sent_and_the_others_wait() {
    let mut csms = Csms::new(Version::V2_1);
    for id in 1..=3 {
        csms.command(id, Command::ClearCache);
    }
    for id in 1..=3 {
        let (message_id, ..) = csms.received_call();
        csms.assert_nothing_sent();
        csms.frame(json!([3, message_id, {"status": "Accepted"}]).to_string());
        assert!(matches!(csms.outcome(id), CallOutcome::Answered(_)));
    }
    csms.assert_nothing_sent();
}

#[test]
fn a_call_that_is_not_answered_in_time_ends_and_the_next_goes_out() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::ClearCache);
    csms.command(2, Command::ClearCache);
    let (first, ..) = csms.received_call();
    csms.pass(Duration::from_secs(30));
    assert_eq!(csms.outcome(1), CallOutcome::TimedOut);
    let (second, ..) = csms.received_call();
    csms.frame(json!([3, first, {"status": "Accepted"}]).to_string());
    let payload = Some(r#"{"status":"Accepted"}"#.into());
    assert_eq!(csms.events(), [Event::LateAnswer { command: ocpp_core::csms::CommandId(1), payload }]);
    csms.frame(json!([3, second, {"status": "Accepted"}]).to_string());
    assert!(matches!(csms.outcome(2), CallOutcome::Answered(_)));
}

#[test]
fn commands_end_with_the_connection() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::ClearCache);
    csms.command(2, Command::ClearCache);
    csms.input(Input::Disconnected);
    csms.command(3, Command::ClearCache);
    assert_eq!(csms.outcome(1), CallOutcome::ConnectionLost, "the station may have seen it");
    assert_eq!(csms.outcome(2), CallOutcome::NotConnected);
    assert_eq!(csms.outcome(3), CallOutcome::NotConnected);
}

#[test]
fn a_new_connection_takes_the_place_of_the_old_one() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::ClearCache);
    csms.version = Version::V1_6;
    csms.connect();
    assert_eq!(csms.outcome(1), CallOutcome::ConnectionLost);
    assert_eq!(csms.session.connected(), Some(Version::V1_6));
    csms.drain_sent();
    csms.command(2, Command::ClearCache);
    csms.received_call();
}

#[test]
fn the_queue_of_commands_is_bounded() {
    let mut config = accepting();
    config.command_queue = 2;
    let mut csms = Csms::with(Version::V2_1, config);
    for id in 1..=4 {
        csms.command(id, Command::ClearCache);
    }
    assert_eq!(csms.outcome(4), CallOutcome::QueueFull);
}

#[test]
fn an_answer_that_cannot_be_read_is_reported_with_findings() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(1, Command::ClearCache);
        let (id, ..) = csms.received_call();
        csms.frame(json!([3, id, {"state": "Accepted"}]).to_string());
        let CallOutcome::MalformedAnswer { payload, findings } = csms.outcome(1) else { panic!() };
        assert_eq!(payload, r#"{"state":"Accepted"}"#);
        assert!(findings.iter().any(|finding| finding.path == "/status"), "{findings:?}");
        if version == Version::V2_1 {
            // Part 4, 4.2.3: 2.1 can tell the station.
            let frame = csms.drain_sent().remove(0);
            assert_eq!((&frame[0], &frame[1]), (&json!(5), &json!(id)));
        }
        csms.assert_nothing_sent();
    }
}
