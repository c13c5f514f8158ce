//! Power cuts at every step of a firmware update and of an upload: the CSMS hears one coherent story, and it ends.

use std::time::Duration;

use ocpp_core::station::FirmwareUpdates;
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::Script;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    Plain,
    Signed,
    /// Signed, while somebody charges.
    Charging,
    Log,
}

fn booted(version: Version) -> Script {
    let mut config = config(version);
    config.firmware_updates = FirmwareUpdates::Either;
    let mut world = Script::with(config);
    world.settle();
    world
}

fn call(version: Version, scenario: Scenario) -> (&'static str, Value) {
    let mut firmware = json!({"location": "https://x.example/f", "retrieveDateTime": "2026-11-20T07:00:00Z"});
    if scenario != Scenario::Plain {
        firmware["signingCertificate"] = json!("PEM");
        firmware["signature"] = json!("c2ln");
    }
    match (version, scenario) {
        (_, Scenario::Log) => (
            "GetLog",
            json!({"logType": "SecurityLog", "requestId": 5, "log": {"remoteLocation": "https://x.example/l"}}),
        ),
        (Version::V1_6, Scenario::Plain) => {
            ("UpdateFirmware", json!({"location": "https://x.example/f", "retrieveDate": "2026-11-20T07:00:00Z"}))
        }
        (Version::V1_6, _) => ("SignedUpdateFirmware", json!({"requestId": 5, "firmware": firmware})),
        _ => ("UpdateFirmware", json!({"requestId": 5, "firmware": firmware})),
    }
}

/// Lets it happen; where the power goes off, it is back after a while.
fn play(mut world: Script, scenario: Scenario) -> Script {
    let mut plugged = false;
    if scenario == Scenario::Charging {
        plugged = true;
        world.meter("1000");
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        revive(&mut world, plugged);
    }
    let (action, payload) = call(world.version, scenario);
    world.peer.call(action, payload.clone());
    world.run(Duration::from_secs(40));
    revive(&mut world, plugged);
    if scenario == Scenario::Charging {
        world.meter("2000");
        world.tap("TAG");
        revive(&mut world, plugged);
        world.unplug();
        revive(&mut world, false);
    }
    world.run(Duration::from_secs(200));
    revive(&mut world, false);
    world
}

fn revive(world: &mut Script, plugged: bool) {
    if world.station.is_none() {
        world.now = world.now + Duration::from_secs(20);
        world.power_on();
        if plugged {
            world.handle(ocpp_core::station::Input::PluggedIn { evse: 1, connector: 1 });
        }
        world.meter("1500");
        world.run(Duration::from_secs(200));
    }
}

/// What the CSMS heard, a report that was sent twice because of the cut counted once.
fn story(world: &Script, scenario: Scenario) -> Vec<String> {
    let is_report = |action: &str| match scenario {
        Scenario::Log => action == "LogStatusNotification",
        _ => matches!(action, "FirmwareStatusNotification" | "SignedFirmwareStatusNotification"),
    };
    let heard = world.peer.heard.iter().filter(|heard| is_report(&heard.action));
    let mut words: Vec<_> = heard.map(|heard| heard.payload["status"].as_str().unwrap().to_owned()).collect();
    words.dedup();
    words
}

fn check(world: &Script, scenario: Scenario, what: &str) {
    let version = world.version;
    let words = story(world, scenario);
    let full: &[&str] = match (version, scenario) {
        (_, Scenario::Log) => &["Uploading", "Uploaded"],
        (Version::V1_6, Scenario::Plain) => &["Downloading", "Downloaded", "Installing", "Installed"],
        (_, Scenario::Plain) => &["Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"],
        (_, Scenario::Signed | Scenario::Charging) => {
            &["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"]
        }
    };
    // Where the power went off in between, the wait or the announcement of the restart may be missing, and nothing else.
    let known: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "InstallScheduled").collect();
    let without_restart: Vec<&str> = full.iter().copied().filter(|word| *word != "InstallRebooting").collect();
    let never_heard_of = known.is_empty();
    assert!(known == full || known == without_restart || never_heard_of, "{version} {scenario:?} {what}: {words:?}");
    // A request that the station never answered may have been lost with the power, and no other.
    let answered = world.peer.said.iter().any(|(action, _)| action.contains("UpdateFirmware") || action == "GetLog");
    assert!(!(never_heard_of && answered), "{version} {scenario:?} {what}: accepted and forgotten");
    let installed = world.config.product.firmware_version.as_deref() == Some("2.0.0");
    let said_so = words.last().is_some_and(|word| word == "Installed");
    assert_eq!(installed, said_so, "{version} {scenario:?} {what}: {words:?}");
    let events = &world.peer.security_events;
    let updated = events.iter().any(|event| event["type"] == "FirmwareUpdated");
    assert_eq!(updated, said_so, "{version} {scenario:?} {what}");
    let left: Vec<_> = world.storage.keys().filter(|key| key.starts_with("progress/")).collect();
    assert!(left.is_empty(), "{version} {scenario:?} {what}: {left:?}");
    let state = world.station.as_ref().expect("the power is on").state(world.now);
    assert_eq!(state.evses[0].connectors[0], ocpp_core::station::ConnectorStatus::Available, "{version} {what}");
    if scenario == Scenario::Charging {
        let messages = world.transaction_messages();
        let of = |one: &str, other: &str| {
            messages.iter().filter(|message| *message == one || message.starts_with(other)).count()
        };
        let (starts, stops) = (of("StartTransaction", "Started"), of("StopTransaction", "Ended"));
        assert_eq!(starts >= 1, stops >= 1, "{version} {what}: {messages:?}");
        assert_eq!(state.outbox, 0, "{version} {what}");
    }
}

fn cut_everywhere(scenario: Scenario) {
    for version in VERSIONS {
        let whole = play(booted(version), scenario);
        check(&whole, scenario, "uncut");
        for at in booted(version).outputs.len()..whole.outputs.len() {
            for survives in [false, true] {
                let mut world = booted(version);
                world.power_off_at = Some(at);
                world.last_batch_survives = survives;
                let world = play(world, scenario);
                check(&world, scenario, &format!("cut before output {at}, last batch survives: {survives}"));
            }
        }
    }
}

#[test]
fn a_power_cut_at_any_step_of_an_unsigned_update_leaves_one_story() {
    cut_everywhere(Scenario::Plain);
}

#[test]
fn a_power_cut_at_any_step_of_a_signed_update_leaves_one_story() {
    cut_everywhere(Scenario::Signed);
}

#[test]
fn a_power_cut_at_any_step_of_an_update_that_waits_for_a_driver_leaves_one_story() {
    cut_everywhere(Scenario::Charging);
}

#[test]
fn a_power_cut_at_any_step_of_an_upload_leaves_one_story() {
    cut_everywhere(Scenario::Log);
}
