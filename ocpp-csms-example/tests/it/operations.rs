//! What stations are asked to do by programs, in words that do not depend on their version.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};

async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

/// Asks for an operation and answers the call that it leads to; the operation, and the payload of the call.
async fn operate(csms: &Csms, station: &mut RawStation, body: Value, action: &str, answer: Value) -> (Value, Value) {
    let path = match body["operation"].as_str().unwrap() {
        "set_configuration"
        | "set_variables"
        | "change_password"
        | "upgrade_profile"
        | "list_certificates"
        | "install_certificate"
        | "delete_certificate"
        | "renew_certificate"
        | "update_firmware"
        | "customer_information"
        | "set_monitors"
        | "set_monitoring_level" => "administration",
        _ => "operations",
    };
    let path = format!("/api/v1/stations/CS/{path}?wait=20");
    let asks = csms.request(Method::POST, &path, Some(body));
    let answers = async {
        let (id, payload) = station.expect_call(action).await;
        station.answer(&id, answer).await;
        payload
    };
    let ((status, operation), payload) = tokio::join!(asks, answers);
    assert_eq!(status, StatusCode::OK, "{operation}");
    (operation, payload)
}

/// One row: the operation, then for each version the action, the expected payload and the answer.
struct Row(Value, (&'static str, Value, Value), (&'static str, Value, Value));

