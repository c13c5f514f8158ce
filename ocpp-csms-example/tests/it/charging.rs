//! A session of each version, from the boot to the bill.

use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};
use crate::place;

async fn transactions(csms: &Csms, station: &str) -> Vec<Value> {
    csms.get(&format!("/api/v1/stations/{station}/transactions")).await.as_array().unwrap().clone()
}

fn is_close(number: &Value, expected: f64) -> bool {
    (number.as_f64().unwrap() - expected).abs() < 1e-9
}

/// The only transaction, stopped: 2.5 kWh at 0.40 EUR.
fn assert_billed(transactions: &[Value], id: &str, reason: &str) {
    assert_eq!(transactions.len(), 1, "{transactions:?}");
    let bill = &transactions[0];
    assert_eq!(bill["id"], id);
    assert_eq!(bill["token"], "TAG");
    assert_eq!(bill["evse"], 1);
    assert_eq!(bill["started_at"], "2026-06-01T10:00:00Z");
    assert_eq!(bill["stopped_at"], "2026-06-01T11:00:00Z");
    assert_eq!(bill["stop_reason"], reason);
    assert!(is_close(&bill["energy_wh"], 2500.0), "{bill}");
    assert!(is_close(&bill["cost"], 1.0), "{bill}");
    assert_eq!(bill["currency"], "EUR");
}

async fn start_1_6(station: &mut RawStation) -> i64 {
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": "2026-06-01T10:00:00Z"});
    let started = station.call("StartTransaction", start).await;
    assert_eq!(started["idTagInfo"]["status"], "Accepted", "{started}");
    started["transactionId"].as_i64().unwrap()
}

async fn stop_1_6(station: &mut RawStation, transaction: i64) {
    let stop = json!({"transactionId": transaction, "idTag": "TAG", "meterStop": 3500,
        "timestamp": "2026-06-01T11:00:00Z", "reason": "EVDisconnected"});
    station.call("StopTransaction", stop).await;
}

#[tokio::test]
async fn a_station_of_1_6_charges_and_is_billed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-16").await;
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Preparing"});
    station.call("StatusNotification", status).await;
    let authorized = station.call("Authorize", json!({"idTag": "tag"})).await;
    assert_eq!(authorized["idTagInfo"]["status"], "Accepted");
    let refused = station.call("Authorize", json!({"idTag": "OTHER"})).await;
    assert_eq!(refused["idTagInfo"]["status"], "Invalid");
    let transaction = start_1_6(&mut station).await;
    let sample = json!([{"value": "2000.5"}, {"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW"}]);
    let values = json!({"connectorId": 1, "transactionId": transaction,
        "meterValue": [{"timestamp": "2026-06-01T10:30:00Z", "sampledValue": sample}]});
    station.call("MeterValues", values).await;
    let running = transactions(&csms, "CS-16").await;
    assert_eq!(running[0]["stopped_at"], Value::Null);
    assert!(is_close(&running[0]["energy_wh"], 1000.5), "{running:?}");
    assert!(is_close(&running[0]["cost"], 0.4), "{running:?}");
    let view = csms.get("/api/v1/stations/CS-16").await;
    assert_eq!(view["version"], "1.6");
    assert_eq!(view["vendor"], "Maker");
    assert_eq!(view["connectors"][0]["status"], "Preparing");
    assert!(is_close(&view["power_w"], 7200.0), "{view}");
    stop_1_6(&mut station, transaction).await;
    assert_billed(&transactions(&csms, "CS-16").await, &transaction.to_string(), "EVDisconnected");
    let values = csms.get(&format!("/api/v1/stations/CS-16/transactions/{transaction}/meter-values")).await;
    assert_eq!(values[0]["samples"][0]["value"], "2000.5");
}

async fn charge_2(subprotocol: &str) {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-2").await;
    let mut station = csms.station("CS-2", subprotocol).await;
    station.boot(subprotocol).await;
    let status =
        json!({"timestamp": "2026-06-01T09:59:00Z", "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1});
    station.call("StatusNotification", status).await;
    let token = json!({"idToken": "TAG", "type": "ISO14443"});
    let authorized = station.call("Authorize", json!({"idToken": token})).await;
    assert_eq!(authorized["idTokenInfo"]["status"], "Accepted");
    let refused = station.call("Authorize", json!({"idToken": {"idToken": "OTHER", "type": "ISO14443"}})).await;
    assert_ne!(refused["idTokenInfo"]["status"], "Accepted");
    let event = |kind: &str, seq: i64, at: &str, trigger: &str, wh: &str, info: Value| {
        let context = match kind {
            "Started" => "Transaction.Begin",
            "Ended" => "Transaction.End",
            _ => "Sample.Periodic",
        };
        let mut transaction = json!({"transactionId": "tx-1"});
        transaction.as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
        json!({"eventType": kind, "timestamp": at, "triggerReason": trigger, "seqNo": seq, "transactionInfo": transaction,
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": at, "sampledValue": [
                {"value": wh.parse::<f64>().unwrap(), "context": context, "unitOfMeasure": {"unit": "kWh"}}]}]})
    };
    let mut started =
        event("Started", 0, "2026-06-01T10:00:00Z", "Authorized", "1", json!({"chargingState": "Charging"}));
    started["idToken"] = token.clone();
    let answer = station.call("TransactionEvent", started).await;
    assert_eq!(answer["idTokenInfo"]["status"], "Accepted", "{answer}");
    let updated = event("Updated", 1, "2026-06-01T10:30:00Z", "MeterValuePeriodic", "2.5", json!({}));
    station.call("TransactionEvent", updated).await;
    let running = transactions(&csms, "CS-2").await;
    assert!(is_close(&running[0]["energy_wh"], 1500.0), "{running:?}");
    let ended = event(
        "Ended",
        2,
        "2026-06-01T11:00:00Z",
        "EVCommunicationLost",
        "3.5",
        json!({"stoppedReason": "EVDisconnected"}),
    );
    station.call("TransactionEvent", ended.clone()).await;
    // The answer was lost, so the station sends it again.
    station.call("TransactionEvent", ended).await;
    assert_billed(&transactions(&csms, "CS-2").await, "tx-1", "EVDisconnected");
}

