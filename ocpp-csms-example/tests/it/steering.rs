//! Operations on stations that behave as the standard says: the engine of this repository, over the wire.

use ocpp_core::types::Version;
use ocpp_cp::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, soon};

async fn station(csms: &Csms, version: Version) -> Simulator {
    csms.enter("CS").await;
    let url = format!("ws://{}/ocpp", csms.server.address());
    let mut config = ocpp_cp::Config::new(url.parse().unwrap(), "CS");
    config.versions = vec![version];
    config.speed = 60;
    let station = Simulator::start(config).unwrap();
    soon("the boot", station.wait_for(|state| state.is_accepted())).await.unwrap();
    station
}

async fn operate(csms: &Csms, body: Value) -> Value {
    let path = "/api/v1/stations/CS/operations?wait=20";
    let (status, operation) = csms.request(Method::POST, path, Some(body)).await;
    assert!(status.is_success(), "{operation}");
    operation
}

/// F01, F02, F03; 1.6 edition 2, 5.11; 1.6 edition 2, 5.12
#[tokio::test]
async fn a_remote_start_charges_until_a_remote_stop() {
    for version in [Version::V1_6, Version::V2_1] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let station = station(&csms, version).await;
        station.plug(1).await.unwrap();
        let started = operate(&csms, json!({"operation": "remote_start", "evse": 1, "token": "TAG"})).await;
        assert_eq!(started["state"], "succeeded", "{version}: {started}");
        let known = csms
            .get_until("/api/v1/stations/CS", |known| {
                known["sessions"].as_array().is_some_and(|sessions| !sessions.is_empty())
            })
            .await;
        let session = &known["sessions"][0];
        assert_eq!((&session["evse"], &session["token"]), (&json!(1), &json!("TAG")), "{version}");
        let transaction = session["transaction"].clone();
        let stopped = operate(&csms, json!({"operation": "remote_stop", "transaction": transaction})).await;
        assert_eq!(stopped["state"], "succeeded", "{version}: {stopped}");
        csms.get_until("/api/v1/stations/CS", |known| known["sessions"] == json!([])).await;
        let known = csms.get("/api/v1/stations/CS/transactions").await;
        assert_eq!(known[0]["stop_reason"], "Remote", "{version}: {known}");
        soon("the end", station.shutdown()).await;
    }
}

/// B11, G03, F06; 1.6 edition 2, 5.2; 1.6 edition 2, 5.14; 1.6 edition 2, 5.17
#[tokio::test]
async fn a_station_goes_out_of_service_tells_so_and_restarts() {
    for version in [Version::V1_6, Version::V2_1] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let station = station(&csms, version).await;
        let body = json!({"operation": "change_availability", "evse": 1, "operative": false});
        assert_eq!(operate(&csms, body).await["state"], "succeeded", "{version}");
        let is_out = |known: &Value| {
            let connectors = known["connectors"].as_array().cloned().unwrap_or_default();
            connectors.iter().any(|known| known["evse"] == 1 && known["status"] == "Unavailable")
        };
        csms.get_until("/api/v1/stations/CS", is_out).await;
        let before = csms.get("/api/v1/stations/CS").await["last_booted_at"].clone();
        assert_eq!(operate(&csms, json!({"operation": "reset"})).await["state"], "succeeded", "{version}");
        csms.get_until("/api/v1/stations/CS", |known| known["last_booted_at"] != before).await;
        soon("the end", station.shutdown()).await;
    }
}
