//! What stations show of prices, each version in its own way; and what a vehicle that only stands there costs.

use serde_json::{Value, json};

use crate::access_people::driver;
use crate::harness::{Csms, Folder, RawStation};
use crate::money::{booted, tariff};

const WITH_IDLE_FEE: &str = r#"{"currency": "EUR", "energy": 0.4, "idle": 6, "grace_minutes": 10}"#;

/// The bill of the only session, by its lines.
async fn lines(csms: &Csms, transaction: &Value) -> Vec<(String, f64)> {
    let id = transaction.as_str().map_or_else(|| transaction.to_string(), str::to_owned);
    let bill = csms.get(&format!("/api/v1/stations/CS/transactions/{id}/bill")).await;
    let lines = bill["bill"]["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["item"].as_str().unwrap().to_owned(), line["amount"].as_f64().unwrap())).collect()
}

/// A vehicle that takes nothing any more pays after ten minutes of grace, each time; one that has not begun, or that the station holds
/// back, does not.
#[tokio::test]
async fn an_idle_vehicle_pays_after_the_grace_and_one_that_is_held_back_does_not() {
    for subprotocol in ["ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        tariff(&csms, WITH_IDLE_FEE).await;
        let steps = [
            ("Started", "10:00", "EVConnected", 0.0),
            ("Updated", "10:15", "Charging", 0.0),
            ("Updated", "10:35", "SuspendedEV", 10.0),
            // 20 minutes, of which 10 are free.
            ("Updated", "10:55", "Charging", 10.0),
            ("Updated", "11:00", "SuspendedEVSE", 10.0),
            ("Updated", "11:30", "SuspendedEV", 10.0),
            // 9 minutes, all of them free.
            ("Updated", "11:39", "Charging", 10.0),
            ("Updated", "11:40", "SuspendedEV", 10.0),
            // 30 minutes, of which 10 are free.
            ("Ended", "12:10", "EVConnected", 10.0),
        ];
        for (number, (kind, time, state, kwh)) in steps.into_iter().enumerate() {
            let at = format!("2026-06-01T{time}:00Z");
            let mut event = json!({"eventType": kind, "timestamp": at, "triggerReason": "ChargingStateChanged", "seqNo": number,
                "transactionInfo": {"transactionId": "tx-1", "chargingState": state}, "evse": {"id": 1, "connectorId": 1},
                "meterValue": [{"timestamp": at, "sampledValue": [{"value": kwh, "unitOfMeasure": {"unit": "kWh"}}]}]});
            if number == 0 {
                event["idToken"] = json!({"idToken": "TAG", "type": "ISO14443"});
            }
            let answer = station.call("TransactionEvent", event).await;
            if kind == "Ended" {
                assert_eq!(answer["totalCost"], 7.0, "{subprotocol}");
            }
        }
        assert_eq!(lines(&csms, &json!("tx-1")).await, [("energy".to_owned(), 4.0), ("idle".to_owned(), 3.0)]);
    }
}

#[tokio::test]
async fn an_idle_vehicle_at_a_station_of_1_6_pays_by_the_state_of_its_connector() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp1.6").await;
    tariff(&csms, WITH_IDLE_FEE).await;
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-06-01T10:00:00Z"});
    let transaction = station.call("StartTransaction", start).await["transactionId"].clone();
    let states = [
        ("10:00", "Preparing"),
        ("10:15", "Charging"),
        ("10:35", "SuspendedEV"),
        ("10:55", "Charging"),
        ("11:00", "SuspendedEVSE"),
        ("11:30", "SuspendedEV"),
        ("11:39", "Charging"),
        ("11:40", "SuspendedEV"),
    ];
    for (time, state) in states {
        let at = format!("2026-06-01T{time}:00Z");
        let status = json!({"connectorId": 1, "errorCode": "NoError", "status": state, "timestamp": at});
        station.call("StatusNotification", status).await;
    }
    let stop = json!({"transactionId": transaction, "meterStop": 10_000, "timestamp": "2026-06-01T12:10:00Z"});
    station.call("StopTransaction", stop).await;
    assert_eq!(lines(&csms, &transaction).await, [("energy".to_owned(), 4.0), ("idle".to_owned(), 3.0)]);
}

