//! The board of faults.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};

async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

/// The only fault that stands like this.
async fn only(csms: &Csms, state: &str) -> Value {
    let path = format!("/api/v1/faults?state={state}");
    let faults = csms.get_until(&path, |faults| faults.as_array().is_some_and(|faults| !faults.is_empty())).await;
    assert_eq!(faults.as_array().unwrap().len(), 1, "{faults}");
    faults[0].clone()
}

fn status(subprotocol: &str, is_faulted: bool) -> (&'static str, Value) {
    let at = "2026-06-01T10:00:00Z";
    let status = if is_faulted { "Faulted" } else { "Available" };
    let payload = match subprotocol {
        "ocpp1.6" => {
            let error = if is_faulted { "GroundFailure" } else { "NoError" };
            json!({"connectorId": 2, "errorCode": error, "status": status, "timestamp": at})
        }
        _ => json!({"timestamp": at, "connectorStatus": status, "evseId": 2, "connectorId": 1}),
    };
    ("StatusNotification", payload)
}

/// 1.6 edition 2, 4.9; G01.FR.03
#[tokio::test]
async fn a_connector_that_is_out_of_order_is_a_fault_until_it_is_right_again() {
    for subprotocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        for is_faulted in [false, true, true] {
            let (action, payload) = status(subprotocol, is_faulted);
            station.call(action, payload).await;
        }
        let fault = only(&csms, "open").await;
        let code = if subprotocol == "ocpp1.6" { "GroundFailure" } else { "Faulted" };
        assert_eq!((&fault["station"], &fault["code"], &fault["evse"]), (&json!("CS"), &json!(code), &json!(2)));
        assert_eq!(fault["occurrences"], 2);
        let (action, payload) = status(subprotocol, false);
        station.call(action, payload).await;
        let closed = only(&csms, "closed").await;
        assert_eq!((&closed["id"], &closed["closed_by"]), (&fault["id"], &json!("CS")));
        let (action, payload) = status(subprotocol, true);
        station.call(action, payload).await;
        assert_ne!(only(&csms, "open").await["id"], fault["id"], "another time is another fault");
    }
}

#[tokio::test]
async fn a_fault_is_acknowledged_and_closed_by_hand_and_remembers_by_whom() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let event = json!({"type": "TamperDetectionActivated", "timestamp": "2026-06-01T10:00:00Z", "techInfo": "lid"});
    station.call("SecurityEventNotification", event).await;
    let fault = only(&csms, "open").await;
    assert_eq!((&fault["kind"], &fault["detail"]), (&json!("security"), &json!("lid")));
    let path = format!("/api/v1/faults/{}", fault["id"].as_str().unwrap());
    let post = async |what: &str| {
        csms.request(Method::POST, &format!("{path}/{what}"), Some(json!({"note": "on my way"}))).await
    };
    let (code, acknowledged) = post("acknowledge").await;
    assert_eq!((code, &acknowledged["state"]), (StatusCode::OK, &json!("acknowledged")));
    assert!(acknowledged["acknowledged_by"].is_string(), "{acknowledged}");
    assert_eq!(post("acknowledge").await.0, StatusCode::CONFLICT);
    assert_eq!(post("close").await.0, StatusCode::OK);
    assert_eq!(post("close").await.0, StatusCode::CONFLICT);
    let known = csms.get(&path).await;
    let changes: Vec<_> = known["history"].as_array().unwrap().iter().map(|change| change["change"].clone()).collect();
    assert_eq!(changes, ["opened", "acknowledged", "closed"]);
    assert_eq!(known["history"][1]["detail"], "on my way");
    let (status, _) = csms.request(Method::GET, "/api/v1/faults/none", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// N07.FR.06, N08
#[tokio::test]
async fn an_alert_is_a_fault_as_severe_as_the_station_says_until_it_is_cleared() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let event = |id: i64, severity: i64, cleared: bool| {
        json!({"generatedAt": "2026-06-01T10:00:00Z", "seqNo": 0, "eventData": [{"eventId": id, "severity": severity,
            "timestamp": "2026-06-01T10:00:00Z", "trigger": "Alerting", "actualValue": "91", "cleared": cleared,
            "eventNotificationType": "HardWiredMonitor", "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
            "variable": {"name": "Temperature"}}]})
    };
    station.call("NotifyEvent", event(1, 8, false)).await;
    station.call("NotifyEvent", event(2, 2, false)).await;
    let fault = only(&csms, "open").await;
    assert_eq!(
        (&fault["code"], &fault["severity"], &fault["evse"]),
        (&json!("Connector.Temperature"), &json!(2), &json!(1))
    );
    station.call("NotifyEvent", event(3, 2, true)).await;
    only(&csms, "closed").await;
}

/// L01.FR.20; 1.6 edition 2, 4.5
#[tokio::test]
async fn firmware_that_failed_is_a_fault_until_some_is_installed() {
    for subprotocol in ["ocpp1.6", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        for (status, state) in [("InstallationFailed", "open"), ("Installed", "closed")] {
            station.call("FirmwareStatusNotification", json!({"status": status})).await;
            assert_eq!(only(&csms, state).await["kind"], "firmware");
        }
    }
}

#[tokio::test]
async fn a_station_that_stays_away_is_a_fault_until_it_is_back() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.offline_after = Some(1)).await;
    csms.enter("NEVER").await;
    let station = booted(&csms, "ocpp1.6").await;
    drop(station);
    let fault = only(&csms, "open").await;
    assert_eq!((&fault["kind"], &fault["station"]), (&json!("offline"), &json!("CS")));
    let _station = csms.station("CS", "ocpp1.6").await;
    only(&csms, "closed").await;
}
