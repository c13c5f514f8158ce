//! `POST /api/v1/stations/{id}/calls`: every way in which a call can end.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation};

const VERSIONS: [&str; 3] = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"];

async fn booted(csms: &Csms, subprotocol: &str) -> RawStation {
    csms.enter("CS").await;
    let mut station = csms.station("CS", subprotocol).await;
    station.boot(subprotocol).await;
    station
}

fn reset(subprotocol: &str) -> Value {
    let kind = if subprotocol == "ocpp1.6" { "Soft" } else { "Immediate" };
    json!({"action": "Reset", "payload": {"type": kind}})
}

#[tokio::test]
async fn the_answer_of_the_station_is_the_result() {
    for subprotocol in VERSIONS {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        let answering = async {
            let (id, payload) = station.expect_call("Reset").await;
            station.answer(&id, json!({"status": "Accepted"})).await;
            payload
        };
        let (answer, payload) = tokio::join!(csms.call("CS", reset(subprotocol)), answering);
        assert_eq!(payload, reset(subprotocol)["payload"]);
        assert_eq!(answer, (StatusCode::OK, json!({"result": {"status": "Accepted"}})), "{subprotocol}");
    }
}

#[tokio::test]
async fn who_operates_stations_cannot_set_them_up_by_a_call() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let _station = booted(&csms, "ocpp1.6").await;
    let (_, made) = csms
        .request(
            reqwest::Method::POST,
            "/api/v1/api-tokens",
            Some(json!({"name": "desk", "scopes": ["view", "operate"]})),
        )
        .await;
    let token = made["token"].as_str().unwrap();
    for action in ["ChangeConfiguration", "InstallCertificate", "UpdateFirmware"] {
        let call = reqwest::Client::new().post(csms.url("/api/v1/stations/CS/calls")).bearer_auth(token);
        let answer = call.json(&json!({"action": action, "payload": {}})).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{action}");
        assert!(answer.text().await.unwrap().contains("administer"));
    }
}

#[tokio::test]
async fn an_error_of_the_station_is_passed_on_as_it_is() {
    for subprotocol in VERSIONS {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        let answering = async {
            let (id, _) = station.expect_call("Reset").await;
            station.send_text(json!([4, id, "InternalError", "no relay", {"relay": 3}]).to_string()).await;
        };
        let (answer, ()) = tokio::join!(csms.call("CS", reset(subprotocol)), answering);
        let error = json!({"code": "InternalError", "description": "no relay", "details": {"relay": 3}});
        assert_eq!(answer, (StatusCode::OK, json!({"error": error})), "{subprotocol}");
    }
}

#[tokio::test]
async fn a_payload_that_breaks_the_schema_is_kept_back_with_what_is_wrong() {
    for (subprotocol, code) in
        [("ocpp1.6", "PropertyConstraintViolation"), ("ocpp2.0.1", "PropertyConstraintViolation")]
    {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        let mut station = booted(&csms, subprotocol).await;
        let wrong = json!({"action": "Reset", "payload": {"type": "Gently"}});
        let (status, problem) = csms.call("CS", wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["findings"][0]["path"], "/type", "{problem}");
        assert_eq!(problem["findings"][0]["code"], code, "{problem}");
        assert!(problem["findings"][0]["message"].is_string());
        let (status, problem) = csms.call("CS", json!({"action": "Reset", "payload": {}})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let missing =
            if subprotocol == "ocpp1.6" { "OccurenceConstraintViolation" } else { "OccurrenceConstraintViolation" };
        assert_eq!(problem["findings"][0]["code"], missing, "{problem}");
        // Nothing of that was sent: the next frame is the call that is meant.
        let meant = json!({"action": "Reset", "payload": {"type": "Gently"}, "validate": false});
        let answering = async {
            let (id, payload) = station.expect_call("Reset").await;
            station.answer(&id, json!({"status": "Rejected"})).await;
            payload
        };
        let (answer, payload) = tokio::join!(csms.call("CS", meant), answering);
        assert_eq!(payload, json!({"type": "Gently"}));
        assert_eq!(answer, (StatusCode::OK, json!({"result": {"status": "Rejected"}})));
    }
}

#[tokio::test]
async fn an_action_that_the_version_does_not_have_is_not_sent() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let _station = booted(&csms, "ocpp1.6").await;
    let (status, problem) =
        csms.call("CS", json!({"action": "GetVariables", "payload": {"getVariableData": []}})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("GetVariables"));
}

#[tokio::test]
async fn a_station_that_nobody_entered_is_not_found_and_one_that_is_away_is_a_conflict() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    assert_eq!(csms.call("NOBODY", reset("ocpp1.6")).await.0, StatusCode::NOT_FOUND);
    csms.enter("CS").await;
    let (status, problem) = csms.call("CS", reset("ocpp1.6")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!((&problem["status"], &problem["title"]), (&json!(409), &json!("Conflict")));
    let station = booted(&csms, "ocpp1.6").await;
    drop(station);
    csms.get_until("/api/v1/stations/CS", |view| view["connected"] == false).await;
    assert_eq!(csms.call("CS", reset("ocpp1.6")).await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_station_that_does_not_answer_is_a_timeout_and_the_next_call_is_sent() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.call_timeout = Some(1)).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let (status, _) = csms.call("CS", reset("ocpp2.1")).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    let (late, _) = station.expect_call("Reset").await;
    let answering = async {
        let (id, _) = station.expect_call("Reset").await;
        station.answer(&late, json!({"status": "Rejected"})).await;
        station.answer(&id, json!({"status": "Accepted"})).await;
    };
    let (answer, ()) = tokio::join!(csms.call("CS", reset("ocpp2.1")), answering);
    assert_eq!(answer.1, json!({"result": {"status": "Accepted"}}));
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_told_apart() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let leaving = async {
        station.expect_call("Reset").await;
        drop(station);
    };
    let ((status, problem), ()) = tokio::join!(csms.call("CS", reset("ocpp2.0.1")), leaving);
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert!(problem["detail"].as_str().unwrap().contains("connection ended"), "{problem}");
}

#[tokio::test]
async fn the_log_of_a_station_shows_both_sides() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "ocpp1.6").await;
    station.call("Heartbeat", json!({})).await;
    let log = csms.get("/api/v1/stations/CS/messages").await;
    let log = log.as_array().unwrap();
    let shape: Vec<_> =
        log.iter().map(|entry| (entry["direction"].as_str().unwrap(), entry["message"][0].clone())).collect();
    assert_eq!(shape, [("received", json!(2)), ("sent", json!(3)), ("received", json!(2)), ("sent", json!(3))]);
    assert_eq!(log[0]["message"][2], "BootNotification");
    assert_eq!(log[2]["message"][2], "Heartbeat");
    let second = log[1]["number"].as_i64().unwrap();
    let part = csms.get(&format!("/api/v1/stations/CS/messages?limit=1&before={second}")).await;
    assert_eq!(part, json!([log[0]]));
}
