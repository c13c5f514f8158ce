//! What 2.1 has added to smart charging: priorities, limits that change, rules for the time without a connection, delays, local
//! time (2.1 part 2, block K).

use std::time::Duration;

use ocpp_core::station::{Input, Measurand, Notice, Output, Reading};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::decimal;
use crate::scripted::{Reply, Script};
use crate::smart_charging_v2::{
    at, begin, get, now_limit, of_transaction, profile, schedule, set, told, transaction, with,
};

fn station() -> Script {
    Script::booted(Version::V2_1)
}

fn heard(world: &Script, action: &str) -> Vec<Value> {
    world.peer.payloads(action).into_iter().cloned().collect()
}

fn prioritize(world: &mut Script, transaction: &str, activate: bool) -> String {
    world.ask("UsePriorityCharging", json!({"transactionId": transaction, "activate": activate}));
    let result = world.peer.result();
    let reason = result["statusInfo"]["reasonCode"].as_str().unwrap_or_default().to_owned();
    format!("{} {reason}", result["status"].as_str().unwrap()).trim().to_owned()
}

/// K21.FR.01, K21.FR.02, K21.FR.03, K21.FR.04, K21.FR.05, K21.FR.06, K21.FR.07, K21.FR.08
#[test]
fn priority_charging_stands_in_for_the_other_profiles_while_it_is_on() {
    let mut world = station();
    set(&mut world, 0, &profile(1, "ChargingStationMaxProfile", 25));
    begin(&mut world);
    let id = transaction(&world);
    let own = of_transaction(&world, 2, 6);
    set(&mut world, 1, &own);
    assert_eq!(prioritize(&mut world, "another", true), "Rejected TxNotFound");
    assert_eq!(prioritize(&mut world, &id, true), "NoProfile NotFound");
    assert_eq!(set(&mut world, 1, &profile(3, "PriorityCharging", 32)), "Accepted");
    assert_eq!(told(&world, 1).as_deref(), Some("6"), "installed is not activated");
    world.peer.forget();
    assert_eq!(prioritize(&mut world, &id, false), "Accepted");
    assert!(heard(&world, "NotifyPriorityCharging").is_empty(), "it was off before");
    assert_eq!(prioritize(&mut world, &id, true), "Accepted");
    assert_eq!(told(&world, 1).as_deref(), Some("25"), "the limit of the station remains");
    assert_eq!(heard(&world, "NotifyPriorityCharging"), [json!({"transactionId": id, "activated": true})]);
    assert_eq!(prioritize(&mut world, &id, false), "Accepted");
    assert_eq!(told(&world, 1).as_deref(), Some("6"));
    assert_eq!(heard(&world, "NotifyPriorityCharging")[1], json!({"transactionId": id, "activated": false}));
}

/// K22.FR.01, K22.FR.02, K22.FR.03, K22.FR.04, K22.FR.05
#[test]
fn a_driver_may_ask_for_priority_at_the_station() {
    let mut world = station();
    set(&mut world, 0, &profile(1, "TxDefaultProfile", 6));
    begin(&mut world);
    let id = transaction(&world);
    world.handle(Input::PriorityCharging { evse: 1, wanted: true });
    let shown = Output::Display { evse: Some(1), notice: Notice::NoPriorityCharging };
    assert!(world.outputs.iter().any(|(_, output)| *output == shown));
    assert_eq!(set(&mut world, 0, &profile(2, "PriorityCharging", 30)), "Accepted");
    world.cut();
    world.settle();
    world.handle(Input::PriorityCharging { evse: 1, wanted: true });
    assert_eq!(told(&world, 1).as_deref(), Some("30"));
    world.peer.forget();
    world.network.up = true;
    world.run(Duration::from_secs(300));
    assert_eq!(
        heard(&world, "NotifyPriorityCharging"),
        [json!({"transactionId": id, "activated": true})],
        "once it can be told"
    );
    world.handle(Input::PriorityCharging { evse: 1, wanted: false });
    world.settle();
    assert_eq!(told(&world, 1).as_deref(), Some("6"));
    assert_eq!(heard(&world, "NotifyPriorityCharging").len(), 2);
}

