//! Reports: what sessions and stations add up to.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation, TOKEN};

async fn station(csms: &Csms, id: &str) -> RawStation {
    csms.enter(id).await;
    let mut station = csms.station(id, "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    station
}

/// A session of a station; its transaction id.
async fn charge(station: &mut RawStation, from: &str, until: &str, wh: i64) -> i64 {
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": from});
    let id = station.call("StartTransaction", start).await["transactionId"].as_i64().unwrap();
    let stop = json!({"transactionId": id, "meterStop": 1000 + wh, "timestamp": until, "reason": "Local"});
    station.call("StopTransaction", stop).await;
    id
}

async fn fetch(csms: &Csms, path: &str, accept: Option<&str>) -> (StatusCode, String, Vec<u8>) {
    let mut request = reqwest::Client::new().get(csms.url(path)).bearer_auth(TOKEN);
    if let Some(accept) = accept {
        request = request.header(header::ACCEPT, accept);
    }
    let response = request.send().await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    (response.status(), kind, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn energy_fees_and_time_are_told_by_day_station_and_hour() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.time_zone = Some("Europe/Berlin".to_owned());
    })
    .await;
    let mut one = station(&csms, "CS-1").await;
    let mut two = station(&csms, "CS-2").await;
    // 0.40 a kWh. The second one ends on the 2nd in Berlin.
    charge(&mut one, "2026-06-01T08:00:00Z", "2026-06-01T09:00:00Z", 10_000).await;
    charge(&mut one, "2026-06-01T21:30:00Z", "2026-06-01T23:00:00Z", 6_000).await;
    charge(&mut two, "2026-06-02T08:00:00Z", "2026-06-02T08:30:00Z", 1_000).await;
    let days = "/api/v1/reports/days?from=2026-06-01&until=2026-06-03";
    let report = csms.get(days).await;
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 3, "every day has a line: {report}");
    assert_eq!((&lines[0]["day"], &lines[0]["sessions"]), (&json!("2026-06-01"), &json!(1)));
    assert_eq!(lines[0]["energy_kwh"], 10.0);
    assert_eq!(lines[0]["fees"], json!([{"amount": 4.0, "currency": "EUR"}]));
    assert_eq!(lines[0]["charging_seconds"], 3600 + 1800);
    assert_eq!((&lines[1]["sessions"], &lines[1]["energy_kwh"]), (&json!(2), &json!(7.0)));
    assert_eq!((&report["total"]["sessions"], &report["total"]["energy_kwh"]), (&json!(3), &json!(17.0)));
    assert_eq!(report["time_zone"], "Europe/Berlin");
    let report = csms.get(&format!("{days}&group=station")).await;
    let of = |report: &Value, station: &str| {
        let lines = report["lines"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["station"] == station).unwrap()
    };
    assert_eq!(of(&report, "CS-1")["energy_kwh"], 16.0);
    assert_eq!(of(&report, "CS-2")["fees"][0]["amount"], 0.4);
    let report = csms.get(&format!("{days}&group=station_day&station=CS-1")).await;
    assert_eq!(report["lines"].as_array().unwrap().len(), 2);
    let use_of = csms.get("/api/v1/reports/utilisation?from=2026-06-01&until=2026-06-07&station=CS-1").await;
    // Monday, 10 o'clock in Berlin.
    assert_eq!((&use_of[10]["charging_seconds"], &use_of[10]["energy_kwh"]), (&json!(3600), &json!(10.0)));
    assert_eq!(use_of.as_array().unwrap().len(), 168);
    let power = csms.get("/api/v1/reports/power?from=2026-06-01&until=2026-06-01").await;
    let at: Timestamp = "2026-06-01T08:00:00Z".parse().unwrap();
    let place = power["at"].as_array().unwrap().iter().position(|value| *value == at.as_second()).unwrap();
    assert_eq!(power["power_w"][place], 10_000.0);
    let trends = csms.get("/api/v1/reports/trends?from=2026-06-02&until=2026-06-02").await;
    assert_eq!((&trends["now"]["sessions"], &trends["before"]["sessions"]), (&json!(2), &json!(1)));
    let consumption = csms.get("/api/v1/reports/consumption?token=tag&from=2026-06-01&until=2026-06-03").await;
    assert_eq!(consumption["sessions"].as_array().unwrap().len(), 3);
    assert_eq!(consumption["fees"], json!([{"amount": 6.8, "currency": "EUR"}]));
}

#[tokio::test]
async fn another_calendar_of_a_station_moves_its_sessions() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = station(&csms, "CS-1").await;
    charge(&mut station, "2026-06-01T21:00:00Z", "2026-06-01T22:30:00Z", 6_000).await;
    let path = "/api/v1/reports/days?from=2026-06-01&until=2026-06-02&station=CS-1&group=station_day";
    let day = |report: &Value| {
        let lines = report["lines"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["sessions"] == 1).unwrap()["day"].clone()
    };
    assert_eq!(day(&csms.get(path).await), "2026-06-01");
    csms.put("/api/v1/stations/CS-1/time-zone", json!({"time_zone": "Africa/Kigali"})).await;
    let report = csms.get(path).await;
    assert_eq!(day(&report), "2026-06-02");
    assert_eq!(report["total"]["charging_seconds"], 5400);
    // All stations together are those of one.
    assert_eq!(day(&csms.get("/api/v1/reports/days?from=2026-06-01&until=2026-06-02").await), "2026-06-02");
    // A session that ends now is counted by it as well.
    charge(&mut station, "2026-06-01T22:00:00Z", "2026-06-01T22:30:00Z", 1).await;
    assert_eq!(csms.get(path).await["total"]["sessions"], 2);
    let kept = csms.put("/api/v1/stations/CS-1/time-zone", json!({"time_zone": null})).await;
    assert_eq!(kept["time_zone"], "UTC");
    assert_eq!(csms.get(path).await["lines"][0]["day"], "2026-06-01");
}

