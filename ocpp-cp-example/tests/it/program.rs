//! `ocpp-cp run`, from outside.

use std::process::Stdio;

use ocpp_core::types::Version;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::bench::http_client;
use crate::csms::{Csms, Door, Seen};

#[tokio::test]
async fn the_program_prints_where_it_is_controlled_and_runs_until_it_is_interrupted() {
    let csms = Csms::start(Door::Open(Version::V1_6)).await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_ocpp-cp"))
        .args(["run", "--csms", &csms.url(), "--id", "CP-7", "--version", "auto", "--evses", "2", "--connectors", "1"])
        .args(["--control", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.strip_prefix("control ").unwrap().to_owned();
    csms.until("the station boots", |seen| seen.payloads("BootNotification").len() == 1).await;
    assert_eq!(csms.seen().requests[0].0, "/ocpp/CP-7");
    let state: Value =
        serde_json::from_str(&http_client().get(format!("{url}/state")).send().await.unwrap().text().await.unwrap())
            .unwrap();
    assert_eq!((&state["id"], state["evses"].as_array().unwrap().len()), (&"CP-7".into(), 2));

    #[cfg(unix)]
    {
        use tokio::io::AsyncReadExt;
        let id = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        assert!(child.wait().await.unwrap().success());
        csms.until("it says goodbye", |seen| seen.closed == 1).await;
        let mut log = String::new();
        child.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        assert!(log.contains("BootNotification") && log.contains("CP-7"), "{log}");
    }
}

#[tokio::test]
async fn a_killed_station_ends_its_transaction_when_it_is_started_again() {
    let folder = std::env::temp_dir().join(format!("ocpp-cp-killed-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let csms = Csms::start(Door::Open(Version::V2_1)).await;
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_ocpp-cp"))
            .args(["run", "--csms", &csms.url(), "--id", "CP-8", "--version", "2.1", "--control", "127.0.0.1:0"])
            .args(["--speed", "3600", "--state"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let control = async |child: &mut tokio::process::Child| {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.next_line().await.unwrap().unwrap().strip_prefix("control ").unwrap().to_owned()
    };
    let mut child = start();
    let url = control(&mut child).await;
    csms.until("the boot is accepted", |seen| !seen.payloads("StatusNotification").is_empty()).await;
    let client = http_client();
    for (path, body) in [("plug", ""), ("tap", r#"{"token":"GOOD"}"#)] {
        let url = format!("{url}/evses/1/{path}");
        assert!(client.post(url).body(body).send().await.unwrap().status().is_success());
    }
    let kinds = |seen: &Seen| -> Vec<String> {
        let mut events = seen.payloads("TransactionEvent");
        events.dedup_by_key(|event| event["seqNo"].clone());
        events.iter().map(|event| event["eventType"].as_str().unwrap().to_owned()).collect()
    };
    csms.until("the transaction is under way", |seen| kinds(seen).len() >= 2).await;
    child.kill().await.unwrap();

    let mut child = start();
    let url = control(&mut child).await;
    let seen = csms.until("the transaction ends", |seen| kinds(seen).last().is_some_and(|kind| kind == "Ended")).await;
    let told = kinds(&seen);
    assert_eq!(told.iter().filter(|kind| *kind == "Started").count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|kind| *kind == "Ended").count(), 1, "{told:?}");
    let events = seen.payloads("TransactionEvent");
    let transaction = |event: &Value| event["transactionInfo"]["transactionId"].clone();
    assert!(events.iter().all(|event| transaction(event) == transaction(events[0])));
    assert_eq!(events.last().unwrap()["transactionInfo"]["stoppedReason"], "PowerLoss");
    let state: Value =
        serde_json::from_str(&http_client().get(format!("{url}/state")).send().await.unwrap().text().await.unwrap())
            .unwrap();
    let evse = &state["evses"][0];
    assert_eq!((&evse["plugged"], &evse["permitted"]), (&1.into(), &false.into()), "the car is still there");
    let last = &evse["last_transaction"];
    assert_eq!(last["id"], transaction(events[0]));
    assert_eq!(last["meter_stop_wh"], evse["meter_wh"]);
    child.kill().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused_with_what_to_do() {
    for (arguments, advice) in [
        (["--csms", "http://127.0.0.1:1/ocpp", "--id", "CP-1"], "ws://"),
        (["--csms", "127.0.0.1:1", "--id", "CP-1"], "--csms"),
        (["--csms", "wss://127.0.0.1:1/ocpp", "--ca", "/no/such/file"], "--id"),
        (["--csms", "ws://127.0.0.1:1/ocpp", "--id", "a:b"], "colon"),
        (["--csms", "ws://127.0.0.1:1/ocpp", "--version", "1.5"], "2.0.1"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ocpp-cp")).arg("run").args(arguments).output().await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(advice), "{arguments:?}: {error}");
    }
    let secure = ["run", "--csms", "wss://127.0.0.1:1/ocpp", "--id", "CP-1"];
    for (arguments, advice) in [
        (["--ca", "/no/such/file"], "/no/such/file"),
        (["--certificate", "/no/such/file"], "--key"),
        (["--secure-csms", "ws://127.0.0.1:1/ocpp"], "wss://"),
        (["--security-profile", "4"], "0..=3"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ocpp-cp")).args(secure).args(arguments).output().await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(advice), "{arguments:?}: {error}");
    }
}
