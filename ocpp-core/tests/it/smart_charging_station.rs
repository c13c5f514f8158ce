//! Smart charging of a 1.6 station over the wire (1.6 edition 2, 3.13, 5.5, 5.7, 5.11, 5.16, 9.4).

use std::time::Duration;

use ocpp_core::station::smart_charging::Limit;
use ocpp_core::station::{EvseConfig, Input, Output, StationConfig, Token};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{config, decimal};
use crate::scripted::{Said, Script};

/// A default profile for all connectors that says the same for ever.
fn profile(id: i64, purpose: &str, amperes: u32) -> Value {
    json!({
        "chargingProfileId": id, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2026-01-01T00:00:00Z", "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amperes}],
        },
    })
}

/// A profile with some members changed; a member of the schedule has `chargingSchedule/` before its name, `null` removes.
fn with(mut profile: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        let (object, name) = match name.strip_prefix("chargingSchedule/") {
            Some(name) => (&mut profile["chargingSchedule"], name),
            None => (&mut profile, *name),
        };
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    profile
}

fn set(world: &mut Script, connector: i64, profile: &Value) -> String {
    world.ask("SetChargingProfile", json!({"connectorId": connector, "csChargingProfiles": profile}));
    world.peer.result()["status"].as_str().unwrap().to_owned()
}

fn clear(world: &mut Script, criteria: Value) -> String {
    world.ask("ClearChargingProfile", criteria);
    world.peer.result()["status"].as_str().unwrap().to_owned()
}

/// The composite schedule as pairs of start and limit.
fn schedule(world: &mut Script, connector: i64, duration: i64) -> Vec<(i64, f64)> {
    world.ask("GetCompositeSchedule", json!({"connectorId": connector, "duration": duration, "chargingRateUnit": "A"}));
    let result = world.peer.result();
    assert_eq!(result["status"], "Accepted");
    let periods = result["chargingSchedule"]["chargingSchedulePeriod"].as_array().unwrap();
    periods.iter().map(|period| (period["startPeriod"].as_i64().unwrap(), period["limit"].as_f64().unwrap())).collect()
}

fn now_limit(world: &mut Script, connector: i64) -> f64 {
    schedule(world, connector, 60)[0].1
}

fn begin(world: &mut Script) {
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
}

/// What the hardware of an EVSE was last told, as current of a phase.
fn told(world: &Script, wanted: u32) -> Option<String> {
    let limits = world.outputs.iter().rev().find_map(|(_, output)| match output {
        Output::SetLimit { evse, limit } if *evse == wanted => Some(*limit),
        _ => None,
    });
    limits.flatten().map(|limit: Limit| limit.current.normalize().to_string())
}

/// Everything that the hardware of EVSE 1 was told, with the second.
fn told_over_time(world: &Script) -> Vec<(f64, Option<String>)> {
    let limits = world.outputs.iter().filter_map(|(at, output)| match output {
        Output::SetLimit { evse: 1, limit } => {
            Some((at.since_origin().as_secs_f64(), limit.map(|limit| limit.current.normalize().to_string())))
        }
        _ => None,
    });
    limits.collect()
}

fn two_evses() -> StationConfig {
    let mut config = config(Version::V1_6);
    config.evses = vec![EvseConfig::default(), EvseConfig::default()];
    config
}

fn at(second: u64) -> String {
    // The world starts at 08:00:00.
    format!("2026-11-20T{:02}:{:02}:{:02}Z", 8 + second / 3600, second / 60 % 60, second % 60)
}

/// 1.6 edition 2, 5.16, 7.11
#[test]
fn a_default_profile_is_accepted_once_it_is_stored() {
    let mut world = Script::booted(Version::V1_6);
    let before = world.outputs.len();
    assert_eq!(set(&mut world, 0, &profile(1, "TxDefaultProfile", 16)), "Accepted");
    let stored = world.outputs[before..].iter().position(|(_, output)| match output {
        Output::Store(batch) => batch.changes.iter().any(|change| change.key() == "charging-profile/1"),
        _ => false,
    });
    let answered = world.outputs[before..]
        .iter()
        .position(|(_, output)| matches!(output, Output::Transmit(text) if text.contains("Accepted")));
    let (stored, answered) = (stored.unwrap(), answered.unwrap());
    assert!(stored < answered);
    let latency = world.outputs[before + answered].0.saturating_since(world.outputs[before + stored].0);
    assert_eq!(latency, world.store_latency, "the answer waits for the disk");
    assert_eq!(now_limit(&mut world, 1), 16.0);
}