/// K01.FR.70, K01.FR.71, K01.FR.95, K01.FR.120, K01.FR.121, K01.FR.122, K01.FR.126, K28.FR.01, K28.FR.02, K28.FR.03, K28.FR.04,
/// Q09.FR.01
#[test]
fn what_the_station_cannot_do_is_rejected_with_the_reason() {
    let mut world = station();
    let default = || profile(1, "TxDefaultProfile", 10);
    let dynamic = |changes: &[(&str, Value)]| {
        with(
            with(default(), &[("chargingProfileKind", json!("Dynamic")), ("schedule/startSchedule", json!(null))]),
            changes,
        )
    };
    let two = json!([{"startPeriod": 0, "limit": 6}, {"startPeriod": 60, "limit": 7}]);
    for (what, evse, bad, reason) in [
        (
            "priority with an end",
            1,
            with(profile(1, "PriorityCharging", 9), &[("schedule/duration", json!(5))]),
            "InvalidSchedule",
        ),
        (
            "priority to give back",
            1,
            with(profile(1, "PriorityCharging", 9), &[("period/operationMode", json!("CentralSetpoint"))]),
            "InvalidSchedule",
        ),
        (
            "giving back",
            1,
            with(default(), &[("period/operationMode", json!("LocalLoadBalancing"))]),
            "UnsupportedParam",
        ),
        ("a set point", 1, with(default(), &[("period/setpoint", json!(5))]), "InvalidSchedule"),
        ("no limit", 1, with(default(), &[("period/limit", json!(null))]), "InvalidSchedule"),
        (
            "a delayed station",
            0,
            with(profile(1, "ChargingStationMaxProfile", 9), &[("schedule/randomizedDelay", json!(9))]),
            "InvalidSchedule",
        ),
        ("a sleep", 1, with(default(), &[("period/evseSleep", json!(true))]), "InvalidSchedule"),
        ("two dynamic periods", 1, dynamic(&[("schedule/chargingSchedulePeriod", two)]), "InvalidSchedule"),
        ("a late dynamic period", 1, dynamic(&[("period/startPeriod", json!(1))]), "InvalidSchedule"),
        ("an interval in vain", 1, with(default(), &[("dynUpdateInterval", json!(60))]), "InvalidProfile"),
        ("an update in vain", 1, with(default(), &[("dynUpdateTime", json!(at(0)))]), "InvalidProfile"),
    ] {
        assert_eq!(set(&mut world, evse, &bad), format!("Rejected/{reason}"), "{what}");
    }
    // A station that is made so that it can do none of what is new.
    for name in ["SupportsDynamicProfiles", "SupportsUseLocalTime", "SupportsRandomizedDelay", "SupportsLimitAtSoC"] {
        world.set(&format!("SmartChargingCtrlr.{name}"), "false");
    }
    world.set("SmartChargingCtrlr.SupportedAdditionalPurposes", "");
    for (what, bad, reason) in [
        ("dynamic", dynamic(&[]), "UnsupportedKind"),
        ("priority", profile(1, "PriorityCharging", 9), "UnsupportedPurpose"),
        ("generation", profile(1, "LocalGeneration", 9), "UnsupportedPurpose"),
        // K01.FR.123, K01.FR.124, K01.FR.125
        ("local time", with(default(), &[("schedule/useLocalTime", json!(true))]), "InvalidSchedule"),
        ("delay", with(default(), &[("schedule/randomizedDelay", json!(9))]), "InvalidSchedule"),
        (
            "state of charge",
            with(default(), &[("schedule/limitAtSoC", json!({"soc": 80, "limit": 5}))]),
            "InvalidSchedule",
        ),
    ] {
        assert_eq!(set(&mut world, 1, &bad), format!("Rejected/{reason}"), "{what}");
    }
    assert_eq!(get(&mut world, None, json!({})).0, "NoProfiles");
}

fn dynamic(id: i64, amperes: u32, interval: Option<i64>) -> Value {
    let changes = [
        ("chargingProfileKind", json!("Dynamic")),
        ("schedule/startSchedule", json!(null)),
        ("dynUpdateInterval", interval.map_or(json!(null), |interval| json!(interval))),
    ];
    with(with(profile(id, "TxDefaultProfile", amperes), &[("dynUpdateInterval", json!(1))]), &changes)
}

fn update(world: &mut Script, id: i64, change: Value) -> String {
    world.ask("UpdateDynamicSchedule", json!({"chargingProfileId": id, "scheduleUpdate": change}));
    let result = world.peer.result();
    let reason = result["statusInfo"]["reasonCode"].as_str().unwrap_or_default().to_owned();
    format!("{} {reason}", result["status"].as_str().unwrap()).trim().to_owned()
}

