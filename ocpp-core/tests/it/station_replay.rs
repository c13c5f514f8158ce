//! A log of everything that a station was told: its life can be lived again.

use std::time::Duration;

use ocpp_core::station::replay::{Digest, Entry, Replay, ReplayError, Start};
use ocpp_core::station::{Input, Output, Station, VendorMessage};
use ocpp_core::time::Now;
use ocpp_core::types::Json;
use serde_json::json;

use crate::harness::{STARTED, VERSIONS, config};
use crate::scripted::Script;

/// A log of what a station was told in a day with an outage and a power cut, as an integrator writes it.
fn log(version: ocpp_core::types::Version) -> (Vec<String>, Vec<Output>) {
    let mut world = Script::booted(version);
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
    let mut message = VendorMessage::new("com.example");
    message.data = Some(Json::parse("{\"a\": [1, 2.50, \"é\"]}").unwrap());
    world.handle(Input::VendorMessage { id: 1, message });
    world.run(Duration::from_secs(200));
    world.cut();
    world.run(Duration::from_secs(100));
    world.meter("1500.123");
    world.network.up = true;
    world.run(Duration::from_secs(100));
    world
        .peer
        .call("Reset", json!({"type": if version == ocpp_core::types::Version::V1_6 { "Soft" } else { "OnIdle" }}));
    world.settle();
    world.tap("TAG");
    world.unplug();
    // The world does the same to a station a second time, and writes it down.
    let mut lines = Vec::new();
    let mut outputs = Vec::new();
    let start = Now::new(Default::default(), STARTED.parse().unwrap());
    let mut station = Station::new(config(version), [1; 32], start);
    let first = Start { now: start.into(), config: config(version), seed: [1; 32], stored: None };
    lines.push(Entry::Start(Box::new(first)).to_line());
    let mut drain = |station: &mut Station, lines: &mut Vec<String>| {
        let mut digest = Digest::default();
        while let Some(output) = station.poll_output() {
            digest.add(&output);
            outputs.push(output);
        }
        if digest.count() > 0 {
            lines.push(Entry::Outputs(digest).to_line());
        }
    };
    drain(&mut station, &mut lines);
    for (now, input) in &world.inputs {
        lines.push(Entry::Input { now: (*now).into(), input: input.clone() }.to_line());
        station.handle(*now, input.clone());
        drain(&mut station, &mut lines);
    }
    let now = world.now;
    lines
        .push(Entry::Setting { now: now.into(), name: "HeartbeatInterval".into(), value: Some("17".into()) }.to_line());
    station.change_setting(now, &"HeartbeatInterval".into(), Some("17")).unwrap();
    drain(&mut station, &mut lines);
    // It starts again from what it had stored.
    let records: Vec<_> = world
        .storage
        .iter()
        .map(|(key, value)| ocpp_core::station::Record { key: key.clone(), value: value.clone() })
        .collect();
    let again = Start { now: now.into(), config: config(version), seed: [2; 32], stored: Some(records.clone()) };
    lines.push(Entry::Start(Box::new(again)).to_line());
    let mut station = Station::restore(config(version), [2; 32], now, records.into_iter()).unwrap();
    drain(&mut station, &mut lines);
    (lines, outputs)
}

#[test]
fn a_log_that_went_through_a_file_gives_the_same_outputs_byte_for_byte() {
    for version in VERSIONS {
        let (lines, outputs) = log(version);
        assert!(lines.len() > 100, "{version}");
        let mut replay = Replay::new();
        let replayed: Vec<Output> = lines.iter().flat_map(|line| replay.line(line).unwrap()).collect();
        assert_eq!(replayed, outputs, "{version}");
        assert_eq!(format!("{replayed:?}"), format!("{outputs:?}"), "{version}");
        assert!(replay.station().is_some());
    }
}

#[test]
fn a_log_that_does_not_fit_says_where() {
    let (lines, _) = log(VERSIONS[0]);
    let fails = |lines: &[String]| {
        let mut replay = Replay::new();
        lines.iter().find_map(|line| replay.line(line).err())
    };
    assert_eq!(fails(&lines), None);
    assert_eq!(fails(&lines[2..]), Some(ReplayError::NotStarted { line: 1 }));
    let mut damaged = lines.clone();
    damaged[3].truncate(10);
    assert!(matches!(fails(&damaged), Some(ReplayError::Line { line: 4, .. })));
    // Another seed makes another life.
    let mut other = lines.clone();
    other[0] = other[0].replace("\"seed\":[1,", "\"seed\":[9,");
    assert_ne!(other[0], lines[0]);
    assert!(matches!(fails(&other), Some(ReplayError::Different { .. })));
    // So does a fact that is missing.
    let mut shorter = lines.clone();
    let plug = lines.iter().position(|line| line.contains("PluggedIn")).unwrap();
    shorter.remove(plug);
    assert!(matches!(fails(&shorter), Some(ReplayError::Different { .. })));
    let mut torn = lines;
    let last = torn.iter().rposition(|line| line.contains("\"start\"")).unwrap();
    torn[last] = torn[last].replace("\\\"accepted\\\":true", "\\\"accepted\\\":maybe");
    assert!(matches!(fails(&torn), Some(ReplayError::Restore { .. })));
}
