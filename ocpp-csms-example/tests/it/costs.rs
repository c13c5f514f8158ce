//! What stations and drivers are told about costs and tokens while they charge.

use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};
use crate::place;

fn event(kind: &str, seq: i64, minute: i64, kwh: f64) -> Value {
    let at = format!("2026-06-01T10:{minute:02}:00Z");
    json!({"eventType": kind, "timestamp": at, "triggerReason": "MeterValuePeriodic", "seqNo": seq,
        "transactionInfo": {"transactionId": "tx-1"}, "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": at, "sampledValue": [{"value": kwh, "unitOfMeasure": {"unit": "kWh"}}]}]})
}

async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

fn cost(answer: &Value) -> f64 {
    answer["totalCost"].as_f64().unwrap_or_else(|| panic!("no cost in {answer}"))
}

/// I02.FR.01, I03.FR.02, C20.FR.03, E16.FR.11: at 0.40 EUR a kWh.
#[tokio::test]
async fn the_running_and_the_final_cost_are_told_in_the_answers() {
    for subprotocol in ["ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let database = folder.file("csms.sqlite");
        let csms = Csms::start_with(&database, |_| {}).await;
        let mut station = booted(&csms, subprotocol).await;
        let started = station.call("TransactionEvent", event("Started", 0, 0, 1.0)).await;
        assert_eq!(started, json!({}));
        assert_eq!(cost(&station.call("TransactionEvent", event("Updated", 1, 10, 3.5)).await), 1.0);
        let ended = event("Ended", 2, 20, 11.0);
        assert_eq!(cost(&station.call("TransactionEvent", ended.clone()).await), 4.0);
        // The answer was lost, the server restarted: the station sends it again and is told the same.
        assert_eq!(cost(&station.call("TransactionEvent", ended.clone()).await), 4.0);
        csms.shut_down(&mut station).await;
        let csms = Csms::start_with(&database, |_| {}).await;
        let mut station = csms.station("CS", subprotocol).await;
        station.boot(subprotocol).await;
        assert_eq!(cost(&station.call("TransactionEvent", ended).await), 4.0);
    }
}

/// I03.FR.04, C20.FR.03
#[tokio::test]
async fn what_cost_nothing_is_said_to_be_free() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    station.call("TransactionEvent", event("Started", 0, 0, 1.0)).await;
    assert_eq!(cost(&station.call("TransactionEvent", event("Ended", 1, 1, 1.0)).await), 0.0);
}

/// C01.FR.06, C01.FR.18, C01.FR.22, C01.FR.24, C04.FR.01, C04.FR.02, C06.FR.04, C09.FR.09, C09.FR.12, C12.FR.03, C17.FR.02, E01.FR.12,
/// E02.FR.02, E03.FR.02
#[tokio::test]
async fn each_verdict_group_and_expiry_is_in_every_answer_about_the_token() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let verdicts = [
        ("accepted", "Accepted"),
        ("blocked", "Blocked"),
        ("expired", "Expired"),
        ("invalid", "Invalid"),
        ("concurrent_tx", "ConcurrentTx"),
        ("no_credit", "NoCredit"),
        ("not_allowed_type_evse", "NotAllowedTypeEVSE"),
        ("not_at_this_location", "NotAtThisLocation"),
        ("not_at_this_time", "NotAtThisTime"),
        ("unknown", "Unknown"),
    ];
    for (number, (status, expected)) in verdicts.into_iter().enumerate() {
        let entered =
            json!({"type": "KeyCode", "status": status, "group": "FLEET", "expires_at": "2099-01-01T00:00:00Z"});
        csms.put("/api/v1/tokens/1234", entered).await;
        let token = json!({"idToken": "1234", "type": "KeyCode"});
        let authorized = station.call("Authorize", json!({"idToken": token})).await;
        let mut started = event("Started", 0, 0, 0.0);
        started["transactionInfo"]["transactionId"] = json!(format!("tx-{number}"));
        started["idToken"] = token;
        let started = station.call("TransactionEvent", started).await;
        for answer in [authorized, started] {
            let info = &answer["idTokenInfo"];
            assert_eq!(info["status"], expected);
            assert_eq!(info["groupIdToken"], json!({"idToken": "FLEET", "type": "Central"}));
            assert!(info["evseId"].is_null());
            let kept_until = info["cacheExpiryDateTime"].as_str().unwrap();
            assert_eq!(kept_until == "2099-01-01T00:00:00.000Z", expected != "NoCredit", "{kept_until}");
        }
    }
    let nobody = json!({"idToken": {"idToken": "9999", "type": "KeyCode"}});
    assert_eq!(station.call("Authorize", nobody).await["idTokenInfo"]["status"], "Invalid");
}

/// 1.6 edition 2, 4.1; 1.6 edition 2, 4.8; 1.6 edition 2, 4.10
#[tokio::test]
async fn group_and_expiry_are_in_every_answer_of_1_6_about_the_token() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp1.6").await;
    csms.put("/api/v1/tokens/TAG", json!({"group": "FLEET", "expires_at": "2099-01-01T00:00:00Z"})).await;
    let at = "2026-06-01T10:00:00Z";
    let authorized = station.call("Authorize", json!({"idTag": "TAG"})).await;
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": at});
    let started = station.call("StartTransaction", start).await;
    let stop = json!({"transactionId": started["transactionId"], "idTag": "TAG", "meterStop": 0, "timestamp": at});
    let stopped = station.call("StopTransaction", stop).await;
    let expected = json!({"status": "Accepted", "parentIdTag": "FLEET", "expiryDate": "2099-01-01T00:00:00.000Z"});
    for answer in [authorized, started, stopped] {
        assert_eq!(answer["idTagInfo"], expected);
    }
}

/// C18.FR.09, C21.FR.02: nobody is asked about VAT numbers here; what became of a payment is kept once.
#[tokio::test]
async fn payments_at_a_station_are_taken_in_once() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = Csms::start_with(&database, |_| {}).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let answer = station.call("VatNumberValidation", json!({"vatNumber": "NL1", "evseId": 1})).await;
    assert_eq!(answer, json!({"vatNumber": "NL1", "status": "Rejected", "evseId": 1}));
    let settlement = json!({"pspRef": "psp-1", "status": "Settled", "settlementAmount": 12.5,
        "settlementTime": "2026-06-01T10:00:00Z", "transactionId": "tx-1"});
    for _ in 0..2 {
        assert_eq!(station.call("NotifySettlement", settlement.clone()).await, json!({}));
    }
    let kept = place::texts(&database, "SELECT reference || ' ' || status || ' ' || amount FROM settlements").await;
    assert_eq!(kept, ["psp-1 settled 12.5"]);
}

/// G02.FR.04
#[tokio::test]
async fn whoever_says_anything_is_there() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let seen = csms.get("/api/v1/stations/CS").await["last_seen_at"].clone();
    assert!(seen.is_string(), "{seen}");
    station.call("Heartbeat", json!({})).await;
    let view = csms.get("/api/v1/stations/CS").await;
    assert_eq!(view["connected"], true);
    assert!(view["last_seen_at"].as_str() > seen.as_str(), "{view}");
}

/// C07.FR.17: this program checks no contracts, so none counts as verified.
#[tokio::test]
async fn a_contract_that_cannot_be_verified_does_not_charge() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let payload = json!({"idToken": {"idToken": "TAG", "type": "eMAID"}, "certificate": "PEM"});
    let answer = station.call("Authorize", payload).await;
    assert_eq!(
        (&answer["certificateStatus"], &answer["idTokenInfo"]["status"]),
        (&json!("CertChainError"), &json!("Invalid"))
    );
}
