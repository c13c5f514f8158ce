//! The local authorization list, sent within the station's limits (2.1 part 2, D; 1.6 edition 2, 5.10, 5.15).

use ocpp_core::csms::{CallOutcome, CallResult, Command};
use ocpp_core::types::Version;
use ocpp_core::types::v2_1::{AuthorizationData, UpdateEnumType};
use serde_json::{Value, json};

use crate::csms_support::*;

fn entries(range: std::ops::Range<usize>) -> Vec<AuthorizationData> {
    let entry = |number| json!({"idToken": {"idToken": format!("T{number}"), "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}});
    range.map(|number| serde_json::from_value(entry(number)).unwrap()).collect()
}

fn send(version: i64, update: UpdateEnumType, count: usize) -> Command {
    Command::SendLocalList { version, update, entries: entries(0..count), whole: None }
}

/// The station answers what it's asked about its limit, and these statuses for the list; what it received of the list.
fn serve(csms: &mut Csms, limit: Option<&str>, statuses: &[&str]) -> Vec<Value> {
    let mut received = Vec::new();
    while let Some(frame) = csms.drain_sent().pop() {
        let answer = match frame[2].as_str().unwrap() {
            "GetVariables" => {
                let mut result = frame[3]["getVariableData"][0].clone();
                assert_eq!(result["component"]["name"], "LocalAuthListCtrlr");
                result["attributeStatus"] = json!(if limit.is_some() { "Accepted" } else { "UnknownVariable" });
                if let Some(limit) = limit {
                    result["attributeValue"] = json!(limit);
                }
                json!({"getVariableResult": [result]})
            }
            "GetConfiguration" => {
                assert_eq!(frame[3]["key"], json!(["SendLocalListMaxLength"]));
                json!({"configurationKey": [{"key": "SendLocalListMaxLength", "readonly": true, "value": limit}]})
            }
            "SendLocalList" => {
                received.push(frame[3].clone());
                json!({"status": statuses[received.len() - 1]})
            }
            other => panic!("{other}"),
        };
        csms.frame(json!([3, frame[1], answer]).to_string());
    }
    received
}

fn result(csms: &mut Csms) -> CallResult {
    let outcome = csms.outcome(1);
    let CallOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    answer.result
}

/// D01.FR.03, D01.FR.11: the first message replaces the list, the others add to it.
#[test]
fn a_list_is_sent_in_as_many_messages_as_the_station_needs() {
    for version in V2 {
        let mut csms = Csms::new(version);
        csms.command(1, send(5, UpdateEnumType::Full, 5));
        let received = serve(&mut csms, Some("2"), &["Accepted"; 3]);
        let summary: Vec<_> = received
            .iter()
            .map(|part| {
                let count = part["localAuthorizationList"].as_array().unwrap().len();
                (part["updateType"].as_str().unwrap(), part["versionNumber"].as_i64().unwrap(), count)
            })
            .collect();
        assert_eq!(summary, [("Full", 5, 2), ("Differential", 6, 2), ("Differential", 7, 1)]);
        assert_eq!(result(&mut csms), CallResult::LocalListSent { version: 7 });
        assert_eq!(csms.session.mirrors().local_list().version(), Some(7));
    }
}

/// D01.FR.11, where nothing is known of the station.
#[test]
fn a_station_that_tells_no_limit_gets_one_token_at_a_time() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, send(1, UpdateEnumType::Full, 2));
    assert_eq!(serve(&mut csms, None, &["Accepted"; 2]).len(), 2);
}

/// 1.6 edition 2, 5.15, 9.2.3
#[test]
fn a_1_6_station_gets_the_list_in_its_own_words() {
    let mut csms = Csms::new(Version::V1_6);
    csms.command(1, send(5, UpdateEnumType::Full, 3));
    let received = serve(&mut csms, Some("2"), &["Accepted"; 2]);
    let token = |name: &str| json!({"idTag": name, "idTagInfo": {"status": "Accepted"}});
    let first = json!({"listVersion": 5, "updateType": "Full", "localAuthorizationList": [token("T0"), token("T1")]});
    let second = json!({"listVersion": 6, "updateType": "Differential", "localAuthorizationList": [token("T2")]});
    assert_eq!(received, [first, second]);
    assert_eq!(csms.session.mirrors().local_list().version(), Some(6));
    csms.outcome(1);
    let long: AuthorizationData =
        serde_json::from_value(json!({"idToken": {"idToken": "x".repeat(30), "type": "Central"}})).unwrap();
    csms.command(
        1,
        Command::SendLocalList { version: 7, update: UpdateEnumType::Full, entries: vec![long], whole: None },
    );
    assert!(matches!(csms.outcome(1), CallOutcome::Invalid { .. }), "cut, it would be another token");
}

#[test]
fn an_empty_list_is_one_message_without_tokens() {
    for version in V2 {
        let mut csms = Csms::new(version);
        csms.command(1, send(3, UpdateEnumType::Full, 0));
        let received = serve(&mut csms, None, &["Accepted"]);
        assert_eq!(received, [json!({"versionNumber": 3, "updateType": "Full"})]);
    }
}

/// D01.FR.03
#[test]
fn a_station_that_cannot_take_the_changes_gets_the_whole_list() {
    for version in V2 {
        for status in ["Failed", "VersionMismatch"] {
            let mut csms = Csms::new(version);
            let (update, changes) = (UpdateEnumType::Differential, entries(0..1));
            csms.command(
                1,
                Command::SendLocalList { version: 5, update, entries: changes, whole: Some(entries(0..3)) },
            );
            let received = serve(&mut csms, Some("9"), &[status, "Accepted"]);
            let summary: Vec<_> = received.iter().map(|part| part["updateType"].as_str().unwrap()).collect();
            assert_eq!(summary, ["Differential", "Full"]);
            assert_eq!(result(&mut csms), CallResult::LocalListSent { version: 5 });
            // A second refusal is one.
            csms.command(1, send(6, UpdateEnumType::Differential, 1));
            serve(&mut csms, Some("9"), &[status]);
            assert_eq!(result(&mut csms), CallResult::Refused { status: status.into(), reason: None });
        }
    }
}

/// D01.FR.06, D01.FR.18
#[test]
fn a_list_that_no_station_may_be_sent_is_kept_back() {
    for version in V2 {
        let mut csms = Csms::new(version);
        csms.command(1, send(0, UpdateEnumType::Full, 1));
        let CallOutcome::NotAllowed { rule } = csms.outcome(1) else { panic!() };
        assert!(rule.contains("D01.FR.18"));
        let mut twice = entries(0..2);
        twice[1].id_token.id_token = ocpp_core::types::Text::new("t0").unwrap();
        csms.command(
            1,
            Command::SendLocalList { version: 1, update: UpdateEnumType::Full, entries: twice, whole: None },
        );
        let CallOutcome::NotAllowed { rule } = csms.outcome(1) else { panic!() };
        assert!(rule.contains("D01.FR.06"));
        csms.assert_nothing_sent();
    }
}

/// D02; 1.6 edition 2, 5.10
#[test]
fn the_version_of_the_list_is_asked_for_and_mirrored() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.command(1, Command::GetLocalListVersion);
        let (id, action, _) = csms.received_call();
        assert_eq!(action, "GetLocalListVersion");
        let name = if version == Version::V1_6 { "listVersion" } else { "versionNumber" };
        csms.frame(json!([3, id, {name: 4}]).to_string());
        assert_eq!(result(&mut csms), CallResult::LocalListVersion(4));
        assert_eq!(csms.session.mirrors().local_list().version(), Some(4));
    }
}
