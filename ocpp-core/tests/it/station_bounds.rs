//! Memory is bounded whatever the CSMS sends: each store has its limit, most are told by the standard's keys, and what is over
//! them gets the standard's refusal.

use std::time::Duration;

use ocpp_core::station::{Answer, EvseConfig};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Said, Script};

/// Most that a station writes on its disk, in bytes of keys and values: a full outbox, a full list, a full cache, all profiles.
const DISK: usize = 4 << 20;
/// Most that a station has in mind, as the text of all its state.
const STATE: usize = 12 << 20;

fn check(world: &Script, what: &str) {
    let disk: usize = world.storage.iter().map(|(key, value)| key.len() + value.len()).sum();
    let state = format!("{:?}", world.station.as_ref().expect("the power is on")).len();
    assert!(disk <= DISK && state <= STATE, "{what}: {disk} bytes on the disk, {state} in mind");
}

fn booted(version: Version) -> Script {
    let mut config = config(version);
    config.evses = vec![EvseConfig::default(); 2];
    config.vendor_ids = vec!["com.example".into()];
    Script::booted_with(config)
}

fn result(said: &Said) -> String {
    match said {
        Said::Result(payload) => payload["status"].as_str().unwrap_or_default().to_owned(),
        Said::Error(code) => code.clone(),
    }
}

