//! The control interface itself.

use ocpp_core::types::Version;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bench::{Bench, VERSIONS};

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_with_what_to_do() {
    let bench = Bench::start(Version::V2_1).await;
    let (post, put, get) = (Method::POST, Method::PUT, Method::GET);
    for (method, path, body, status, advice) in [
        (&post, "/evses/3/plug", "{}", 404, "1 to 2"),
        (&post, "/evses/0/tap", r#"{"token":"A"}"#, 404, "1 to 2"),
        (&post, "/evses/x/plug", "{}", 404, "numbered from 1"),
        (&post, "/evses/1/fly", "{}", 404, "unplug"),
        (&post, "/evses/1/plug", r#"{"connector":2}"#, 404, "1 to 1"),
        (&post, "/evses/1/plug", "{", 400, "body"),
        (&post, "/evses/1/tap", "{}", 400, "token"),
        (&post, "/evses/1/tap", r#"{"token":""}"#, 400, "1 to 255"),
        (&post, "/evses/1/tap", r#"{"token":"A","tpye":"Local"}"#, 400, "tpye"),
        (&post, "/evses/1/unplug", "", 409, "plug one in"),
        (&post, "/evses/1/stop", "", 409, "no transaction"),
        (&post, "/evses/1/stop", r#"{"reason":"Bored"}"#, 400, "EmergencyStop"),
        (&post, "/evses/1/fault", r#"{"code":"Bored"}"#, 400, "GroundFailure"),
        (&post, "/evses/1/ev", r#"{"soc":101}"#, 400, "0 to 100"),
        (&post, "/evses/1/lock", "{}", 400, "fails"),
        (&post, "/limit", r#"{"source":"CSO","amperes":6}"#, 400, "EMS, SO, Other"),
        (&post, "/limit", r#"{"source":"EMS","amperes":6,"watts":6}"#, 400, "not in both"),
        (&post, "/limit", r#"{"source":"EMS","amperes":-6}"#, 400, "negative"),
        (&post, "/limit", r#"{"source":"EMS","amperes":6,"evse":9}"#, 404, "1 to 2"),
        (&post, "/evses/1/priority", r#"{"wanted":true}"#, 409, "no transaction"),
        (&post, "/network", "{}", 400, "up"),
        (&post, "/power-cut", "[]", 400, "body"),
        (&put, "/auth-cache/A", "{}", 400, "status"),
        (&put, "/auth-cache/A", r#"{"status":"Accepted"}"#, 409, "AuthCacheCtrlr.Enabled"),
        (&put, "/local-list/A", r#"{"status":"Fine"}"#, 400, "ConcurrentTx"),
        (&put, "/local-list/A", r#"{"status":"Accepted","expires_at":"soon"}"#, 400, "expires_at"),
        (&get, "/settings/Nonsense", "", 404, "Component.Variable"),
        (&put, "/settings/HeartbeatInterval", r#"{"value":"often"}"#, 400, "HeartbeatInterval"),
        (&put, "/settings/HeartbeatInterval", "", 400, "value"),
        (&get, "/nonsense", "", 404, "/state"),
        (&get, "/restart", "", 405, "POST"),
    ] {
        let (found, problem) = bench.ask(method.clone(), path, body).await;
        assert_eq!(found, StatusCode::from_u16(status).unwrap(), "{method} {path}: {problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(advice), "{method} {path}: {problem}");
    }
    let state = bench.get("/state").await;
    assert_eq!(state["evses"][0]["plugged"], Value::Null, "nothing has changed");
}

#[tokio::test]
async fn the_hardware_is_as_it_was_made() {
    let bench = Bench::start(Version::V1_6).await;
    assert_eq!(bench.post("/evses/2/plug", json!({})).await["plugged"], 1);
    let (status, _) = bench.ask(Method::POST, "/evses/2/plug", "").await;
    assert_eq!(status, StatusCode::CONFLICT);
    let change = json!({"soc": 42.5, "max_power_w": 7400, "ready": false, "suspended": true});
    assert_eq!(bench.post("/evses/2/ev", change.clone()).await["ev"], change);
    assert_eq!(bench.post("/evses/2/lock", json!({"fails": true})).await["lock_fails"], true);
    assert_eq!(bench.post("/evses/2/bay", json!({"occupied": true})).await["bay_occupied"], true);
    assert_eq!(bench.post("/evses/2/fault", json!({"code": "GroundFailure"})).await["fault"], "GroundFailure");
    let faulted = |payload: &&Value| payload["connectorId"] == 2 && payload["status"] == "Faulted";
    let seen =
        bench.csms.until("the fault is reported", |seen| seen.payloads("StatusNotification").iter().any(faulted)).await;
    let payloads = seen.payloads("StatusNotification");
    assert_eq!(payloads.into_iter().find(faulted).unwrap()["errorCode"], "GroundFailure");
    assert_eq!(bench.post("/evses/2/clear-fault", json!({})).await["fault"], Value::Null);
    bench.until("it works again", |state| state.evse(2).unwrap().connectors[0].status != "Faulted").await;
}

#[tokio::test]
async fn a_car_that_pauses_or_is_full_takes_nothing_and_the_state_says_who_holds_back() {
    let bench = Bench::start(Version::V2_0_1).await;
    bench.charge().await;
    let evse = bench.post("/evses/1/ev", json!({"suspended": true})).await;
    assert_eq!((&evse["flow"], &evse["power_w"]), (&json!("held_by_ev"), &json!(0.0)));
    let evse = bench.post("/evses/1/ev", json!({"suspended": false, "max_power_w": 3_700})).await;
    assert_eq!((&evse["flow"], &evse["power_w"]), (&json!("flowing"), &json!(3_700.0)));
    let evse = bench.post("/evses/1/ev", json!({"soc": 100})).await;
    assert_eq!(evse["flow"], "held_by_ev");
}

#[tokio::test]
async fn a_jammed_lock_keeps_the_energy_back() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.post("/evses/1/lock", json!({"fails": true})).await;
        bench.post("/evses/1/plug", json!({})).await;
        bench.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        bench.csms.until("Authorize", |seen| !seen.payloads("Authorize").is_empty()).await;
        // A second tap shows that the first one has had its consequences.
        bench.post("/evses/1/tap", json!({"token": "BAD"})).await;
        let evse = bench.get("/state").await["evses"][0].clone();
        assert_eq!((&evse["permitted"], &evse["meter_wh"]), (&json!(false), &json!(0)), "{version}");
    }
}

#[tokio::test]
async fn the_csms_unlocks_a_plug_unless_the_lock_is_jammed() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        bench.post("/evses/1/stop", json!({})).await;
        bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        let request = match version {
            Version::V1_6 => json!({"connectorId": 1}),
            Version::V2_0_1 | Version::V2_1 => json!({"evseId": 1, "connectorId": 1}),
        };
        let answer = bench.csms.call("UnlockConnector", request.clone()).await;
        assert_eq!(answer[2]["status"], "Unlocked", "{answer}");
        assert_eq!(bench.get("/state").await["evses"][0]["connectors"][0]["locked"], false);
        // A lock that is closed again and jams.
        bench.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        bench.until("the plug is locked", |state| state.evse(1).unwrap().connectors[0].locked).await;
        bench.post("/evses/1/lock", json!({"fails": true})).await;
        bench.post("/evses/1/stop", json!({})).await;
        bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 2).await;
        let answer = bench.csms.call("UnlockConnector", request).await;
        assert_eq!(answer[2]["status"], "UnlockFailed", "{answer}");
        assert_eq!(bench.get("/state").await["evses"][0]["connectors"][0]["locked"], true);
    }
}

#[tokio::test]
async fn a_setting_is_read_changed_and_given_back_its_value() {
    let bench = Bench::start(Version::V2_1).await;
    let path = "/settings/TxCtrlr.EVConnectionTimeOut";
    let before = bench.get(path).await;
    assert_eq!(before["name"], "TxCtrlr.EVConnectionTimeOut");
    let (status, changed) = bench.ask(Method::PUT, path, r#"{"value":"17"}"#).await;
    assert_eq!((status, &changed["value"]), (StatusCode::OK, &json!("17")));
    assert_eq!(bench.get("/settings/ConnectionTimeOut").await["value"], "17", "1.6 has another name for it");
    let (status, reset) = bench.ask(Method::DELETE, path, "").await;
    assert_eq!((status, &reset["value"]), (StatusCode::OK, &before["value"]));
}

#[tokio::test]
async fn the_messages_are_those_that_went_over_the_wire() {
    let bench = Bench::start(Version::V2_1).await;
    let answer = bench.csms.call("GetNonsense", json!({})).await;
    assert_eq!((&answer[0], &answer[2]), (&json!(4), &json!("NotImplemented")));
    let messages = bench.get("/messages").await;
    let messages = messages.as_array().unwrap();
    let first = &messages[0];
    assert_eq!((&first["number"], &first["direction"], &first["version"]), (&json!(1), &json!("sent"), &json!("2.1")));
    assert_eq!(first["frame"][2], "BootNotification");
    assert_eq!(serde_json::from_str::<Value>(first["text"].as_str().unwrap()).unwrap(), first["frame"]);
    assert_eq!(messages[1]["direction"], "received");
    let call = messages.iter().find(|message| message["frame"][2] == "GetNonsense").unwrap();
    assert_eq!(call["direction"], "received");
}

#[tokio::test]
async fn a_station_that_has_been_shut_down_says_so() {
    let bench = Bench::start(Version::V1_6).await;
    bench.station.shutdown().await;
    let (status, problem) = bench.ask(Method::GET, "/state", "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem["detail"].as_str().unwrap().contains("shut down"));
}

#[tokio::test]
async fn a_token_that_was_put_into_the_cache_or_the_list_charges_without_a_network() {
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        let put = async |path: &str, body: Value| {
            let (status, answer) = bench.ask(Method::PUT, path, &body.to_string()).await;
            assert_eq!(status, StatusCode::OK, "{version} {path}: {answer}");
        };
        put("/settings/AuthorizationCacheEnabled", json!({"value": "true"})).await;
        put("/auth-cache/CACHED", json!({"status": "Accepted", "group": "FAMILY"})).await;
        put("/local-list/LISTED", json!({"status": "Accepted", "expires_at": "2999-01-01T00:00:00Z"})).await;
        put("/local-list/BLOCKED", json!({"status": "Blocked"})).await;
        bench.post("/network", json!({"up": false})).await;
        for (token, expected) in [("CACHED", true), ("LISTED", true), ("BLOCKED", false), ("STRANGER", false)] {
            let evse = bench.post("/evses/1/tap", json!({"token": token})).await;
            assert_eq!(evse["authorized"], expected, "{version} {token}: {evse}");
            if expected {
                bench.post("/evses/1/tap", json!({"token": token})).await;
            }
        }
    }
}
