//! The OCPP log of a station, searched and exported.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder};

#[tokio::test]
async fn frames_are_found_and_exported() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-1").await;
    let mut station = csms.station("CS-1", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    station.call("Heartbeat", json!({})).await;
    station.call("Authorize", json!({"idTag": "TAG"})).await;
    let path = "/api/v1/stations/CS-1/message-log";
    let found = csms.get(&format!("{path}?action=heartbeat")).await;
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((&found[0]["kind"], &found[1]["kind"]), (&json!("call"), &json!("result")));
    assert_eq!((&found[1]["action"], &found[1]["direction"]), (&json!("Heartbeat"), &json!("sent")));
    assert_eq!(found[0]["message_id"], found[1]["message_id"]);
    let found = csms.get(&format!("{path}?text=idtag&direction=received")).await;
    assert_eq!(found[0]["action"], "Authorize");
    let last = csms.get(&format!("{path}?limit=1")).await[0]["number"].as_i64().unwrap();
    let before = csms.get(&format!("{path}?limit=1&before={last}")).await;
    assert_eq!(before[0]["action"], "Authorize");
    assert_eq!(csms.get(&format!("{path}?until=2020-01-01T00:00:00Z")).await, json!([]));
    let (_, lines) = csms.request(Method::GET, &format!("{path}?format=jsonl"), None).await;
    let lines: Vec<Value> = lines.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["action"], "BootNotification");
    assert!(lines.len() >= 6);
    let (_, table) = csms.request(Method::GET, &format!("{path}?format=csv&action=Authorize"), None).await;
    let mut reader = csv::Reader::from_reader(table.as_str().unwrap().as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), &rows[0][5]), (2, "Authorize"));
    assert!(rows[0][6].contains("\"idTag\":\"TAG\""), "{rows:?}");
    for (query, word) in [
        ("from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "turn them around"),
        ("direction=up", "received or sent"),
        ("limit=0", "1 to 1000"),
        ("format=xml", "format"),
        ("format=csv&limit=5", "whole log"),
    ] {
        let (status, problem) = csms.request(Method::GET, &format!("{path}?{query}"), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{query}: {problem}");
    }
    let (status, _) = csms.request(Method::GET, "/api/v1/stations/NOBODY/message-log", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
