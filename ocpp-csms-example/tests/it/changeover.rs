//! Stations that change over to another way to connect, asked to by an operation.

use ocpp_core::transport::Incoming;
use ocpp_core::types::Version;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::authority::Authority;
use crate::harness::{Csms, Folder, boot_payload, soon};
use crate::tls::{PASSWORD, Station, Way, start};

async fn frame(station: &mut Station) -> Value {
    let text = async {
        loop {
            match station.next().await {
                Incoming::Text(text) => return text,
                Incoming::Binary => {}
                Incoming::Closed(reason) => panic!("a frame was expected: {reason}"),
            }
        }
    };
    serde_json::from_str(&soon("a frame", text).await).unwrap()
}

/// Answers the next call, which is this one; its payload.
async fn answer(station: &mut Station, action: &str, payload: Value) -> Value {
    let call = frame(station).await;
    assert_eq!((&call[0], &call[2]), (&json!(2), &json!(action)), "{call}");
    station.send(json!([3, call[1], payload]).to_string());
    call[3].clone()
}

async fn boot(station: &mut Station, version: Version) {
    let payload = boot_payload(version.subprotocol());
    station.send(json!([2, "boot", "BootNotification", payload]).to_string());
    let answer = frame(station).await;
    assert_eq!(answer[2]["status"], "Accepted", "{answer}");
}

async fn begin(csms: &Csms, body: Value) -> String {
    let (status, begun) = csms.request(Method::POST, "/api/v1/stations/CS/administration", Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    format!("/api/v1/operations/{}", begun["id"].as_str().unwrap())
}

async fn ended(csms: &Csms, station: &mut Station, operation: &str) -> Value {
    tokio::select! {
        ended = csms.get_until(operation, |operation| operation["state"] != "running") => ended,
        incoming = station.next() => panic!("nothing was expected: {incoming:?}"),
    }
}

/// The station takes the new way, as far as it is asked over the old one.
async fn takes(station: &mut Station, version: Version) {
    let accepted = json!({"status": "Accepted"});
    if version == Version::V1_6 {
        let change = answer(station, "ChangeConfiguration", accepted).await;
        assert_eq!(change, json!({"key": "SecurityProfile", "value": "2"}));
    } else {
        let set = answer(station, "SetNetworkProfile", accepted.clone()).await;
        assert_eq!((&set["configurationSlot"], &set["connectionData"]["securityProfile"]), (&json!(2), &json!(2)));
        let named =
            json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}});
        let mut result = named.clone();
        result["attributeStatus"] = json!("Accepted");
        let priority = answer(station, "SetVariables", json!({"setVariableResult": [result]})).await;
        assert_eq!(priority["setVariableData"][0]["attributeValue"], "2,1");
        let reset = answer(station, "Reset", accepted).await;
        assert_eq!(reset["type"], "OnIdle", "no transaction is cut off");
    }
}

/// What it answered has arrived: a connection is written to as long as it is listened to.
async fn is_told(csms: &Csms, station: &mut Station, operation: &str) {
    let accepted = |operation: &Value| operation["progress"].to_string().contains("accepted");
    tokio::select! {
        _ = csms.get_until(operation, accepted) => {}
        incoming = station.next() => panic!("nothing was expected: {incoming:?}"),
    }
}

