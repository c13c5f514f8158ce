//! Status and availability (2.1 part 2, B04, G01, G03, G04; 1.6 edition 2, 4.9 and 5.2).

use std::time::Duration;

use ocpp_core::station::{ConnectorStatus, EvseConfig, Fault, FaultCode, Input};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Said, Script};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

fn ok(status: &str) -> Said {
    Said::Result(json!({"status": status}))
}

/// The availability of connector 1, or of the whole station.
fn change(version: Version, whole: bool, operative: bool) -> Value {
    let word = if operative { "Operative" } else { "Inoperative" };
    match (version, whole) {
        (Version::V1_6, true) => json!({"connectorId": 0, "type": word}),
        (Version::V1_6, false) => json!({"connectorId": 1, "type": word}),
        (_, true) => json!({"operationalStatus": word}),
        (_, false) => json!({"operationalStatus": word, "evse": {"id": 1}}),
    }
}

/// B04.FR.01, B04.FR.02; 1.6 edition 2, 4.9
#[test]
fn after_an_outage_what_changed_is_told_and_everything_after_a_long_one() {
    for version in VERSIONS {
        let mut config = config(version);
        config.evses = vec![EvseConfig::default(), EvseConfig::default()];
        config.settings = vec![("ConnectionTimeOut".into(), "0".into())];
        let mut world = Script::booted_with(config);
        world.cut();
        world.plug();
        world.network.up = true;
        world.run(Duration::from_secs(40));
        let told: Vec<_> = world.peer.payloads("StatusNotification").into_iter().cloned().collect();
        assert_eq!(told.len(), 1, "{version}");
        assert_eq!(told[0]["connectorId"], 1, "{version}");

        world.peer.forget();
        world.cut();
        world.run(Duration::from_secs(120));
        world.network.up = true;
        world.run(Duration::from_secs(300));
        let told = world.peer.payloads("StatusNotification").len();
        assert_eq!(told, if version == Version::V1_6 { 0 } else { 2 }, "{version}");
    }
}

/// 1.6 edition 2, 4.9: the states in between that happened offline are history.
#[test]
fn only_the_present_status_is_told_after_an_outage() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.cut();
        world.settle();
        world.plug();
        world.unplug();
        world.network.up = true;
        world.run(Duration::from_secs(40));
        assert!(world.heard_statuses().is_empty(), "{version}");
    }
}

/// A status that was lost with the connection is told again.
#[test]
fn a_status_that_did_not_arrive_is_told_again() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.peer.once("StatusNotification", crate::scripted::Reply::Silence);
        world.plug();
        world.drop_connection();
        world.run(Duration::from_secs(40));
        let statuses = world.heard_statuses();
        assert_eq!(statuses.len(), 2, "{version}");
        assert_eq!(statuses[0], statuses[1], "{version}");
    }
}

/// G03.FR.01 to 04, G03.FR.08, G04; 1.6 edition 2, 5.2
#[test]
fn the_csms_takes_out_of_service_and_a_restart_does_not_forget_it() {
    for version in VERSIONS {
        for whole in [false, true] {
            let mut world = Script::booted(version);
            assert_eq!(world.ask("ChangeAvailability", change(version, whole, false)), ok("Accepted"), "{version}");
            assert_eq!(world.heard_statuses(), ["Unavailable"], "{version}");
            if version == Version::V1_6 {
                let station = world.peer.payloads("StatusNotification").iter().any(|status| status["connectorId"] == 0);
                assert_eq!(station, whole);
            }
            // G03.FR.03
            assert_eq!(world.ask("ChangeAvailability", change(version, whole, false)), ok("Accepted"), "{version}");
            world.plug();
            world.tap("TAG");
            assert!(!world.energy_permitted(), "{version}");
            world.unplug();
            world.peer.forget();
            world.power_cut(Duration::from_secs(1));
            world.settle();
            assert_eq!(world.heard_statuses(), ["Unavailable"], "{version}: B01.FR.07");
            assert_eq!(world.ask("ChangeAvailability", change(version, whole, true)), ok("Accepted"), "{version}");
            assert_eq!(world.heard_statuses().last().unwrap(), "Available", "{version}");
            assert!(world.storage.keys().all(|key| !key.starts_with("availability")), "{version}");
        }
    }
}

