//! Reports of the station, asked for and joined (2.1 part 2, B07, B08).

use std::time::Duration;

use ocpp_core::csms::{CallOutcome, CallResult, Command, Event, Input, Report, VariableKey};
use ocpp_core::types::Text;
use ocpp_core::types::Version;
use ocpp_core::types::v2_1::{ComponentType, ComponentVariableType, ReportBaseEnumType, VariableType};
use serde_json::{Value, json};

use crate::csms_support::*;

fn variable(name: &str, value: &str) -> Value {
    json!({
        "component": {"name": "A"}, "variable": {"name": name},
        "variableAttribute": [{"value": value, "mutability": "ReadOnly"}],
        "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": false, "maxLimit": 10},
    })
}

fn part(request_id: &Value, sequence: i64, more: bool, data: &[Value]) -> Value {
    json!({"requestId": request_id, "generatedAt": at(0), "seqNo": sequence, "tbc": more, "reportData": data})
}

/// Asks for a full inventory; the request id.
fn ask(csms: &mut Csms) -> Value {
    csms.command(1, Command::GetBaseReport { base: ReportBaseEnumType::FullInventory });
    let (id, action, payload) = csms.received_call();
    assert_eq!((&*action, &payload["reportBase"]), ("GetBaseReport", &json!("FullInventory")));
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    payload["requestId"].clone()
}

fn report(outcome: CallOutcome) -> Report {
    let CallOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    let CallResult::Report(report) = answer.result else { panic!("{:?}", answer.result) };
    *report
}

fn known(csms: &Csms) -> Vec<String> {
    csms.session.mirrors().device_model().iter().map(|(key, _)| key.to_string()).collect()
}

/// B07.FR.04, B07.FR.10, B08.FR.14
#[test]
fn the_parts_of_a_report_are_joined_in_whatever_order_and_however_often_they_come() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let request_id = ask(&mut csms);
        csms.exchange("NotifyReport", part(&request_id, 2, false, &[variable("Z", "3")])).result();
        csms.exchange("NotifyReport", part(&request_id, 0, true, &[variable("X", "1")])).result();
        csms.exchange("NotifyReport", part(&request_id, 0, true, &[variable("X", "1")])).result();
        csms.exchange("NotifyReport", part(&json!(1), 1, true, &[variable("Other", "0")])).result();
        assert!(!csms.events().iter().any(|event| matches!(event, Event::CallFinished { .. })), "one is missing");
        csms.exchange("NotifyReport", part(&request_id, 1, true, &[variable("Y", "2")])).result();
        let report = report(csms.outcome(1));
        assert!(report.complete && report.missing.is_empty());
        assert_eq!(report.variables.len(), 3);
        assert_eq!(known(&csms), ["A.X", "A.Y", "A.Z"], "the inventory is full: what is not in it does not exist");
        let x = csms.session.mirrors().device_model().get(&VariableKey::new("A", "X")).unwrap();
        assert_eq!(x.value(), Some("1"));
        assert_eq!(x.characteristics.as_ref().unwrap().max_limit, Some(10.into()));
    }
}

#[test]
fn a_report_of_which_a_part_is_lost_ends_when_nothing_comes_any_more() {
    let mut csms = Csms::new(Version::V2_1);
    let request_id = ask(&mut csms);
    csms.exchange("NotifyReport", part(&request_id, 0, true, &[variable("X", "1")])).result();
    csms.pass(Duration::from_secs(59));
    csms.exchange("NotifyReport", part(&request_id, 3, false, &[variable("Z", "1")])).result();
    csms.pass(Duration::from_secs(59));
    assert!(!csms.events().iter().any(|event| matches!(event, Event::CallFinished { .. })));
    csms.pass(Duration::from_secs(1));
    let report = report(csms.outcome(1));
    assert!(!report.complete);
    assert_eq!((report.missing, report.variables.len()), (vec![1..=2], 2));
    assert_eq!(known(&csms), ["A.X", "A.Z"], "what came is known all the same");
}

#[test]
fn a_part_that_overtakes_the_answer_counts() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::GetBaseReport { base: ReportBaseEnumType::SummaryInventory });
    let (id, _, payload) = csms.received_call();
    csms.exchange("NotifyReport", part(&payload["requestId"], 0, false, &[variable("X", "1")])).result();
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    assert!(report(csms.outcome(1)).complete);
}

#[test]
fn a_report_ends_with_the_connection() {
    let mut csms = Csms::new(Version::V2_1);
    ask(&mut csms);
    csms.input(Input::Disconnected);
    assert_eq!(csms.outcome(1), CallOutcome::ConnectionLost);
    assert_eq!(csms.session.poll_timeout(), None);
}

