//! Firmware and logs for real: fetched, checked, installed and sent away over loopback.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocpp_core::station::FirmwareUpdates;
use ocpp_core::types::Version;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::bench::{Bench, VERSIONS};
use crate::csms::Seen;

const PAST: &str = "2026-01-01T00:00:00Z";
const IMAGE: &[u8] = b"any content is an image";

/// A server of files, and what it was asked for and sent.
struct Files {
    address: String,
    got: Arc<Mutex<Vec<(Method, Uri, Bytes)>>>,
}

impl Files {
    async fn start() -> Self {
        let got: Arc<Mutex<Vec<(Method, Uri, Bytes)>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&got));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, got }
    }

    fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn uploaded(&self) -> Vec<(String, String)> {
        let got = self.got.lock().unwrap();
        let puts = got.iter().filter(|(method, ..)| *method == Method::PUT);
        puts.map(|(_, uri, body)| (uri.path().to_owned(), String::from_utf8(body.to_vec()).unwrap())).collect()
    }
}

type Got = Arc<Mutex<Vec<(Method, Uri, Bytes)>>>;

/// The first attempt at a flaky file fails.
async fn answer(State(got): State<Got>, method: Method, uri: Uri, body: Bytes) -> Response {
    let mut got = got.lock().unwrap();
    let before = got.iter().filter(|(_, known, _)| *known == uri).count();
    got.push((method.clone(), uri.clone(), body));
    match (method, uri.path()) {
        (_, path) if path.starts_with("/flaky") && before == 0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (_, "/forbidden") => StatusCode::FORBIDDEN.into_response(),
        (Method::GET, path) if path.ends_with(".bin") => IMAGE.into_response(),
        (Method::PUT, _) => StatusCode::CREATED.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn statuses(seen: &Seen) -> Vec<String> {
    let is_status = |action: &str| matches!(action, "FirmwareStatusNotification" | "SignedFirmwareStatusNotification");
    let calls = seen.calls.iter().filter(|(action, _)| is_status(action));
    calls.map(|(_, payload)| payload["status"].as_str().unwrap().to_owned()).collect()
}

fn log_statuses(seen: &Seen) -> Vec<String> {
    let calls =
        seen.calls.iter().filter(|(action, _)| action.ends_with("sStatusNotification") || action.starts_with("Log"));
    calls.map(|(_, payload)| payload["status"].as_str().unwrap().to_owned()).collect()
}

/// A wish for unsigned firmware.
fn unsigned(version: Version, location: &str) -> Value {
    match version {
        Version::V1_6 => json!({"location": location, "retrieveDate": PAST, "retries": 2, "retryInterval": 1}),
        _ => json!({"requestId": 5, "retries": 2, "retryInterval": 1,
            "firmware": {"location": location, "retrieveDateTime": PAST}}),
    }
}

fn ends_with(seen: &Seen, word: &str) -> bool {
    statuses(seen).last().is_some_and(|last| last == word)
}

/// 1.6 edition 2, 8.1
#[tokio::test]
async fn firmware_is_fetched_at_the_second_attempt_and_runs_after_the_restart() {
    for version in VERSIONS {
        let files = Files::start().await;
        let bench = Bench::start(version).await;
        let answer = bench.csms.call("UpdateFirmware", unsigned(version, &files.at("/flaky/wallbox-2.0.bin"))).await;
        assert_eq!(answer[0], 3, "{answer}");
        let seen = bench.csms.until("the firmware is installed", |seen| ends_with(seen, "Installed")).await;
        assert_eq!(statuses(&seen)[..3], ["Downloading", "Downloaded", "Installing"], "{version}");
        let boots = seen.payloads("BootNotification");
        assert_eq!(boots.len(), 2, "{version}");
        let name = match version {
            Version::V1_6 => &boots[1]["firmwareVersion"],
            _ => &boots[1]["chargingStation"]["firmwareVersion"],
        };
        assert_eq!(name, "wallbox-2.0", "{version}");
        let attempts = files.got.lock().unwrap().len();
        assert_eq!(attempts, 2, "{version}");
    }
}

#[tokio::test]
async fn firmware_that_is_not_there_is_reported_as_failed() {
    for version in VERSIONS {
        let files = Files::start().await;
        let bench = Bench::start(version).await;
        let mut wish = unsigned(version, &files.at("/missing"));
        wish["retries"] = json!(0);
        bench.csms.call("UpdateFirmware", wish).await;
        let seen = bench.csms.until("the download fails", |seen| ends_with(seen, "DownloadFailed")).await;
        assert_eq!(statuses(&seen), ["Downloading", "DownloadFailed"], "{version}");
    }
}

/// A manufacturer's root, a certificate that it signed, and the signature of the image.
fn manufacturer() -> (String, String, String) {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    root.distinguished_name.push(rcgen::DnType::CommonName, "Maker");
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(Vec::new()).unwrap();
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "Firmware");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let pem = leaf.signed_by(&key, &issuer).unwrap().pem();
    (root_pem, pem, STANDARD.encode(key.sign(IMAGE).unwrap()))
}

/// L01.FR.04, L01.FR.12; 1.6 security, L01.FR.04/12
#[tokio::test]
async fn a_signature_is_checked_with_a_certificate_that_the_manufacturer_vouches_for() {
    let (root, certificate, signature) = manufacturer();
    for version in VERSIONS {
        let files = Files::start().await;
        let bench = Bench::with(version, |config| {
            config.firmware_updates = FirmwareUpdates::Signed;
            config.manufacturer_roots = vec![root.clone()];
        })
        .await;
        let action = if version == Version::V1_6 { "SignedUpdateFirmware" } else { "UpdateFirmware" };
        let wish = |id: i64, certificate: &str, signature: &str| {
            json!({"requestId": id, "firmware": {"location": files.at("/signed-3.bin"), "retrieveDateTime": PAST,
                "signingCertificate": certificate, "signature": signature}})
        };
        let (_, stranger, _) = manufacturer();
        let answer = bench.csms.call(action, wish(1, &stranger, &signature)).await;
        assert_eq!(answer[2]["status"], "InvalidCertificate", "{version}: {answer}");
        let answer = bench.csms.call(action, wish(2, &certificate, &STANDARD.encode("no signature"))).await;
        assert_eq!(answer[2]["status"], "Accepted", "{version}: {answer}");
        bench.csms.until("the signature is refused", |seen| ends_with(seen, "InvalidSignature")).await;
        bench.csms.call(action, wish(3, &certificate, &signature)).await;
        let seen = bench.csms.until("the firmware is installed", |seen| ends_with(seen, "Installed")).await;
        assert!(statuses(&seen).contains(&"SignatureVerified".to_owned()), "{version}");
        let answer = bench.csms.call(action, json!({"requestId": 4, "firmware": {}})).await;
        assert_eq!(answer[0], 4, "{version}: {answer}");
    }
}

/// N01.FR.02, N01.FR.03, N01.FR.04, N01.FR.21; 1.6 security, N01.FR.03/04; 1.6 edition 2, 8.2
#[tokio::test]
async fn logs_are_uploaded_with_what_happened() {
    for version in VERSIONS {
        let files = Files::start().await;
        let bench = Bench::start(version).await;
        let wish = |kind: &str| json!({"logType": kind, "requestId": 9, "log": {"remoteLocation": files.at("/logs/")}});
        for (kind, content) in [("DiagnosticsLog", "BootNotification"), ("SecurityLog", "StartupOfTheDevice")] {
            let before = files.uploaded().len();
            let answer = bench.csms.call("GetLog", wish(kind)).await;
            assert_eq!(answer[2]["status"], "Accepted", "{version}: {answer}");
            let count = 2 * (before + 1);
            bench.csms.until("the log is uploaded", |seen| log_statuses(seen).len() == count).await;
            let (path, body) = files.uploaded()[before].clone();
            assert_eq!(path, format!("/logs/{}", answer[2]["filename"].as_str().unwrap()), "{version}");
            assert!(body.contains(content), "{version}: {body}");
        }
        let statuses = log_statuses(&bench.csms.seen());
        assert_eq!(statuses, ["Uploading", "Uploaded", "Uploading", "Uploaded"], "{version}");
        let mut nothing = wish("DiagnosticsLog");
        nothing["log"]["latestTimestamp"] = json!(PAST);
        bench.csms.call("GetLog", nothing).await;
        bench.csms.until("the log is uploaded", |seen| log_statuses(seen).len() == 6).await;
        assert_eq!(files.uploaded()[2].1, "", "{version}: nothing is as old as that");
    }
}

/// 1.6 edition 2, 5.9
#[tokio::test]
async fn diagnostics_that_the_server_refuses_are_reported_as_failed() {
    let files = Files::start().await;
    let bench = Bench::start(Version::V1_6).await;
    let answer = bench.csms.call("GetDiagnostics", json!({"location": files.at("/forbidden"), "retries": 0})).await;
    assert!(answer[2]["fileName"].as_str().unwrap().ends_with(".jsonl"), "{answer}");
    let seen = bench.csms.until("the upload fails", |seen| log_statuses(seen).len() == 2).await;
    assert_eq!(log_statuses(&seen), ["Uploading", "UploadFailed"]);
}

/// A password that the CSMS sets is in no log that leaves the station.
#[tokio::test]
async fn diagnostics_show_no_password() {
    let files = Files::start().await;
    let bench = Bench::start(Version::V1_6).await;
    bench
        .csms
        .call("ChangeConfiguration", json!({"key": "AuthorizationKey", "value": "1234567890abcdef1234567890abcdef"}))
        .await;
    bench.csms.until("the station tries the password out", |seen| seen.requests.len() == 2).await;
    bench.until("the connection is open", |state| state.connected).await;
    bench.csms.call("GetDiagnostics", json!({"location": files.at("/logs/")})).await;
    bench.csms.until("the log is uploaded", |seen| log_statuses(seen).len() == 2).await;
    let body = files.uploaded()[0].1.clone();
    assert!(body.contains("has a secret") && !body.contains("1234567890abcdef"), "{body}");
}
