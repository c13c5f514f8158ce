//! Money from the payment to the receipt: prepaid sessions of guests and drivers, restarts in between, and the ledger after it all.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};

async fn start(database: &Path) -> Csms {
    Csms::start_with(database, |file| file.payments.sandbox = Some(true)).await
}

async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

async fn post(csms: &Csms, path: &str, body: Value) -> (StatusCode, Value) {
    csms.request(Method::POST, path, Some(body)).await
}

/// A guest pays through the sandbox; the id of the session.
async fn pay(csms: &Csms, amount: f64, method: &str) -> String {
    let payment = json!({"amount": amount, "currency": "EUR", "provider": "sandbox", "method": method});
    let wanted = json!({"station": "CS", "evse": 1, "payment": payment});
    let (status, session) = post(csms, "/api/v1/prepaid-sessions", wanted).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{session}");
    session["id"].as_str().unwrap().to_owned()
}

async fn stage(csms: &Csms, session: &str, expected: &str) -> Value {
    csms.get_until(&format!("/api/v1/prepaid-sessions/{session}"), |view| view["stage"] == expected).await
}

async fn sound(csms: &Csms) {
    let check = csms.get("/api/v1/ledger/check").await;
    assert_eq!(check["balanced"], true, "{check}");
    let accounts = csms.get("/api/v1/ledger/accounts").await;
    let sum: f64 = accounts.as_array().unwrap().iter().map(|account| account["balance"].as_f64().unwrap()).sum();
    assert!(sum.abs() < 1e-6, "{accounts}");
}

async fn account(csms: &Csms, name: &str) -> f64 {
    let accounts = csms.get(&format!("/api/v1/ledger/accounts?prefix={name}")).await;
    accounts.as_array().unwrap().iter().map(|account| account["balance"].as_f64().unwrap()).sum()
}

/// Waits until everything that was paid too much is paid back.
async fn returned(csms: &Csms, session: &str, amount: f64) {
    let payments = csms.get(&format!("/api/v1/payments?payer=guest:{session}")).await;
    let id = payments[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/payments/{id}/refunds");
    let refunds = csms.get_until(&path, |refunds| refunds[0]["state"] == "done").await;
    assert_eq!(refunds.as_array().unwrap().len(), 1, "{refunds}");
    assert_eq!(refunds[0]["amount"], amount);
    assert_eq!(account(csms, "guest:").await, 0.0);
}

/// The call with which the station is told to start, answered.
async fn told_to_start(station: &mut RawStation, status: &str) -> (Value, Value) {
    let (id, call) = station.expect_call("RequestStartTransaction").await;
    station.answer(&id, json!({"status": status})).await;
    (call["idToken"].clone(), call["remoteStartId"].clone())
}

fn event(kind: &str, seq: i64, minute: i64, kwh: f64, start: &(Value, Value)) -> Value {
    let at = format!("2026-06-01T10:{minute:02}:00Z");
    let mut event = json!({"eventType": kind, "timestamp": at, "triggerReason": "MeterValuePeriodic", "seqNo": seq,
        "transactionInfo": {"transactionId": "tx-1", "chargingState": "Charging", "remoteStartId": start.1},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": at, "sampledValue": [{"value": kwh, "unitOfMeasure": {"unit": "kWh"}}]}]});
    if seq == 0 {
        event["idToken"] = start.0.clone();
    }
    event
}

#[tokio::test]
async fn a_guest_pays_charges_and_gets_the_rest_back() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, 10.0, "success").await;
    let start = told_to_start(&mut station, "Accepted").await;
    assert_eq!(account(&csms, "hold:").await, -10.0);
    let started = station.call("TransactionEvent", event("Started", 0, 0, 1.0, &start)).await;
    assert_eq!(started["idTokenInfo"]["status"], "Accepted", "{started}");
    stage(&csms, &session, "running").await;
    let updated = station.call("TransactionEvent", event("Updated", 1, 10, 6.0, &start)).await;
    assert_eq!(updated["totalCost"], 2.0, "{updated}");
    let ended = event("Ended", 2, 20, 11.0, &start);
    for _ in 0..2 {
        let answer = station.call("TransactionEvent", ended.clone()).await;
        assert_eq!(answer["totalCost"], 4.0, "{answer}");
    }
    stage(&csms, &session, "settled").await;
    returned(&csms, &session, 6.0).await;
    let bill = csms.get("/api/v1/stations/CS/transactions/tx-1/bill").await;
    assert_eq!((&bill["due"], &bill["payer"]), (&json!(4.0), &json!(format!("guest:{session}"))));
    assert_eq!((account(&csms, "revenue").await, account(&csms, "provider:").await), (-4.0, 4.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_session_stops_before_its_money_is_used_up() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let session = pay(&csms, 3.0, "webhook_never").await;
    let start = told_to_start(&mut station, "Accepted").await;
    station.call("TransactionEvent", event("Started", 0, 0, 0.0, &start)).await;
    stage(&csms, &session, "running").await;
    // 1.00 EUR, then 2.00: after as much again nothing would be left.
    station.call("TransactionEvent", event("Updated", 1, 10, 2.5, &start)).await;
    station.call("TransactionEvent", event("Updated", 2, 20, 5.0, &start)).await;
    let (id, call) = station.expect_call("RequestStopTransaction").await;
    assert_eq!(call["transactionId"], "tx-1");
    station.answer(&id, json!({"status": "Rejected"})).await;
    // It is told again until it has stopped.
    let (id, _) = station.expect_call("RequestStopTransaction").await;
    station.answer(&id, json!({"status": "Accepted"})).await;
    station.call("TransactionEvent", event("Ended", 3, 21, 5.5, &start)).await;
    stage(&csms, &session, "settled").await;
    returned(&csms, &session, 0.8).await;
    sound(&csms).await;
}

#[tokio::test]
async fn whoever_does_not_pay_does_not_charge() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, 10.0, "decline").await;
    let view = stage(&csms, &session, "abandoned").await;
    assert!(view["failure"].as_str().unwrap().contains("declined"), "{view}");
    // The next thing that the station is told is another driver's session.
    pay(&csms, 5.0, "webhook_twice").await;
    told_to_start(&mut station, "Accepted").await;
    assert_eq!(account(&csms, "hold:").await, -5.0);
    sound(&csms).await;
}

#[tokio::test]
async fn a_station_that_refuses_to_start_costs_nothing() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, 10.0, "success").await;
    told_to_start(&mut station, "Rejected").await;
    let view = stage(&csms, &session, "released").await;
    assert!(view["failure"].as_str().unwrap().contains("Rejected"), "{view}");
    returned(&csms, &session, 10.0).await;
    sound(&csms).await;
}

