//! Whole sessions, driven through the control interface.

use ocpp_core::types::Version;
use serde_json::json;

use crate::bench::{Bench, VERSIONS};
use crate::csms::{Csms, Door};

#[tokio::test]
async fn a_session_is_charged_and_told_with_the_energy_that_the_meter_counted() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        let seen = bench.csms.seen();
        assert_eq!(seen.requests, [("/ocpp/CP%201".to_owned(), None)]);
        assert_eq!(seen.calls[0].0, "BootNotification");

        bench.charge().await;
        bench.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        let seen = bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        let state = bench
            .until("the station shows the end", |state| {
                state.evse(1).is_some_and(|evse| evse.last_transaction.is_some())
            })
            .await;
        let evse = state.evse(1).unwrap();
        let transaction = evse.last_transaction.as_ref().unwrap();
        assert!(transaction.energy_wh > 0);
        assert_eq!(evse.meter_wh, transaction.meter_stop_wh, "nothing flows after the end");
        assert_eq!(transaction.stop_reason.as_deref(), Some("Local"));
        assert_eq!(transaction.token.as_deref(), Some("GOOD"));
        bench.assert_one_transaction(&seen, transaction.meter_start_wh, transaction.meter_stop_wh);

        let evse = bench.post("/evses/1/unplug", json!({})).await;
        assert_eq!((&evse["plugged"], &evse["transaction"]), (&json!(null), &json!(null)));
        bench.until("the connector is free", |state| state.evse(1).unwrap().connectors[0].status == "Available").await;
    }
}

#[tokio::test]
async fn a_token_that_the_csms_blocks_lets_no_energy_through() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.post("/evses/1/plug", json!({})).await;
        for count in 1..=2 {
            bench.post("/evses/1/tap", json!({"token": "BAD"})).await;
            bench.csms.until("Authorize", |seen| seen.payloads("Authorize").len() == count).await;
        }
        let evse = bench.get("/state").await["evses"][0].clone();
        assert_eq!((&evse["permitted"], &evse["meter_wh"]), (&json!(false), &json!(0)));
    }
}

#[tokio::test]
async fn the_csms_starts_and_stops_from_afar() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.post("/evses/1/plug", json!({})).await;
        let answer = match version {
            Version::V1_6 => {
                bench.csms.call("RemoteStartTransaction", json!({"idTag": "REMOTE", "connectorId": 1})).await
            }
            Version::V2_0_1 | Version::V2_1 => {
                let token = json!({"idToken": "REMOTE", "type": "Central"});
                let request = json!({"idToken": token, "remoteStartId": 5, "evseId": 1});
                bench.csms.call("RequestStartTransaction", request).await
            }
        };
        assert_eq!(answer[2]["status"], "Accepted", "{answer}");
        bench.csms.until("the transaction starts", |seen| bench.started(seen) == 1).await;
        let state = bench
            .until("its id is known", |state| {
                let transaction = state.evse(1).and_then(|evse| evse.transaction.as_ref());
                transaction.is_some_and(|known| known.csms_id.is_some() || version != Version::V1_6)
            })
            .await;
        let transaction = state.evse(1).unwrap().transaction.clone().unwrap();
        let answer = match version {
            Version::V1_6 => {
                bench.csms.call("RemoteStopTransaction", json!({"transactionId": transaction.csms_id})).await
            }
            Version::V2_0_1 | Version::V2_1 => {
                bench.csms.call("RequestStopTransaction", json!({"transactionId": transaction.id})).await
            }
        };
        assert_eq!(answer[2]["status"], "Accepted", "{answer}");
        let seen = bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        assert_eq!(bench.stop_reason(&seen), "Remote");
    }
}

#[tokio::test]
async fn a_station_that_offers_all_versions_takes_the_one_that_the_csms_speaks() {
    for version in VERSIONS {
        let bench = Bench::with(version, |config| config.versions = Version::ALL.to_vec()).await;
        assert_eq!(bench.get("/state").await["version"], version.number());
        bench.charge().await;
    }
}

#[tokio::test]
async fn the_password_is_sent_with_the_identity_as_user() {
    let bench = Bench::with(Version::V2_1, |config| config.password = Some("a-password-of-20-chars".to_owned())).await;
    // base64 of "CP 1:a-password-of-20-chars"
    let expected = "Basic Q1AgMTphLXBhc3N3b3JkLW9mLTIwLWNoYXJz";
    assert_eq!(bench.csms.seen().requests[0].1.as_deref(), Some(expected));
}