/// 1.6 errata 3.37
#[test]
fn profiles_outlive_a_power_cut() {
    let mut world = Script::booted(Version::V1_6);
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
    set(&mut world, 0, &profile(2, "ChargePointMaxProfile", 10));
    clear(&mut world, json!({"id": 1}));
    set(&mut world, 1, &with(profile(3, "TxDefaultProfile", 8), &[("stackLevel", json!(1))]));
    world.power_cut(Duration::from_secs(60));
    world.settle();
    assert_eq!(now_limit(&mut world, 1), 8.0);
    assert_eq!(clear(&mut world, json!({"id": 1})), "Unknown");
    clear(&mut world, json!({"id": 3}));
    assert_eq!(now_limit(&mut world, 1), 10.0);
}

/// 1.6 edition 2, 3.13.1, 5.16.4, 7.8, 7.13, 7.14, 1.6 errata 3.56; 1.6 errata 3.45, 3.70
#[test]
fn a_profile_that_makes_no_sense_is_rejected() {
    let mut world = Script::booted(Version::V1_6);
    let good = profile(1, "TxDefaultProfile", 16);
    let period = |start: i64, limit: i64| json!({"startPeriod": start, "limit": limit});
    for (what, changes) in [
        ("recurring without recurrence", vec![("chargingProfileKind", json!("Recurring"))]),
        ("recurrence of what doesn't recur", vec![("recurrencyKind", json!("Daily"))]),
        ("late first period", vec![("chargingSchedule/chargingSchedulePeriod", json!([period(10, 6)]))]),
        (
            "unordered periods",
            vec![("chargingSchedule/chargingSchedulePeriod", json!([period(0, 6), period(20, 7), period(10, 8)]))],
        ),
        ("negative limit", vec![("chargingSchedule/chargingSchedulePeriod", json!([period(0, -6)]))]),
        ("negative start", vec![("chargingSchedule/chargingSchedulePeriod", json!([period(-1, 6)]))]),
        (
            "four phases",
            vec![(
                "chargingSchedule/chargingSchedulePeriod",
                json!([{"startPeriod": 0, "limit": 6, "numberPhases": 4}]),
            )],
        ),
        ("negative duration", vec![("chargingSchedule/duration", json!(-1))]),
        ("negative minimum", vec![("chargingSchedule/minChargingRate", json!(-1))]),
        ("never valid", vec![("validFrom", json!("2027-01-01T00:00:00Z")), ("validTo", json!("2027-01-01T00:00:00Z"))]),
        ("a transaction that it is not about", vec![("transactionId", json!(1))]),
        ("negative stack level", vec![("stackLevel", json!(-1))]),
    ] {
        assert_eq!(set(&mut world, 0, &with(good.clone(), &changes)), "Rejected", "{what}");
    }
    assert_eq!(clear(&mut world, json!({})), "Unknown", "nothing was installed");
    assert_eq!(set(&mut world, 0, &good), "Accepted");
}

/// 1.6 errata 3.38, 3.39
#[test]
fn a_connector_or_unit_that_does_not_exist_is_a_property_constraint_violation() {
    let mut world = Script::booted(Version::V1_6);
    let violation = Said::Error("PropertyConstraintViolation".into());
    for connector in [-1, 2] {
        let call = json!({"connectorId": connector, "csChargingProfiles": profile(1, "TxDefaultProfile", 16)});
        assert_eq!(world.ask("SetChargingProfile", call), violation);
    }
    let in_volts = with(profile(1, "TxDefaultProfile", 16), &[("chargingSchedule/chargingRateUnit", json!("V"))]);
    let call = json!({"connectorId": 0, "csChargingProfiles": in_volts});
    assert_eq!(world.ask("SetChargingProfile", call), violation);
    let call = json!({"connectorId": 1, "duration": 60, "chargingRateUnit": "V"});
    assert_eq!(world.ask("GetCompositeSchedule", call), violation, "1.6 errata 3.24");
}

/// 1.6 edition 2, 3.13.1; 1.6 errata 3.53
#[test]
fn each_purpose_has_its_place() {
    let mut world = Script::booted(Version::V1_6);
    assert_eq!(set(&mut world, 1, &profile(1, "ChargePointMaxProfile", 16)), "Rejected");
    assert_eq!(set(&mut world, 0, &profile(1, "ChargePointMaxProfile", 16)), "Accepted");
    begin(&mut world);
    assert_eq!(set(&mut world, 0, &profile(2, "TxProfile", 10)), "Rejected");
    assert_eq!(set(&mut world, 1, &profile(2, "TxProfile", 10)), "Accepted");
}

