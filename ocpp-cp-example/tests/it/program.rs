//! `ocpp-cp run`, from outside.

use std::process::Stdio;

use ocpp_core::types::Version;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::csms::{Csms, Door};

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
        serde_json::from_str(&reqwest::get(format!("{url}/state")).await.unwrap().text().await.unwrap()).unwrap();
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
async fn arguments_that_make_no_sense_are_refused_with_what_to_do() {
    for (arguments, advice) in [
        (["--csms", "http://127.0.0.1:1/ocpp", "--id", "CP-1"], "ws://"),
        (["--csms", "127.0.0.1:1", "--id", "CP-1"], "--csms"),
        (["--csms", "wss://127.0.0.1:1/ocpp", "--id", "CP-1"], "TLS"),
        (["--csms", "ws://127.0.0.1:1/ocpp", "--id", "a:b"], "colon"),
        (["--csms", "ws://127.0.0.1:1/ocpp", "--version", "1.5"], "2.0.1"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ocpp-cp")).arg("run").args(arguments).output().await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(advice), "{arguments:?}: {error}");
    }
}