#[tokio::test]
async fn a_refusal_shows_with_what_to_do_about_it() {
    use ocpp_cp::{Config, Simulator};
    use tokio_tungstenite::tungstenite::http::StatusCode;

    for (status, advice) in [(StatusCode::UNAUTHORIZED, "--password"), (StatusCode::NOT_FOUND, "--id")] {
        let csms = Csms::start(Door::Shut(status)).await;
        let station = Simulator::start(Config::new(csms.url().parse().unwrap(), "CP-1")).unwrap();
        let state = station.wait_for(|state| state.connection_error.is_some()).await.unwrap();
        let error = state.connection_error.unwrap();
        assert!(error.contains(advice) && error.contains(status.as_str()), "{error}");
        assert!(!state.connected);
    }
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let station = Simulator::start(Config::new(format!("ws://{unused}/ocpp").parse().unwrap(), "CP-1")).unwrap();
    let state = station.wait_for(|state| state.connection_error.is_some()).await.unwrap();
    assert!(state.connection_error.unwrap().contains("--csms"));
}

/// 1.6 edition 2, 3.13 and 5.16
#[tokio::test]
async fn a_charging_profile_limits_what_the_car_gets_until_it_is_cleared() {
    let bench = Bench::start(Version::V1_6).await;
    bench.charge().await;
    for (amperes, watts) in [(6, Some("4140")), (0, Some("0"))] {
        let profile = json!({
            "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amperes}],
            },
        });
        let request = json!({"connectorId": 1, "csChargingProfiles": profile});
        let answer = bench.csms.call("SetChargingProfile", request).await;
        assert_eq!(answer[2]["status"], "Accepted", "{answer}");
        let limited = |state: &ocpp_cp::State| {
            state
                .evse(1)
                .is_some_and(|evse| evse.limit_w.map(|limit| limit.normalize().to_string()).as_deref() == watts)
        };
        bench.until("the hardware is limited", limited).await;
    }
    bench.until("no energy may flow", |state| state.evse(1).is_some_and(|evse| !evse.permitted)).await;
    let answer = bench.csms.call("ClearChargingProfile", json!({})).await;
    assert_eq!(answer[2]["status"], "Accepted", "{answer}");
    let free = |state: &ocpp_cp::State| state.evse(1).is_some_and(|evse| evse.limit_w.is_none() && evse.permitted);
    bench.until("the car charges freely again", free).await;
}

/// The power that EVSE 1 gives, once it is this much.
async fn draws(bench: &Bench, watts: u32) {
    let watts = rust_decimal::Decimal::from(watts);
    bench.until("the power follows", |state| state.evse(1).is_some_and(|evse| evse.power_w == watts)).await;
}

/// A profile that says the same for ever, and the call that sets it.
fn profile(version: Version, purpose: &str, amperes: u32) -> serde_json::Value {
    let schedule = json!({"id": 1, "startSchedule": "2026-01-01T00:00:00Z", "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amperes}]});
    if version == Version::V1_6 {
        let mut schedule = schedule;
        schedule.as_object_mut().unwrap().remove("id");
        return json!({"connectorId": 0, "csChargingProfiles": {"chargingProfileId": 1, "stackLevel": 0,
            "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute", "chargingSchedule": schedule}});
    }
    json!({"evseId": 0, "chargingProfile": {"id": 1, "stackLevel": 0, "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute", "chargingSchedule": [schedule]}})
}

/// K01.FR.04, K01.FR.51, K11.FR.01, K13.FR.01; 1.6 edition 2, 3.13
#[tokio::test]
async fn the_power_follows_the_limits_of_the_csms_and_of_others() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        bench.post("/evses/1/ev", json!({"max_power_w": 22000, "soc": 10})).await;
        let set = profile(version, "TxDefaultProfile", 10);
        assert_eq!(bench.csms.call("SetChargingProfile", set).await[2]["status"], "Accepted");
        draws(&bench, 6_900).await;
        bench.post("/limit", json!({"source": "EMS", "watts": 4140})).await;
        draws(&bench, 4_140).await;
        if version != Version::V1_6 {
            let seen =
                bench.csms.until("NotifyChargingLimit", |seen| !seen.payloads("NotifyChargingLimit").is_empty()).await;
            assert_eq!(seen.payloads("NotifyChargingLimit")[0]["chargingLimit"]["chargingLimitSource"], "EMS");
        }
        bench.post("/limit", json!({"source": "EMS"})).await;
        draws(&bench, 6_900).await;
    }
}

/// K22.FR.02
#[tokio::test]
async fn a_driver_gets_the_priority_that_the_csms_has_prepared() {
    let bench = Bench::start(Version::V2_1).await;
    bench.charge().await;
    bench.post("/evses/1/ev", json!({"max_power_w": 22000, "soc": 10})).await;
    bench.csms.call("SetChargingProfile", profile(Version::V2_1, "TxDefaultProfile", 10)).await;
    draws(&bench, 6_900).await;
    let mut priority = profile(Version::V2_1, "PriorityCharging", 20);
    priority["chargingProfile"]["id"] = json!(2);
    assert_eq!(bench.csms.call("SetChargingProfile", priority).await[2]["status"], "Accepted");
    bench.post("/evses/1/priority", json!({"wanted": true})).await;
    draws(&bench, 13_800).await;
    bench.post("/evses/1/priority", json!({"wanted": false})).await;
    draws(&bench, 6_900).await;
}