fn entries(version: Version, from: usize, count: usize) -> Vec<Value> {
    let entry = |number: usize| match version {
        Version::V1_6 => json!({"idTag": format!("T{number}"), "idTagInfo": {"status": "Accepted"}}),
        _ => {
            json!({"idToken": {"idToken": format!("T{number}"), "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}})
        }
    };
    (from..from + count).map(entry).collect()
}

/// 1.6 edition 2, 5.15, 9.2.2, 9.2.3; D01.FR.12
#[test]
fn a_list_never_has_more_entries_than_it_says() {
    for version in VERSIONS {
        let mut world = booted(version);
        let send = |world: &mut Script, kind: &str, number: usize, list: &[Value]| {
            let name = if version == Version::V1_6 { "listVersion" } else { "versionNumber" };
            result(
                &world.ask("SendLocalList", json!({name: number, "updateType": kind, "localAuthorizationList": list})),
            )
        };
        assert_ne!(send(&mut world, "Full", 1, &entries(version, 0, 5_000)), "Accepted", "{version}");
        let accepted = (0..40)
            .filter(|part| send(&mut world, "Differential", part + 1, &entries(version, part * 100, 100)) == "Accepted")
            .count();
        assert_eq!(accepted, 10, "{version}: a thousand tokens");
        check(&world, "the list");
    }
}

/// 1.6 edition 2, 5.13, 5.16, 9.4.1, 9.4.3, 9.4.5
#[test]
fn profiles_and_reservations_are_refused_where_there_are_too_many() {
    let mut world = booted(Version::V1_6);
    let profile = |id: i64, level: i64, connector: i64, periods: i64| {
        let periods: Vec<_> = (0..periods).map(|period| json!({"startPeriod": period, "limit": 9.0})).collect();
        let schedule = json!({"chargingRateUnit": "A", "chargingSchedulePeriod": periods});
        json!({"connectorId": connector, "csChargingProfiles": {"chargingProfileId": id, "stackLevel": level,
            "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative", "chargingSchedule": schedule}})
    };
    let accepted = (0..60)
        .filter(|id| {
            let said = world.ask("SetChargingProfile", profile(*id, id % 10, id / 10 % 3, 100));
            result(&said) == "Accepted"
        })
        .count();
    assert!(accepted >= 20, "{accepted}");
    let installed = world.storage.keys().filter(|key| key.starts_with("charging-profile/")).count();
    assert_eq!(installed, 20, "MaxChargingProfilesInstalled");
    assert_eq!(result(&world.ask("SetChargingProfile", profile(1, 1, 1, 101))), "Rejected");
    assert_eq!(result(&world.ask("SetChargingProfile", profile(1, 10, 1, 1))), "Rejected");
    for id in 0..50 {
        let payload =
            json!({"connectorId": id % 3, "expiryDate": "2027-11-20T08:00:00Z", "idTag": "A", "reservationId": id});
        world.ask("ReserveNow", payload);
    }
    assert_eq!(world.storage.keys().filter(|key| key.starts_with("reservation/")).count(), 2);
    check(&world, "profiles and reservations");
}

/// 1.6 edition 2, 3.5.1; C10.FR.07
#[test]
fn the_cache_makes_room_for_what_is_new() {
    for version in VERSIONS {
        let mut world = booted(version);
        world.set("AuthorizationCacheEnabled", "true");
        let word = if version == Version::V1_6 { "idTagInfo" } else { "idTokenInfo" };
        world.peer.always("Authorize", Reply::Result(json!({ word: {"status": "Blocked"} })));
        for number in 0..1_500 {
            world.tap(&format!("TOKEN-{number}"));
        }
        let cached: usize = world
            .storage
            .iter()
            .filter(|(key, _)| key.starts_with("authorization-cache/"))
            .map(|(key, value)| key.len() + value.len())
            .sum();
        assert!(cached > 0 && cached <= 2 * 65_536, "{version}: {cached}");
        check(&world, "the cache");
    }
}

/// 1.6 edition 2, 5.3, 5.8, 7.18, 7.19; B05, B06
#[test]
fn settings_take_no_longer_values_than_they_say() {
    for version in VERSIONS {
        let mut world = booted(version);
        let long = "SoC,".repeat(5_000);
        for number in 0..200 {
            let said = match version {
                Version::V1_6 => {
                    world.ask("ChangeConfiguration", json!({"key": format!("Key{number}"), "value": "x".repeat(500)}));
                    world.ask("ChangeConfiguration", json!({"key": "MeterValuesSampledData", "value": long}))
                }
                _ => world.ask(
                    "SetVariables",
                    json!({"setVariableData": [{"attributeValue": long,
                        "component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedMeasurands"}}]}),
                ),
            };
            assert_eq!(said, Said::Error("PropertyConstraintViolation".into()), "{version}");
        }
        check(&world, "settings");
    }
}

/// 1.6 edition 2, 5.6, 5.17, 5.18; F06, P01: a CSMS that asks without end and answers nothing.
#[test]
fn what_is_asked_for_without_end_is_not_kept_without_end() {
    for version in VERSIONS {
        let mut world = booted(version);
        world.answers = false;
        world.vendor = |_| Answer::Failed;
        for action in ["StatusNotification", "Heartbeat", "NotifyReport", "MeterValues"] {
            world.peer.always(action, Reply::Silence);
        }
        let data = "x".repeat(100_000);
        for round in 0..1_500 {
            let calls = [
                ("TriggerMessage", json!({"requestedMessage": "StatusNotification"})),
                ("DataTransfer", json!({"vendorId": "com.example", "data": data})),
                ("GetBaseReport", json!({"requestId": round, "reportBase": "FullInventory"})),
            ];
            let (action, payload) = &calls[round % 3];
            world.peer.send(json!([2, format!("x{round}"), action, payload]).to_string());
            world.run(Duration::from_millis(50));
        }
        check(&world, "without end");
    }
}

/// 1.6 edition 2, 3.7, 5.11; E12, F01: what is not taken is kept, until no more begins.
#[test]
fn no_transaction_begins_where_its_messages_have_no_room() {
    for version in [Version::V1_6, Version::V2_1] {
        let mut world = booted(version);
        world.set("TransactionMessageAttempts", "1000");
        world.set("TransactionMessageRetryInterval", "1000000");
        world.set("AuthorizeRemoteTxRequests", "false");
        let action = if version == Version::V1_6 { "StartTransaction" } else { "TransactionEvent" };
        world.peer.always(action, Reply::Error("InternalError"));
        world.plug();
        let mut begun = 0;
        for _ in 0..5_000 {
            let now = world.now;
            let (start, payload) = match version {
                Version::V1_6 => ("RemoteStartTransaction", json!({"idTag": "A", "connectorId": 1})),
                _ => {
                    let token = json!({"idToken": "A", "type": "Central"});
                    ("RequestStartTransaction", json!({"idToken": token, "remoteStartId": 1, "evseId": 1}))
                }
            };
            if result(&world.ask(start, payload)) != "Accepted" {
                break;
            }
            begun += 1;
            world.handle(ocpp_core::station::Input::StopPressed {
                evse: 1,
                reason: ocpp_core::station::LocalStop::EmergencyStop,
            });
            assert!(world.station().state(now).outbox < 4_020, "{version}");
        }
        assert!((500..4_999).contains(&begun), "{version}: {begun}");
        check(&world, "the outbox");
        let now = world.now;
        let waiting = world.station().state(now).outbox;
        assert!((4_000..4_020).contains(&waiting), "{version}: {waiting}");
        // The CSMS is well again, and so is the station.
        world.peer.always(
            action,
            Reply::Result(match version {
                Version::V1_6 => json!({"transactionId": 5, "idTagInfo": {"status": "Accepted"}}),
                _ => json!({}),
            }),
        );
        world.run(Duration::from_secs(1_000_100));
        let now = world.now;
        assert_eq!(world.station().state(now).outbox, 0, "{version}");
        world.tap("TAG");
        assert!(world.energy_permitted(), "{version}");
    }
}
