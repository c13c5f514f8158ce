//! Money from the payment to the receipt: prepaid sessions of guests and drivers, restarts in between, and the ledger after it all.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};
use crate::place;

pub async fn start(database: &Path) -> Csms {
    Csms::start_with(database, |file| file.payments.sandbox = Some(true)).await
}

pub async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

pub async fn post(csms: &Csms, path: &str, body: Value) -> (StatusCode, Value) {
    csms.request(Method::POST, path, Some(body)).await
}

/// A guest pays through the sandbox; the id of the session.
pub async fn pay(csms: &Csms, amount: f64, method: &str) -> String {
    let payment = json!({"amount": amount, "currency": "EUR", "provider": "sandbox", "method": method});
    let wanted = json!({"station": "CS", "evse": 1, "payment": payment});
    let (status, session) = post(csms, "/api/v1/prepaid-sessions", wanted).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{session}");
    session["id"].as_str().unwrap().to_owned()
}

pub async fn stage(csms: &Csms, session: &str, expected: &str) -> Value {
    csms.get_until(&format!("/api/v1/prepaid-sessions/{session}"), |view| view["stage"] == expected).await
}

pub async fn sound(csms: &Csms) {
    let check = csms.get("/api/v1/ledger/check").await;
    assert_eq!(check["balanced"], true, "{check}");
    let accounts = csms.get("/api/v1/ledger/accounts").await;
    let sum: f64 = accounts.as_array().unwrap().iter().map(|account| account["balance"].as_f64().unwrap()).sum();
    assert!(sum.abs() < 1e-6, "{accounts}");
}

