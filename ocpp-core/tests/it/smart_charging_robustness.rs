//! Smart charging through power cuts, and whatever a CSMS sends.

use std::time::Duration;

use ocpp_core::station::{EvseConfig, Input, Output, Token};
use ocpp_core::types::Version;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::config;
use crate::scripted::{Said, Script};

fn profile(id: i64, level: i64, amperes: u32) -> Value {
    json!({
        "chargingProfileId": id, "stackLevel": level, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2026-01-01T00:00:00Z", "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amperes}],
        },
    })
}

/// The ids of the profiles on the disk.
fn kept(world: &Script) -> Vec<i64> {
    let ids = world.storage.keys().filter_map(|key| key.strip_prefix("charging-profile/"));
    ids.map(|id| id.parse().unwrap()).collect()
}

/// Installs, replaces and clears, and tells how far it came: the number of steps that were accepted.
fn steps(world: &mut Script) -> usize {
    let calls = [
        ("SetChargingProfile", json!({"connectorId": 0, "csChargingProfiles": profile(1, 0, 16)})),
        ("SetChargingProfile", json!({"connectorId": 0, "csChargingProfiles": profile(2, 1, 10)})),
        // Replaces the first one under another id.
        ("SetChargingProfile", json!({"connectorId": 0, "csChargingProfiles": profile(3, 0, 8)})),
        ("ClearChargingProfile", json!({"id": 2})),
    ];
    for (done, (action, payload)) in calls.into_iter().enumerate() {
        let before = world.peer.said.len();
        world.peer.call(action, payload);
        world.settle();
        match world.peer.said.get(before) {
            Some((_, said)) => assert_eq!(said, &Said::Result(json!({"status": "Accepted"}))),
            None => return done,
        }
    }
    4
}

/// 1.6 errata 3.37: what was accepted is there after a power cut, whenever it comes, and nothing is half there.
#[test]
fn an_accepted_change_of_profiles_survives_a_power_cut_between_any_two_outputs() {
    let after = [vec![], vec![1], vec![1, 2], vec![2, 3], vec![3]];
    let mut whole = Script::booted(Version::V1_6);
    let first = whole.outputs.len();
    assert_eq!(steps(&mut whole), 4);
    assert_eq!(kept(&whole), after[4]);
    for survives in [false, true] {
        for cut in first..whole.outputs.len() {
            let mut world = Script::booted(Version::V1_6);
            world.power_off_at = Some(cut);
            world.last_batch_survives = survives;
            let accepted = steps(&mut world);
            if world.station.is_none() {
                world.power_on();
            }
            world.settle();
            let kept = kept(&world);
            let next = after.get(accepted + 1);
            assert!(kept == after[accepted] || Some(&kept) == next, "cut at {cut}: {accepted} accepted, kept {kept:?}");
            // What is on the disk is what the station knows.
            for id in 1..=3 {
                world.ask("ClearChargingProfile", json!({"id": id}));
                let status = if kept.contains(&id) { "Accepted" } else { "Unknown" };
                assert_eq!(world.peer.result()["status"], status);
            }
        }
    }
}

/// 1.6 edition 2, 3.8, 3.13.1
#[test]
fn a_default_profile_of_a_connector_counts_only_while_that_connector_is_used() {
    let mut config = config(Version::V1_6);
    config.evses = vec![EvseConfig::default(), EvseConfig::with_connectors(2)];
    let mut world = Script::booted_with(config);
    for (connector, amperes) in [(2, 10), (3, 20)] {
        let call = json!({"connectorId": connector, "csChargingProfiles": profile(connector, 0, amperes)});
        assert_eq!(world.ask("SetChargingProfile", call), Said::Result(json!({"status": "Accepted"})));
    }
    world.handle(Input::PluggedIn { evse: 2, connector: 2 });
    world.handle(Input::TokenPresented { evse: Some(2), token: Token::rfid("TAG") });
    world.settle();
    let limits: Vec<_> = world
        .outputs
        .iter()
        .filter_map(|(_, output)| match output {
            Output::SetLimit { evse, limit } => Some((*evse, limit.map(|limit| limit.current.to_string()))),
            _ => None,
        })
        .collect();
    assert_eq!(limits, [(2, Some("20".to_owned()))]);
    for (connector, amperes) in [(1, 999_999), (2, 10), (3, 20)] {
        world.ask("GetCompositeSchedule", json!({"connectorId": connector, "duration": 60, "chargingRateUnit": "A"}));
        let schedule = &world.peer.result()["chargingSchedule"]["chargingSchedulePeriod"];
        assert_eq!(schedule[0]["limit"], json!(amperes), "connector {connector}");
    }
}

/// 1.6 edition 2, 9.4.5, 5.16.2: a profile that waits for its transaction is one of those installed.
#[test]
fn profiles_that_wait_for_their_transaction_are_counted() {
    let mut config = config(Version::V1_6);
    config.settings = vec![("MaxChargingProfilesInstalled".into(), "1".into())];
    let mut world = Script::booted_with(config);
    let mut own = profile(5, 0, 10);
    own["chargingProfilePurpose"] = json!("TxProfile");
    let call = json!({"idTag": "TAG", "connectorId": 1, "chargingProfile": own});
    assert_eq!(world.ask("RemoteStartTransaction", call), Said::Result(json!({"status": "Accepted"})));
    let call = json!({"connectorId": 0, "csChargingProfiles": profile(1, 0, 16)});
    assert_eq!(world.ask("SetChargingProfile", call), Said::Result(json!({"status": "Rejected"})));
    world.plug();
    assert_eq!(kept(&world), [5]);
}

