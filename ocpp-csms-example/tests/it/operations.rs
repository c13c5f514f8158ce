//! What stations are asked to do by programs, in words that do not depend on their version.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};
use crate::operation_table::{Row, rows};

async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

/// Where an operation is asked for.
fn path(row: &Row) -> String {
    let kind = if row.administers { "administration" } else { "operations" };
    format!("/api/v1/stations/CS/{kind}?wait=20")
}

/// Asks for an operation and answers the call that it leads to; the operation, and the payload of the call.
async fn operate(csms: &Csms, station: &mut RawStation, body: Value, action: &str, answer: Value) -> (Value, Value) {
    let row = rows().into_iter().find(|row| row.name() == body["operation"]).unwrap();
    let asked = path(&row);
    let asks = csms.request(Method::POST, &asked, Some(body));
    let answers = async {
        let (id, payload) = station.expect_call(action).await;
        station.answer(&id, answer).await;
        payload
    };
    let ((status, operation), payload) = tokio::join!(asks, answers);
    assert_eq!(status, StatusCode::OK, "{operation}");
    (operation, payload)
}

/// How a station takes an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// It does everything.
    Willing,
    /// It refuses the first call by its answer.
    Unwilling,
    /// It answers the first call with an error.
    Broken,
}

/// Asks for an operation of a station that goes along as its row says; the operation, and the payload of the first call.
async fn carried_out(
    csms: &Csms,
    station: &mut RawStation,
    (row, subprotocol): (&Row, &str),
    mood: Mood,
) -> (Value, Option<Value>) {
    let asked = path(row);
    let asks = csms.request(Method::POST, &asked, Some(row.body(subprotocol)));
    tokio::pin!(asks);
    let mut first = None;
    let mut list = None;
    loop {
        let frame = tokio::select! {
            (status, operation) = &mut asks => {
                assert_eq!(status, StatusCode::OK, "{subprotocol} {} {mood:?}: {operation}", row.name());
                return (operation, first);
            }
            frame = station.frame() => frame,
        };
        let way = row.way(subprotocol).unwrap_or_else(|| panic!("{subprotocol} {}: {frame}", row.name()));
        let (id, action, payload) = (frame[1].as_str().unwrap(), &frame[2], frame[3].clone());
        let call = way.calls.iter().find(|call| call.action == *action);
        let call = call.unwrap_or_else(|| panic!("{subprotocol} {}: {frame}", row.name()));
        let is_first = first.is_none();
        first.get_or_insert_with(|| payload.clone());
        match mood {
            Mood::Broken if is_first => {
                station.send_text(json!([4, id, "InternalError", "out of order", {}]).to_string()).await;
                continue;
            }
            Mood::Unwilling if is_first => {
                station.answer(id, way.refusal.clone().unwrap()).await;
                continue;
            }
            _ => {
                let mut answer = call.answer.clone();
                // What it was sent is what it has then.
                let version = payload.get("listVersion").or(payload.get("versionNumber")).cloned();
                list = version.or(list);
                for member in ["listVersion", "versionNumber"] {
                    if let (Some(held), Some(told)) = (&list, answer.get_mut(member)) {
                        *told = held.clone();
                    }
                }
                station.answer(id, answer).await;
            }
        }
        if let Some((action, said)) = &call.says {
            let mut said = said.clone();
            if said["requestId"] == "$requestId" {
                said["requestId"] = payload["requestId"].clone();
            }
            // The operation may end, and its answer come, before this is answered.
            station.call(action, said).await;
        }
    }
}

const VERSIONS: [&str; 3] = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"];

#[tokio::test]
async fn each_operation_that_is_described_is_tried_here() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let description = csms.get("/api/openapi.json").await;
    let mut described = Vec::new();
    for (schema, administers) in [("Operate", false), ("Administer", true)] {
        for variant in description["components"]["schemas"][schema]["oneOf"].as_array().unwrap() {
            let members = variant["allOf"].as_array().cloned().unwrap_or_else(|| vec![variant.clone()]);
            let names = members.iter().find_map(|members| members["properties"]["operation"]["enum"].as_array());
            described.push((names.unwrap()[0].as_str().unwrap().to_owned(), administers));
        }
    }
    let mut tried: Vec<_> = rows().iter().map(|row| (row.name().to_owned(), row.administers)).collect();
    described.sort();
    tried.sort();
    assert_eq!(tried, described);
}

/// The rules are cited where the rows are: B, C, D, E, F, G, H, I, K, L, M, N, O and P of 2.x; 1.6 edition 2, 5
#[tokio::test]
async fn each_operation_is_said_in_the_words_of_the_stations_version() {
    for subprotocol in VERSIONS {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        csms.put("/api/v1/tokens/TAG", json!({"type": "ISO14443"})).await;
        for row in rows() {
            let Some(way) = row.way(subprotocol).filter(|way| !way.reconnects) else { continue };
            let (operation, payload) = carried_out(&csms, &mut station, (&row, subprotocol), Mood::Willing).await;
            let name = row.name();
            assert_eq!(operation["state"], "succeeded", "{subprotocol} {name}: {operation}");
            assert_eq!(operation["operation"], name);
            if !way.expected.is_null() {
                assert_eq!(payload.as_ref(), Some(&way.expected), "{subprotocol} {name}");
            }
        }
    }
}

