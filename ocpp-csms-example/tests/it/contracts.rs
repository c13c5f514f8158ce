//! The provider of contract certificates and of their status (M01, M02, M06, M07).

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
    let chain = |Json(request): Json<Value>| async move {
        let next_update = "2031-01-01T00:00:00Z";
        let statuses = request["certificates"].as_array().unwrap().iter().map(|certificate| {
            assert_eq!(certificate["urls"], json!(["http://status.example.com"]));
            match (certificate["serial_number"].as_str(), certificate["source"].as_str()) {
                (Some("ab"), _) => json!({"status": "Good", "next_update": next_update}),
                (Some("cd"), Some("OCSP")) => json!({"status": "Revoked", "next_update": next_update}),
                (Some("cd"), Some("CRL")) => json!({"revoked": ["01", "cd"], "next_update": next_update}),
                _ => json!({}),
            }
        });
        Json(json!({"statuses": statuses.collect::<Vec<_>>()}))
    };
    let app = Router::new()
        .route("/contracts", post(contracts))
        .route("/certificate-status", post(status))
        .route("/certificate-chain-status", post(chain));
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

fn chain(certificates: &[(&str, &str)]) -> Value {
    let asked = certificates.iter().map(|(serial_number, source)| {
        json!({"source": source, "urls": ["http://status.example.com"], "certificateHashData": {
            "hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": serial_number}})
    });
    json!({"certificateStatusRequests": asked.collect::<Vec<_>>()})
}

fn statuses(answer: &Value) -> Vec<&str> {
    answer["certificateStatus"].as_array().unwrap().iter().map(|status| status["status"].as_str().unwrap()).collect()
}

/// M07.FR.01, M07.FR.02, M07.FR.03, M07.FR.04, M07.FR.06
#[tokio::test]
async fn a_station_learns_the_status_of_a_chain_from_the_provider() {
    let (folder, url) = (Folder::new(), provider().await);
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.contract_provider = Some(url)).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let asked = [("ab", "OCSP"), ("cd", "OCSP"), ("cd", "CRL"), ("ef", "CRL")];
    let answer = station.call("GetCertificateChainStatus", chain(&asked)).await;
    assert_eq!(statuses(&answer), ["Good", "Revoked", "Revoked", "Failed"], "{answer}");
    assert_eq!(answer["certificateStatus"][1]["nextUpdate"], "2031-01-01T00:00:00.000Z");
    // A responder's word is none about a list.
    let answer = station.call("GetCertificateChainStatus", chain(&[("ab", "CRL")])).await;
    assert_eq!(statuses(&answer), ["Failed"], "{answer}");
}

/// M01.FR.01, M06.FR.04, M07.FR.02, M07.FR.05
#[tokio::test]
async fn without_a_provider_a_vehicle_is_told_so_at_once() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    assert_eq!(station.call("Get15118EVCertificate", contract("Install")).await["status"], "Failed");
    assert_eq!(station.call("GetCertificateStatus", status("ab")).await["status"], "Failed");
    let answer = station.call("GetCertificateChainStatus", chain(&[("ab", "OCSP"), ("ab", "CRL")])).await;
    assert_eq!(statuses(&answer), ["Failed", "Failed"]);
}
