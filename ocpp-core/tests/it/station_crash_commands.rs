//! Power cuts between any two effects while the CSMS changes things and a transaction runs: what was accepted is kept, nothing is
//! kept by half, and the transaction is told once and whole.

use std::time::Duration;

use ocpp_core::station::{EvseConfig, Input};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Said, Script};
use crate::station_crash::{Outcome, check};

/// Whether a command has had its effect, by what is on the disk.
type Kept = fn(&Script) -> bool;

struct Command {
    action: &'static str,
    payload: Value,
    kept: Kept,
}

fn is(world: &Script, key: &str, value: &str) -> bool {
    world.storage.get(key).is_some_and(|known| known == value)
}

fn tokens(world: &Script) -> Vec<String> {
    let entries =
        world.storage.iter().filter(|(key, _)| key.starts_with("local-list/") && *key != "local-list/version");
    let mut tokens: Vec<String> = entries.map(|(_, value)| value.clone()).collect();
    tokens.sort();
    tokens
}

fn listed(world: &Script, names: &[&str]) -> bool {
    let tokens = tokens(world);
    tokens.len() == names.len()
        && names.iter().all(|name| tokens.iter().any(|token| token.contains(&format!("\"{name}\""))))
}

fn entry(version: Version, token: &str, info: Option<&str>) -> Value {
    match version {
        Version::V1_6 => match info {
            Some(status) => json!({"idTag": token, "idTagInfo": {"status": status}}),
            None => json!({ "idTag": token }),
        },
        _ => {
            let id = json!({"idToken": token, "type": "ISO14443"});
            match info {
                Some(status) => json!({"idToken": id, "idTokenInfo": {"status": status}}),
                None => json!({ "idToken": id }),
            }
        }
    }
}

fn list(version: Version, kind: &str, number: i64, entries: &[Value]) -> Value {
    let name = if version == Version::V1_6 { "listVersion" } else { "versionNumber" };
    json!({ name: number, "updateType": kind, "localAuthorizationList": entries })
}

const LATER: &str = "2026-11-21T08:00:00Z";