/// 1.6 edition 2, 3.13.1, 5.16.1, 5.16.4, 7.8
#[test]
fn a_profile_of_a_transaction_needs_that_transaction() {
    let mut world = Script::booted_with(two_evses());
    let of = |id: i64| with(profile(5, "TxProfile", 10), &[("transactionId", json!(id))]);
    assert_eq!(set(&mut world, 1, &profile(5, "TxProfile", 10)), "Rejected", "there is no transaction");
    begin(&mut world);
    assert_eq!(set(&mut world, 1, &of(99)), "Rejected", "it is another transaction");
    assert_eq!(set(&mut world, 2, &of(1)), "Rejected", "it is at another connector");
    assert_eq!(set(&mut world, 1, &of(1)), "Accepted");
    assert_eq!(told(&world, 1).as_deref(), Some("10"));
}

/// 1.6 edition 2, 3.13.1, 1.6 errata 3.67
#[test]
fn a_profile_of_a_transaction_ends_with_it() {
    let mut world = Script::booted(Version::V1_6);
    begin(&mut world);
    set(&mut world, 1, &profile(5, "TxProfile", 10));
    assert_eq!(now_limit(&mut world, 1), 10.0);
    world.tap("TAG");
    assert_eq!(told(&world, 1), None, "the hardware is free again");
    assert!(!world.storage.contains_key("charging-profile/5"));
    assert_eq!(clear(&mut world, json!({})), "Unknown");
}

/// 1.6 edition 2, 3.13.1, 1.6 errata 3.67; 2.1 part 2, K02.FR.05
#[test]
fn a_profile_of_a_transaction_that_a_power_cut_ended_goes_with_it() {
    let mut world = Script::booted(Version::V1_6);
    begin(&mut world);
    set(&mut world, 1, &profile(5, "TxProfile", 10));
    assert!(world.storage.contains_key("charging-profile/5"));
    world.power_cut(Duration::from_secs(60));
    world.meter("1500");
    world.settle();
    assert!(!world.storage.contains_key("charging-profile/5"));
}

/// 1.6 edition 2, 3.13.6
#[test]
fn profiles_are_followed_offline() {
    let mut world = Script::booted(Version::V1_6);
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
    begin(&mut world);
    set(
        &mut world,
        1,
        &with(
            profile(5, "TxProfile", 10),
            &[("chargingSchedule/duration", json!(60)), ("chargingSchedule/startSchedule", json!(at(60)))],
        ),
    );
    world.cut();
    world.run(Duration::from_secs(40));
    assert_eq!(told(&world, 1).as_deref(), Some("16"));
    world.run(Duration::from_secs(30));
    assert_eq!(told(&world, 1).as_deref(), Some("10"));
    world.run(Duration::from_secs(60));
    assert_eq!(told(&world, 1).as_deref(), Some("16"));
}

/// 1.6 edition 2, 3.13.2, 5.16.3
#[test]
fn a_profile_replaces_one_with_its_id_or_with_its_stack_level_and_purpose() {
    let mut world = Script::booted(Version::V1_6);
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
    assert_eq!(set(&mut world, 0, &profile(2, "TxDefaultProfile", 10)), "Accepted");
    assert_eq!(now_limit(&mut world, 1), 10.0);
    assert_eq!(clear(&mut world, json!({"id": 1})), "Unknown", "the same level and purpose");
    assert_eq!(set(&mut world, 0, &profile(2, "ChargePointMaxProfile", 20)), "Accepted");
    assert_eq!(now_limit(&mut world, 1), 20.0, "the same id");
    assert_eq!(set(&mut world, 0, &profile(3, "TxDefaultProfile", 12)), "Accepted");
    assert_eq!(clear(&mut world, json!({"id": 2})), "Accepted", "another purpose replaces nothing");
    let keys: Vec<_> = world.storage.keys().filter(|key| key.starts_with("charging-profile/")).collect();
    assert_eq!(keys, ["charging-profile/3"]);
}

/// 1.6 edition 2, 3.13.2
#[test]
fn a_replaced_profile_is_not_followed_even_before_the_new_one_is_valid() {
    let mut world = Script::booted(Version::V1_6);
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
    set(&mut world, 0, &with(profile(2, "TxDefaultProfile", 10), &[("validFrom", json!(at(3600)))]));
    let periods = schedule(&mut world, 1, 7200);
    assert_eq!(periods.len(), 2);
    assert_eq!((periods[0].1, periods[1].1), (999_999.0, 10.0));
}

