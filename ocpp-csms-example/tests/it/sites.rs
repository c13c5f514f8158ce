//! Sites with stations that charge: their power follows the limit, whatever happens.

use ocpp_core::types::Version;
use ocpp_cp::hardware::EvChange;
use ocpp_cp::{Action, Config, Simulator};
use reqwest::{Method, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation, soon};

/// A station with one EVSE, and a car that takes what it gets.
async fn station(csms: &Csms, id: &str) -> Simulator {
    station_of(csms, id, Version::V1_6).await
}

async fn station_of(csms: &Csms, id: &str, version: Version) -> Simulator {
    csms.enter(id).await;
    let url = csms.url("/ocpp").replace("http://", "ws://").parse().unwrap();
    let mut config = Config::new(url, id);
    config.versions = vec![version];
    let station = Simulator::start(config).unwrap();
    soon("the acceptance", station.wait_for(ocpp_cp::State::is_accepted)).await.unwrap();
    station
}

async fn charge(station: &Simulator) {
    let car = EvChange { soc: Some(10.into()), max_power_w: Some(23_000), ..EvChange::default() };
    station.ev(1, car).await.unwrap();
    station.plug(1).await.unwrap();
    station.tap(1, "TAG").await.unwrap();
    let begins = station.wait_for(|state| state.evse(1).is_some_and(|evse| evse.transaction.is_some()));
    soon("a transaction", begins).await.unwrap();
}

/// Waits until a station gives this much power: amperes on three phases of 230 V.
async fn draws(csms: &Csms, station: &Simulator, amperes: u32) {
    // More than 22 kW its hardware cannot.
    let watts = Decimal::from((amperes * 690).min(22_000));
    let reached = station.wait_for(|state| state.evse(1).is_some_and(|evse| evse.power_w == watts));
    if tokio::time::timeout(crate::harness::PATIENCE, reached).await.is_err() {
        let state = station.state().await.unwrap();
        let evse = state.evse(1).unwrap();
        let live = csms.get("/api/v1/sites/garage/live").await;
        panic!("{live:#}\n{} draws {} W within {:?}, not {watts}", state.id, evse.power_w, evse.limit_w);
    }
}

fn site(amperes: u32, stations: &[&str]) -> Value {
    let stations: Vec<Value> = stations.iter().map(|id| json!({"id": id, "maximum_a": 32})).collect();
    json!({"name": "Garage", "limit": {"amperes": amperes}, "stations": stations})
}

fn place<'a>(live: &'a Value, station: &str) -> &'a Value {
    live["places"].as_array().unwrap().iter().find(|place| place["station"] == station).unwrap()
}

/// 1.6 edition 2, 3.13.1: the stations obey the profiles of their sessions.
#[tokio::test]
async fn power_falls_when_a_limit_is_set_and_rises_when_it_is_raised() {
    stations_follow_their_site([Version::V1_6; 3]).await;
}

/// K01.FR.04, K02.FR.04: so do stations of 2.0.1.
#[tokio::test]
async fn power_of_2_0_1_stations_falls_when_a_limit_is_set_and_rises_when_it_is_raised() {
    stations_follow_their_site([Version::V2_0_1; 3]).await;
}

/// K01.FR.04, K02.FR.04: so do stations of 2.1.
#[tokio::test]
async fn power_of_2_1_stations_falls_when_a_limit_is_set_and_rises_when_it_is_raised() {
    stations_follow_their_site([Version::V2_1; 3]).await;
}

#[tokio::test]
async fn stations_of_all_versions_share_one_site() {
    stations_follow_their_site([Version::V1_6, Version::V2_0_1, Version::V2_1]).await;
}

async fn stations_follow_their_site(versions: [Version; 3]) {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut stations = Vec::new();
    for (id, version) in ["CS-1", "CS-2", "CS-3"].into_iter().zip(versions) {
        let station = station_of(&csms, id, version).await;
        charge(&station).await;
        stations.push(station);
    }
    csms.put("/api/v1/sites/garage", site(48, &["CS-1", "CS-2", "CS-3"])).await;
    for station in &stations {
        draws(&csms, station, 16).await;
    }
    let live = csms
        .get_until("/api/v1/sites/garage/live", |live| live["allotted_a"] == 48 && live["overcommitted"] == false)
        .await;
    assert_eq!((&live["limit_a"], &live["reserved_a"]), (&json!(48), &json!(0)), "{live}");
    // One leaves, and the others have its share.
    stations[0].stop(1).await.unwrap();
    for station in &stations[1..] {
        draws(&csms, station, 24).await;
    }
    csms.put("/api/v1/sites/garage", site(20, &["CS-1", "CS-2", "CS-3"])).await;
    for station in &stations[1..] {
        draws(&csms, station, 10).await;
    }
    for station in stations {
        station.shutdown().await;
    }
}

