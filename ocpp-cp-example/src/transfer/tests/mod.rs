//! Over loopback, against servers that help, refuse, hesitate and break off.

mod ftp_server;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Failure, Limits, TransferError, download, upload};
use ftp_server::FtpServer;

const QUICK: Limits = Limits { size: 100_000, silence: Duration::from_millis(300), whole: Duration::from_secs(30) };

/// What an HTTP server was sent.
#[derive(Debug, Clone)]
struct Got {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

type Log = Arc<Mutex<Vec<Got>>>;

async fn answer(State(log): State<Log>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    log.lock().unwrap().push(Got { method: method.clone(), uri: uri.clone(), headers, body });
    match (method, uri.path()) {
        (Method::GET, "/image") => vec![7_u8; 50_000].into_response(),
        (Method::GET, "/large") => vec![7_u8; 100_001].into_response(),
        (_, "/elsewhere") => (StatusCode::TEMPORARY_REDIRECT, [("location", "/image")]).into_response(),
        (_, "/forbidden") => StatusCode::FORBIDDEN.into_response(),
        (_, "/unwanted") => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        (_, "/malformed") => StatusCode::BAD_REQUEST.into_response(),
        (Method::PUT, "/post-only") => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        (Method::PUT | Method::POST, _) => StatusCode::CREATED.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn http() -> (String, Log) {
    let log = Log::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(Arc::clone(&log));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address.to_string(), log)
}

/// A server that answers anything with this, and then says nothing more; it breaks off or hesitates.
async fn raw(answer: &'static str, breaks_off: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _ = socket.read(&mut request).await;
        socket.write_all(answer.as_bytes()).await.unwrap();
        if !breaks_off {
            std::future::pending::<()>().await;
        }
    });
    address.to_string()
}

/// A file in a folder of its own.
fn target() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("ocpp-cp-transfer-{}-{number}", std::process::id())).join("image-1")
}

async fn fetch(location: String) -> Result<Vec<u8>, TransferError> {
    let target = target();
    let outcome = download(&location, &target, QUICK).await;
    let content = std::fs::read(&target).unwrap_or_default();
    let left = std::fs::read_dir(target.parent().unwrap()).unwrap().count();
    assert_eq!(left, usize::from(outcome.is_ok()), "nothing is left of what failed");
    std::fs::remove_dir_all(target.parent().unwrap()).unwrap();
    outcome.map(|length| {
        assert_eq!(length, content.len() as u64);
        content
    })
}

async fn send(location: String) -> Result<(), TransferError> {
    upload(&location, "log.jsonl", b"line\n".to_vec(), QUICK).await
}

#[tokio::test]
async fn an_image_is_fetched_by_http_with_the_credentials_of_its_url() {
    let (address, log) = http().await;
    assert_eq!(fetch(format!("http://me:secret@{address}/image")).await.unwrap(), vec![7; 50_000]);
    assert_eq!(log.lock().unwrap()[0].headers["authorization"], "Basic bWU6c2VjcmV0");
    assert_eq!(fetch(format!("http://{address}/elsewhere")).await.unwrap().len(), 50_000);
}

#[tokio::test]
async fn an_image_that_is_missing_or_too_large_is_no_image() {
    let (address, _) = http().await;
    assert!(fetch(format!("http://{address}/missing")).await.unwrap_err().to_string().contains("404"));
    assert!(fetch(format!("http://{address}/large")).await.unwrap_err().to_string().contains("larger"));
    assert_eq!(fetch("sftp://x/y".to_owned()).await.unwrap_err().kind, Failure::NotSupported);
}

#[tokio::test]
async fn half_an_image_is_no_image() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    for breaks_off in [true, false] {
        let address = raw(answer, breaks_off).await;
        assert!(fetch(format!("http://{address}/image")).await.is_err());
    }
    let address = raw("", false).await;
    assert!(fetch(format!("http://{address}/image")).await.is_err());
}

#[tokio::test]
async fn nobody_at_the_address_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "ftp"] {
        assert_eq!(fetch(format!("{scheme}://{address}/image")).await.unwrap_err().kind, Failure::Other);
        assert!(send(format!("{scheme}://{address}/log")).await.is_err());
    }
}