fn rows() -> Vec<Row> {
    let accepted = || json!({"status": "Accepted"});
    let token = json!({"idToken": "TAG", "type": "ISO14443"});
    let profile = json!({"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute", "chargingSchedule": [{"id": 1, "chargingRateUnit": "A",
        "startSchedule": "2026-06-01T10:00:00Z", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}]});
    vec![
        Row(
            json!({"operation": "remote_start", "evse": 1, "token": "TAG", "remote_start_id": 9}),
            ("RemoteStartTransaction", json!({"connectorId": 1, "idTag": "TAG"}), accepted()),
            ("RequestStartTransaction", json!({"evseId": 1, "remoteStartId": 9, "idToken": token}), accepted()),
        ),
        Row(
            json!({"operation": "remote_stop", "transaction": "7"}),
            ("RemoteStopTransaction", json!({"transactionId": 7}), accepted()),
            ("RequestStopTransaction", json!({"transactionId": "7"}), accepted()),
        ),
        Row(
            json!({"operation": "reset", "kind": "immediate"}),
            ("Reset", json!({"type": "Soft"}), accepted()),
            ("Reset", json!({"type": "Immediate"}), accepted()),
        ),
        Row(
            json!({"operation": "unlock", "evse": 1}),
            ("UnlockConnector", json!({"connectorId": 1}), json!({"status": "Unlocked"})),
            ("UnlockConnector", json!({"evseId": 1, "connectorId": 1}), json!({"status": "Unlocked"})),
        ),
        Row(
            json!({"operation": "change_availability", "evse": 1, "operative": false}),
            ("ChangeAvailability", json!({"connectorId": 1, "type": "Inoperative"}), accepted()),
            ("ChangeAvailability", json!({"operationalStatus": "Inoperative", "evse": {"id": 1}}), accepted()),
        ),
        Row(
            json!({"operation": "reserve", "reservation": 4, "evse": 1, "token": "TAG", "expires_at": "2099-01-01T00:00:00Z"}),
            (
                "ReserveNow",
                json!({"connectorId": 1, "expiryDate": "2099-01-01T00:00:00.000Z", "idTag": "TAG", "reservationId": 4}),
                accepted(),
            ),
            (
                "ReserveNow",
                json!({"id": 4, "evseId": 1, "expiryDateTime": "2099-01-01T00:00:00.000Z", "idToken": token}),
                accepted(),
            ),
        ),
        Row(
            json!({"operation": "cancel_reservation", "reservation": 4}),
            ("CancelReservation", json!({"reservationId": 4}), accepted()),
            ("CancelReservation", json!({"reservationId": 4}), accepted()),
        ),
        Row(
            json!({"operation": "clear_cache"}),
            ("ClearCache", json!({}), accepted()),
            ("ClearCache", json!({}), accepted()),
        ),
        Row(
            json!({"operation": "trigger", "message": "StatusNotification", "evse": 1, "connector": 1}),
            ("TriggerMessage", json!({"requestedMessage": "StatusNotification", "connectorId": 1}), accepted()),
            (
                "TriggerMessage",
                json!({"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
                accepted(),
            ),
        ),
        Row(
            json!({"operation": "set_charging_profile", "evse": 1, "profile": profile}),
            ("SetChargingProfile", Value::Null, accepted()),
            ("SetChargingProfile", Value::Null, accepted()),
        ),
        Row(
            json!({"operation": "clear_charging_profile", "profile": 3}),
            ("ClearChargingProfile", json!({"id": 3}), accepted()),
            ("ClearChargingProfile", json!({"chargingProfileId": 3}), accepted()),
        ),
        Row(
            json!({"operation": "get_composite_schedule", "evse": 1, "duration": 3600, "unit": "A"}),
            (
                "GetCompositeSchedule",
                json!({"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"}),
                json!({"status": "Accepted", "connectorId": 1, "scheduleStart": "2026-06-01T10:00:00Z",
                    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}}),
            ),
            (
                "GetCompositeSchedule",
                json!({"evseId": 1, "duration": 3600, "chargingRateUnit": "A"}),
                json!({"status": "Accepted", "schedule": {"evseId": 1, "duration": 3600,
                    "scheduleStart": "2026-06-01T10:00:00Z", "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}}),
            ),
        ),
        Row(
            json!({"operation": "get_local_list_version"}),
            ("GetLocalListVersion", json!({}), json!({"listVersion": 5})),
            ("GetLocalListVersion", json!({}), json!({"versionNumber": 5})),
        ),
        Row(
            json!({"operation": "data_transfer", "vendor_id": "com.example", "message_id": "hi", "data": "there"}),
            ("DataTransfer", json!({"vendorId": "com.example", "messageId": "hi", "data": "there"}), accepted()),
            ("DataTransfer", json!({"vendorId": "com.example", "messageId": "hi", "data": "there"}), accepted()),
        ),
        Row(
            json!({"operation": "install_certificate", "kind": "CSMSRootCertificate", "certificate": "PEM"}),
            (
                "InstallCertificate",
                json!({"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"}),
                accepted(),
            ),
            ("InstallCertificate", json!({"certificateType": "CSMSRootCertificate", "certificate": "PEM"}), accepted()),
        ),
        Row(
            json!({"operation": "set_configuration", "name": "A.B", "value": "1"}),
            ("ChangeConfiguration", json!({"key": "A.B", "value": "1"}), accepted()),
            (
                "SetVariables",
                json!({"setVariableData": [{"attributeValue": "1", "component": {"name": "A"}, "variable": {"name": "B"}}]}),
                json!({"setVariableResult": [{"attributeStatus": "Accepted", "component": {"name": "A"},
                    "variable": {"name": "B"}}]}),
            ),
        ),
    ]
}

/// F01, F02, F03, F05, F06, G03, H01, H02, B11, C11, D02, K01, K08, K10, M05, P01, B05; 1.6 edition 2, 5
#[tokio::test]
async fn each_operation_is_said_in_the_words_of_the_stations_version() {
    for (subprotocol, is_first) in [("ocpp1.6", true), ("ocpp2.1", false)] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        csms.put("/api/v1/tokens/TAG", json!({"type": "ISO14443"})).await;
        for Row(body, first, second) in rows() {
            let (action, expected, answer) = if is_first { first } else { second };
            let (operation, payload) = operate(&csms, &mut station, body.clone(), action, answer).await;
            if !expected.is_null() {
                assert_eq!(payload, expected, "{subprotocol} {body}");
            }
            assert_eq!(operation["state"], "succeeded", "{subprotocol} {operation}");
            assert_eq!(operation["operation"], body["operation"]);
        }
        let known = csms.get("/api/v1/operations?station=CS&state=succeeded&limit=1000").await;
        assert_eq!(known.as_array().unwrap().len(), rows().len());
    }
}

#[tokio::test]
async fn a_refusal_says_what_the_station_said() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let body = json!({"operation": "reset"});
    let answer = json!({"status": "Rejected", "statusInfo": {"reasonCode": "InternalError"}});
    let (operation, _) = operate(&csms, &mut station, body, "Reset", answer).await;
    assert_eq!(operation["state"], "refused");
    assert!(operation["detail"].as_str().unwrap().contains("InternalError"), "{operation}");
    let again = csms.get(&format!("/api/v1/operations/{}", operation["id"].as_str().unwrap())).await;
    assert_eq!(again, operation);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_before_anything_is_kept() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let path = "/api/v1/stations/CS/operations";
    for (path, body, expected) in [
        ("/api/v1/stations/NOBODY/operations", json!({"operation": "reset"}), StatusCode::NOT_FOUND),
        (path, json!({"operation": "reset"}), StatusCode::CONFLICT),
        (path, json!({"operation": "dance"}), StatusCode::BAD_REQUEST),
        (path, json!({"operation": "change_password", "password": "0123456789abcdef"}), StatusCode::BAD_REQUEST),
    ] {
        let (status, problem) = csms.request(Method::POST, path, Some(body)).await;
        assert_eq!(status, expected, "{problem}");
    }
    assert_eq!(csms.get("/api/v1/operations").await, json!([]));
}

/// A01.FR.01, A01.FR.02, A01.FR.03; 1.6 security, A01.FR.02/03
#[tokio::test]
async fn a_station_that_took_another_password_comes_back_with_it_and_with_no_other() {
    for (subprotocol, action, answer) in [
        ("ocpp1.6", "ChangeConfiguration", json!({"status": "Accepted"})),
        (
            "ocpp2.1",
            "SetVariables",
            json!({"setVariableResult": [{"attributeStatus": "Accepted",
                "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}]}),
        ),
    ] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let (old, new) = ("the-old-password", "the-new-password");
        csms.put("/api/v1/stations/CS", json!({"password": old})).await;
        let connect = async |password: &str| {
            RawStation::connect(csms.server.address(), "CS", Some(subprotocol), Some(("CS", password.as_bytes()))).await
        };
        let mut station = connect(old).await.unwrap();
        station.boot(subprotocol).await;
        let body = json!({"operation": "change_password", "password": new});
        let (status, operation) = csms.request(Method::POST, "/api/v1/stations/CS/administration", Some(body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
        assert!(!operation.to_string().contains(new));
        let (id, _) = station.expect_call(action).await;
        assert!(connect(new).await.is_err(), "nobody has it yet");
        station.answer(&id, answer).await;
        let path = format!("/api/v1/operations/{}", operation["id"].as_str().unwrap());
        let told = |operation: &Value| operation["progress"].to_string().contains("password_superseded");
        csms.get_until(&path, told).await;
        assert!(connect(old).await.is_err(), "{subprotocol}");
        let _station = connect(new).await.unwrap();
        let ended = csms.get_until(&path, |operation| operation["state"] != "running").await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        assert!(!csms.get("/api/v1/operations").await.to_string().contains(new));
    }
}

/// A01.FR.04; 1.6 security, A01.FR.04
#[tokio::test]
async fn a_password_that_the_station_refuses_counts_for_nothing() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.put("/api/v1/stations/CS", json!({"password": "the-old-password"})).await;
    let connect = async |password: &str| {
        RawStation::connect(csms.server.address(), "CS", Some("ocpp1.6"), Some(("CS", password.as_bytes()))).await
    };
    let mut station = connect("the-old-password").await.unwrap();
    station.boot("ocpp1.6").await;
    let body = json!({"operation": "change_password", "password": "the-new-password"});
    let (operation, _) = operate(&csms, &mut station, body, "ChangeConfiguration", json!({"status": "Rejected"})).await;
    assert_eq!(operation["state"], "refused", "{operation}");
    assert!(connect("the-new-password").await.is_err());
    assert!(connect("the-old-password").await.is_ok());
}

#[tokio::test]
async fn a_flow_goes_on_after_a_restart_of_the_server() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let body = json!({"operation": "get_log", "log": "SecurityLog", "location": "https://logs.example.com/"});
    let (status, operation) = csms.request(Method::POST, "/api/v1/stations/CS/operations", Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
    let (id, payload) = station.expect_call("GetLog").await;
    station.answer(&id, json!({"status": "Accepted", "filename": "log.txt"})).await;
    let path = format!("/api/v1/operations/{}", operation["id"].as_str().unwrap());
    csms.get_until(&path, |operation| operation["progress"].to_string().contains("log.txt")).await;
    csms.shut_down(&mut station).await;

    let csms = Csms::start(&folder).await;
    assert_eq!(csms.get(&path).await["state"], "running");
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    for status in ["Uploading", "Uploaded"] {
        let told = json!({"status": status, "requestId": payload["requestId"]});
        station.call("LogStatusNotification", told).await;
    }
    let ended = csms.get_until(&path, |operation| operation["state"] != "running").await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}

#[tokio::test]
async fn what_was_under_way_when_the_server_ended_is_said_to_be_interrupted() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp1.6").await;
    let body = json!({"operation": "get_log", "location": "ftp://logs.example.com/"});
    let (_, operation) = csms.request(Method::POST, "/api/v1/stations/CS/operations", Some(body)).await;
    station.expect_call("GetDiagnostics").await;
    csms.shut_down(&mut station).await;
    let csms = Csms::start(&folder).await;
    let _station = csms.station("CS", "ocpp1.6").await;
    let path = format!("/api/v1/operations/{}", operation["id"].as_str().unwrap());
    let ended = csms.get_until(&path, |operation| operation["state"] != "running").await;
    assert!(["interrupted", "failed"].contains(&ended["state"].as_str().unwrap()), "{ended}");
}

/// D01.FR.01; 1.6 edition 2, 5.15
#[tokio::test]
async fn the_local_list_is_made_of_the_tokens() {
    for (subprotocol, list) in [("ocpp1.6", "idTag"), ("ocpp2.1", "idToken")] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        csms.put("/api/v1/tokens/LOST", json!({"status": "blocked", "group": "FLEET"})).await;
        csms.put("/api/v1/tokens/POOR", json!({"status": "no_credit"})).await;
        let path = "/api/v1/stations/CS/operations?wait=20";
        let asks = csms.request(Method::POST, path, Some(json!({"operation": "synchronise_local_list"})));
        let mut sent: Vec<Value> = Vec::new();
        let answers = async {
            loop {
                let frame = station.frame().await;
                let id = frame[1].as_str().unwrap();
                let answer = match (frame[2].as_str().unwrap(), subprotocol) {
                    // It is asked how much it takes at once, and does not know.
                    ("GetConfiguration", _) => json!({"unknownKey": frame[3]["key"]}),
                    ("GetVariables", _) => {
                        let mut results = frame[3]["getVariableData"].clone();
                        for result in results.as_array_mut().unwrap() {
                            result["attributeStatus"] = json!("UnknownVariable");
                        }
                        json!({"getVariableResult": results})
                    }
                    ("GetLocalListVersion", version) => {
                        let has = sent.last().map_or(json!(0), |sent| {
                            sent[if version == "ocpp1.6" { "listVersion" } else { "versionNumber" }].clone()
                        });
                        match version {
                            "ocpp1.6" => json!({"listVersion": has}),
                            _ => json!({"versionNumber": has}),
                        }
                    }
                    _ => {
                        sent.push(frame[3].clone());
                        json!({"status": "Accepted"})
                    }
                };
                station.answer(id, answer).await;
            }
        };
        let (_, operation) = tokio::select! {
            answer = asks => answer,
            () = answers => unreachable!("the station answers for ever"),
        };
        assert_eq!(operation["state"], "succeeded", "{operation}");
        assert_eq!(sent[0]["updateType"], "Full");
        let entries: Vec<Value> = sent
            .iter()
            .flat_map(|sent| sent["localAuthorizationList"].as_array().cloned().unwrap_or_default())
            .collect();
        assert_eq!(entries.len(), 2, "who has no credit is asked after each time: {entries:?}");
        assert!(entries.iter().any(|entry| entry.to_string().contains("Blocked")), "{list}: {entries:?}");
    }
}

async fn begin(csms: &Csms, kind: &str, body: Value) -> String {
    let (status, operation) = csms.request(Method::POST, &format!("/api/v1/stations/CS/{kind}"), Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
    format!("/api/v1/operations/{}", operation["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_operation_that_waits_for_its_station_is_called_off_also_while_the_station_is_away() {
    for is_away in [false, true] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, "ocpp2.1").await;
        let body = json!({"operation": "get_log", "log": "SecurityLog", "location": "https://logs.example.com/"});
        let path = begin(&csms, "operations", body).await;
        let (id, payload) = station.expect_call("GetLog").await;
        station.answer(&id, json!({"status": "Accepted", "filename": "log.txt"})).await;
        csms.get_until(&path, |operation| operation["progress"].to_string().contains("log.txt")).await;
        if is_away {
            drop(station);
            csms.get_until("/api/v1/stations/CS", |station| station["connected"] == false).await;
        }
        let (status, cancelled) = csms.request(Method::DELETE, &path, None).await;
        assert_eq!((status, &cancelled["state"]), (StatusCode::OK, &json!("cancelled")), "{cancelled}");
        let audit = csms.get("/api/v1/audit").await;
        assert!(audit.to_string().contains("operation.cancelled"), "{audit}");
        let mut station = csms.station("CS", "ocpp2.1").await;
        station.boot("ocpp2.1").await;
        let told = json!({"status": "Uploaded", "requestId": payload["requestId"]});
        station.call("LogStatusNotification", told).await;
        assert_eq!(csms.get(&path).await, cancelled, "it has come to its end");
        let (status, problem) = csms.request(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    }
}

#[tokio::test]
async fn what_is_no_more_than_a_call_is_not_called_off() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp1.6").await;
    let path = begin(&csms, "operations", json!({"operation": "clear_cache"})).await;
    let (id, _) = station.expect_call("ClearCache").await;
    let (status, problem) = csms.request(Method::DELETE, &path, None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    station.answer(&id, json!({"status": "Accepted"})).await;
    csms.get_until(&path, |operation| operation["state"] == "succeeded").await;
    let (status, _) = csms.request(Method::DELETE, "/api/v1/operations/none", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// A01.FR.03: a station that was told of a password may come with it, whoever called the change off.
#[tokio::test]
async fn a_change_of_password_that_is_called_off_locks_nobody_out() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.put("/api/v1/stations/CS", json!({"password": "the-old-password"})).await;
    let connect = async |password: &str| {
        RawStation::connect(csms.server.address(), "CS", Some("ocpp1.6"), Some(("CS", password.as_bytes()))).await
    };
    let mut station = connect("the-old-password").await.unwrap();
    station.boot("ocpp1.6").await;
    let body = json!({"operation": "change_password", "password": "the-new-password"});
    let path = begin(&csms, "administration", body).await;
    station.expect_call("ChangeConfiguration").await;
    let body = json!({"name": "operator", "scopes": ["operate"]});
    let (_, made) = csms.request(Method::POST, "/api/v1/api-tokens", Some(body)).await;
    let refused = reqwest::Client::new().delete(csms.url(&path)).bearer_auth(made["token"].as_str().unwrap());
    assert_eq!(refused.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let (status, cancelled) = csms.request(Method::DELETE, &path, None).await;
    assert_eq!((status, &cancelled["state"]), (StatusCode::OK, &json!("cancelled")), "{cancelled}");
    drop(station);
    for password in ["the-new-password", "the-old-password"] {
        assert!(connect(password).await.is_ok(), "{password}");
    }
}