fn updated(world: &mut Script, id: i64) -> String {
    let (_, reports) = get(world, None, json!({"chargingProfileId": [id]}));
    reports[0]["chargingProfile"][0]["dynUpdateTime"].as_str().unwrap().to_owned()
}

/// K28.FR.05, K28.FR.06, K28.FR.09, K28.FR.11
#[test]
fn the_limit_of_a_dynamic_profile_is_changed_at_once() {
    let mut world = station();
    begin(&mut world);
    assert_eq!(set(&mut world, 1, &dynamic(1, 16, None)), "Accepted");
    assert_eq!(told(&world, 1).as_deref(), Some("16"));
    let first = updated(&mut world, 1);
    world.run(Duration::from_secs(60));
    assert_eq!(update(&mut world, 1, json!({"limit": 9})), "Accepted");
    assert_eq!(told(&world, 1).as_deref(), Some("9"));
    assert!(updated(&mut world, 1) > first);
    set(&mut world, 0, &profile(2, "ChargingStationMaxProfile", 30));
    assert_eq!(update(&mut world, 2, json!({"limit": 9})), "Rejected InvalidProfile");
    assert_eq!(update(&mut world, 3, json!({"limit": 9})), "Rejected InvalidProfile");
    assert_eq!(update(&mut world, 1, json!({"limit": -9})), "Rejected InvalidSchedule");
    assert_eq!(update(&mut world, 1, json!({"setpoint": 9})), "Rejected UnsupportedParam");
    assert_eq!(told(&world, 1).as_deref(), Some("9"));
    world.power_cut(Duration::from_secs(1));
    world.settle();
    assert_eq!(now_limit(&mut world, 1), 9.0, "the new value is stored");
}

/// K28.FR.08, K28.FR.09, K28.FR.10
#[test]
fn the_csms_is_asked_for_the_limit_of_a_dynamic_profile_that_says_so() {
    let mut world = station();
    begin(&mut world);
    let answer = json!({"status": "Accepted", "scheduleUpdate": {"limit": 11}});
    world.peer.once("PullDynamicScheduleUpdate", Reply::Result(answer));
    world.peer.always("PullDynamicScheduleUpdate", Reply::Result(json!({"status": "Rejected"})));
    assert_eq!(set(&mut world, 1, &dynamic(1, 16, Some(100))), "Accepted");
    world.run(Duration::from_secs(90));
    assert!(heard(&world, "PullDynamicScheduleUpdate").is_empty());
    world.run(Duration::from_secs(12));
    assert_eq!(heard(&world, "PullDynamicScheduleUpdate"), [json!({"chargingProfileId": 1})]);
    assert_eq!(told(&world, 1).as_deref(), Some("11"));
    world.run(Duration::from_secs(100));
    assert_eq!(heard(&world, "PullDynamicScheduleUpdate").len(), 2);
    assert_eq!(told(&world, 1).as_deref(), Some("11"), "the CSMS had none");
    world.ask("ClearChargingProfile", json!({"chargingProfileId": 1}));
    world.run(Duration::from_secs(500));
    assert_eq!(heard(&world, "PullDynamicScheduleUpdate").len(), 2, "nobody needs values any more");
}

/// K01.FR.101, K01.FR.102, K01.FR.103
#[test]
fn a_profile_that_counts_only_for_a_while_without_connection_makes_way_for_the_next_one() {
    for ends in [false, true] {
        let mut world = station();
        begin(&mut world);
        set(&mut world, 1, &profile(1, "TxDefaultProfile", 6));
        let changes = [
            ("stackLevel", json!(1)),
            ("maxOfflineDuration", json!(100)),
            ("invalidAfterOfflineDuration", json!(ends)),
        ];
        assert_eq!(set(&mut world, 1, &with(profile(2, "TxDefaultProfile", 16), &changes)), "Accepted");
        world.cut();
        world.run(Duration::from_secs(95));
        assert_eq!(told(&world, 1).as_deref(), Some("16"));
        world.run(Duration::from_secs(10));
        assert_eq!(told(&world, 1).as_deref(), Some("6"), "the one below, which counts for ever");
        world.network.up = true;
        world.run(Duration::from_secs(300));
        assert_eq!(told(&world, 1).as_deref(), Some(if ends { "6" } else { "16" }));
        let (_, reports) = get(&mut world, None, json!({"chargingProfileId": [2]}));
        assert_eq!(reports.is_empty(), ends);
        if let Some(report) = reports.first() {
            assert_eq!(report["chargingProfile"][0]["maxOfflineDuration"], 100);
        }
    }
}