/// N01.FR.18, N01.FR.25
#[tokio::test]
async fn a_log_is_put_with_the_credentials_of_its_url() {
    let (address, log) = http().await;
    send(format!("http://me:secret@{address}/logs/7?key=a")).await.unwrap();
    let got = log.lock().unwrap()[0].clone();
    assert_eq!((got.method, got.uri.to_string()), (Method::PUT, "/logs/7?key=a".to_owned()));
    assert_eq!(got.headers["authorization"], "Basic bWU6c2VjcmV0");
    assert_eq!(got.headers["content-type"], "application/octet-stream");
    assert_eq!(got.body, "line\n");
}

/// N01.FR.18, N01.FR.19
#[tokio::test]
async fn a_log_is_posted_where_it_cannot_be_put() {
    let (address, log) = http().await;
    send(format!("http://{address}/post-only")).await.unwrap();
    let got = log.lock().unwrap()[1].clone();
    assert_eq!(got.method, Method::POST);
    assert_eq!(got.headers["content-type"], "application/octet-stream");
    assert_eq!(got.headers["content-disposition"], "form-data; name=\"uploadfile\"; filename=\"log.jsonl\"");
    assert_eq!(got.body, "line\n");
}

/// N01.FR.10, N01.FR.30
#[tokio::test]
async fn a_refusal_says_whose_fault_it_is_and_redirects_are_not_followed() {
    let (address, log) = http().await;
    for (path, kind) in [
        ("forbidden", Failure::PermissionDenied),
        ("unwanted", Failure::NotSupported),
        ("malformed", Failure::BadMessage),
        ("elsewhere", Failure::Other),
    ] {
        assert_eq!(send(format!("http://{address}/{path}")).await.unwrap_err().kind, kind, "{path}");
    }
    assert!(log.lock().unwrap().iter().all(|got| got.uri.path() != "/image"));
    let slow = raw("", false).await;
    assert_eq!(send(format!("http://{slow}/log")).await.unwrap_err().kind, Failure::Other);
}

#[tokio::test]
async fn no_error_names_a_password() {
    let address = raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", true).await;
    let error = fetch(format!("http://me:secret@{address}/image")).await.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn an_image_is_fetched_by_ftp() {
    let server = FtpServer::start().await;
    server.put("images/new.bin", &[7; 50_000]);
    server.put("large.bin", &[7; 100_001]);
    let at = |path: &str| format!("ftp://me:se%20cret@{}/{path}", server.address);
    assert_eq!(fetch(at("images/new.bin")).await.unwrap(), vec![7; 50_000]);
    assert!(fetch(at("missing.bin")).await.is_err());
    assert!(fetch(at("large.bin")).await.unwrap_err().to_string().contains("larger"));
    let wrong = fetch(format!("ftp://me:wrong@{}/images/new.bin", server.address)).await.unwrap_err();
    assert_eq!(wrong.kind, Failure::PermissionDenied);
}

#[tokio::test]
async fn a_log_is_stored_by_ftp_in_a_folder_or_as_a_file() {
    let server = FtpServer::start().await;
    server.folder("logs");
    for (path, stored) in [("logs", "logs/log.jsonl"), ("some.jsonl", "some.jsonl"), ("", "log.jsonl")] {
        send(format!("ftp://me:se%20cret@{}/{path}", server.address)).await.unwrap();
        assert_eq!(server.get(stored).as_deref(), Some(b"line\n".as_slice()), "{path}");
    }
    let refused = send(format!("ftp://me:se%20cret@{}/forbidden.jsonl", server.address)).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn an_ftp_server_that_breaks_off_or_hesitates_gives_no_image() {
    let server = FtpServer::start().await;
    server.put("broken.bin", &[7; 50_000]);
    server.put("slow.bin", &[7; 50_000]);
    for path in ["broken.bin", "slow.bin"] {
        assert!(fetch(format!("ftp://me:se%20cret@{}/{path}", server.address)).await.is_err(), "{path}");
    }
    for greeting in ["", "220 welcome\r\n", "this is no FTP\r\n"] {
        let address = raw(greeting, false).await;
        assert!(fetch(format!("ftp://{address}/x")).await.is_err());
    }
    let address = raw("220 welcome\r\n", true).await;
    assert!(fetch(format!("ftp://{address}/x%0d%0aDELE%20y")).await.is_err());
}