/// The next call of this action, answered; others are answered as well.
async fn shown(station: &mut RawStation, action: &str, answer: Value) -> Value {
    loop {
        let frame = station.frame().await;
        assert_eq!(frame[0], 2, "{frame}");
        let id = frame[1].as_str().unwrap().to_owned();
        if frame[2] == action {
            station.answer(&id, answer).await;
            return frame[3].clone();
        }
        station.send_text(json!([4, id, "NotImplemented", "", {}]).to_string()).await;
    }
}

fn fraction(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// I01.FR.02, I02.FR.01, I07.FR.01: a station of 2.1 that calculates costs is given the tariff, and a new one when it changes.
#[tokio::test]
async fn a_station_of_2_1_is_given_the_tariff_and_the_growing_cost() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.inventory = Some(false)).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    tariff(&csms, r#"{"currency": "EUR", "energy": 0.4, "tax": {"percent": 25, "included": true}}"#).await;
    says(&csms, &mut station, "TariffCostCtrlr.Enabled.Tariff", "true").await;
    station.boot("ocpp2.1").await;
    let given = shown(&mut station, "SetDefaultTariff", json!({"status": "Accepted"})).await;
    assert_eq!((&given["evseId"], &given["tariff"]["currency"]), (&json!(0), &json!("EUR")));
    assert_eq!(given["tariff"]["tariffId"], "here-v1");
    // Without the tax, which stands beside it.
    let energy = &given["tariff"]["energy"];
    assert!((fraction(&energy["prices"][0]["priceKwh"]) - 0.32).abs() < 1e-9, "{given}");
    assert!((fraction(&energy["taxRates"][0]["tax"]) - 25.0).abs() < 1e-9, "{given}");
    let new = json!({"name": "Here", "tariff": {"currency": "EUR", "energy": 0.5}});
    csms.put("/api/v1/tariffs/here", new).await;
    let given = shown(&mut station, "SetDefaultTariff", json!({"status": "Accepted"})).await;
    assert_eq!(given["tariff"]["tariffId"], "here-v2");
}

/// I02.FR.01: where time costs money, what a session costs is told without anything being reported.
#[tokio::test]
async fn a_cost_that_grows_by_time_is_told_again_and_again() {
    for subprotocol in ["ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.cost_messages.interval = 1).await;
        let mut station = booted(&csms, subprotocol).await;
        tariff(&csms, r#"{"currency": "EUR", "time": 3600, "charge_without_energy": true}"#).await;
        says(&csms, &mut station, "TariffCostCtrlr.Enabled", "true").await;
        station.boot(subprotocol).await;
        let accepted = json!({"setVariableResult": [{"attributeStatus": "Accepted", "component": {"name": "TariffCostCtrlr"},
            "variable": {"name": "TariffFallbackMessage"}}]});
        shown(&mut station, "SetVariables", accepted).await;
        let began = jiff::Timestamp::now();
        station
            .call(
                "TransactionEvent",
                json!({"eventType": "Started", "timestamp": began.to_string(), "triggerReason": "Authorized", "seqNo": 0,
                    "transactionInfo": {"transactionId": "tx-1"}, "evse": {"id": 1, "connectorId": 1}}),
            )
            .await;
        let mut last = 0.0;
        for _ in 0..2 {
            let told = shown(&mut station, "CostUpdated", json!({})).await;
            assert_eq!(told["transactionId"], "tx-1");
            // 1 EUR a second.
            let cost = fraction(&told["totalCost"]);
            let seconds = jiff::Timestamp::now().duration_since(began).as_secs_f64();
            assert!(cost > last && cost <= seconds + 0.01, "{cost} after {last}, {seconds} s");
            last = cost;
        }
    }
}

/// I01.FR.02: a station of 2.0.1 shows a text; one that says it shows nothing is told nothing.
#[tokio::test]
async fn a_station_of_2_0_1_is_told_the_price_in_words_if_it_shows_prices() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    says(&csms, &mut station, "TariffCostCtrlr.Enabled", "false").await;
    station.boot("ocpp2.0.1").await;
    // The next call that it gets is another one.
    says(&csms, &mut station, "TariffCostCtrlr.Enabled", "true").await;
    station.boot("ocpp2.0.1").await;
    let answer = json!({"setVariableResult": [{"attributeStatus": "Accepted", "component": {"name": "TariffCostCtrlr"},
        "variable": {"name": "TariffFallbackMessage"}}]});
    let set = shown(&mut station, "SetVariables", answer).await;
    let set = &set["setVariableData"][0];
    assert_eq!(
        (&set["variable"]["name"], &set["attributeValue"]),
        (&json!("TariffFallbackMessage"), &json!("0.4 EUR/kWh"))
    );
}