#[tokio::test]
async fn what_an_offline_station_may_draw_is_kept_for_it() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let first = station(&csms, "CS-1").await;
    let second = station(&csms, "CS-2").await;
    charge(&first).await;
    csms.put("/api/v1/sites/garage", site(40, &["CS-1", "CS-2"])).await;
    draws(&csms, &first, 32).await;
    first.act(Action::Network { up: false }).await.unwrap();
    let live = csms.get_until("/api/v1/sites/garage/live", |live| live["reserved_a"] == 32).await;
    assert_eq!(place(&live, "CS-1")["obedience"], "offline", "{live}");
    charge(&second).await;
    draws(&csms, &second, 8).await;
    // It draws what it was told, and so do both of them together when it is there again.
    draws(&csms, &first, 32).await;
    first.act(Action::Network { up: true }).await.unwrap();
    draws(&csms, &first, 20).await;
    draws(&csms, &second, 20).await;
    let live = csms.get_until("/api/v1/sites/garage/live", |live| live["reserved_a"] == 0).await;
    assert_eq!(live["overcommitted"], false, "{live}");
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test]
async fn a_signal_lowers_the_power_at_once_and_may_be_changed_and_taken_back() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let station = station(&csms, "CS-1").await;
    charge(&station).await;
    csms.put("/api/v1/sites/garage", site(30, &["CS-1"])).await;
    draws(&csms, &station, 30).await;
    let now = jiff::Timestamp::now();
    let until = now + jiff::SignedDuration::from_hours(1);
    let signal =
        |percent: u32| json!({"sites": ["garage"], "limit": {"percent": percent}, "from": now, "until": until});
    let (status, _) = csms.request(Method::PUT, "/api/v1/demand-response/peak", Some(signal(50))).await;
    assert_eq!(status, StatusCode::CREATED);
    draws(&csms, &station, 15).await;
    let (status, _) = csms.request(Method::PUT, "/api/v1/demand-response/peak", Some(signal(50))).await;
    assert_eq!(status, StatusCode::OK, "the same again");
    csms.put("/api/v1/demand-response/peak", signal(40)).await;
    draws(&csms, &station, 12).await;
    let live = csms.get_until("/api/v1/sites/garage/live", |live| live["limit_a"] == 12).await;
    assert_eq!(live["signals"], json!(["peak"]));
    csms.request(Method::DELETE, "/api/v1/demand-response/peak", None).await;
    draws(&csms, &station, 30).await;
    // One that ends by itself.
    let short = json!({"sites": ["garage"], "limit": {"amperes": 10}, "from": now,
        "until": jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4)});
    csms.put("/api/v1/demand-response/short", short).await;
    draws(&csms, &station, 10).await;
    draws(&csms, &station, 30).await;
    station.shutdown().await;
}

#[tokio::test]
async fn what_stations_were_told_is_remembered_by_a_server_that_restarts() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = Csms::start_with(&database, |_| {}).await;
    let station = station(&csms, "CS-1").await;
    charge(&station).await;
    csms.put("/api/v1/sites/garage", site(20, &["CS-1"])).await;
    draws(&csms, &station, 20).await;
    csms.get_until("/api/v1/sites/garage/live", |live| place(live, "CS-1")["default_a"] == 6).await;
    csms.server.shut_down().await;
    station.shutdown().await;
    let csms = Csms::start_with(&database, |_| {}).await;
    let live = csms.get_until("/api/v1/sites/garage/live", |live| live["places"].is_array()).await;
    assert_eq!((&live["reserved_a"], &place(&live, "CS-1")["obedience"]), (&json!(20), &json!("offline")), "{live}");
}

/// 1.6 errata 3.39: all that it can draw is kept for it.
#[tokio::test]
async fn a_station_without_smart_charging_keeps_all_that_it_can_draw() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("OLD").await;
    let mut old = csms.station("OLD", "ocpp1.6").await;
    old.boot("ocpp1.6").await;
    csms.put("/api/v1/sites/garage", site(63, &["OLD"])).await;
    loop {
        let frame = old.frame().await;
        if frame[2] == "ClearChargingProfile" {
            old.send_text(json!([4, frame[1], "NotSupported", "", {}]).to_string()).await;
            break;
        }
        old.answer(frame[1].as_str().unwrap(), json!({"configurationKey": [], "unknownKey": []})).await;
    }
    let live =
        csms.get_until("/api/v1/sites/garage/live", |live| place(live, "OLD")["obedience"] == "unsupported").await;
    assert_eq!((&live["reserved_a"], &place(&live, "OLD")["reason"]), (&json!(32), &json!("NotSupported")), "{live}");
}