/// B07.FR.13, B08.FR.16
#[test]
fn a_report_that_the_station_refuses_is_refused() {
    let mut csms = Csms::new(Version::V2_1);
    csms.command(1, Command::GetBaseReport { base: ReportBaseEnumType::FullInventory });
    let (id, ..) = csms.received_call();
    csms.frame(json!([3, id, {"status": "NotSupported", "statusInfo": {"reasonCode": "No"}}]).to_string());
    let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
    assert_eq!(answer.result, CallResult::Refused { status: "NotSupported".into(), reason: Some("No".into()) });
}

fn component_variable(name: &str) -> ComponentVariableType {
    let mut entry = ComponentVariableType::new(ComponentType::new(Text::new("A").unwrap()));
    entry.variable = Some(VariableType::new(Text::new(name).unwrap()));
    entry
}

/// B08.FR.06
#[test]
fn no_more_variables_are_named_in_a_request_for_a_report_than_the_station_takes() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let variables: Vec<_> = ["V", "W", "X", "Y", "Z"].into_iter().map(component_variable).collect();
        csms.command(1, Command::GetReport { criteria: vec![], variables });
        let (id, action, payload) = csms.received_call();
        assert_eq!(
            (&*action, &payload["getVariableData"][0]["variable"]["instance"]),
            ("GetVariables", &json!("GetReport"))
        );
        let mut result = payload["getVariableData"][0].clone();
        result["attributeStatus"] = json!("Accepted");
        result["attributeValue"] = json!("2");
        csms.frame(json!([3, id, {"getVariableResult": [result]}]).to_string());
        let mut sizes = Vec::new();
        for round in 0..3 {
            let (id, action, payload) = csms.received_call();
            assert_eq!(action, "GetReport");
            let named = payload["componentVariable"].as_array().unwrap().clone();
            sizes.push(named.len());
            // B08.FR.15: nothing fits the last request.
            let status = if round == 2 { "EmptyResultSet" } else { "Accepted" };
            csms.frame(json!([3, id, {"status": status}]).to_string());
            if round < 2 {
                let data: Vec<_> =
                    named.iter().map(|entry| variable(entry["variable"]["name"].as_str().unwrap(), "1")).collect();
                csms.exchange("NotifyReport", part(&payload["requestId"], 0, false, &data)).result();
            }
        }
        assert_eq!(sizes, [2, 2, 1]);
        let report = report(csms.outcome(1));
        assert_eq!((report.variables.len(), report.complete), (4, true));
    }
}

/// B02.FR.01: a pending station is asked, and what it was asked for is taken.
#[test]
fn a_pending_station_is_asked_for_its_inventory() {
    for version in V2 {
        let mut config = accepting();
        config.registration = ocpp_core::csms::Registration::pending(Duration::from_secs(60));
        let mut csms = Csms::with(version, config);
        csms.exchange("BootNotification", boot(version)).result();
        let refused = csms.exchange("NotifyReport", part(&json!(5), 0, false, &[]));
        assert_eq!(refused.code(), "SecurityError");
        let request_id = ask(&mut csms);
        csms.exchange("NotifyReport", part(&request_id, 0, false, &[variable("X", "1")])).result();
        csms.events();
        assert_eq!(known(&csms), ["A.X"]);
    }
}

#[test]
fn the_memory_that_reports_take_is_bounded() {
    let mut csms = Csms::new(Version::V2_1);
    for round in 0..30 {
        let data: Vec<_> =
            (0..100).map(|number| variable(&format!("V{}", round * 100 + number), &"x".repeat(300))).collect();
        csms.exchange("NotifyReport", part(&json!(7), round, true, &data)).result();
    }
    let mirrors = csms.session.mirrors();
    assert!(!mirrors.is_complete());
    assert!((1000..=2000).contains(&mirrors.device_model().len()), "{}", mirrors.device_model().len());
}

#[test]
fn a_report_without_end_is_ended() {
    let mut csms = Csms::new(Version::V2_1);
    let request_id = ask(&mut csms);
    let mut parts = 0;
    while !csms.events().iter().any(|event| matches!(event, Event::CallFinished { .. })) {
        let data = [variable("X", &"x".repeat(500_000))];
        csms.exchange("NotifyReport", part(&request_id, parts, true, &data)).result();
        parts += 1;
        assert!(parts < 30);
    }
    assert!(parts > 10);
}