/// What the CSMS has the station do one after the other; the last is the reset.
fn commands(version: Version, reset: &str) -> Vec<Command> {
    let first =
        list(version, "Full", 1, &[entry(version, "A", Some("Accepted")), entry(version, "B", Some("Accepted"))]);
    let second = list(version, "Differential", 2, &[entry(version, "A", None), entry(version, "C", Some("Blocked"))]);
    let interval: Kept = |world| is(world, "setting/TxCtrlr.EVConnectionTimeOut", "\"77\"");
    let mut commands = match version {
        Version::V1_6 => vec![
            Command {
                action: "ChangeConfiguration",
                payload: json!({"key": "ConnectionTimeOut", "value": "77"}),
                kept: interval,
            },
            Command {
                action: "ChangeAvailability",
                payload: json!({"connectorId": 2, "type": "Inoperative"}),
                kept: |world| is(world, "availability/2/1", "false"),
            },
            Command {
                action: "ReserveNow",
                payload: json!({"connectorId": 3, "expiryDate": LATER, "idTag": "MINE", "reservationId": 9}),
                kept: |world| world.storage.contains_key("reservation/9"),
            },
            Command {
                action: "SetChargingProfile",
                payload: json!({"connectorId": 0, "csChargingProfiles": {
                    "chargingProfileId": 4, "stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile",
                    "chargingProfileKind": "Absolute", "chargingSchedule": {"startSchedule": "2026-11-20T00:00:00Z",
                    "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}]}}}),
                kept: |world| world.storage.contains_key("charging-profile/4"),
            },
        ],
        _ => {
            let variable = json!({"component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"},
                "attributeValue": "77"});
            let token = json!({"idToken": "MINE", "type": "ISO14443"});
            vec![
                Command { action: "SetVariables", payload: json!({ "setVariableData": [variable] }), kept: interval },
                Command {
                    action: "ChangeAvailability",
                    payload: json!({"operationalStatus": "Inoperative", "evse": {"id": 2}}),
                    kept: |world| is(world, "availability/2", "false"),
                },
                Command {
                    action: "ReserveNow",
                    payload: json!({"id": 9, "expiryDateTime": LATER, "idToken": token, "evseId": 3}),
                    kept: |world| world.storage.contains_key("reservation/9"),
                },
            ]
        }
    };
    commands.push(Command {
        action: "SendLocalList",
        payload: first,
        kept: |world| listed(world, &["A", "B"]) || listed(world, &["B", "C"]),
    });
    commands.push(Command { action: "SendLocalList", payload: second, kept: |world| listed(world, &["B", "C"]) });
    // It leaves nothing but a restart.
    commands.push(Command { action: "Reset", payload: json!({ "type": reset }), kept: |_| true });
    commands
}

fn booted(version: Version) -> Script {
    let mut config = config(version);
    config.evses = vec![EvseConfig::default(); 3];
    let mut world = Script::booted_with(config);
    world.settle();
    world
}

/// Lets a driver begin, the CSMS do its work, and the driver leave; wherever the power goes off, it comes back a little later.
/// Gives what came of it, and how many commands were accepted.
fn run(mut world: Script, commands: &[Command]) -> (Outcome, usize) {
    let version = world.version;
    world.plug();
    if world.station.is_some() {
        world.tap("TAG");
    }
    let mut meter = "1000";
    if world.station.is_some() {
        world.vehicle(true);
        meter = "1500.5";
        world.meter(meter);
        world.settle();
    }
    let mut accepted = 0;
    for command in commands {
        if world.station.is_none() || world.restarts > 0 {
            break;
        }
        let before = world.peer.said.len();
        world.peer.call(command.action, command.payload.clone());
        world.settle();
        let Some((_, said)) = world.peer.said.get(before) else { break };
        let Said::Result(result) = said else { panic!("{version} {}: {said:?}", command.action) };
        let status = result.get("status").or_else(|| result["setVariableResult"][0].get("attributeStatus"));
        assert_eq!(status, Some(&json!("Accepted")), "{version} {}", command.action);
        accepted += 1;
    }
    // The power may go off here as well.
    loop {
        if world.station.is_none() {
            world.now = world.now + Duration::from_secs(20);
            world.power_on();
        }
        // After a restart the hardware says how it is.
        world.handle(Input::PluggedIn { evse: 1, connector: 1 });
        world.meter(meter);
        world.settle();
        world.unplug();
        world.run(Duration::from_secs(200));
        if world.station.is_some() {
            break;
        }
    }
    (Outcome { world, meter }, accepted)
}

/// 1.6 edition 2, 3.5.2, 5.2, 5.3, 5.13, 5.14, 5.15, 5.16; 1.6 errata 3.36, 3.37, 3.82; B05, B12, D01, G03, H01
#[test]
fn a_power_cut_at_any_moment_keeps_what_was_accepted_and_tells_the_transaction_whole() {
    for version in VERSIONS {
        let resets: &[&str] = if version == Version::V1_6 { &["Soft", "Hard"] } else { &["Immediate"] };
        for reset in resets {
            let commands = commands(version, reset);
            let first = booted(version).outputs.len();
            let (outcome, accepted) = run(booted(version), &commands);
            assert_eq!((accepted, outcome.world.restarts), (commands.len(), 1), "{version} {reset}");
            check(version, &outcome, "uncut");
            for at in first..outcome.world.outputs.len() {
                for survives in [false, true] {
                    let mut world = booted(version);
                    world.power_off_at = Some(at);
                    world.last_batch_survives = survives;
                    let (mut outcome, accepted) = run(world, &commands);
                    let what = format!("{reset}, cut before output {at}, last batch survives: {survives}");
                    check(version, &outcome, &what);
                    check_kept(version, &mut outcome.world, &commands, accepted, &what);
                }
            }
        }
    }
}

/// What was accepted is there, what was under way is there or not, and the rest is not.
fn check_kept(version: Version, world: &mut Script, commands: &[Command], accepted: usize, what: &str) {
    for (place, command) in commands.iter().enumerate().filter(|(_, command)| command.action != "Reset") {
        let kept = (command.kept)(world);
        assert!(kept || place >= accepted, "{version} {} is lost: {what}", command.action);
        assert!(!kept || place <= accepted, "{version} {} came from nowhere: {what}", command.action);
    }
    // Never a list of one update with the number of another.
    let number = match version {
        Version::V1_6 => {
            world.ask("GetLocalListVersion", json!({}));
            world.peer.result()["listVersion"].clone()
        }
        _ => {
            world.ask("GetLocalListVersion", json!({}));
            world.peer.result()["versionNumber"].clone()
        }
    };
    let expected: &[&str] = match number.as_i64() {
        Some(0) => &[],
        Some(1) => &["A", "B"],
        _ => &["B", "C"],
    };
    assert!(listed(world, expected), "{version} list {number} with {:?}: {what}", tokens(world));
}
