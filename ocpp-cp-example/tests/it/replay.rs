//! What a real run has written down lives again: `ocpp-cp run --record`, `ocpp-cp replay`.

use std::path::PathBuf;

use ocpp_core::station::replay::Replay;
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use crate::bench::{Bench, VERSIONS};

async fn replayed(log: &PathBuf) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ocpp-cp")).arg("replay").arg(log).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_recorded_run_lives_again_output_for_output() {
    for version in VERSIONS {
        let log = std::env::temp_dir().join(format!("ocpp-cp-record-{}-{}.log", version.number(), std::process::id()));
        let bench = Bench::with(version, |config| config.record = Some(log.clone())).await;
        bench.charge().await;
        bench.ask(Method::PUT, "/settings/ConnectionTimeOut", "45").await;
        // What is refused is refused again.
        bench.ask(Method::PUT, "/settings/ConnectionTimeOut", "soon").await;
        bench.ask(Method::PUT, "/auth-cache/CACHED", r#"{"status":"Accepted"}"#).await;
        bench.post("/network", json!({"up": false})).await;
        bench.post("/evses/1/tap", json!({"token": "GOOD"})).await;
        bench.post("/network", json!({"up": true})).await;
        bench.csms.until("the transaction ends", |seen| bench.ended(seen) == 1).await;
        bench.post("/restart", json!({})).await;
        bench.csms.until("the station boots again", |seen| seen.payloads("BootNotification").len() == 2).await;
        bench.station.shutdown().await;

        let text = std::fs::read_to_string(&log).unwrap();
        let mut replay = Replay::new();
        let mut outputs = Vec::new();
        for line in text.lines() {
            outputs.extend(replay.line(line).unwrap_or_else(|error| panic!("{version}: {error}")));
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("{\"start\"")).count(), 2, "{version}");
        assert!(outputs.len() > 50, "{version}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&log).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "nobody else may read it");
        }

        let (same, printed, said) = replayed(&log).await;
        assert!(same, "{version}: {said}");
        let expected: String = outputs.iter().map(|output| format!("{output:?}\n")).collect();
        assert!(printed == expected, "{version}");
        // A life in which nobody plugs in is another one.
        let other: String =
            text.lines().filter(|line| !line.contains("PluggedIn")).map(|line| format!("{line}\n")).collect();
        std::fs::write(&log, other).unwrap();
        let (same, _, said) = replayed(&log).await;
        assert!(!same && said.contains("outputs"), "{version}: {said}");
        std::fs::remove_file(&log).unwrap();
    }
}