pub async fn account(csms: &Csms, name: &str) -> f64 {
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
pub async fn told_to_start(station: &mut RawStation, status: &str) -> (Value, Value) {
    let (id, call) = station.expect_call("RequestStartTransaction").await;
    station.answer(&id, json!({"status": status})).await;
    (call["idToken"].clone(), call["remoteStartId"].clone())
}

pub fn event(kind: &str, seq: i64, minute: i64, kwh: f64, start: &(Value, Value)) -> Value {
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
        // Only before the first step is the provider waited for.
        let session = pay(&csms, 10.0, if steps == 0 { "delay" } else { "success" }).await;
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

/// At 0.50 EUR a second.
const BY_TIME: &str = r#"{"currency": "EUR", "time": 1800, "charge_without_energy": true}"#;
/// At 10 EUR a second, when the vehicle takes no energy any more.
const BY_IDLENESS: &str = r#"{"currency": "EUR", "energy": 0.4, "idle": 36000}"#;

/// A tariff that holds at the station.
pub async fn tariff(csms: &Csms, tariff: &str) {
    let tariff: Value = serde_json::from_str(tariff).unwrap();
    csms.put("/api/v1/tariffs/here", json!({"name": "Here", "tariff": tariff})).await;
    csms.put("/api/v1/tariff-assignments/place", json!({"scope": "station", "target": "CS", "tariff": "here"})).await;
}

#[tokio::test]
async fn a_session_whose_time_costs_money_stops_by_the_clock() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    tariff(&csms, BY_TIME).await;
    let session = pay(&csms, 3.0, "success").await;
    let start = told_to_start(&mut station, "Accepted").await;
    // Its clock is months behind, and it says nothing more.
    station.call("TransactionEvent", event("Started", 0, 0, 1.0, &start)).await;
    let (id, call) = station.expect_call("RequestStopTransaction").await;
    assert_eq!(call["transactionId"], "tx-1");
    station.answer(&id, json!({"status": "Accepted"})).await;
    let mut ended = event("Ended", 1, 0, 1.0, &start);
    ended["timestamp"] = json!("2026-06-01T10:00:05.500Z");
    station.call("TransactionEvent", ended).await;
    stage(&csms, &session, "settled").await;
    returned(&csms, &session, 0.25).await;
    sound(&csms).await;
}

#[tokio::test]
async fn an_idle_vehicle_is_stopped_when_all_of_its_drivers_balance_is_used_up() {
    let folder = Folder::new();
    let csms = start(&folder.file("csms.sqlite")).await;
    let (driver, _) = crate::access_people::driver(&csms, "ada@example.org", "balance").await;
    csms.enter("CS").await;
    csms.put("/api/v1/tokens/ADA", json!({"driver": driver})).await;
    let top_up = json!({"amount": 25, "currency": "EUR", "provider": "sandbox", "method": "success"});
    post(&csms, &format!("/api/v1/drivers/{driver}/top-ups"), top_up).await;
    csms.get_until("/api/v1/ledger/accounts?prefix=driver", |accounts| accounts[0]["balance"] == -25.0).await;
    tariff(&csms, BY_IDLENESS).await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let at = |second: u32| format!("2026-06-01T10:00:{second:02}Z");
    let start = json!({"connectorId": 1, "idTag": "ADA", "meterStart": 0, "timestamp": at(0)});
    let transaction = station.call("StartTransaction", start).await["transactionId"].clone();
    let status = |status: &str, second: u32| json!({"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": at(second)});
    station.call("StatusNotification", status("Charging", 1)).await;
    let values = json!({"connectorId": 1, "transactionId": transaction, "meterValue": [{"timestamp": at(2), "sampledValue": [{"value": "5000"}]}]});
    station.call("MeterValues", values).await;
    // 2 EUR until here; the first 20 EUR were set aside, and the rest is when they are used up.
    station.call("StatusNotification", status("SuspendedEV", 3)).await;
    let (id, call) = station.expect_call("RemoteStopTransaction").await;
    assert_eq!(call["transactionId"], transaction);
    assert_eq!(account(&csms, "hold:").await, -25.0);
    station.answer(&id, json!({"status": "Accepted"})).await;
    let stop = json!({"transactionId": transaction, "idTag": "ADA", "meterStop": 5000, "timestamp": at(5)});
    station.call("StopTransaction", stop).await;
    let session = format!("/api/v1/stations/CS/transactions/{transaction}/bill");
    assert_eq!(csms.get_until(&session, |bill| bill["due"].is_number()).await["due"], 22.0);
    assert_eq!((account(&csms, "driver:").await, account(&csms, "hold:").await), (-3.0, 0.0));
    sound(&csms).await;
}

#[tokio::test]
async fn the_ledger_is_checked_by_a_command_that_fails_where_it_is_wrong() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = start(&database).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, 10.0, "success").await;
    let told = told_to_start(&mut station, "Accepted").await;
    station.call("TransactionEvent", event("Started", 0, 0, 1.0, &told)).await;
    station.call("TransactionEvent", event("Ended", 1, 20, 11.0, &told)).await;
    stage(&csms, &session, "settled").await;
    returned(&csms, &session, 6.0).await;
    csms.server.shut_down().await;
    let address = place::address(&database).await;
    let check = |database: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ocpp-csms"))
            .args(["ledger", "check", "--database", database])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (is_right, text) = check(&address);
    assert!(is_right && text.contains("is right"), "{text}");
    for (wrong, right, words) in [
        (
            "UPDATE ledger_balances SET amount = amount + 1 WHERE account = 'revenue'",
            "UPDATE ledger_balances SET amount = amount - 1 WHERE account = 'revenue'",
            "accounts whose balance is not what their entries come to: revenue",
        ),
        (
            "UPDATE ledger_postings SET amount = amount + 1 WHERE account = 'revenue'",
            "UPDATE ledger_postings SET amount = amount - 1 WHERE account = 'revenue'",
            "entries whose amounts do not add up to zero: settle:",
        ),
        (
            "UPDATE bills SET net = net + 1",
            "UPDATE bills SET net = net - 1",
            "accounts that are not what the bills come to: revenue",
        ),
        (
            "UPDATE prepaid_sessions SET stage = 'held'",
            "UPDATE prepaid_sessions SET stage = 'settled'",
            "money set aside for a session that is over, or not for one that is not: hold:",
        ),
        (
            "UPDATE payments SET capture = 'open'",
            "UPDATE payments SET capture = 'none'",
            "payments kept ready for a session that is over: ",
        ),
        (
            "UPDATE payment_refunds SET id = 'x' || id",
            "UPDATE payment_refunds SET id = substr(id, 2)",
            "bills and payments without their entry: pay-out:x",
        ),
        (
            "UPDATE prepaid_sessions SET station = 'x'",
            "UPDATE prepaid_sessions SET station = 'CS'",
            "bills and payments without their entry: bill:CS/tx-1",
        ),
    ] {
        place::run(&database, wrong).await;
        let (is_right, text) = check(&address);
        assert!(!is_right && text.contains(words), "{words}: {text}");
        place::run(&database, right).await;
        assert!(check(&address).0, "{wrong}");
    }
    let (is_right, text) = check("/nowhere/at/all/csms.sqlite");
    assert!(!is_right && text.contains("does not exist"), "{text}");
}