/// 1.6 edition 2, 5.16.3, 1.6 errata 3.8
#[test]
fn a_new_default_profile_takes_hold_of_a_running_transaction_and_lets_go_when_it_is_cleared() {
    let mut world = Script::booted(Version::V1_6);
    begin(&mut world);
    assert_eq!(told(&world, 1), None);
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
    assert_eq!(told(&world, 1).as_deref(), Some("16"));
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 8));
    assert_eq!(told(&world, 1).as_deref(), Some("8"));
    clear(&mut world, json!({"id": 1}));
    assert_eq!(told(&world, 1), None);
}

/// 1.6 edition 2, 5.5, 1.6 errata 3.25, 3.26
#[test]
fn clearing_takes_what_fits_everything_that_is_given() {
    let mut world = Script::booted_with(two_evses());
    let install = |world: &mut Script| {
        for (connector, id, purpose, level) in [
            (0, 1, "ChargePointMaxProfile", 0),
            (0, 2, "TxDefaultProfile", 1),
            (1, 3, "TxDefaultProfile", 2),
            (2, 4, "TxDefaultProfile", 2),
        ] {
            let profile = with(profile(id, purpose, 16), &[("stackLevel", json!(level))]);
            assert_eq!(set(world, connector, &profile), "Accepted");
        }
    };
    for (criteria, left) in [
        (json!({"id": 3}), vec![1, 2, 4]),
        (json!({"connectorId": 0}), vec![3, 4]),
        (json!({"connectorId": 2}), vec![1, 2, 3]),
        (json!({"chargingProfilePurpose": "TxDefaultProfile"}), vec![1]),
        (json!({"stackLevel": 2}), vec![1, 2]),
        (json!({"stackLevel": 2, "connectorId": 1}), vec![1, 2, 4]),
        (json!({"stackLevel": 0, "chargingProfilePurpose": "ChargePointMaxProfile", "connectorId": 0}), vec![2, 3, 4]),
        (json!({}), vec![]),
    ] {
        install(&mut world);
        assert_eq!(clear(&mut world, criteria.clone()), "Accepted", "{criteria}");
        let kept: Vec<i64> =
            (1..=4).filter(|id| world.storage.contains_key(&format!("charging-profile/{id}"))).collect();
        assert_eq!(kept, left, "{criteria}");
    }
    install(&mut world);
    for criteria in [
        json!({"id": 9}),
        json!({"id": 3, "connectorId": 2}),
        json!({"connectorId": 7}),
        json!({"stackLevel": 1, "chargingProfilePurpose": "ChargePointMaxProfile"}),
        json!({"chargingProfilePurpose": "TxProfile"}),
    ] {
        assert_eq!(clear(&mut world, criteria.clone()), "Unknown", "{criteria}");
    }
}

/// 1.6 edition 2, 5.7, 6.22, errata 3.57; 1.6 errata 3.29
#[test]
fn a_composite_schedule_starts_when_it_is_asked_for_and_says_what_it_covers() {
    let mut world = Script::booted(Version::V1_6);
    let periods = json!([{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 300, "limit": 8.0, "numberPhases": 1}]);
    let default = with(
        profile(1, "TxDefaultProfile", 0),
        &[("chargingSchedule/startSchedule", json!(at(0))), ("chargingSchedule/chargingSchedulePeriod", periods)],
    );
    set(&mut world, 1, &default);
    let asked = world.now.utc;
    world.ask("GetCompositeSchedule", json!({"connectorId": 1, "duration": 600}));
    let result = world.peer.result().clone();
    assert_eq!(result["connectorId"], 1);
    let start: jiff::Timestamp = result["scheduleStart"].as_str().unwrap().parse().unwrap();
    assert!(start.duration_since(asked).as_secs_f64().abs() < 1.0);
    let change = 300 - start.duration_since(at(0).parse().unwrap()).as_secs();
    assert_eq!(
        result["chargingSchedule"],
        json!({"duration": 600, "chargingRateUnit": "A", "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16, "numberPhases": 3},
            {"startPeriod": change, "limit": 8, "numberPhases": 1},
        ]}),
        "without a startSchedule of its own"
    );
}

