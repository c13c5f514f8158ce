//! Logs that stations upload to the server itself.

use ocpp_cp::Simulator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation, soon};

/// A station that was asked for a log, and the URL that it was given.
struct Asked {
    _folder: Folder,
    csms: Csms,
    station: RawStation,
    log: String,
    location: String,
    request_id: Value,
}

async fn ask(subprotocol: &str, wanted: Value) -> Asked {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.max_log_size = Some(1)).await;
    csms.enter("CS-1").await;
    let mut station = csms.station("CS-1", subprotocol).await;
    station.boot(subprotocol).await;
    let (status, log) = csms.request(Method::POST, "/api/v1/stations/CS-1/logs", Some(wanted)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{log}");
    assert_eq!(log["state"], "requested");
    let frame = station.frame().await;
    let (id, payload) = (frame[1].as_str().unwrap().to_owned(), frame[3].clone());
    let location = match frame[2].as_str().unwrap() {
        "GetDiagnostics" => payload["location"].as_str().unwrap().to_owned(),
        "GetLog" => payload["log"]["remoteLocation"].as_str().unwrap().to_owned(),
        other => panic!("{other}"),
    };
    let answer = match subprotocol {
        "ocpp1.6" => json!({"fileName": "diagnostics.txt"}),
        _ => json!({"status": "Accepted", "filename": "diagnostics.txt"}),
    };
    station.answer(&id, answer).await;
    let request_id = payload["requestId"].clone();
    Asked { _folder: folder, csms, station, log: log["id"].as_str().unwrap().to_owned(), location, request_id }
}

async fn send(method: Method, url: &str, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
    let request = reqwest::Client::new().request(method, url).body(body);
    let response = soon("an answer", request.send()).await.unwrap();
    (response.status(), response.text().await.unwrap())
}

impl Asked {
    async fn log(&self) -> Value {
        self.csms.get(&format!("/api/v1/logs/{}", self.log)).await
    }

    async fn state(&self, state: &str) -> Value {
        self.csms.get_until(&format!("/api/v1/logs/{}", self.log), |log| log["state"] == state).await
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self._folder.file("csms.files").join("logs")).map_or(0, Iterator::count)
    }
}

/// 1.6 edition 2, 5.9: the location is a folder, to which the station adds the name of the file.
#[tokio::test]
async fn a_station_of_1_6_uploads_into_the_folder_that_it_is_given() {
    let mut asked = ask("ocpp1.6", json!({})).await;
    let host = format!("http://{}/upload/", asked.csms.server.address());
    assert!(asked.location.starts_with(&host) && asked.location.ends_with('/'), "{}", asked.location);
    asked.station.call("DiagnosticsStatusNotification", json!({"status": "Uploading"})).await;
    assert_eq!(asked.state("uploading").await["status"], "Uploading");
    let url = format!("{}diagnostics.txt", asked.location);
    assert_eq!(send(Method::PUT, &url, "one\ntwo\n").await.0, StatusCode::OK);
    asked.station.call("DiagnosticsStatusNotification", json!({"status": "Uploaded"})).await;
    let log = asked.state("uploaded").await;
    assert_eq!((&log["file_name"], &log["size"]), (&json!("diagnostics.txt"), &json!(8)));
    let page = asked.csms.get(&format!("/api/v1/logs/{}/text", asked.log)).await;
    assert_eq!((&page["text"], &page["next"], &page["size"]), (&json!("one\ntwo\n"), &Value::Null, &json!(8)));
    let (status, file) = asked.csms.request(Method::GET, &format!("/api/v1/logs/{}/file", asked.log), None).await;
    assert_eq!((status, file), (StatusCode::OK, json!("one\ntwo\n")));
}

/// N01.FR.18, N01.FR.19: by POST as well, as a form.
#[tokio::test]
async fn a_form_is_taken_as_well() {
    let asked = ask("ocpp2.0.1", json!({"kind": "security"})).await;
    let boundary = "------------------------d74496d66958873e";
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"uploadfile\"; filename=\"../security.log\"\r\n\
         Content-Type: text/plain\r\n\r\nevent\n\r\n--{boundary}--\r\n"
    );
    let request = reqwest::Client::new().post(asked.location.trim_end_matches('/'));
    let kind = format!("multipart/form-data; boundary={boundary}");
    let response = request.header("content-type", kind).body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let log = asked.state("uploaded").await;
    assert_eq!((&log["file_name"], &log["size"]), (&json!("security.log"), &json!(6)));
}

