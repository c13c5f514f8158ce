//! Security events: logged, and the critical ones told (A04; 1.6 security, A04 and 8).

use std::time::Duration;

use ocpp_core::station::{Input, SecurityEvent};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::VERSIONS;
use crate::scripted::{Reply, Script};

const NOTIFICATION: &str = "SecurityEventNotification";

fn happen(world: &mut Script, event: SecurityEvent) {
    world.handle(Input::SecurityEvent { event, info: Some("seen by a sensor".into()) });
}

/// The events that the CSMS heard of, by name.
fn heard(world: &Script) -> Vec<&str> {
    world.peer.security_events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn logged(world: &mut Script) -> Vec<String> {
    let version = world.version;
    world.station().security_log().map(|entry| entry.event.name(version).into_owned()).collect()
}

#[test]
fn a_start_is_told_once_the_csms_has_accepted_the_station() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        let pending = json!({"status": "Pending", "currentTime": "2026-11-20T08:00:00Z", "interval": 40});
        world.peer.once("BootNotification", Reply::Result(pending));
        world.run(Duration::from_secs(30));
        assert!(heard(&world).is_empty(), "{version}");
        world.run(Duration::from_secs(30));
        assert_eq!(heard(&world), ["StartupOfTheDevice"], "{version}");
        let at = world.peer.security_events[0]["timestamp"].as_str().unwrap();
        assert!(at.starts_with("2026-11-20T08:00:00"), "{version}: when it happened, not when it was told");
    }
}

/// A04.FR.01, A04.FR.04; 1.6 security, A04.FR.01/04; 1.6 security, 8; 1.6 security, N01.FR.05
#[test]
fn a_critical_event_is_told_and_any_event_is_logged() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.security_events.clear();
        happen(&mut world, SecurityEvent::TamperDetectionActivated);
        happen(&mut world, SecurityEvent::AttemptedReplayAttacks);
        happen(&mut world, SecurityEvent::MemoryExhaustion);
        world.settle();
        assert_eq!(heard(&world), ["TamperDetectionActivated", "MemoryExhaustion"], "{version}");
        assert_eq!(world.peer.security_events[0]["techInfo"], "seen by a sensor");
        let all = ["StartupOfTheDevice", "TamperDetectionActivated", "AttemptedReplayAttacks", "MemoryExhaustion"];
        assert_eq!(logged(&mut world), all, "{version}");
    }
}

/// 1.6 security, 8
#[test]
fn the_versions_differ_in_what_they_call_critical() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.security_events.clear();
        happen(&mut world, SecurityEvent::InvalidFirmwareSignature);
        happen(&mut world, SecurityEvent::InvalidCsmsCertificate);
        happen(&mut world, SecurityEvent::InvalidTlsVersion);
        world.settle();
        let (told, name): (&[&str], _) = match version {
            Version::V1_6 => (&[], "InvalidCentralSystemCertificate"),
            _ => {
                (&["InvalidFirmwareSignature", "InvalidCsmsCertificate", "InvalidTLSVersion"], "InvalidCsmsCertificate")
            }
        };
        assert_eq!(heard(&world), told, "{version}");
        assert_eq!(logged(&mut world)[2], name);
    }
}

/// A04.FR.02; 1.6 security, A04.FR.02
#[test]
fn events_wait_for_the_csms_in_order_and_through_power_cuts() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.security_events.clear();
        world.cut();
        world.settle();
        happen(&mut world, SecurityEvent::TamperDetectionActivated);
        happen(&mut world, SecurityEvent::FirmwareUpdated);
        world.settle();
        world.power_cut(Duration::from_secs(60));
        happen(&mut world, SecurityEvent::MemoryExhaustion);
        world.settle();
        world.network.up = true;
        world.run(Duration::from_secs(300));
        let expected = ["TamperDetectionActivated", "FirmwareUpdated", "StartupOfTheDevice", "MemoryExhaustion"];
        assert_eq!(heard(&world), expected, "{version}");
        world.power_cut(Duration::from_secs(60));
        world.run(Duration::from_secs(300));
        assert_eq!(heard(&world)[4..], ["StartupOfTheDevice"], "{version}: what was told is not told again");
    }
}

/// A04.FR.02; 1.6 security, A04.FR.02, A04.FR.03
#[test]
fn an_event_that_is_not_confirmed_is_told_again() {
    for version in VERSIONS {
        for reply in [Reply::Silence, Reply::Error("InternalError")] {
            let mut world = Script::booted(version);
            world.peer.security_events.clear();
            world.peer.once(NOTIFICATION, reply);
            happen(&mut world, SecurityEvent::TamperDetectionActivated);
            happen(&mut world, SecurityEvent::FirmwareUpdated);
            world.run(Duration::from_secs(200));
            let expected = ["TamperDetectionActivated", "TamperDetectionActivated", "FirmwareUpdated"];
            assert_eq!(heard(&world), expected, "{version}");
        }
    }
}