/// 1.6 edition 2, 5.7; 1.6 errata 3.51
#[test]
fn a_schedule_that_cannot_be_told_is_rejected() {
    let mut world = Script::booted(Version::V1_6);
    for (connector, duration) in [(2, 60), (-1, 60), (1, -1)] {
        world.ask("GetCompositeSchedule", json!({"connectorId": connector, "duration": duration}));
        assert_eq!(world.peer.result(), &json!({"status": "Rejected"}));
    }
}

/// 1.6 edition 2, 5.7
#[test]
fn without_a_unit_a_schedule_is_told_in_that_of_the_profiles() {
    let mut world = Script::booted(Version::V1_6);
    let unit = |world: &mut Script| {
        world.ask("GetCompositeSchedule", json!({"connectorId": 0, "duration": 60}));
        world.peer.result()["chargingSchedule"]["chargingRateUnit"].as_str().unwrap().to_owned()
    };
    assert_eq!(unit(&mut world), "A");
    let watts = with(profile(1, "TxDefaultProfile", 7000), &[("chargingSchedule/chargingRateUnit", json!("W"))]);
    set(&mut world, 0, &watts);
    assert_eq!(unit(&mut world), "W");
}

/// 1.6 edition 2, 5.7: nobody can make a station compute or answer without end.
#[test]
fn a_schedule_ends_where_it_would_have_too_many_periods() {
    let mut config = config(Version::V1_6);
    config.settings = vec![("ChargingScheduleMaxPeriods".into(), "3".into())];
    let mut world = Script::booted_with(config);
    let periods = json!([{"startPeriod": 0, "limit": 16}, {"startPeriod": 43200, "limit": 8}]);
    let daily = with(
        profile(1, "TxDefaultProfile", 0),
        &[
            ("chargingProfileKind", json!("Recurring")),
            ("recurrencyKind", json!("Daily")),
            ("chargingSchedule/chargingSchedulePeriod", periods),
        ],
    );
    set(&mut world, 0, &daily);
    world.ask("GetCompositeSchedule", json!({"connectorId": 1, "duration": 2_000_000_000}));
    let schedule = world.peer.result()["chargingSchedule"].clone();
    assert_eq!(schedule["chargingSchedulePeriod"].as_array().unwrap().len(), 3);
    let ends = schedule["duration"].as_i64().unwrap();
    assert!(ends > 86_400 && ends < 3 * 86_400, "{ends}");
}

/// 1.6 edition 2, 5.7, 1.6 errata 3.30
#[test]
fn the_station_reports_what_all_connectors_together_may_draw() {
    let mut world = Script::booted_with(two_evses());
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 10));
    assert_eq!(now_limit(&mut world, 0), 20.0);
    set(&mut world, 0, &profile(2, "ChargePointMaxProfile", 16));
    assert_eq!(now_limit(&mut world, 0), 16.0);
}

/// 1.6 edition 2, 3.13.4: the limit follows the profile at the right instants.
#[test]
fn the_hardware_is_told_each_limit_when_it_begins() {
    let mut world = Script::booted(Version::V1_6);
    let periods = json!([{"startPeriod": 0, "limit": 16}, {"startPeriod": 60, "limit": 8}, {"startPeriod": 120, "limit": 8}, {"startPeriod": 180, "limit": 12}]);
    let absolute = with(
        profile(1, "TxDefaultProfile", 0),
        &[
            ("chargingSchedule/startSchedule", json!(at(100))),
            ("chargingSchedule/chargingSchedulePeriod", periods),
            ("chargingSchedule/duration", json!(240)),
        ],
    );
    set(&mut world, 0, &absolute);
    begin(&mut world);
    world.run(Duration::from_secs(600));
    let told = told_over_time(&world);
    let limits: Vec<_> = told.iter().map(|(_, limit)| limit.as_deref()).collect();
    assert_eq!(limits, [Some("16"), Some("8"), Some("12"), None]);
    for ((second, _), expected) in told.iter().zip([100.0, 160.0, 280.0, 340.0]) {
        // The station's clock is the one of the CSMS, which is late by the way of its message.
        assert!((second - expected).abs() < 0.1, "{second} instead of {expected}");
    }
}