/// It is back, and says by which slot.
async fn is_back(station: &mut Station, version: Version, slot: &str) {
    if version != Version::V1_6 {
        boot(station, version).await;
        let result = json!({"attributeStatus": "Accepted", "attributeValue": slot, "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "ActiveNetworkProfile"}});
        answer(station, "GetVariables", json!({"getVariableResult": [result]})).await;
    }
}

fn upgrade(version: Version) -> Value {
    let profile = json!({"ocppInterface": "Wired0", "ocppVersion": "OCPP20", "ocppTransport": "JSON", "messageTimeout": 30,
        "ocppCsmsUrl": "wss://csms.example.com/ocpp", "securityProfile": 2});
    let network = json!({"slot": 2, "profile": profile, "fall_back": [1]});
    match version {
        Version::V1_6 => json!({"operation": "upgrade_profile", "profile": 2}),
        _ => json!({"operation": "upgrade_profile", "profile": 2, "network": network}),
    }
}

const VERSIONS: [Version; 3] = [Version::V1_6, Version::V2_0_1, Version::V2_1];

/// A05.FR.02, A05.FR.07, B09.FR.01, B10.FR.01; 1.6 security, A05.FR.02/09
#[tokio::test]
async fn a_station_that_changed_over_to_tls_does_not_come_back_without() {
    for version in VERSIONS {
        let (folder, authority) = (Folder::new(), Authority::new());
        let csms = start(&folder, &authority).await;
        csms.put("/api/v1/stations/CS", json!({"password": PASSWORD, "security_profile": 1})).await;
        let way = || Way::new(&csms, &authority, "CS").password(PASSWORD).version(version);
        let mut station = way().plain().connect().await.unwrap();
        boot(&mut station, version).await;
        let operation = begin(&csms, upgrade(version)).await;
        takes(&mut station, version).await;
        is_told(&csms, &mut station, &operation).await;
        drop(station);
        let mut station = way().connect().await.unwrap();
        is_back(&mut station, version, "2").await;
        let end = ended(&csms, &mut station, &operation).await;
        assert_eq!(end["state"], "succeeded", "{version}: {end}");
        csms.get_until("/api/v1/stations/CS", |known| known["security_profile"] == 2).await;
        assert_eq!(way().plain().status().await, 403, "{version}");
        drop(station);
        assert_eq!(way().status().await, 200, "{version}");
    }
}

/// A05.FR.03; 1.6 security, A05.FR.03
#[tokio::test]
async fn a_station_that_comes_back_the_old_way_has_not_changed_over_and_is_not_locked_out() {
    for version in VERSIONS {
        let (folder, authority) = (Folder::new(), Authority::new());
        let csms = start(&folder, &authority).await;
        csms.put("/api/v1/stations/CS", json!({"password": PASSWORD, "security_profile": 1})).await;
        let way = || Way::new(&csms, &authority, "CS").password(PASSWORD).version(version).plain();
        let mut station = way().connect().await.unwrap();
        boot(&mut station, version).await;
        let operation = begin(&csms, upgrade(version)).await;
        takes(&mut station, version).await;
        is_told(&csms, &mut station, &operation).await;
        drop(station);
        let mut station = way().connect().await.unwrap();
        is_back(&mut station, version, "1").await;
        let end = ended(&csms, &mut station, &operation).await;
        assert_eq!(end["state"], "failed", "{version}: {end}");
        assert!(end["detail"].as_str().unwrap().contains("the way it was before"), "{end}");
        drop(station);
        assert_eq!(csms.get("/api/v1/stations/CS").await["security_profile"], 1);
        assert_eq!(way().status().await, 200, "{version}");
    }
}

/// B09.FR.01, B10.FR.01: another slot of the same security.
#[tokio::test]
async fn a_station_changes_over_to_another_network_profile() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let (folder, authority) = (Folder::new(), Authority::new());
        let csms = start(&folder, &authority).await;
        csms.put("/api/v1/stations/CS", json!({"password": PASSWORD, "security_profile": 2})).await;
        let way = || Way::new(&csms, &authority, "CS").password(PASSWORD).version(version);
        let mut station = way().connect().await.unwrap();
        boot(&mut station, version).await;
        let mut body = upgrade(version)["network"].clone();
        body["operation"] = json!("switch_network");
        let operation = begin(&csms, body).await;
        takes(&mut station, version).await;
        is_told(&csms, &mut station, &operation).await;
        drop(station);
        let mut station = way().connect().await.unwrap();
        is_back(&mut station, version, "2").await;
        assert_eq!(ended(&csms, &mut station, &operation).await["state"], "succeeded", "{version}");
    }
}