/// K01.FR.100
#[test]
fn a_battery_that_is_nearly_full_gets_the_smaller_limit() {
    let mut world = station();
    begin(&mut world);
    let capped = [("schedule/limitAtSoC", json!({"soc": 80, "limit": 5}))];
    assert_eq!(set(&mut world, 1, &with(profile(1, "TxDefaultProfile", 16), &capped)), "Accepted");
    let full = |percent: &str| Reading::energy(decimal("2000")).with(Measurand::StateOfCharge, decimal(percent));
    for (percent, limit) in [("79", "16"), ("80", "5"), ("99", "5")] {
        world.handle(Input::Meter { evse: 1, reading: full(percent) });
        assert_eq!(told(&world, 1).as_deref(), Some(limit), "{percent} %");
    }
}

/// K01.FR.92, K01.FR.93, K01.FR.94, K08.FR.06
#[test]
fn random_delays_are_the_same_through_a_transaction_and_never_hit_the_first_period() {
    let mut world = station();
    let periods =
        json!([{"startPeriod": 0, "limit": 16}, {"startPeriod": 1000, "limit": 6}, {"startPeriod": 2000, "limit": 10}]);
    let changes = [
        ("schedule/startSchedule", json!(at(0))),
        ("schedule/randomizedDelay", json!(600)),
        ("schedule/duration", json!(3600)),
        ("schedule/chargingSchedulePeriod", periods),
    ];
    assert_eq!(set(&mut world, 1, &with(profile(1, "TxDefaultProfile", 0), &changes)), "Accepted");
    let idle: Vec<i64> = schedule(&mut world, 1, 3000).iter().map(|(start, _)| *start).collect();
    assert!((990..=1000).contains(&idle[1]) && (1990..=2000).contains(&idle[2]), "without a transaction: {idle:?}");
    let mut seen = Vec::new();
    for _ in 0..4 {
        begin(&mut world);
        let asked = world.now;
        let planned = schedule(&mut world, 1, 3000);
        world.run(Duration::from_secs(30));
        let later = schedule(&mut world, 1, 3000);
        let passed = world.now.instant.saturating_since(asked.instant).as_secs() as i64;
        for (one, other) in planned.iter().zip(&later).skip(1) {
            assert!(((one.0 - other.0) - passed).abs() <= 4, "{planned:?} {later:?} after {passed} s");
        }
        let elapsed = asked.utc.duration_since("2026-11-20T08:00:00Z".parse().unwrap()).as_secs();
        let delays: Vec<i64> =
            [(1, 1000), (2, 2000)].iter().map(|(at, start)| planned[*at].0 + elapsed - start).collect();
        assert!(delays.iter().all(|delay| (-4..=604).contains(delay)), "{delays:?}");
        seen.push(delays);
        world.tap("TAG");
        world.unplug();
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 2, "they differ between transactions: {seen:?}");
}

/// K01.FR.90, K01.FR.91
#[test]
fn a_schedule_of_local_time_follows_the_local_clock() {
    let mut world = station();
    begin(&mut world);
    let changes = [
        ("chargingProfileKind", json!("Recurring")),
        ("recurrencyKind", json!("Daily")),
        ("schedule/useLocalTime", json!(true)),
        ("schedule/startSchedule", json!("2026-11-01T09:10:00Z")),
        ("schedule/duration", json!(600)),
    ];
    assert_eq!(set(&mut world, 1, &with(profile(1, "TxDefaultProfile", 6), &changes)), "Accepted");
    world.run(Duration::from_secs(900));
    assert_eq!(told(&world, 1), None, "it is a quarter past eight");
    let variable =
        json!([{"attributeValue": "+01:00", "component": {"name": "ClockCtrlr"}, "variable": {"name": "TimeOffset"}}]);
    world.ask("SetVariables", json!({"setVariableData": variable}));
    assert_eq!(world.peer.result()["setVariableResult"][0]["attributeStatus"], "Accepted");
    assert_eq!(told(&world, 1).as_deref(), Some("6"), "now it is a quarter past nine");
    world.run(Duration::from_secs(600));
    assert_eq!(told(&world, 1), None);
    let (_, reports) = get(&mut world, None, json!({}));
    let told = &reports[0]["chargingProfile"][0]["chargingSchedule"][0];
    assert_eq!(
        (&told["useLocalTime"], told["startSchedule"].as_str().unwrap().get(..19)),
        (&json!(true), Some("2026-11-01T09:10:00"))
    );
}