/// 1.6 edition 2, 7.9
#[test]
fn a_relative_profile_begins_with_the_transaction() {
    let mut world = Script::booted(Version::V1_6);
    let periods = json!([{"startPeriod": 0, "limit": 16}, {"startPeriod": 60, "limit": 8}]);
    let relative = with(
        profile(1, "TxDefaultProfile", 0),
        &[
            ("chargingProfileKind", json!("Relative")),
            ("chargingSchedule/startSchedule", Value::Null),
            ("chargingSchedule/chargingSchedulePeriod", periods),
        ],
    );
    assert_eq!(set(&mut world, 0, &relative), "Accepted");
    world.run(Duration::from_secs(1000));
    world.plug();
    let began = world.now.instant.since_origin().as_secs_f64();
    world.tap("TAG");
    world.run(Duration::from_secs(100));
    let told = told_over_time(&world);
    assert_eq!(told.len(), 2);
    assert!((told[0].0 - began).abs() < 0.1, "{told:?}, {began}");
    assert!((told[1].0 - told[0].0 - 60.0).abs() < 0.01);
}

/// 1.6 edition 2, 3.13.3: all connectors together stay below the limit of the station.
#[test]
fn transactions_share_the_limit_of_the_station() {
    let mut world = Script::booted_with(two_evses());
    set(&mut world, 0, &profile(1, "ChargePointMaxProfile", 16));
    begin(&mut world);
    assert_eq!(told(&world, 1).as_deref(), Some("16"));
    world.handle(Input::PluggedIn { evse: 2, connector: 1 });
    world.handle(Input::TokenPresented { evse: Some(2), token: Token::rfid("OTHER") });
    world.settle();
    assert_eq!((told(&world, 1).as_deref(), told(&world, 2).as_deref()), (Some("8"), Some("8")));
    set(&mut world, 1, &profile(2, "TxProfile", 6));
    assert_eq!((told(&world, 1).as_deref(), told(&world, 2).as_deref()), (Some("6"), Some("10")));
    let reduced = with(profile(2, "TxProfile", 6), &[("chargingSchedule/minChargingRate", json!(6))]);
    set(&mut world, 1, &reduced);
    let other = with(profile(3, "TxProfile", 16), &[("chargingSchedule/minChargingRate", json!(11))]);
    set(&mut world, 2, &other);
    assert_eq!((told(&world, 1).as_deref(), told(&world, 2).as_deref()), (Some("6"), Some("0")), "3.13.4");
    world.tap("TAG");
    assert_eq!((told(&world, 1), told(&world, 2).as_deref()), (None, Some("16")));
}

/// 1.6 edition 2, 3.13.4: who came last waits first, wherever that is.
#[test]
fn where_the_limit_is_too_small_for_all_who_began_last_waits() {
    let mut world = Script::booted_with(two_evses());
    set(&mut world, 0, &profile(1, "ChargePointMaxProfile", 16));
    world.handle(Input::PluggedIn { evse: 2, connector: 1 });
    world.handle(Input::TokenPresented { evse: Some(2), token: Token::rfid("FIRST") });
    world.settle();
    begin(&mut world);
    let picky = with(profile(2, "TxDefaultProfile", 16), &[("chargingSchedule/minChargingRate", json!(10))]);
    set(&mut world, 0, &picky);
    assert_eq!((told(&world, 1).as_deref(), told(&world, 2).as_deref()), (Some("0"), Some("16")));
}

/// 1.6 edition 2, 4.9, 1.6 errata 3.64
#[test]
fn a_limit_of_nothing_suspends_charging() {
    let mut world = Script::booted(Version::V1_6);
    begin(&mut world);
    assert!(world.energy_permitted());
    set(&mut world, 1, &profile(1, "TxProfile", 0));
    world.settle();
    assert!(!world.energy_permitted());
    assert_eq!(world.heard_statuses().last().map(String::as_str), Some("SuspendedEVSE"));
    clear(&mut world, json!({"id": 1}));
    world.settle();
    assert!(world.energy_permitted());
    assert_eq!(world.heard_statuses().last().map(String::as_str), Some("Charging"));
}

/// 1.6 edition 2, 5.11, 5.16.2
#[test]
fn a_remote_start_brings_the_profile_of_its_transaction() {
    for plug_first in [true, false] {
        let mut world = Script::booted(Version::V1_6);
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 6));
        if plug_first {
            world.plug();
        }
        let call = json!({"idTag": "TAG", "connectorId": 1, "chargingProfile": profile(2, "TxProfile", 20)});
        assert_eq!(world.ask("RemoteStartTransaction", call), Said::Result(json!({"status": "Accepted"})));
        if !plug_first {
            assert_eq!(now_limit(&mut world, 1), 6.0, "there is no transaction yet");
            world.plug();
        }
        assert_eq!(told(&world, 1).as_deref(), Some("20"), "plug first: {plug_first}");
        // 1.6 errata 3.42: the transaction has got its id; the same stack level replaces the profile.
        let later = with(profile(3, "TxProfile", 12), &[("transactionId", json!(1))]);
        assert_eq!(set(&mut world, 1, &later), "Accepted");
        assert_eq!(told(&world, 1).as_deref(), Some("12"));
        assert_eq!(clear(&mut world, json!({"id": 2})), "Unknown");
    }
}