#[tokio::test]
async fn a_station_of_2_0_1_charges_and_is_billed_once() {
    charge_2("ocpp2.0.1").await;
}

#[tokio::test]
async fn a_station_of_2_1_charges_and_is_billed_once() {
    charge_2("ocpp2.1").await;
}

#[tokio::test]
async fn a_stop_that_is_sent_twice_is_billed_once() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-16").await;
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let transaction = start_1_6(&mut station).await;
    stop_1_6(&mut station, transaction).await;
    stop_1_6(&mut station, transaction).await;
    assert_billed(&transactions(&csms, "CS-16").await, &transaction.to_string(), "EVDisconnected");
}

#[tokio::test]
async fn a_transaction_goes_on_after_the_server_was_restarted_and_no_id_is_given_twice() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = Csms::start_with(&database, |_| {}).await;
    csms.enter("CS-16").await;
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let status =
        json!({"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": "2026-06-01T10:00:00Z"});
    station.call("StatusNotification", status).await;
    let first = start_1_6(&mut station).await;
    csms.shut_down(&mut station).await;

    let csms = Csms::start_with(&database, |_| {}).await;
    let connectors = csms.get("/api/v1/stations/CS-16").await["connectors"].clone();
    let kept =
        json!([{"evse": 1, "connector": 1, "status": "Charging", "error": null, "since": "2026-06-01T10:00:00Z"}]);
    assert_eq!(connectors, kept);
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    stop_1_6(&mut station, first).await;
    assert_billed(&transactions(&csms, "CS-16").await, &first.to_string(), "EVDisconnected");
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 3500, "timestamp": "2026-06-01T12:00:00Z"});
    let second = station.call("StartTransaction", start).await;
    assert_ne!(second["transactionId"], first);
}

#[tokio::test]
async fn a_token_that_may_not_charge_is_refused_unless_anyone_may() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-16").await;
    csms.put("/api/v1/tokens/LOCKED", json!({"status": "blocked"})).await;
    csms.put("/api/v1/tokens/OLD", json!({"expires_at": "2020-01-01T00:00:00Z", "group": "FLEET"})).await;
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    for (tag, expected) in [("LOCKED", "Blocked"), ("OLD", "Expired"), ("NOBODY", "Invalid"), ("TAG", "Accepted")] {
        let answer = station.call("Authorize", json!({"idTag": tag})).await;
        assert_eq!(answer["idTagInfo"]["status"], expected, "{tag}");
    }
    let old = station.call("Authorize", json!({"idTag": "OLD"})).await;
    assert_eq!(old["idTagInfo"]["parentIdTag"], "FLEET");
    csms.put("/api/v1/stations/CS-16", json!({"free_vend": true})).await;
    for (tag, expected) in [("NOBODY", "Accepted"), ("LOCKED", "Blocked")] {
        let answer = station.call("Authorize", json!({"idTag": tag})).await;
        assert_eq!(answer["idTagInfo"]["status"], expected, "{tag}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_confirmed_and_is_kept_when_it_is_sent_again() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = Csms::start_with(&database, |_| {}).await;
    csms.enter("CS-16").await;
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    place::run(&database, "ALTER TABLE meter_values RENAME TO hidden").await;
    let sample = json!({"timestamp": "2026-06-01T10:30:00Z", "sampledValue": [{"value": "2000"}]});
    let transaction = start_1_6(&mut station).await;
    let values = json!({"connectorId": 1, "transactionId": transaction, "meterValue": [sample]});
    let answer = station.ask("MeterValues", values.clone()).await;
    assert_eq!((&answer[0], &answer[2]), (&json!(4), &json!("InternalError")), "{answer}");
    assert!(is_close(&transactions(&csms, "CS-16").await[0]["energy_wh"], 0.0));
    place::run(&database, "ALTER TABLE hidden RENAME TO meter_values").await;
    for _ in 0..2 {
        station.call("MeterValues", values.clone()).await;
    }
    assert!(is_close(&transactions(&csms, "CS-16").await[0]["energy_wh"], 1000.0));
    let kept = csms.get(&format!("/api/v1/stations/CS-16/transactions/{transaction}/meter-values")).await;
    assert_eq!(kept.as_array().unwrap().len(), 1, "{kept}");
}

#[tokio::test]
async fn a_transaction_goes_on_over_a_new_connection_without_another_boot() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-16").await;
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let transaction = start_1_6(&mut station).await;
    drop(station);
    let mut station = csms.station("CS-16", "ocpp1.6").await;
    stop_1_6(&mut station, transaction).await;
    assert_billed(&transactions(&csms, "CS-16").await, &transaction.to_string(), "EVDisconnected");
}
