//! Boot, heartbeat and clock (2.1 part 2, B01 to B04, G02; 1.6 edition 2, 4.2 and 4.6).

use std::time::Duration;

use ocpp_core::station::{BootReason, Event, Output, Registration};
use ocpp_core::types::Version;
use serde_json::json;

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Said, Script};

const PENDING: &str = "Pending";
const REJECTED: &str = "Rejected";

fn boot_reply(status: &str, interval: i64) -> Reply {
    Reply::Result(json!({"status": status, "currentTime": "2026-11-20T08:00:00Z", "interval": interval}))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// B01.FR.01, B01.FR.05; 1.6 edition 2, 4.2, 4.9; 1.6 errata 3.22
#[test]
fn the_first_message_is_a_boot_notification_and_the_statuses_follow_its_acceptance() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        world.settle();
        let actions = world.peer.actions();
        assert_eq!(actions[0], "BootNotification", "{version}");
        assert!(actions[1..].iter().all(|action| *action == "StatusNotification"), "{version}: {actions:?}");
        // 1.6 has a status of the station itself.
        assert_eq!(actions.len(), if version == Version::V1_6 { 3 } else { 2 }, "{version}: {actions:?}");
        assert_eq!(world.heard_statuses(), ["Available"]);
    }
}

#[test]
fn a_boot_notification_says_what_the_station_is() {
    let mut world = Script::start(Version::V1_6);
    world.settle();
    assert_eq!(
        *world.peer.payloads("BootNotification")[0],
        json!({"chargePointVendor": "ACME", "chargePointModel": "Wallbox", "chargePointSerialNumber": "S-1",
               "firmwareVersion": "1.0.0"})
    );
    let mut world = Script::start(Version::V2_1);
    world.settle();
    // B01.FR.09
    assert_eq!(
        *world.peer.payloads("BootNotification")[0],
        json!({"chargingStation": {"model": "Wallbox", "vendorName": "ACME", "serialNumber": "S-1",
               "firmwareVersion": "1.0.0"}, "reason": "PowerUp"})
    );
}

/// B02.FR.02, B02.FR.08; 1.6 edition 2, 4.2
#[test]
fn a_pending_station_says_nothing_but_boot_again_after_the_interval() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        world.peer.once("BootNotification", boot_reply(PENDING, 40));
        world.settle();
        world.plug();
        world.tap("TAG");
        world.run(seconds(30));
        assert_eq!(world.peer.actions(), ["BootNotification"], "{version}");
        world.run(seconds(10));
        assert_eq!(world.peer.actions()[..2], ["BootNotification", "BootNotification"], "{version}");
        assert!(world.peer.actions().contains(&"StatusNotification"), "{version}");
    }
}

/// B02.FR.07, B03.FR.05; 1.6 edition 2, 4.2
#[test]
fn with_an_interval_of_zero_the_station_waits_longer_each_time() {
    for version in VERSIONS {
        for status in [PENDING, REJECTED] {
            let mut world = Script::start(version);
            world.peer.always("BootNotification", boot_reply(status, 0));
            world.run(seconds(24 * 3600));
            let times: Vec<_> = world.peer.heard.iter().map(|heard| heard.at.instant).collect();
            let gaps: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_since(pair[0])).collect();
            assert!(gaps[0] >= seconds(30), "{version} {status}: {gaps:?}");
            assert!(gaps[1] > gaps[0], "{version} {status}: {gaps:?}");
            assert!(gaps.iter().skip(8).all(|gap| *gap >= seconds(3600)), "{version} {status}: {gaps:?}");
            assert!((20..50).contains(&times.len()), "{version} {status}: {}", times.len());
        }
    }
}

/// B02.FR.01, B02.FR.05; 1.6 edition 2, 4.2; 1.6 edition 2, 4.2.1; 1.6 errata 3.11
#[test]
fn a_pending_station_answers_and_starts_nothing() {
    let mut world = Script::start(Version::V1_6);
    world.peer.always("BootNotification", boot_reply(PENDING, 3600));
    world.settle();
    let said = world.ask("ChangeConfiguration", json!({"key": "MeterValueSampleInterval", "value": "20"}));
    assert_eq!(said, Said::Result(json!({"status": "Accepted"})));
    let said = world.ask("RemoteStartTransaction", json!({"idTag": "TAG", "connectorId": 1}));
    assert_eq!(said, Said::Result(json!({"status": "Rejected"})));

    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = Script::start(version);
        world.peer.always("BootNotification", boot_reply(PENDING, 3600));
        world.settle();
        let token = json!({"idToken": "TAG", "type": "ISO14443"});
        let said = world.ask("RequestStartTransaction", json!({"idToken": token, "remoteStartId": 1, "evseId": 1}));
        assert_eq!(said, Said::Result(json!({"status": "Rejected"})), "{version}");
        // B02.FR.02: what the CSMS asks for may be said.
        let said = world.ask("GetBaseReport", json!({"requestId": 7, "reportBase": "FullInventory"}));
        assert_eq!(said, Said::Result(json!({"status": "Accepted"})), "{version}");
        assert!(world.peer.actions().contains(&"NotifyReport"), "{version}");
        let said = world.ask("TriggerMessage", json!({"requestedMessage": "Heartbeat"}));
        assert_eq!(said, Said::Result(json!({"status": "Accepted"})), "{version}");
        assert!(world.peer.actions().contains(&"Heartbeat"), "{version}");
    }
}