#[tokio::test]
async fn a_url_is_good_once_and_only_as_it_was_given() {
    let asked = ask("ocpp2.1", json!({})).await;
    let (id, secret) = asked.location.trim_end_matches('/').rsplit_once('/').unwrap();
    let other = secret.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect::<String>();
    assert_eq!(send(Method::PUT, &format!("{id}/{other}/log.txt"), "x").await.0, StatusCode::NOT_FOUND);
    assert_eq!(send(Method::PUT, &asked.location, "first").await.0, StatusCode::OK);
    let (status, body) = send(Method::PUT, &asked.location, "second").await;
    assert_eq!(status, StatusCode::GONE);
    assert!(body.contains("here already"), "{body}");
    assert_eq!(asked.log().await["size"], 5);
    assert_eq!(
        asked.csms.request(Method::DELETE, &format!("/api/v1/logs/{}", asked.log), None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(send(Method::PUT, &asked.location, "third").await.0, StatusCode::GONE);
    assert_eq!(asked.files(), 0);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_nothing_is_left_of_it() {
    let asked = ask("ocpp2.1", json!({})).await;
    // Announced: refused before any of it is read.
    let address = asked.csms.server.address();
    let path = asked.location.split_once("//").and_then(|(_, rest)| rest.split_once('/')).unwrap().1;
    let head = format!("PUT /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 99999999\r\n\r\n");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer);
    soon("the refusal", reading).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("max_log_size"), "{answer}");
    // Not announced: refused as soon as it is too much.
    let head = format!("PUT /{path} HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, head.as_bytes()).await.unwrap();
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    // The server may close before it has read all that is sent.
    for _ in 0..64 {
        if tokio::io::AsyncWriteExt::write_all(&mut socket, chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    drop(socket);
    assert_eq!(asked.log().await["received_at"], Value::Null);
    // Broken off.
    let head = format!("PUT /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n\r\nonly this");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, head.as_bytes()).await.unwrap();
    drop(socket);
    // What counts is that the URL is still good, for a log that fits.
    let again = async {
        while send(Method::PUT, &asked.location, "small").await.0 != StatusCode::OK {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    soon("the upload", again).await;
    assert_eq!(asked.log().await["size"], 5);
    assert_eq!(asked.files(), 1);
}

#[tokio::test]
async fn a_refusal_and_a_failure_of_the_station_are_told() {
    let mut asked = ask("ocpp2.1", json!({})).await;
    let failed = json!({"status": "PermissionDenied", "requestId": asked.request_id});
    asked.station.call("LogStatusNotification", failed).await;
    assert_eq!(asked.state("failed").await["status"], "PermissionDenied");
    assert_eq!(send(Method::PUT, &asked.location, "late").await.0, StatusCode::GONE);
    let path = format!("/api/v1/stations/{}/logs", "CS-1");
    let (_, log) = asked.csms.request(Method::POST, &path, Some(json!({"kind": "security"}))).await;
    let (id, _) = asked.station.expect_call("GetLog").await;
    asked.station.answer(&id, json!({"status": "Rejected", "statusInfo": {"reasonCode": "Busy"}})).await;
    let path = format!("/api/v1/logs/{}", log["id"].as_str().unwrap());
    let log = asked.csms.get_until(&path, |log| log["state"] == "failed").await;
    assert!(log["detail"].as_str().unwrap().contains("Rejected"), "{log}");
    assert!(asked.csms.get("/api/v1/logs?station=CS-1").await.as_array().unwrap().len() == 2);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_with_a_reason() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-1").await;
    let ask = |station: &'static str, wanted| {
        let path = format!("/api/v1/stations/{station}/logs");
        let csms = &csms;
        async move { csms.request(Method::POST, &path, Some(wanted)).await }
    };
    assert_eq!(ask("NOBODY", json!({})).await.0, StatusCode::NOT_FOUND);
    let (status, problem) = ask("CS-1", json!({})).await;
    assert_eq!((status, problem["detail"].as_str().unwrap().contains("not connected")), (StatusCode::CONFLICT, true));
    let turned = json!({"oldest": "2026-01-02T00:00:00Z", "latest": "2026-01-01T00:00:00Z"});
    assert_eq!(ask("CS-1", turned).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(ask("CS-1", json!({"kind": "diary"})).await.0, StatusCode::BAD_REQUEST);
    let mut station = csms.station("CS-1", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let (status, problem) = ask("CS-1", json!({"kind": "data_collector"})).await;
    assert_eq!((status, problem["detail"].as_str().unwrap().contains("2.1")), (StatusCode::BAD_REQUEST, true));
    for path in ["/api/v1/logs/none", "/api/v1/logs/none/text", "/api/v1/logs/none/file"] {
        assert_eq!(csms.request(Method::GET, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(csms.request(Method::DELETE, "/api/v1/logs/none", None).await.0, StatusCode::NOT_FOUND);
}

/// The simulated stations of all versions do it by themselves.
#[tokio::test]
async fn stations_of_every_version_upload_their_logs() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for (station, version) in
        [("CS-16", ocpp_cp_version("1.6")), ("CS-201", ocpp_cp_version("2.0.1")), ("CS-21", ocpp_cp_version("2.1"))]
    {
        csms.enter(station).await;
        let url = format!("ws://{}/ocpp", csms.server.address()).parse().unwrap();
        let mut config = ocpp_cp::Config::new(url, station);
        config.versions = vec![version];
        let simulator = Simulator::start(config).unwrap();
        let path = format!("/api/v1/stations/{station}");
        csms.get_until(&path, |station| station["last_booted_at"] != Value::Null).await;
        let (status, log) = csms.request(Method::POST, &format!("{path}/logs"), Some(json!({}))).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{log}");
        let path = format!("/api/v1/logs/{}", log["id"].as_str().unwrap());
        csms.get_until(&path, |log| log["state"] == "uploaded").await;
        csms.get_until(&path, |log| log["status"] == "Uploaded").await;
        let page = csms.get(&format!("{path}/text")).await;
        assert!(page["text"].as_str().unwrap().contains("BootNotification"), "{page}");
        drop(simulator);
    }
}

fn ocpp_cp_version(number: &str) -> ocpp_core::types::Version {
    use ocpp_core::types::Version;
    [Version::V1_6, Version::V2_0_1, Version::V2_1].into_iter().find(|version| version.number() == number).unwrap()
}