/// Answers whatever is asked, until a profile of this purpose comes: its current.
async fn until_profile(station: &mut RawStation, purpose: &str) -> (String, Value) {
    loop {
        let frame = station.frame().await;
        let (id, action) = (frame[1].as_str().unwrap().to_owned(), frame[2].as_str().unwrap().to_owned());
        let profile = &frame[3]["csChargingProfiles"];
        if action == "SetChargingProfile" && profile["chargingProfilePurpose"] == purpose {
            return (id, frame[3].clone());
        }
        let answer = match action.as_str() {
            "GetConfiguration" => json!({"configurationKey": [
                {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": true, "value": "Current"},
                {"key": "ChargeProfileMaxStackLevel", "readonly": true, "value": "7"}]}),
            _ => json!({"status": "Accepted"}),
        };
        station.answer(&id, answer).await;
    }
}

fn current(payload: &Value) -> f64 {
    payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64().unwrap()
}

async fn start(station: &mut RawStation) {
    let now = jiff::Timestamp::now();
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": now});
    let answer = station.call("StartTransaction", start).await;
    assert_eq!(answer["idTagInfo"]["status"], "Accepted");
}

#[tokio::test]
async fn a_raise_is_not_sent_before_the_decrease_it_depends_on_was_accepted() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for id in ["CS-1", "CS-2"] {
        csms.enter(id).await;
    }
    let mut first = csms.station("CS-1", "ocpp1.6").await;
    let mut second = csms.station("CS-2", "ocpp1.6").await;
    first.boot("ocpp1.6").await;
    second.boot("ocpp1.6").await;
    start(&mut first).await;
    let mut site = site(32, &["CS-1", "CS-2"]);
    for station in site["stations"].as_array_mut().unwrap() {
        station["offline_a"] = json!(0);
    }
    csms.put("/api/v1/sites/garage", site).await;
    let (id, default) = until_profile(&mut second, "TxDefaultProfile").await;
    assert_eq!((current(&default), &default["csChargingProfiles"]["stackLevel"]), (0.0, &json!(7)));
    second.answer(&id, json!({"status": "Accepted"})).await;
    // 1.6 edition 2, 5.16: the profile of a transaction names it.
    let (id, profile) = until_profile(&mut first, "TxProfile").await;
    assert_eq!(current(&profile), 32.0);
    assert!(profile["csChargingProfiles"]["transactionId"].is_i64(), "{profile}");
    first.answer(&id, json!({"status": "Accepted"})).await;
    let (id, default) = until_profile(&mut first, "TxDefaultProfile").await;
    assert_eq!(current(&default), 0.0);
    first.answer(&id, json!({"status": "Accepted"})).await;
    start(&mut second).await;
    let (decrease, profile) = until_profile(&mut first, "TxProfile").await;
    assert_eq!(current(&profile), 16.0);
    let live = csms.get_until("/api/v1/sites/garage/live", |live| place(live, "CS-2")["planned_a"] == 16).await;
    assert_eq!(place(&live, "CS-2")["may_draw_a"], 0, "{live}");
    // What was refused stays reserved; nothing is left for the second.
    first.answer(&decrease, json!({"status": "Rejected"})).await;
    let live = csms.get_until("/api/v1/sites/garage/live", |live| place(live, "CS-1")["obedience"] == "waiting").await;
    assert_eq!((&live["reserved_a"], &place(&live, "CS-2")["planned_a"]), (&json!(32), &json!(0)), "{live}");
    // It is asked again, and accepts.
    let (decrease, profile) = until_profile(&mut first, "TxProfile").await;
    assert_eq!(current(&profile), 16.0);
    first.answer(&decrease, json!({"status": "Accepted"})).await;
    let (_, raise) = until_profile(&mut second, "TxProfile").await;
    assert_eq!(current(&raise), 16.0);
}