#[tokio::test]
async fn a_session_survives_a_restart_at_every_step() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    for steps in 0..4 {
        let mut csms = start(&database).await;
        let mut station = booted(&csms, "ocpp2.0.1").await;
        let session = pay(&csms, 10.0, "delay").await;
        let transaction = format!("tx-{steps}");
        if steps == 0 {
            // Before the provider has confirmed.
            csms.shut_down(&mut station).await;
            csms = start(&database).await;
            station = csms.station("CS", "ocpp2.0.1").await;
            station.boot("ocpp2.0.1").await;
        }
        let told = told_to_start(&mut station, "Accepted").await;
        for (step, (kind, minute, kwh)) in
            [("Started", 0, 1.0), ("Updated", 10, 6.0), ("Ended", 20, 11.0)].into_iter().enumerate()
        {
            if steps == step + 1 {
                csms.shut_down(&mut station).await;
                csms = start(&database).await;
                station = csms.station("CS", "ocpp2.0.1").await;
                station.boot("ocpp2.0.1").await;
            }
            let mut event = event(kind, i64::try_from(step).unwrap(), minute, kwh, &told);
            event["transactionInfo"]["transactionId"] = json!(transaction);
            station.call("TransactionEvent", event).await;
        }
        stage(&csms, &session, "settled").await;
        returned(&csms, &session, 6.0).await;
        assert_eq!(account(&csms, "revenue").await, -4.0 * f64::from(u32::try_from(steps).unwrap() + 1));
        sound(&csms).await;
        csms.shut_down(&mut station).await;
    }
}

