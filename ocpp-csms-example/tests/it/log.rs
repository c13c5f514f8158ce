//! What is logged: each bad input once, with the station it came from.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Folder, RawStation, TOKEN, boot_payload};

/// The program, ended with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Folder) -> (Program, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ocpp-csms"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
            "--unknown-stations",
            "accept",
            "--database",
        ])
        .arg(folder.file("csms.sqlite"))
        .env("OCPP_CSMS_API_TOKEN", TOKEN)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::from(std::fs::File::create(folder.file("log")).unwrap()))
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut told = BufReader::new(child.stdout.take().unwrap());
    told.read_line(&mut line).unwrap();
    let address = line.split("ws://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
    (Program(child), address)
}

/// The warnings so far that name the station.
fn warnings(folder: &Folder, station: &str) -> Vec<Value> {
    let log = std::fs::read_to_string(folder.file("log")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{log}")));
    lines.filter(|line| line["level"] == "WARN" && line["station"] == station).collect()
}

/// The same, once there is one.
async fn warnings_of(folder: &Folder, station: &str) -> Vec<Value> {
    let seen = async {
        while warnings(folder, station).is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    crate::harness::soon("the warning", seen).await;
    warnings(folder, station)
}

#[tokio::test]
async fn each_bad_input_is_logged_once_with_its_station() {
    let folder = Folder::new();
    let (_program, address) = start(&folder);
    let bad = [
        ("NOT-JSON", "this is not JSON", "not JSON"),
        ("NO-MESSAGE", "{\"a\":1}", "{\"a\":1}"),
        ("UNKNOWN-ACTION", "[2,\"1\",\"MakeCoffee\",{}]", "MakeCoffee"),
        ("NOTHING-ASKED", "[3,\"nobody-asked\",{}]", "nobody-asked"),
        ("WRONG-SHAPE", "[2,\"1\",\"StatusNotification\",{}]", "StatusNotification"),
    ];
    for (station, frame, word) in bad {
        let mut socket = RawStation::connect(address, station, Some("ocpp2.1"), None).await.unwrap();
        socket.call("BootNotification", boot_payload("ocpp2.1")).await;
        socket.send(Message::text(frame)).await;
        // Once this is answered, the frame before was dealt with.
        socket.call("Heartbeat", json!({})).await;
        let warnings = warnings(&folder, station);
        assert_eq!(warnings.len(), 1, "{station}: {warnings:?}");
        assert!(warnings[0].to_string().replace("\\\"", "\"").contains(word), "{station}: {warnings:?}");
    }
    let big = Message::text("x".repeat(10 << 20));
    for (station, message, word) in [("BINARY", Message::binary(vec![0]), "binary"), ("BIG", big, "too")] {
        let mut socket = RawStation::connect(address, station, Some("ocpp2.1"), None).await.unwrap();
        // The server may close the connection before all of it was written.
        let _ = socket.try_send(message).await;
        socket.closed().await;
        let warnings = warnings_of(&folder, station).await;
        assert_eq!(warnings.len(), 1, "{station}: {warnings:?}");
        assert!(warnings[0]["message"].as_str().unwrap().contains(word), "{station}: {warnings:?}");
    }
    RawStation::connect(address, "WRONG-VERSION", Some("ocpp1.2"), None).await.err();
    assert!(warnings_of(&folder, "WRONG-VERSION").await[0]["offered"].as_str().unwrap().contains("ocpp1.2"));
}
