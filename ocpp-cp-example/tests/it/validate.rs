//! `ocpp-cp validate`, from outside.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn ocpp_cp(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ocpp-cp"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = writer.join().unwrap();
    output
}

fn answers(arguments: &[&str], lines: &[Value]) -> Vec<Value> {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let output = ocpp_cp(&[&["validate", "--jsonl"], arguments].concat(), &input);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn line(version: &str, action: &str, kind: &str, payload: &Value) -> Value {
    json!({"version": version, "action": action, "type": kind, "payload": payload})
}

#[test]
fn good_messages_of_all_versions_pass_unchanged() {
    let time = "2026-11-20T10:00:00.000Z";
    let messages = [
        line("1.6", "BootNotification", "request", &json!({"chargePointVendor": "V", "chargePointModel": "M"})),
        line(
            "1.6",
            "BootNotification",
            "response",
            &json!({"status": "Accepted", "currentTime": time, "interval": 86400}),
        ),
        line("1.6", "RemoteStopTransaction", "request", &json!({"transactionId": 1})),
        line(
            "2.0.1",
            "StatusNotification",
            "request",
            &json!({"timestamp": time, "connectorStatus": "Available", "evseId": 1, "connectorId": 1}),
        ),
        line("2.0.1", "Heartbeat", "response", &json!({"currentTime": time})),
        line(
            "2.1",
            "BootNotification",
            "request",
            &json!({"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V", "customData": {"vendorId": "x", "any": [1, {"thing": null}]}}}),
        ),
        line(
            "ocpp2.1",
            "NotifyPeriodicEventStream",
            "request",
            &json!({"id": 1, "pending": 0, "basetime": time, "data": [{"t": 1.5, "v": "3"}]}),
        ),
    ];
    let answers = answers(&[], &messages);
    assert_eq!(answers.len(), messages.len());
    for (message, answer) in messages.iter().zip(&answers) {
        assert_eq!(*answer, json!({"valid": true, "findings": [], "payload": message["payload"]}), "{message}");
    }
}

#[test]
fn every_kind_of_violation_is_found_at_its_place_with_its_code() {
    let cases = [
        ("1.6", json!({"status": "Accepted", "interval": 1}), "/currentTime", "OccurenceConstraintViolation"),
        ("2.0.1", json!({"status": "Accepted", "interval": 1}), "/currentTime", "OccurrenceConstraintViolation"),
        (
            "2.1",
            json!({"currentTime": "2026-11-20T10:00:00Z", "status": "Accepted", "interval": 1.5}),
            "/interval",
            "TypeConstraintViolation",
        ),
        (
            "1.6",
            json!({"currentTime": "2026-11-20T10:00:00Z", "status": "Maybe", "interval": 1}),
            "/status",
            "PropertyConstraintViolation",
        ),
        (
            "2.0.1",
            json!({"currentTime": "yesterday", "status": "Accepted", "interval": 1}),
            "/currentTime",
            "PropertyConstraintViolation",
        ),
        (
            "1.6",
            json!({"currentTime": "2026-11-20T10:00:00Z", "status": "Accepted", "interval": 1, "more": 1}),
            "/more",
            "FormationViolation",
        ),
        (
            "2.1",
            json!({"currentTime": "2026-11-20T10:00:00Z", "status": "Accepted", "interval": 1, "more": 1}),
            "/more",
            "FormatViolation",
        ),
    ];
    let lines: Vec<_> =
        cases.iter().map(|(version, payload, ..)| line(version, "BootNotification", "response", payload)).collect();
    for ((_, payload, path, code), answer) in cases.iter().zip(answers(&[], &lines)) {
        assert_eq!(answer["valid"], false);
        assert_eq!(answer["findings"].as_array().unwrap().len(), 1, "{answer}");
        assert_eq!((&answer["findings"][0]["path"], &answer["findings"][0]["code"]), (&json!(path), &json!(code)));
        assert_eq!(answer["payload"], *payload, "nothing is lost");
    }
    for ((_, payload, _, _), answer) in cases.iter().zip(answers(&["--lenient"], &lines)) {
        let readable = payload.get("currentTime").is_some() && payload["interval"] == 1;
        let readable = readable && payload["currentTime"] != "yesterday";
        assert_eq!(answer["valid"], readable, "{payload} {answer}");
        assert_eq!(answer["payload"], *payload);
    }
}

#[test]
fn a_file_is_reported_for_a_person_and_the_exit_code_tells() {
    let good = "[2,\"1\",\"Heartbeat\",{}]\n[3,\"1\",{\"currentTime\":\"2026-11-20T10:00:00.000Z\"}]\n";
    let output = ocpp_cp(&["validate", "--version", "2.0.1", "-"], good);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("2 valid, 0 invalid\n"), "{text}");
    let output = ocpp_cp(&["validate", "--version", "2.0.1", "-"], "[2,\"1\",\"Reset\",{}]\n");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("/type") && text.contains("OccurrenceConstraintViolation"), "{text}");
    let output = ocpp_cp(&["validate", "--version", "2.0.1", "/no/such/file"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/no/such/file"));
}
