//! Outages, power cuts and restarts: no transaction is lost, and none is told twice.

use std::path::PathBuf;

use ocpp_core::types::Version;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::bench::{Bench, VERSIONS};

#[tokio::test]
async fn a_session_that_ends_without_network_is_told_when_the_network_is_back() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        bench.post("/network", json!({"up": false})).await;
        bench.csms.until("the connection is gone", |seen| seen.closed == 1).await;
        let state = bench.get("/state").await;
        assert_eq!((&state["network"], &state["connected"]), (&json!(false), &json!(false)));
        bench.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        let state = bench
            .until("the transaction is over", |state| state.evse(1).is_some_and(|evse| evse.last_transaction.is_some()))
            .await;
        assert_eq!(bench.ended(&bench.csms.seen()), 0);
        bench.post("/network", json!({"up": true})).await;
        let seen = bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        let transaction = state.evse(1).unwrap().last_transaction.as_ref().unwrap();
        bench.assert_one_transaction(&seen, transaction.meter_start_wh, transaction.meter_stop_wh);
    }
}

#[tokio::test]
async fn a_power_cut_that_keeps_transactions_goes_on_with_them() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        let before = bench.station.state().await.unwrap().evse(1).unwrap().transaction.clone().unwrap();
        bench.post("/power-cut", json!({"keep_transactions": true})).await;
        bench.csms.until("the station boots again", |seen| seen.payloads("BootNotification").len() == 2).await;
        let state = bench
            .until("energy flows again", |state| {
                state.evse(1).is_some_and(|evse| evse.permitted && evse.transaction.is_some())
            })
            .await;
        let evse = state.evse(1).unwrap();
        let running = evse.transaction.clone().unwrap();
        assert_eq!((running.id, running.meter_start_wh), (before.id, before.meter_start_wh));
        bench.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        let seen = bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        let evse = bench.station.state().await.unwrap().evse(1).unwrap().clone();
        bench.assert_one_transaction(&seen, before.meter_start_wh, evse.meter_wh);
    }
}

#[tokio::test]
async fn a_power_cut_that_keeps_nothing_ends_the_transaction_for_that_reason() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        bench.post("/power-cut", json!({"keep_transactions": false})).await;
        let seen = bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        assert_eq!(bench.stop_reason(&seen), "PowerLoss");
        let evse = bench.station.state().await.unwrap().evse(1).unwrap().clone();
        assert_eq!((evse.permitted, evse.plugged), (false, Some(1)));
        bench.assert_one_transaction(&seen, 0, evse.meter_wh);
        let booted = seen.payloads("BootNotification").len();
        assert_eq!(booted, 2);
    }
}

#[tokio::test]
async fn a_restart_ends_the_transaction_and_boots_again() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        bench.post("/restart", json!({})).await;
        let seen = bench
            .csms
            .until("the station boots again", |seen| {
                bench.ended(seen) == 1 && seen.payloads("BootNotification").len() == 2
            })
            .await;
        let evse = bench.station.state().await.unwrap().evse(1).unwrap().clone();
        bench.assert_one_transaction(&seen, 0, evse.meter_wh);
    }
}

#[tokio::test]
async fn a_connection_that_the_csms_closes_is_made_again_and_the_session_goes_on() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        for name in ["RetryBackOffWaitMinimum", "RetryBackOffRandomRange"] {
            let path = format!("/settings/OCPPCommCtrlr.{name}");
            let (status, answer) = bench.ask(Method::PUT, &path, "0").await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
        bench.csms.send(Message::Close(None));
        bench.csms.until("the station connects again", |seen| seen.requests.len() == 2).await;
        bench.until("the connection is open", |state| state.connected).await;
        bench.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        let seen = bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        let evse = bench.station.state().await.unwrap().evse(1).unwrap().clone();
        bench.assert_one_transaction(&seen, 0, evse.meter_wh);
        assert_eq!(seen.payloads("BootNotification").len(), 1, "a lost connection is no boot");
    }
}

#[tokio::test]
async fn a_reset_by_the_csms_starts_the_station_again() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        let kind = if version == Version::V1_6 { "Hard" } else { "Immediate" };
        let answer = bench.csms.call("Reset", json!({"type": kind})).await;
        assert_eq!(answer[2]["status"], "Accepted", "{answer}");
        let seen = bench
            .csms
            .until("the station boots again", |seen| {
                bench.ended(seen) == 1 && seen.payloads("BootNotification").len() == 2
            })
            .await;
        let expected = if version == Version::V1_6 { "HardReset" } else { "ImmediateReset" };
        assert_eq!(bench.stop_reason(&seen), expected);
        if version != Version::V1_6 {
            assert_eq!(seen.payloads("BootNotification")[1]["reason"], "RemoteReset");
        }
        let evse = bench.station.state().await.unwrap().evse(1).unwrap().clone();
        bench.assert_one_transaction(&seen, 0, evse.meter_wh);
    }
}

#[tokio::test]
async fn what_is_kept_in_a_folder_survives_the_process() {
    let folder: PathBuf = std::env::temp_dir().join(format!("ocpp-cp-survives-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let first = Bench::with(Version::V2_0_1, |config| config.state = Some(folder.clone())).await;
    first.charge().await;
    let before = first.station.state().await.unwrap();
    first.station.shutdown().await;
    first.csms.until("the connection is closed", |seen| seen.closed == 1).await;

    let second = Bench::with(Version::V2_0_1, |config| config.state = Some(folder.clone())).await;
    let seen = second.csms.until("the transaction ends", |seen| second.ended(seen) == 1).await;
    let events = seen.payloads("TransactionEvent");
    let id = &before.evse(1).unwrap().transaction.as_ref().unwrap().id;
    assert_eq!(events.last().unwrap()["transactionInfo"]["transactionId"], **id);
    let evse = second.station.state().await.unwrap().evse(1).unwrap().clone();
    assert_eq!(evse.plugged, Some(1), "the car is still there");
    assert!(evse.meter_wh >= before.evse(1).unwrap().meter_wh, "the meter never goes back");
    second.station.shutdown().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
