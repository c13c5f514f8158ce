//! The provider of contract certificates (M01, M02, M06).

use axum::Json;
use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Csms, Folder};

/// A stand-in for a pool of contracts; its URL.
async fn provider() -> String {
    let contracts = |Json(request): Json<Value>| async move {
        match request["action"].as_str() {
            Some("Install") => {
                Json(json!({"responses": [format!("for {}", request["exi_request"].as_str().unwrap())]}))
            }
            _ => Json(json!({"failed": "none"})),
        }
    };
    let status = |Json(request): Json<Value>| async move {
        match request["serial_number"].as_str() {
            Some("ab") => Json(json!({"ocsp_result": "MAMCAQY="})),
            _ => Json(json!({})),
        }
    };
    let app = Router::new().route("/contracts", post(contracts)).route("/certificate-status", post(status));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn contract(action: &str) -> Value {
    json!({"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": action, "exiRequest": "an EV"})
}

fn status(serial_number: &str) -> Value {
    json!({"ocspRequestData": {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb",
        "serialNumber": serial_number, "responderURL": "http://ocsp.example.com"}})
}

/// M01.FR.01, M02.FR.01, M06.FR.04, M06.FR.06
#[tokio::test]
async fn a_vehicle_gets_what_the_provider_has_for_it() {
    let (folder, url) = (Folder::new(), provider().await);
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.contract_provider = Some(url)).await;
    csms.enter("CS").await;
    for subprotocol in ["ocpp2.0.1", "ocpp2.1"] {
        let mut station = csms.station("CS", subprotocol).await;
        station.boot(subprotocol).await;
        let answer = station.call("Get15118EVCertificate", contract("Install")).await;
        assert_eq!((&answer["status"], &answer["exiResponse"]), (&json!("Accepted"), &json!("for an EV")));
        let answer = station.call("Get15118EVCertificate", contract("Update")).await;
        assert_eq!((&answer["status"], &answer["exiResponse"]), (&json!("Failed"), &json!("none")));
        let answer = station.call("GetCertificateStatus", status("ab")).await;
        assert_eq!((&answer["status"], &answer["ocspResult"]), (&json!("Accepted"), &json!("MAMCAQY=")));
        assert_eq!(station.call("GetCertificateStatus", status("cd")).await["status"], "Failed");
    }
}

/// M01.FR.01, M06.FR.04
#[tokio::test]
async fn without_a_provider_a_vehicle_is_told_so_at_once() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    assert_eq!(station.call("Get15118EVCertificate", contract("Install")).await["status"], "Failed");
    assert_eq!(station.call("GetCertificateStatus", status("ab")).await["status"], "Failed");
}