/// B02.FR.04, F06.FR.17; 1.6 edition 2, 4.2
#[test]
fn a_trigger_makes_a_pending_station_boot_before_its_interval() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        world.peer.once("BootNotification", boot_reply(PENDING, 3600));
        world.settle();
        let said = world.ask("TriggerMessage", json!({"requestedMessage": "BootNotification"}));
        assert_eq!(said, Said::Result(json!({"status": "Accepted"})), "{version}");
        assert_eq!(world.peer.payloads("BootNotification").len(), 2, "{version}");
        if version != Version::V1_6 {
            assert_eq!(world.peer.payloads("BootNotification")[1]["reason"], "Triggered");
            let said = world.ask("TriggerMessage", json!({"requestedMessage": "BootNotification"}));
            assert_eq!(said, Said::Result(json!({"status": "Rejected"})), "{version}: accepted stations don't boot");
        }
    }
}

/// B03.FR.02, B03.FR.06, B03.FR.08; 1.6 edition 2, 4.2
#[test]
fn a_rejected_station_is_silent_until_its_interval_is_over() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        world.peer.once("BootNotification", boot_reply(REJECTED, 600));
        world.settle();
        world.peer.call("ClearCache", json!({}));
        world.run(seconds(590));
        assert_eq!(world.peer.actions(), ["BootNotification"], "{version}");
        match version {
            Version::V1_6 => assert!(world.peer.said.is_empty()),
            _ => assert_eq!(*world.peer.answer(), Said::Error("SecurityError".into()), "{version}"),
        }
        world.run(seconds(10));
        assert_eq!(world.peer.payloads("BootNotification").len(), 2, "{version}");
    }
}

#[test]
fn a_refused_or_unanswered_boot_is_tried_again() {
    for version in VERSIONS {
        for reply in [Reply::Error("InternalError"), Reply::Silence, Reply::Result(json!({"status": "Accepted"}))] {
            let mut world = Script::start(version);
            world.peer.once("BootNotification", reply.clone());
            world.run(seconds(25));
            assert_eq!(world.peer.actions(), ["BootNotification"], "{version} {reply:?}");
            world.run(seconds(100));
            assert_eq!(world.peer.payloads("BootNotification").len(), 2, "{version} {reply:?}");
            assert!(world.peer.actions().contains(&"StatusNotification"), "{version} {reply:?}");
        }
    }
}

/// 1.6-J, 5.4
#[test]
fn a_new_connection_is_no_new_boot() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.drop_connection();
        world.run(seconds(60));
        assert_eq!(world.peer.connections, 2, "{version}");
        assert!(!world.peer.actions().contains(&"BootNotification"), "{version}");
        // B04.FR.02: nothing changed, nothing is said.
        assert!(world.peer.actions().is_empty(), "{version}: {:?}", world.peer.actions());
    }
}

/// B02.FR.04
#[test]
fn a_new_connection_is_no_reason_to_boot_before_the_interval() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        world.peer.once("BootNotification", boot_reply(REJECTED, 600));
        world.settle();
        world.drop_connection();
        world.run(seconds(500));
        assert_eq!(world.peer.actions(), ["BootNotification"], "{version}");
        assert_eq!(world.peer.connections, 2, "{version}");
        world.run(seconds(120));
        assert_eq!(world.peer.payloads("BootNotification").len(), 2, "{version}");
    }
}

/// B01.FR.03, B01.FR.09
#[test]
fn a_restart_says_why_it_happened() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = Script::booted(version);
        assert_eq!(world.ask("Reset", json!({"type": "Immediate"})), Said::Result(json!({"status": "Accepted"})));
        world.settle();
        assert_eq!(world.restarts, 1, "{version}");
        assert_eq!(world.peer.payloads("BootNotification")[0]["reason"], "RemoteReset", "{version}");
        world.peer.forget();
        world.power_cut(seconds(5));
        world.settle();
        assert_eq!(world.peer.payloads("BootNotification")[0]["reason"], "PowerUp", "{version}");
        world.peer.forget();
        world.config.boot_reason = Some(BootReason::Watchdog);
        world.power_cut(seconds(5));
        world.settle();
        assert_eq!(world.peer.payloads("BootNotification")[0]["reason"], "Watchdog", "{version}");
    }
}