/// 1.6 edition 2, 5.11
#[test]
fn a_remote_start_with_a_profile_may_leave_the_connector_to_the_station() {
    let mut world = Script::booted_with(two_evses());
    world.handle(Input::PluggedIn { evse: 2, connector: 1 });
    world.settle();
    let call = json!({"idTag": "TAG", "chargingProfile": profile(2, "TxProfile", 20)});
    assert_eq!(world.ask("RemoteStartTransaction", call), Said::Result(json!({"status": "Accepted"})));
    assert_eq!(told(&world, 2).as_deref(), Some("20"));
}

/// 1.6 edition 2, 5.16.2, errata 3.41; 2.1 part 2, K05.FR.05
#[test]
fn a_remote_start_with_a_profile_that_cannot_be_its_own_is_rejected() {
    let mut world = Script::booted(Version::V1_6);
    for bad in [
        profile(2, "TxDefaultProfile", 20),
        with(profile(2, "TxProfile", 20), &[("transactionId", json!(1))]),
        with(profile(2, "TxProfile", 20), &[("stackLevel", json!(1000))]),
        with(profile(2, "TxProfile", 20), &[("chargingSchedule/chargingSchedulePeriod", json!([]))]),
    ] {
        let call = json!({"idTag": "TAG", "connectorId": 1, "chargingProfile": bad});
        let said = world.ask("RemoteStartTransaction", call);
        assert!(said == Said::Result(json!({"status": "Rejected"})) || matches!(said, Said::Error(_)), "{said:?}");
    }
    world.plug();
    assert!(world.peer.payloads("StartTransaction").is_empty());
}

/// 1.6 edition 2, 5.11: the driver does not come.
#[test]
fn the_profile_of_a_remote_start_that_nobody_used_is_forgotten() {
    let mut world = Script::booted(Version::V1_6);
    let call = json!({"idTag": "TAG", "connectorId": 1, "chargingProfile": profile(2, "TxProfile", 20)});
    world.ask("RemoteStartTransaction", call);
    world.run(Duration::from_secs(120));
    begin(&mut world);
    assert_eq!(world.peer.payloads("StartTransaction").len(), 1);
    assert_eq!(told(&world, 1), None);
}