#[tokio::test]
async fn an_operation_that_a_station_refuses_or_cannot_do_ends_so() {
    for subprotocol in VERSIONS {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        for row in rows() {
            let (name, at) = (row.name(), (&row, subprotocol));
            match row.way(subprotocol) {
                // Its version has no such call, and the station is not bothered.
                None => {
                    let (operation, first) = carried_out(&csms, &mut station, at, Mood::Willing).await;
                    assert_eq!((&operation["state"], first), (&json!("refused"), None), "{subprotocol} {name}");
                    let detail = operation["detail"].as_str().unwrap();
                    assert!(detail.contains("version has no") || detail.contains("no network"), "{name}: {detail}");
                }
                Some(way) => {
                    let (operation, _) = carried_out(&csms, &mut station, at, Mood::Broken).await;
                    assert_eq!(operation["state"], "failed", "{subprotocol} {name}: {operation}");
                    assert!(operation["detail"].as_str().unwrap().contains("InternalError"), "{operation}");
                    if way.refusal.is_some() {
                        let (operation, _) = carried_out(&csms, &mut station, at, Mood::Unwilling).await;
                        assert_eq!(operation["state"], "refused", "{subprotocol} {name}: {operation}");
                        assert!(operation["detail"].is_string(), "{operation}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn no_operation_begins_at_a_station_that_is_away_or_with_words_that_are_not_understood() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let description = csms.get("/api/openapi.json").await;
    for row in rows() {
        let (name, path) = (row.name(), path(&row));
        let (status, problem) = csms.request(Method::POST, &path, Some(row.body.clone())).await;
        assert_eq!(status, StatusCode::CONFLICT, "{name}: {problem}");
        let elsewhere = path.replace("/CS/", "/NOBODY/");
        let (status, _) = csms.request(Method::POST, &elsewhere, Some(row.body.clone())).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{name}");
        let mut surprising = row.body.clone();
        surprising["surprise"] = json!(1);
        let (status, problem) = csms.request(Method::POST, &path, Some(surprising)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}: {problem}");
        let schema = if row.administers { "Administer" } else { "Operate" };
        let required = required(&description, schema, name);
        for member in required {
            let mut poorer = row.body.clone();
            poorer.as_object_mut().unwrap().remove(&member);
            let (status, problem) = csms.request(Method::POST, &path, Some(poorer)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{name} without {member}: {problem}");
            assert!(problem["detail"].as_str().unwrap().contains(&member), "{name} without {member}: {problem}");
        }
    }
    assert_eq!(csms.get("/api/v1/operations").await, json!([]));
}

/// A02, B08, D01, K09, M03, N02, O03: what a station was asked for is known afterwards, to programs and after the station went away.
#[tokio::test]
async fn what_a_station_reported_is_known_afterwards() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let asked = [
        ("list_certificates", "certificates"),
        ("base_report", "configuration"),
        ("get_charging_profiles", "charging-profiles"),
        ("get_display_messages", "display-messages"),
        ("get_monitors", "monitors"),
        ("synchronise_local_list", "local-list"),
    ];
    for (name, _) in asked {
        let row = rows().into_iter().find(|row| row.name() == name).unwrap();
        let (operation, _) = carried_out(&csms, &mut station, (&row, "ocpp2.1"), Mood::Willing).await;
        assert_eq!(operation["state"], "succeeded", "{operation}");
    }
    let known = async || {
        let mut known = Vec::new();
        for (_, list) in asked {
            known.push(csms.get(&format!("/api/v1/stations/CS/{list}")).await);
        }
        known
    };
    let while_connected = known().await;
    let [certificates, configuration, profiles, messages, monitors, list] = &while_connected[..] else { panic!() };
    assert_eq!(certificates[0]["hash"]["serial_number"], "01", "{certificates}");
    assert_eq!((&configuration["known"][0]["name"], &configuration["known"][0]["value"]), (&json!("A.B"), &json!("1")));
    assert_eq!((&profiles["known"][0]["evse"], &profiles["known"][0]["profile"]["id"]), (&json!(1), &json!(3)));
    assert_eq!(messages["known"][0]["message"]["content"], "Hello", "{messages}");
    assert_eq!((&monitors[0]["id"], &monitors[0]["severity"]), (&json!(1), &json!(4)), "{monitors}");
    assert!(list["version"].as_i64() > Some(0), "{list}");
    drop(station);
    csms.get_until("/api/v1/stations/CS", |known| known["connected"] == false).await;
    assert_eq!(known().await, while_connected);
    let calls = csms.get("/api/v1/stations/CS/actions").await;
    assert!(calls.to_string().contains("UsePriorityCharging"), "{calls}");
    for (_, list) in asked {
        let (status, _) = csms.request(Method::GET, &format!("/api/v1/stations/NOBODY/{list}"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

/// The members that an operation cannot do without, besides its name.
fn required(description: &Value, schema: &str, name: &str) -> Vec<String> {
    let variants = description["components"]["schemas"][schema]["oneOf"].as_array().unwrap();
    let is_it = |variant: &&Value| variant["properties"]["operation"]["enum"][0] == name;
    let variant = variants.iter().find(is_it);
    let required = variant.and_then(|variant| variant["required"].as_array()).cloned().unwrap_or_default();
    required.iter().filter_map(Value::as_str).filter(|member| *member != "operation").map(str::to_owned).collect()
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
        assert!(audit.to_string().contains("station.operation_cancelled"), "{audit}");
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
