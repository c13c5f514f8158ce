//! What people and programs should not send, and what a server cannot keep: each is answered with what to do, and leaves nothing behind.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use crate::access_people::operator;
use crate::harness::{Csms, Folder, TOKEN, soon};

#[tokio::test]
async fn a_moment_that_is_none_is_refused_with_its_name() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let reserve = json!({"operation": "reserve", "evse": 1, "token": "TAG", "expires_at": "2026-02-30T10:00:00Z"});
    for (method, path, body) in [
        (Method::PUT, "/api/v1/tokens/NEW", json!({"expires_at": "tomorrow"})),
        (Method::PUT, "/api/v1/tokens/NEW", json!({"expires_at": "2026-13-01T00:00:00Z"})),
        (Method::PUT, "/api/v1/tokens/NEW", json!({"expires_at": "2026-06-01"})),
        (Method::PUT, "/api/v1/tokens/NEW", json!({"expires_at": 1_780_000_000})),
        (Method::POST, "/api/v1/stations/CS/operations", reserve),
        (
            Method::PUT,
            "/api/v1/demand-response/peak",
            json!({"sites": ["x"], "limit": {"percent": 50}, "from": "2026-06-01T10:00:00Z", "until": "later"}),
        ),
    ] {
        let (status, problem) = csms.request(method, path, Some(body.clone())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            ["expires_at", "until", "parameter 'day'"].iter().any(|word| detail.contains(word)),
            "{body}: {detail}"
        );
    }
    for query in ["before=yesterday", "before=2026-06-31T00:00:00Z"] {
        let (status, problem) = csms.request(Method::GET, &format!("/api/v1/operations?{query}"), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("before"), "{problem}");
    }
    assert_eq!(csms.request(Method::GET, "/api/v1/tokens/NEW", None).await.0, StatusCode::NOT_FOUND);
}

/// Chunks of 64 KiB, far more than anything here takes.
const MOST: usize = 1024;

/// Sends a body that says of no length and does not end; what is answered, and how many chunks were taken until then.
async fn endless(csms: &Csms, method: &str, path: &str, kind: &str) -> (String, usize) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let stream = tokio::net::TcpStream::connect(csms.server.address()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: csms\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {kind}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    writer.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let mut sent = 0;
    while sent < MOST && writer.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 1;
    }
    let mut answer = [0; 64];
    let read = reader.read(&mut answer).await.unwrap_or(0);
    (String::from_utf8_lossy(&answer[..read]).into_owned(), sent)
}

/// A body that never ends is not read for ever, however it is sent.
#[tokio::test]
async fn a_body_without_an_end_is_cut_off() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.max_firmware_size = Some(1);
    })
    .await;
    for (method, path, kind) in [
        ("PUT", "/api/v1/tokens/NEW", "application/json"),
        ("PUT", "/api/v1/prices/x", "text/csv"),
        ("POST", "/api/v1/firmware?vendor=V&version=2", "application/octet-stream"),
        ("POST", "/api/v1/webhooks/sandbox", "application/json"),
        ("POST", "/sign-in", "application/x-www-form-urlencoded"),
    ] {
        let (answer, sent) = soon(path, endless(&csms, method, path, kind)).await;
        assert!(sent < MOST, "{path}: {sent} chunks were read");
        // The server may close the connection while it is still written to, which takes its answer along.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
    assert_eq!(csms.get("/api/v1/firmware").await, json!([]));
    let left = std::fs::read_dir(folder.file("csms.files")).map(Iterator::count).unwrap_or(0);
    assert!(left <= 1, "no part of a file stays");
}

/// Nested deeper than anything that is meant.
#[tokio::test]
async fn what_is_nested_without_end_is_refused() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for (path, body) in [
        ("/api/v1/tokens/NEW", deep.clone()),
        ("/api/v1/tokens/NEW", format!("{{\"group\": {deep}}}")),
        ("/api/v1/tariffs/new", format!("{{\"tariff\": {deep}}}")),
    ] {
        let request = Client::new().put(csms.url(path)).bearer_auth(TOKEN).header("content-type", "application/json");
        let answer = soon("an answer", request.body(body).send()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
    }
}

/// The disk is full: everybody is told so, and nothing is half there.
#[tokio::test]
async fn a_full_disk_is_told_to_programs_people_and_stations() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    if !matches!(crate::place::database(&database).await, ocpp_csms::store::Database::File(_)) {
        // A server's own limits are its operator's business.
        return;
    }
    let csms = Csms::start_with(&database, |file| file.max_database_size = Some(4)).await;
    csms.enter("CS").await;
    let mut admin = operator(&csms, "ada", "admin").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    // What stations say fills it up.
    let large = "x".repeat(200_000);
    let full = async {
        for number in 0.. {
            station.call("DataTransfer", json!({"vendorId": "x", "data": large})).await;
            let path = format!("/api/v1/tokens/FILL-{number}");
            let (status, problem) = csms.request(Method::PUT, &path, Some(json!({}))).await;
            if status != StatusCode::CREATED && status != StatusCode::OK {
                return (number, status, problem);
            }
        }
        unreachable!("numbers have no end")
    };
    let (number, status, problem) = soon("a full disk", full).await;
    assert!(number > 3, "{number}: {problem}");
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("make room") && detail.contains("nothing was changed"), "{detail}");
    let (status, _) = csms.request(Method::GET, &format!("/api/v1/tokens/FILL-{number}"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // The same on a page, and by the interface with a session.
    let form = [("token", "ON-A-PAGE"), ("csrf", admin.csrf.as_str())];
    let response = admin.request(Method::POST, "/tokens").form(&form).send().await.unwrap();
    let (status, page) = (response.status(), response.text().await.unwrap());
    assert!(!status.is_success() && !status.is_redirection(), "{status}");
    assert!(page.contains("make room"), "{page}");
    let (status, _) = admin.send(Method::PUT, "/api/v1/tokens/ANOTHER", json!({})).await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE);
    // A station is told that its session is kept exactly when it is; there may be room for that little.
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-06-01T10:00:00Z"});
    let asked = tokio::time::timeout(Duration::from_secs(5), station.ask("StartTransaction", start)).await;
    let is_kept = asked.is_ok_and(|answer| answer[0] == 3);
    let known = csms.get("/api/v1/stations/CS/transactions").await;
    assert_eq!(known.as_array().map(Vec::len), Some(usize::from(is_kept)), "{known}");
    assert_eq!(csms.get("/api/v1/tokens/TAG").await["status"], "accepted", "what was kept is there");
}