#[tokio::test]
async fn prices_are_imported_as_a_whole_or_not_at_all() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let import = |kind: &'static str, body: &'static str| {
        let request = reqwest::Client::new()
            .put(csms.url("/api/v1/prices/ES?currency=EUR&unit=MWh"))
            .bearer_auth(crate::harness::TOKEN)
            .header("content-type", kind)
            .body(body);
        async move {
            let response = request.send().await.unwrap();
            (response.status(), response.json::<Value>().await.unwrap())
        }
    };
    let csv = "start,price\n2026-06-01T00:00:00Z,98.40\n2026-06-01T01:00:00Z,50\n";
    let (status, imported) = import("text/csv", csv).await;
    assert_eq!((status, &imported["slots"]), (StatusCode::OK, &json!(2)), "{imported}");
    let hole = "start,price\n2026-06-01T00:00:00Z,1\n2026-06-01T01:00:00Z,1\n2026-06-01T03:00:00Z,1\n";
    let (status, problem) = import("text/csv", hole).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("line 4: there is no price from 2026-06-01T02:00:00Z until"), "{detail}");
    let span = "/api/v1/prices/ES?from=2026-06-01T00:00:00Z&until=2026-06-02T00:00:00Z";
    let prices = csms.get(span).await;
    assert_eq!(
        prices[0],
        json!({"from": "2026-06-01T00:00:00Z", "until": "2026-06-01T01:00:00Z", "price": 0.0984, "currency": "EUR"})
    );
    let json = r#"{"slots": [{"start": "2026-06-01T01:00:00Z", "end": "2026-06-01T01:15:00Z", "price": 10}]}"#;
    assert_eq!(import("application/json", json).await.0, StatusCode::OK);
    let prices = csms.get(span).await;
    assert_eq!(prices.as_array().unwrap().len(), 2, "the hour that overlaps is replaced: {prices}");
    assert_eq!(import("text/plain", csv).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_site_that_makes_no_sense_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let put = |path: &'static str, body: Value| csms.request(Method::PUT, path, Some(body));
    csms.enter("CS-1").await;
    let (status, problem) = put("/api/v1/sites/garage", site(32, &["NOBODY"])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("no station \"NOBODY\": enter it first"), "{problem}");
    csms.put("/api/v1/sites/garage", site(32, &["CS-1"])).await;
    let (status, problem) = put("/api/v1/sites/other", site(32, &["CS-1"])).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(problem["detail"].as_str().unwrap().contains("is in the site \"garage\" already"), "{problem}");
    let mut wrong = site(32, &["CS-1"]);
    wrong["groups"] = json!([{"id": "row", "limit": {"amperes": 40}}]);
    let (status, problem) = put("/api/v1/sites/garage", wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("the group \"row\" allows 40 A, the site 32 A"), "{problem}");
    assert!(csms.get("/api/v1/sites/garage").await["groups"].as_array().unwrap().is_empty());
    let (status, _) = csms.request(Method::GET, "/api/v1/sites/other", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let signal = json!({"sites": ["nowhere"], "limit": {"watts": 1}, "from": "2026-06-01T01:00:00Z", "until": "2026-06-01T00:00:00Z"});
    let (status, problem) = put("/api/v1/demand-response/S", signal).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("before it begins") && detail.contains("no site \"nowhere\""), "{detail}");
}

/// K15.FR.05: the needs of a vehicle are planned for, and its profile follows.
#[tokio::test]
async fn a_vehicle_that_tells_what_it_needs_gets_a_plan() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-1").await;
    let mut site = site(32, &["CS-1"]);
    site["prices"] = json!({"zone": "ES", "rule": "cheapest", "departure": "07:00", "energy_wh": 20_000});
    csms.put("/api/v1/sites/garage", site).await;
    let mut station = csms.station("CS-1", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let now = jiff::Timestamp::now();
    let started = json!({"eventType": "Started", "timestamp": now, "triggerReason": "Authorized", "seqNo": 0,
        "transactionInfo": {"transactionId": "T-1", "chargingState": "Charging"}, "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": "TAG", "type": "ISO14443"}});
    station.call("TransactionEvent", started).await;
    let departure = now + jiff::SignedDuration::from_hours(3);
    let needs = json!({"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "AC_three_phase", "departureTime": departure,
        "acChargingParameters": {"energyAmount": 8_000, "evMinCurrent": 6, "evMaxCurrent": 10, "evMaxVoltage": 400}}});
    assert_eq!(station.call("NotifyEVChargingNeeds", needs).await["status"], "Processing");
    let profile = loop {
        let frame = station.frame().await;
        let id = frame[1].as_str().unwrap().to_owned();
        let profile = frame[3]["chargingProfile"].clone();
        if frame[2] == "GetVariables" {
            let unknown = |asked: &Value| json!({"component": asked["component"], "variable": asked["variable"], "attributeStatus": "UnknownVariable"});
            let results: Vec<Value> = frame[3]["getVariableData"].as_array().unwrap().iter().map(unknown).collect();
            station.answer(&id, json!({"getVariableResult": results})).await;
            continue;
        }
        station.answer(&id, json!({"status": "Accepted"})).await;
        let periods = &profile["chargingSchedule"][0]["chargingSchedulePeriod"];
        if profile["chargingProfilePurpose"] == "TxProfile" && periods[0]["limit"] == 10.0 {
            break profile;
        }
    };
    assert_eq!(profile["transactionId"], "T-1", "{profile}");
    let target = json!({"departure": departure, "energy_wh": 0, "priority": 9});
    csms.put("/api/v1/stations/CS-1/transactions/T-1/charging-target", target).await;
    let live = csms.get_until("/api/v1/sites/garage/live", |live| place(live, "CS-1")["planned_a"] == 6).await;
    assert_eq!(place(&live, "CS-1")["session"], "T-1");
}