/// G01.FR.05, G03.FR.05, G04.FR.06; 1.6 edition 2, 5.2
#[test]
fn nobody_is_thrown_out_by_a_change_of_availability() {
    for version in VERSIONS {
        for whole in [false, true] {
            let mut world = Script::booted(version);
            world.plug();
            world.tap("TAG");
            assert_eq!(world.ask("ChangeAvailability", change(version, whole, false)), ok("Scheduled"), "{version}");
            assert!(world.energy_permitted(), "{version}");
            world.tap("TAG");
            assert_ne!(world.status(), ConnectorStatus::Unavailable, "{version}: the cable is still there");
            world.unplug();
            assert_eq!(world.heard_statuses().last().unwrap(), "Unavailable", "{version}");
            world.plug();
            assert_eq!(world.heard_statuses().last().unwrap(), "Unavailable", "{version}: and it stays so");
        }
    }
}

/// G04.FR.08
#[test]
fn a_station_that_is_back_in_service_leaves_its_evses_as_they_were() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.ask("ChangeAvailability", change(version, false, false));
        world.ask("ChangeAvailability", change(version, true, false));
        world.ask("ChangeAvailability", change(version, true, true));
        assert_eq!(world.status(), ConnectorStatus::Unavailable, "{version}");
    }
}

#[test]
fn a_place_that_does_not_exist_is_not_taken_out_of_service() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        let payload = match version {
            Version::V1_6 => json!({"connectorId": 9, "type": "Inoperative"}),
            _ => json!({"operationalStatus": "Inoperative", "evse": {"id": 9}}),
        };
        assert_eq!(world.ask("ChangeAvailability", payload), ok("Rejected"), "{version}");
        assert!(world.storage.keys().all(|key| !key.starts_with("availability")), "{version}");
    }
}

/// 1.6 edition 2, 4.9, 7.6: a warning is told and keeps nobody from charging.
#[test]
fn a_warning_is_no_fault() {
    let mut world = Script::booted(Version::V1_6);
    let mut fault = Fault::new(FaultCode::WeakSignal);
    fault.info = Some("-110 dBm".into());
    fault.vendor_error_code = Some("E7".into());
    world.handle(Input::Fault { evse: Some(1), connector: Some(1), fault });
    world.settle();
    let status = world.peer.payloads("StatusNotification")[0];
    assert_eq!(
        (&status["status"], &status["errorCode"], &status["info"], &status["vendorErrorCode"]),
        (&json!("Available"), &json!("WeakSignal"), &json!("-110 dBm"), &json!("E7"))
    );
    world.plug();
    world.tap("TAG");
    assert!(world.energy_permitted());
}

/// 1.6 edition 2, 4.9: connector 0 is the station.
#[test]
fn a_fault_of_the_station_is_a_fault_of_every_connector() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.handle(Input::Fault { evse: None, connector: None, fault: Fault::new(FaultCode::HighTemperature) });
        world.settle();
        assert_eq!(world.heard_statuses(), ["Faulted"], "{version}");
        if version == Version::V1_6 {
            let station = world.peer.payloads("StatusNotification")[0];
            assert_eq!((&station["connectorId"], &station["status"]), (&json!(0), &json!("Faulted")));
            assert_eq!(station["errorCode"], "HighTemperature");
        }
        world.handle(Input::FaultCleared { evse: None, connector: None });
        world.settle();
        assert_eq!(world.heard_statuses().last().unwrap(), "Available", "{version}");
    }
}

/// G01.FR.08; 1.6 edition 2, 3.8
#[test]
fn the_other_connector_of_an_evse_in_use_is_no_news_in_2_x() {
    for version in VERSIONS {
        let mut config = config(version);
        config.evses = vec![EvseConfig::with_connectors(2), EvseConfig::default()];
        let mut world = Script::booted_with(config);
        world.handle(Input::PluggedIn { evse: 1, connector: 2 });
        world.settle();
        let told: Vec<_> = world
            .peer
            .payloads("StatusNotification")
            .iter()
            .map(|status| {
                let word = status.get("status").or(status.get("connectorStatus")).unwrap();
                (status["connectorId"].clone(), word.clone())
            })
            .collect();
        match version {
            Version::V1_6 => assert_eq!(told, [(json!(1), json!("Unavailable")), (json!(2), json!("Preparing"))]),
            _ => assert_eq!(told, [(json!(2), json!("Occupied"))], "{version}"),
        }
    }
}
