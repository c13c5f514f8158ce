//! The program is killed at once after it answered: what it answered is kept, and so is what is to be told of it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Folder, RawStation, TOKEN, soon};

const AT: &str = "2026-06-01T10:00:00Z";

/// The program, ended as if the power failed.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
}

impl Program {
    fn start(folder: &Folder, configuration: &Path) -> Self {
        Self::run(folder, configuration, |command| command.stderr(Stdio::null())).0
    }

    /// Logs everything there is into a file; and the link for the first admin.
    pub fn start_logging(folder: &Folder, configuration: &Path, log: &Path) -> (Self, String) {
        let file = std::fs::File::create(log).unwrap();
        let (program, link) = Self::run(folder, configuration, |command| command.env("RUST_LOG", "trace").stderr(file));
        (program, link.expect("the program tells the link"))
    }

    fn run(
        folder: &Folder,
        configuration: &Path,
        change: impl FnOnce(&mut Command) -> &mut Command,
    ) -> (Self, Option<String>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocpp-csms"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--database"])
            .arg(folder.file("csms.sqlite"))
            .arg("--config")
            .arg(configuration)
            .env("OCPP_CSMS_API_TOKEN", TOKEN)
            .stdout(Stdio::piped());
        let mut child = change(&mut command).spawn().unwrap();
        let (mut address, mut link) = (None, None);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(told) = line.strip_prefix("Stations connect to ws://") {
                address = told.split_once('/').map(|(address, _)| address.parse().unwrap());
            }
            if line.contains("/set-up/") {
                link = line.split_whitespace().last().map(str::to_owned);
            }
            // The link comes after the page, and at the first start only: there is no account yet.
            if link.is_some() || (line.starts_with("Page") && !Self::is_first(folder)) {
                break;
            }
        }
        let address = address.expect("the program says where it listens");
        std::fs::write(folder.file("started"), "").unwrap();
        (Self { child, address }, link)
    }

    fn is_first(folder: &Folder) -> bool {
        !folder.file("started").exists()
    }

    pub async fn request(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request =
            reqwest::Client::new().request(method, format!("http://{}{path}", self.address)).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = soon("an answer of the program", request.send()).await.unwrap();
        let status = response.status();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
    }

    async fn station(&self) -> RawStation {
        RawStation::connect(self.address, "CS", Some("ocpp2.1"), None).await.unwrap()
    }

    /// SIGKILL: nothing is written any more.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn transaction(kind: &str, number: u32) -> Value {
    json!({"eventType": kind, "timestamp": AT, "triggerReason": "Authorized", "seqNo": number,
        "transactionInfo": {"transactionId": "T"}, "idToken": {"idToken": "TAG", "type": "ISO14443"},
        "evse": {"id": 1, "connectorId": 1}})
}

/// What a station says, and what is to be told once it was answered.
fn messages() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let alert = json!({"eventId": 1, "timestamp": AT, "trigger": "Alerting", "actualValue": "1",
        "eventNotificationType": "CustomMonitor", "component": {"name": "Connector", "evse": {"id": 1}},
        "variable": {"name": "Problem"}});
    vec![
        (
            "StatusNotification",
            json!({"timestamp": AT, "connectorStatus": "Faulted", "evseId": 1, "connectorId": 1}),
            &["connector.status", "fault.opened"],
        ),
        ("SecurityEventNotification", json!({"type": "SettingSystemTime", "timestamp": AT}), &["security.event"]),
        ("NotifyEvent", json!({"generatedAt": AT, "seqNo": 0, "eventData": [alert]}), &["variable.alert"]),
        ("FirmwareStatusNotification", json!({"status": "Downloading", "requestId": 1}), &["firmware.status"]),
        ("LogStatusNotification", json!({"status": "Uploading", "requestId": 1}), &["log.status"]),
        ("TransactionEvent", transaction("Started", 0), &["transaction.started"]),
        ("TransactionEvent", transaction("Updated", 1), &["transaction.updated"]),
        ("TransactionEvent", transaction("Ended", 2), &["transaction.ended"]),
        (
            "ReservationStatusUpdate",
            json!({"reservationId": 4, "reservationUpdateStatus": "Removed"}),
            &["reservation.ended"],
        ),
    ]
}

async fn told(program: &Program, subscription: &str) -> BTreeSet<String> {
    let path = format!("/api/v1/event-subscriptions/{subscription}/deliveries?limit=1000");
    let (status, known) = program.request(Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{known}");
    known.as_array().unwrap().iter().map(|known| known["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn whatever_the_program_answered_before_it_was_killed_is_told_afterwards() {
    let folder = Folder::new();
    let configuration = folder.file("csms.toml");
    std::fs::write(&configuration, "inventory = false\n[notifications]\nprivate_addresses = true\n").unwrap();
    let program = Program::start(&folder, &configuration);
    // Nobody listens there.
    let body = json!({"target": "http://127.0.0.1:1/hook", "kinds": ["*"]});
    let (status, made) = program.request(Method::POST, "/api/v1/event-subscriptions", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let subscription = made["id"].as_str().unwrap();
    for (path, body) in [
        ("/api/v1/stations/CS", json!({"registration": "accepted", "security_profile": 0})),
        ("/api/v1/tokens/TAG", json!({})),
    ] {
        assert!(program.request(Method::PUT, path, Some(body)).await.0.is_success());
    }
    // An operation, and the reservation that it leads to.
    let mut station = program.station().await;
    station.boot("ocpp2.1").await;
    let body = json!({"operation": "reserve", "reservation": 4, "evse": 1, "token": "TAG", "expires_at": "2099-01-01T00:00:00Z"});
    let asks = program.request(Method::POST, "/api/v1/stations/CS/operations?wait=20", Some(body));
    let answers = async {
        let (id, _) = station.expect_call("ReserveNow").await;
        station.answer(&id, json!({"status": "Accepted"})).await;
    };
    let ((status, operation), ()) = tokio::join!(asks, answers);
    assert_eq!((status, &operation["state"]), (StatusCode::OK, &json!("succeeded")), "{operation}");
    program.kill();
    let mut expected: &[&str] =
        &["station.connected", "station.booted", "operation.progressed", "operation.ended", "reservation.made"];
    for (action, payload, kinds) in messages() {
        let program = Program::start(&folder, &configuration);
        let known = told(&program, subscription).await;
        assert!(expected.iter().all(|kind| known.contains(*kind)), "{expected:?} of {known:?}");
        assert!(kinds.iter().all(|kind| !known.contains(*kind)), "{kinds:?} before {action}: {known:?}");
        let mut station = program.station().await;
        station.boot("ocpp2.1").await;
        station.call(action, payload).await;
        program.kill();
        expected = kinds;
    }
    let program = Program::start(&folder, &configuration);
    let known = told(&program, subscription).await;
    assert!(expected.iter().all(|kind| known.contains(*kind)), "{expected:?} of {known:?}");
}