#[test]
fn an_event_that_the_csms_never_takes_does_not_block_the_others() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.security_events.clear();
        for _ in 0..3 {
            world.peer.once(NOTIFICATION, Reply::Error("InternalError"));
        }
        happen(&mut world, SecurityEvent::TamperDetectionActivated);
        happen(&mut world, SecurityEvent::FirmwareUpdated);
        world.run(Duration::from_secs(600));
        assert_eq!(heard(&world)[3..], ["FirmwareUpdated"], "{version}");
    }
}

#[test]
fn a_csms_without_security_events_is_told_once_a_connection() {
    let mut world = Script::start(Version::V1_6);
    world.peer.always(NOTIFICATION, Reply::Error("NotImplemented"));
    world.settle();
    happen(&mut world, SecurityEvent::TamperDetectionActivated);
    world.run(Duration::from_secs(600));
    assert_eq!(heard(&world), ["StartupOfTheDevice"]);
    world.peer.always(NOTIFICATION, Reply::Result(json!({})));
    world.drop_connection();
    world.run(Duration::from_secs(60));
    assert_eq!(heard(&world)[1..], ["StartupOfTheDevice", "TamperDetectionActivated"], "the next one may have them");
}

/// 1.6 security, 8
#[test]
fn a_reset_and_a_clock_that_is_set_are_events() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.security_events.clear();
        let payload = if version == Version::V1_6 { json!({"type": "Soft"}) } else { json!({"type": "Immediate"}) };
        world.ask("Reset", payload);
        let late = json!({"status": "Accepted", "currentTime": "2026-11-21T08:00:00Z", "interval": 300});
        world.peer.once("BootNotification", Reply::Result(late));
        world.run(Duration::from_secs(60));
        assert_eq!(heard(&world), ["ResetOrReboot", "StartupOfTheDevice", "SettingSystemTime"], "{version}");
    }
}

/// 1.6 security, 8
#[test]
fn a_flood_of_invalid_messages_is_one_event_a_minute() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        let before = world.outputs.len();
        for _ in 0..500 {
            world.peer.send("{no frame");
            world.ask("Reset", json!({"type": "Sideways"}));
        }
        let events = logged(&mut world).iter().filter(|name| *name == "InvalidMessages").count();
        let minutes = 500 * 3 / 60;
        assert!((2..=minutes + 1).contains(&events), "{version}: {events}");
        assert!(world.outputs.len() > before);
        assert!(!heard(&world).contains(&"InvalidMessages"));
    }
}

/// 1.6 security, A04.FR.04
#[test]
fn the_log_rolls_and_keeps_what_the_csms_has_yet_to_hear() {
    let mut world = Script::booted(Version::V2_1);
    world.cut();
    world.settle();
    happen(&mut world, SecurityEvent::TamperDetectionActivated);
    for _ in 0..1_000 {
        happen(&mut world, SecurityEvent::AttemptedReplayAttacks);
    }
    world.settle();
    assert_eq!(world.station().security_log().count(), 128);
    assert_eq!(logged(&mut world)[0], "TamperDetectionActivated");
    assert!(world.storage.keys().filter(|key| key.starts_with("security-event/")).count() <= 128);
    for _ in 0..1_000 {
        happen(&mut world, SecurityEvent::MemoryExhaustion);
    }
    world.settle();
    assert_eq!(world.station().security_log().count(), 128, "bounded, even where all wait");
}

/// 1.6 security, 8
#[test]
fn a_log_that_is_cleared_says_so() {
    let mut world = Script::booted(Version::V1_6);
    world.peer.security_events.clear();
    happen(&mut world, SecurityEvent::AttemptedReplayAttacks);
    let now = world.now;
    world.station().clear_security_log(now);
    world.settle();
    assert_eq!(logged(&mut world), ["SecurityLogWasCleared"]);
    assert_eq!(heard(&world), ["SecurityLogWasCleared"]);
}

#[test]
fn what_is_known_about_an_event_is_cut_to_fit() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.security_events.clear();
        let event = SecurityEvent::Other { name: "x".repeat(60), is_critical: true };
        world.handle(Input::SecurityEvent { event, info: Some("é".repeat(300)) });
        world.settle();
        let told: &Value = &world.peer.security_events[0];
        assert_eq!(told["type"].as_str().unwrap().chars().count(), 50);
        assert_eq!(told["techInfo"].as_str().unwrap().chars().count(), 255);
    }
}