/// As the white paper on prices names it, or as the operator says.
#[tokio::test]
async fn a_station_of_1_6_is_told_the_price_and_the_cost_by_data_transfer() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.inventory = Some(true);
        file.cost_messages.final_cost = "TheEnd".to_owned();
    })
    .await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    // Nobody has asked it yet whether it shows prices.
    let key = json!([{"key": "CustomDisplayCostAndPrice", "readonly": true, "value": "true"}]);
    let asked = shown(&mut station, "GetConfiguration", json!({"configurationKey": key})).await;
    assert_eq!(asked, json!({"key": ["CustomDisplayCostAndPrice"]}));
    let price = shown(&mut station, "ChangeConfiguration", json!({"status": "Accepted"})).await;
    assert_eq!(price["key"], "DefaultPrice");
    let text: Value = serde_json::from_str(price["value"].as_str().unwrap()).unwrap();
    assert_eq!(text, json!({"priceText": "0.4 EUR/kWh"}));
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-06-01T10:00:00Z"});
    let transaction = station.call("StartTransaction", start).await["transactionId"].clone();
    let values = json!({"connectorId": 1, "transactionId": transaction,
        "meterValue": [{"timestamp": "2026-06-01T10:10:00Z", "sampledValue": [{"value": "5000"}]}]});
    station.call("MeterValues", values).await;
    let data = |call: &Value| serde_json::from_str::<Value>(call["data"].as_str().unwrap()).unwrap();
    let running = shown(&mut station, "DataTransfer", json!({"status": "Accepted"})).await;
    assert_eq!(
        (&running["vendorId"], &running["messageId"]),
        (&json!("org.openchargealliance.costmsg"), &json!("RunningCost"))
    );
    assert_eq!(
        data(&running),
        json!({"transactionId": transaction, "timestamp": "2026-06-01T10:10:00Z", "meterValue": 5000, "cost": 2.0, "state": "Charging"})
    );
    let stop = json!({"transactionId": transaction, "meterStop": 10_000, "timestamp": "2026-06-01T10:20:00Z"});
    station.call("StopTransaction", stop).await;
    let last = shown(&mut station, "DataTransfer", json!({"status": "Accepted"})).await;
    assert_eq!(last["messageId"], "TheEnd");
    assert_eq!(data(&last), json!({"transactionId": transaction, "cost": 4.0, "priceText": "4.00 EUR"}));
}

/// Has a station of 2.x tell a variable, as it would with all others after its first boot.
async fn says(csms: &Csms, station: &mut RawStation, name: &str, value: &str) {
    let operation = json!({"operation": "get_configuration", "names": [name]});
    let (status, begun) = csms.request(reqwest::Method::POST, "/api/v1/stations/CS/operations", Some(operation)).await;
    assert!(status.is_success(), "{begun}");
    let (id, call) = station.expect_call("GetVariables").await;
    let asked = &call["getVariableData"][0];
    let answer = json!({"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": value,
        "component": asked["component"], "variable": asked["variable"]}]});
    station.answer(&id, answer).await;
    let path = format!("/api/v1/operations/{}", begun["id"].as_str().unwrap());
    csms.get_until(&path, |operation| operation["state"] != "running").await;
}