#[tokio::test]
async fn a_report_is_a_table_for_spreadsheets_and_for_paper() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = station(&csms, "=CS-1").await;
    charge(&mut station, "2026-06-01T08:00:00Z", "2026-06-01T09:00:00Z", 10_000).await;
    let range = "from=2026-06-01&until=2026-06-01";
    let (status, kind, csv) = fetch(&csms, &format!("/api/v1/reports/days.csv?{range}&group=station"), None).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/csv; charset=utf-8"));
    let mut reader = csv::Reader::from_reader(&csv[..]);
    assert_eq!(&reader.headers().unwrap()[0], "station");
    let row = reader.records().next().unwrap().unwrap();
    // A spreadsheet must not take a name for a formula.
    assert_eq!((&row[0], &row[1], &row[2], &row[3]), ("'=CS-1", "1", "10.000", "4.00 EUR"));
    for path in ["days", "utilisation", "consumption"] {
        let path = format!("/api/v1/reports/{path}?{range}{}", if path == "consumption" { "&token=TAG" } else { "" });
        let (status, kind, pdf) = fetch(&csms, &path, Some("application/pdf")).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/pdf"), "{path}");
        assert!(pdf.starts_with(b"%PDF-"), "{path}");
        let (status, kind, _) = fetch(&csms, &format!("{path}&format=csv"), Some("application/pdf")).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/csv; charset=utf-8"), "{path}");
    }
    assert_eq!(fetch(&csms, "/api/v1/reports/days", Some("image/png")).await.0, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_report_that_makes_no_sense_is_refused_with_a_way_out() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for (path, status, word) in [
        ("days?from=2026-06-02&until=2026-06-01", 400, "turn them around"),
        ("days?from=2020-01-01&until=2026-06-01", 400, "shorter"),
        ("days?from=June", 400, "2026-11-30"),
        ("days?from=2026-01-01&until=2026-06-01&group=station_day", 400, "group by station"),
        ("days?group=week", 400, "group"),
        ("days?format=xlsx", 400, "format"),
        ("days?colour=red", 400, "colour"),
        ("days?station=NOBODY", 404, "NOBODY"),
        ("utilisation?station=NOBODY", 404, "NOBODY"),
        ("power?from=2026-01-01&until=2026-06-01", 400, "shorter"),
        ("consumption", 400, "token or driver"),
        ("consumption?token=NOBODY", 404, "NOBODY"),
        ("consumption?driver=NOBODY", 404, "NOBODY"),
        ("days.xlsx", 404, ".csv"),
        ("weather.csv", 404, "days"),
    ] {
        let (answered, problem) = csms.request(Method::GET, &format!("/api/v1/reports/{path}"), None).await;
        assert_eq!(answered.as_u16(), status, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
    csms.enter("CS-1").await;
    let zone = json!({"time_zone": "Mars/Olympus"});
    let (status, problem) = csms.request(Method::PUT, "/api/v1/stations/CS-1/time-zone", Some(zone)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("IANA"), "{problem}");
}

#[tokio::test]
async fn working_hours_are_those_with_a_connection_and_outlive_a_restart() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = Csms::start_with(&database, |_| {}).await;
    let mut station = station(&csms, "CS-1").await;
    let path = "/api/v1/reports/days?group=station&station=CS-1";
    let faulted = json!({"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"});
    station.call("StatusNotification", faulted).await;
    let report = csms.get_until(path, |report| report["total"]["faults"] == 1).await;
    assert_eq!(report["lines"][0]["station"], "CS-1");
    // What goes on now counts up to now.
    csms.get_until(path, |report| report["total"]["faulted_seconds"].as_i64() >= Some(1)).await;
    drop(station);
    csms.get_until(path, |report| report["total"]["offline_seconds"].as_i64() >= Some(1)).await;
    let before = csms.get(path).await["total"]["faulted_seconds"].as_i64().unwrap();
    csms.server.shut_down().await;
    let csms = Csms::start_with(&database, |_| {}).await;
    let total = csms.get(path).await["total"].clone();
    assert_eq!(total["faulted_seconds"], before);
    assert_eq!(total["faults"], 1);
    let all = csms.get("/api/v1/reports/days").await["total"].clone();
    assert_eq!((&all["faults"], &all["faulted_seconds"]), (&total["faults"], &total["faulted_seconds"]));
    let known = SignedDuration::from_secs(total["connected_seconds"].as_i64().unwrap());
    assert!(known < SignedDuration::from_mins(5), "{total}");
}