#[tokio::test]
async fn amounts_providers_and_places_that_make_no_sense_are_refused_with_what_to_do() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    let payment = |amount: f64, currency: &str, provider: &str, method: &str| json!({"amount": amount, "currency": currency, "provider": provider, "method": method});
    for (payment, status, words) in [
        (payment(0.001, "EUR", "sandbox", "success"), StatusCode::BAD_REQUEST, "at most 2 decimals"),
        (payment(-5.0, "EUR", "sandbox", "success"), StatusCode::BAD_REQUEST, "pay from"),
        (payment(0.5, "EUR", "sandbox", "success"), StatusCode::BAD_REQUEST, "pay from"),
        (payment(5.0, "EURO", "sandbox", "success"), StatusCode::BAD_REQUEST, "ISO 4217"),
        (payment(5.0, "USD", "sandbox", "success"), StatusCode::BAD_REQUEST, "paid in EUR"),
        (payment(5.0, "EUR", "bank", "success"), StatusCode::BAD_REQUEST, "set it up"),
        (payment(5.0, "EUR", "sandbox", "gold"), StatusCode::BAD_REQUEST, "choose one of"),
    ] {
        let wanted = json!({"station": "CS", "evse": 1, "payment": payment});
        let (answer, problem) = post(&csms, "/api/v1/prepaid-sessions", wanted).await;
        assert_eq!(answer, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    let wanted = json!({"station": "AWAY", "payment": payment(5.0, "EUR", "sandbox", "success")});
    assert_eq!(post(&csms, "/api/v1/prepaid-sessions", wanted.clone()).await.0, StatusCode::NOT_FOUND);
    csms.put("/api/v1/stations/AWAY", json!({"security_profile": 0})).await;
    assert_eq!(post(&csms, "/api/v1/prepaid-sessions", wanted).await.0, StatusCode::CONFLICT);
    assert!(csms.get("/api/v1/payments").await.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_webhook_without_the_right_signature_has_no_effect() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    pay(&csms, 10.0, "webhook_never").await;
    let client = reqwest::Client::new();
    for signature in [None, Some("t=1,v1=00"), Some("nonsense")] {
        let mut request = client.post(csms.url("/api/v1/webhooks/sandbox")).body("{}");
        if let Some(signature) = signature {
            request = request.header("sandbox-signature", signature);
        }
        assert_eq!(request.send().await.unwrap().status(), 400);
    }
    assert_eq!(client.post(csms.url("/api/v1/webhooks/none")).body("{}").send().await.unwrap().status(), 404);
    assert_eq!(csms.server.csms().payments().refused_notifications(), 4);
}

#[tokio::test]
async fn a_tariff_changes_for_the_sessions_that_come_after() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let nobody = (json!({"idToken": "TAG", "type": "ISO14443"}), json!(1));
    station.call("TransactionEvent", event("Started", 0, 0, 0.0, &nobody)).await;
    let tariff = json!({"currency": "EUR", "energy": 1, "tax": {"percent": 20, "included": false}});
    let made = csms.put("/api/v1/tariffs/day", json!({"name": "Day", "tariff": tariff})).await;
    assert_eq!((&made["version"], &made["is_default"]), (&json!(1), &json!(false)));
    csms.put("/api/v1/tariff-assignments/place", json!({"scope": "station", "target": "CS", "tariff": "day"})).await;
    station.call("TransactionEvent", event("Ended", 1, 30, 10.0, &nobody)).await;
    let mut later = event("Started", 0, 31, 10.0, &nobody);
    later["transactionInfo"]["transactionId"] = json!("tx-2");
    station.call("TransactionEvent", later).await;
    let mut end = event("Ended", 1, 50, 20.0, &nobody);
    end["transactionInfo"]["transactionId"] = json!("tx-2");
    station.call("TransactionEvent", end).await;
    let before = csms.get("/api/v1/stations/CS/transactions/tx-1/bill").await;
    assert_eq!((&before["due"], &before["tariff"]), (&json!(4.0), &json!("standard")));
    let after = csms.get("/api/v1/stations/CS/transactions/tx-2/bill").await;
    assert_eq!((&after["due"], &after["bill"]["tax"], &after["tariff"]), (&json!(12.0), &json!(2.0), &json!("day")));
    assert_eq!(csms.request(Method::DELETE, "/api/v1/tariffs/day", None).await.0, StatusCode::CONFLICT);
    for (wrong, words) in [
        (json!([{"from": "00:00", "to": "08:00", "price": 1}]), "Monday from 08:00"),
        (json!([{"price": 1}, {"days": ["mo"], "from": "07:00", "to": "08:00", "price": 2}]), "two prices on"),
        (json!([{"from": "7:00", "price": 1}]), "07:30"),
        (json!(-1), "negative"),
        (json!(2_000_000), "whole units"),
    ] {
        let body = json!({"tariff": {"currency": "EUR", "energy": wrong}});
        let (status, problem) = csms.request(Method::PUT, "/api/v1/tariffs/wrong", Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
}