/// 1.6 errata 3.37; 2.1 part 2, K01.FR.27, E01.FR.18: profiles belong to the station, not to a version.
#[test]
fn profiles_of_1_6_are_followed_by_a_station_that_speaks_2_1_after_its_restart() {
    let mut world = Script::booted(Version::V1_6);
    let mut nothing_later = profile(1, 0, 16);
    nothing_later["chargingSchedule"]["startSchedule"] = json!("2026-11-20T08:00:00Z");
    nothing_later["chargingSchedule"]["chargingSchedulePeriod"] =
        json!([{"startPeriod": 0, "limit": 16}, {"startPeriod": 600, "limit": 0}]);
    let call = json!({"connectorId": 0, "csChargingProfiles": nothing_later});
    world.ask("SetChargingProfile", call);
    world.config.versions = vec![Version::V2_1];
    world.version = Version::V2_1;
    world.power_cut(Duration::from_secs(60));
    world.settle();
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
    world.run(Duration::from_secs(600));
    let last = world.peer.payloads("TransactionEvent").pop().unwrap();
    assert_eq!(last["transactionInfo"]["chargingState"], "SuspendedEVSE", "{last}");
    let states = world.peer.payloads("TransactionEvent").into_iter().filter(|event| {
        event["triggerReason"] == "ChargingStateChanged" && event["transactionInfo"]["chargingState"] == "SuspendedEVSE"
    });
    assert_eq!(states.count(), 1, "the CSMS is told at once, by an event of its own");
}

/// 1.6 edition 2, 3.13.4: charging is not permitted before its limit is known.
#[test]
fn the_hardware_knows_the_limit_before_energy_flows() {
    let mut world = Script::booted(Version::V1_6);
    world.ask("SetChargingProfile", json!({"connectorId": 0, "csChargingProfiles": profile(1, 0, 16)}));
    world.plug();
    world.tap("TAG");
    let first = |wanted: fn(&Output) -> bool| world.outputs.iter().position(|(_, output)| wanted(output)).unwrap();
    let limited = first(|output| matches!(output, Output::SetLimit { .. }));
    let permitted = first(|output| matches!(output, Output::PermitEnergy { permitted: true, .. }));
    assert!(limited < permitted);
}

fn moment() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!("0001-01-01T00:00:00Z"),
        json!("2026-11-20T08:00:05.123456789Z"),
        json!("2026-11-20T09:00:00+05:30"),
        json!("9999-12-30T22:00:00Z"),
    ])
}

fn whole() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![
        i64::MIN,
        -1,
        0,
        1,
        59,
        3_600,
        86_401,
        i64::from(i32::MAX),
        i64::from(u32::MAX),
        i64::MAX,
    ])
}

fn fraction() -> impl Strategy<Value = Value> {
    let numbers = ["-0.1", "0", "0.1", "16", "1e3", "79228162514264337593543950335", "0.0000000000000000000000000001"];
    prop::sample::select(numbers.to_vec()).prop_map(|number| serde_json::from_str(number).unwrap())
}

fn any_profile() -> impl Strategy<Value = Value> {
    let period = (whole(), fraction(), prop::option::of(whole())).prop_map(|(start, limit, phases)| {
        let mut period = json!({"startPeriod": start, "limit": limit});
        if let Some(phases) = phases {
            period["numberPhases"] = json!(phases);
        }
        period
    });
    let good_period = (1..=3i64, fraction())
        .prop_map(|(phases, limit)| json!({"startPeriod": 0, "limit": limit, "numberPhases": phases}));
    let periods = prop_oneof![
        prop::collection::vec(good_period, 1),
        prop::collection::vec(period, 0..4),
        Just((0..100).map(|start| json!({"startPeriod": start * 60, "limit": start % 7})).collect()),
    ];
    let words = (
        prop::sample::select(vec!["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]),
        prop::sample::select(vec!["Absolute", "Recurring", "Relative"]),
        prop::sample::select(vec![Value::Null, json!("Daily"), json!("Weekly")]),
        prop::sample::select(vec!["A", "W"]),
    );
    (whole(), 0..12i64, words, moment(), moment(), moment(), prop::option::of(whole()), periods).prop_map(
        |(id, level, (purpose, kind, recurrence, unit), from, to, start, duration, periods)| {
            let mut profile = json!({
                "chargingProfileId": id, "stackLevel": level, "chargingProfilePurpose": purpose,
                "chargingProfileKind": kind, "recurrencyKind": recurrence, "validFrom": from, "validTo": to,
                "chargingSchedule": {
                    "startSchedule": start, "duration": duration, "chargingRateUnit": unit,
                    "chargingSchedulePeriod": periods,
                },
            });
            let strip = |object: &mut Value| object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            strip(&mut profile["chargingSchedule"]);
            strip(&mut profile);
            profile
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever a CSMS sends is answered, remembered in bounds, and leaves the transaction whole.
    #[test]
    fn no_profile_harms_a_station(
        calls in prop::collection::vec((0..=1i64, any_profile(), whole()), 1..30),
    ) {
        let mut world = Script::booted(Version::V1_6);
        world.plug();
        world.tap("TAG");
        for (connector, profile, duration) in calls {
            world.ask("SetChargingProfile", json!({"connectorId": connector, "csChargingProfiles": profile}));
            let schedule = json!({"connectorId": connector, "duration": duration});
            if let Said::Result(result) = world.ask("GetCompositeSchedule", schedule) {
                let periods = result["chargingSchedule"]["chargingSchedulePeriod"].as_array().map_or(0, Vec::len);
                prop_assert!(periods <= 100);
            }
            prop_assert!(kept(&world).len() <= 20);
        }
        world.run(Duration::from_secs(300));
        world.tap("TAG");
        prop_assert_eq!(world.peer.payloads("StartTransaction").len(), 1);
        prop_assert_eq!(world.peer.payloads("StopTransaction").len(), 1);
    }
}