/// Whoever is signed in as a driver sees what a subscription took off.
#[tokio::test]
async fn a_subscription_is_charged_by_the_month_and_takes_off_what_it_includes() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (id, _) = driver(&csms, "ada@example.org", "balance").await;
    let plan = json!({"name": "Monthly", "currency": "EUR", "fee": 10, "tax_percent": 20, "included_kwh": 5, "discount_percent": 50});
    csms.put("/api/v1/plans/monthly", plan.clone()).await;
    let put = async |path: &str, body: Value| csms.request(reqwest::Method::PUT, path, Some(body)).await;
    for (path, body, status, words) in [
        ("/api/v1/plans/monthly", plan.clone(), 409, "another id"),
        ("/api/v1/plans/x", json!({"name": "X", "currency": "EURO", "fee": 1}), 400, "ISO 4217"),
        ("/api/v1/plans/x", json!({"name": "X", "currency": "EUR", "fee": 1.005}), 400, "decimals"),
        ("/api/v1/plans/x", json!({"name": "X", "currency": "EUR", "fee": -1}), 400, "at least 0"),
        ("/api/v1/plans/x", json!({"name": "X", "currency": "EUR", "fee": 1, "tax_percent": 101}), 400, "0 to 100"),
        ("/api/v1/plans/x", json!({"name": "X", "currency": "EUR", "fee": 1, "included_kwh": -1}), 400, "included_kwh"),
    ] {
        let (answered, problem) = put(path, body).await;
        assert_eq!(answered.as_u16(), status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    let path = format!("/api/v1/drivers/{id}/subscription");
    assert_eq!(put(&path, json!({"plan": "none"})).await.0, 409);
    csms.put(&path, json!({"plan": "monthly"})).await;
    assert_eq!(put(&path, json!({"plan": "monthly"})).await.0, 409);
    // 10 EUR and 20 % of tax are owed.
    let balance = csms.get(&format!("/api/v1/drivers/{id}/balance")).await;
    assert_eq!(balance, json!([{"currency": "EUR", "balance": -12.0}]));
    csms.put("/api/v1/tokens/ADA", json!({"driver": id})).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    // 8 kWh: 5 are included, and of the 1.20 EUR for the others half is taken off.
    for (number, (kind, kwh)) in [("Started", 0.0), ("Ended", 8.0)].into_iter().enumerate() {
        let at = format!("2026-06-01T10:{number}0:00Z");
        let event = json!({"eventType": kind, "timestamp": at, "triggerReason": "Authorized", "seqNo": number,
            "transactionInfo": {"transactionId": "tx-1"}, "evse": {"id": 1, "connectorId": 1},
            "idToken": {"idToken": "ADA", "type": "ISO14443"},
            "meterValue": [{"timestamp": at, "sampledValue": [{"value": kwh, "unitOfMeasure": {"unit": "kWh"}}]}]});
        station.call("TransactionEvent", event).await;
        if number == 0 {
            // It may not charge, with nothing on the balance; the station went on all the same.
            let (call, _) = station.expect_call("RequestStopTransaction").await;
            station.answer(&call, json!({"status": "Accepted"})).await;
        }
    }
    let billed = lines(&csms, &json!("tx-1")).await;
    let expected = [("energy", 3.2), ("included", -2.0), ("discount", -0.6)];
    assert_eq!(billed, expected.map(|(item, amount)| (item.to_owned(), amount)));
    let balance = csms.get(&format!("/api/v1/drivers/{id}/balance")).await;
    assert_eq!(balance, json!([{"currency": "EUR", "balance": -12.6}]));
    let cancelled = csms.request(reqwest::Method::DELETE, &path, None).await;
    assert_eq!(cancelled.0, 204);
    assert_eq!(csms.request(reqwest::Method::DELETE, &path, None).await.0, 404);
    crate::money::sound(&csms).await;
}