/// 1.6 edition 2, 3.3, 3.13.5, 9.1.29, 9.4.1 to 9.4.5; 1.6 errata 3.3
#[test]
fn the_keys_of_smart_charging_are_told_and_cannot_be_changed() {
    let mut world = Script::booted(Version::V1_6);
    for (key, value) in [
        ("ChargeProfileMaxStackLevel", "9"),
        ("ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
        ("ChargingScheduleMaxPeriods", "100"),
        ("MaxChargingProfilesInstalled", "20"),
        ("ConnectorSwitch3to1PhaseSupported", "false"),
    ] {
        world.ask("GetConfiguration", json!({"key": [key]}));
        assert_eq!(world.peer.result()["configurationKey"], json!([{"key": key, "readonly": true, "value": value}]));
        let said = world.ask("ChangeConfiguration", json!({"key": key, "value": value}));
        assert_eq!(said, Said::Result(json!({"status": "Rejected"})));
    }
    world.ask("GetConfiguration", json!({"key": ["SupportedFeatureProfiles"]}));
    let profiles = world.peer.result()["configurationKey"][0]["value"].as_str().unwrap().to_owned();
    assert!(profiles.split(',').any(|profile| profile == "SmartCharging"));
}

/// 1.6 edition 2, 9.4.1
#[test]
fn a_stack_level_above_the_highest_one_is_rejected() {
    let mut world = Script::booted(Version::V1_6);
    for (level, status) in [(9, "Accepted"), (10, "Rejected")] {
        let profile = with(profile(level, "TxDefaultProfile", 16), &[("stackLevel", json!(level))]);
        assert_eq!(set(&mut world, 0, &profile), status);
    }
}

/// 1.6 edition 2, 9.4.2
#[test]
fn a_unit_that_the_station_does_not_take_is_rejected() {
    let mut config = config(Version::V1_6);
    config.settings = vec![("ChargingScheduleAllowedChargingRateUnit".into(), "Power".into())];
    let mut world = Script::booted_with(config);
    assert_eq!(set(&mut world, 0, &profile(1, "TxDefaultProfile", 16)), "Rejected");
    let watts = with(profile(1, "TxDefaultProfile", 7000), &[("chargingSchedule/chargingRateUnit", json!("W"))]);
    assert_eq!(set(&mut world, 0, &watts), "Accepted");
    world.ask("GetCompositeSchedule", json!({"connectorId": 1, "duration": 60, "chargingRateUnit": "A"}));
    assert_eq!(world.peer.result()["status"], "Rejected", "K08.FR.07");
}

/// 1.6 edition 2, 9.4.3
#[test]
fn a_schedule_with_more_periods_than_the_station_takes_is_rejected() {
    let mut world = Script::booted(Version::V1_6);
    for (count, status) in [(100, "Accepted"), (101, "Rejected")] {
        let periods: Vec<Value> = (0..count).map(|start| json!({"startPeriod": start, "limit": 6})).collect();
        let profile =
            with(profile(1, "TxDefaultProfile", 6), &[("chargingSchedule/chargingSchedulePeriod", json!(periods))]);
        assert_eq!(set(&mut world, 0, &profile), status, "{count}");
    }
}

/// 1.6 edition 2, 9.4.5
#[test]
fn no_more_profiles_are_installed_than_the_station_takes_but_replacing_goes_on() {
    let mut config = config(Version::V1_6);
    config.settings = vec![("MaxChargingProfilesInstalled".into(), "2".into())];
    let mut world = Script::booted_with(config);
    let at_level =
        |level: i64, amperes| with(profile(level, "TxDefaultProfile", amperes), &[("stackLevel", json!(level))]);
    assert_eq!(set(&mut world, 0, &at_level(0, 6)), "Accepted");
    assert_eq!(set(&mut world, 0, &at_level(1, 7)), "Accepted");
    assert_eq!(set(&mut world, 0, &at_level(2, 8)), "Rejected");
    assert_eq!(set(&mut world, 0, &at_level(1, 9)), "Accepted");
    assert_eq!(now_limit(&mut world, 1), 9.0);
}

/// 1.6 edition 2, 9.4.4
#[test]
fn a_limit_for_one_phase_is_spread_where_phases_cannot_be_switched() {
    for (switches, current, phases) in [("false", "5.3", 3), ("true", "16", 1)] {
        let mut config = config(Version::V1_6);
        config.settings = vec![("ConnectorSwitch3to1PhaseSupported".into(), switches.into())];
        let mut world = Script::booted_with(config);
        begin(&mut world);
        let periods = json!([{"startPeriod": 0, "limit": 16, "numberPhases": 1}]);
        let one_phase = with(profile(1, "TxProfile", 0), &[("chargingSchedule/chargingSchedulePeriod", periods)]);
        assert_eq!(set(&mut world, 1, &one_phase), "Accepted");
        let limit = world.outputs.iter().rev().find_map(|(_, output)| match output {
            Output::SetLimit { limit: Some(limit), .. } => Some(*limit),
            _ => None,
        });
        let limit = limit.unwrap();
        assert_eq!(limit.phases, phases);
        assert_eq!(limit.power, decimal("3680"));
        assert_eq!(limit.current.trunc_with_scale(1).normalize(), decimal(current));
        assert_eq!(now_limit(&mut world, 1), 16.0, "the schedule is told in the words of the profile");
    }
}

/// 1.6 edition 2, 7.9: a limit of the whole station has no transaction to be relative to.
#[test]
fn a_station_wide_schedule_without_start_begins_when_it_comes() {
    let mut world = Script::booted(Version::V1_6);
    let periods = json!([{"startPeriod": 0, "limit": 16}, {"startPeriod": 600, "limit": 8}]);
    let relative = with(
        profile(1, "ChargePointMaxProfile", 0),
        &[
            ("chargingProfileKind", json!("Relative")),
            ("chargingSchedule/startSchedule", Value::Null),
            ("chargingSchedule/chargingSchedulePeriod", periods),
        ],
    );
    assert_eq!(set(&mut world, 0, &relative), "Accepted");
    world.run(Duration::from_secs(300));
    begin(&mut world);
    assert_eq!(told(&world, 1).as_deref(), Some("16"));
    world.run(Duration::from_secs(300));
    assert_eq!(told(&world, 1).as_deref(), Some("8"));
}