/// G02.FR.01, G02.FR.02, G02.FR.05; 1.6 edition 2, 4.6
#[test]
fn a_heartbeat_comes_after_the_interval_that_the_csms_gave_and_only_in_silence() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.run(seconds(290));
        assert!(world.peer.actions().is_empty(), "{version}");
        world.run(seconds(10));
        assert_eq!(world.peer.actions(), ["Heartbeat"], "{version}");
        world.run(seconds(200));
        world.plug();
        world.unplug();
        world.peer.forget();
        world.run(seconds(290));
        assert!(world.peer.actions().is_empty(), "{version}: something else was said meanwhile");
        world.run(seconds(10));
        assert_eq!(world.peer.actions(), ["Heartbeat"], "{version}");
        let now = world.now;
        let interval = world.station().setting(&"HeartbeatInterval".into()).unwrap();
        assert_eq!(interval, "300", "{version} at {now:?}");
    }
}

/// G02.FR.07; 1.6-J, 5.3
#[test]
fn a_station_that_always_talks_still_sends_a_heartbeat_a_day() {
    let mut world = Script::booted(Version::V2_1);
    for _ in 0..(26 * 60) {
        world.handle(ocpp_core::station::Input::PluggedIn { evse: 1, connector: 1 });
        world.run(seconds(30));
        world.handle(ocpp_core::station::Input::Unplugged { evse: 1, connector: 1 });
        world.run(seconds(30));
    }
    assert_eq!(world.peer.payloads("Heartbeat").len(), 1);
}

/// B01.FR.06, G02.FR.06; 1.6 edition 2, 4.2, 4.6
#[test]
fn the_clock_follows_the_csms_and_the_machines_clock_no_more() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        world.peer.once(
            "BootNotification",
            Reply::Result(json!({"status": "Accepted", "currentTime": "2030-01-01T00:00:00Z", "interval": 300})),
        );
        world.settle();
        let set =
            |world: &Script| world.outputs.iter().filter(|(_, output)| matches!(output, Output::SetClock(_))).count();
        assert_eq!(set(&world), 1, "{version}");
        // The machine's clock jumps, as it does when it is set.
        world.now.utc = "2030-01-01T00:00:05Z".parse().unwrap();
        world.plug();
        let now = world.now;
        let utc = world.station().state(now).utc.to_string();
        assert!(utc.starts_with("2030-01-01T00:00:05."), "{version}: {utc}");
        let status = world.peer.payloads("StatusNotification").last().copied().unwrap();
        assert!(status["timestamp"].as_str().unwrap().starts_with("2030-01-01T00:00:0"), "{version}: {status}");
        world.run(seconds(400));
        // The heartbeat's answer has the machine's time again, which is not the station's.
        assert_eq!(world.peer.payloads("Heartbeat").len(), 1, "{version}");
    }
}

#[test]
fn the_registration_is_told_and_shown() {
    let mut world = Script::start(Version::V2_1);
    world.peer.once("BootNotification", boot_reply(PENDING, 60));
    world.settle();
    let event = Event::Registration { status: Registration::Pending, interval: 60 };
    assert!(world.events().any(|known| *known == event));
    let now = world.now;
    assert_eq!(world.station().state(now).registration, Some(Registration::Pending));
}

/// 2.1 part 4, 5.4; 1.6-J errata 3.4
#[test]
fn attempts_to_connect_become_rarer_and_never_stop() {
    let mut world = Script::with(config(Version::V2_1));
    world.network.up = false;
    world.drop_connection();
    world.run(seconds(24 * 3600));
    let times: Vec<_> = world
        .outputs
        .iter()
        .filter(|(_, output)| matches!(output, Output::Connect(_)))
        .map(|(instant, _)| *instant)
        .collect();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_since(pair[0])).collect();
    for (place, gap) in gaps.iter().enumerate() {
        let minimum = seconds(10 << place.min(5));
        assert!(*gap >= minimum && *gap < minimum + seconds(11), "{place}: {gap:?}");
    }
    assert!(gaps.len() > 200);
    world.network.up = true;
    world.run(seconds(400));
    assert_eq!(world.peer.actions()[0], "BootNotification");
}

/// 2.1 part 4, 3.1.2
#[test]
fn a_version_that_was_not_offered_is_not_spoken() {
    let mut world = Script::with(config(Version::V2_1));
    world.version = Version::V1_6;
    world.settle();
    assert!(world.outputs.iter().any(|(_, output)| matches!(output, Output::Close { .. })));
    assert!(world.peer.actions().is_empty());
    world.version = Version::V2_1;
    world.run(seconds(60));
    assert_eq!(world.peer.actions()[0], "BootNotification");
}
