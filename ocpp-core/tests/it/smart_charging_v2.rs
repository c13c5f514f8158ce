//! Smart charging of a 2.0.1 and a 2.1 station over the wire (2.1 part 2, block K).

use std::time::Duration;

use ocpp_core::station::smart_charging::Limit;
use ocpp_core::station::{EvseConfig, Input, Output, StationConfig, Token};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{config, decimal};
use crate::scripted::{Said, Script};

pub const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

/// A profile that says the same for ever.
pub fn profile(id: i64, purpose: &str, amperes: u32) -> Value {
    json!({
        "id": id, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute",
        "chargingSchedule": [{
            "id": 7, "startSchedule": "2026-01-01T00:00:00.000Z", "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amperes}],
        }],
    })
}

/// A profile of the transaction that runs.
pub fn of_transaction(world: &Script, id: i64, amperes: u32) -> Value {
    with(profile(id, "TxProfile", amperes), &[("transactionId", json!(transaction(world)))])
}

/// A profile with some members changed; a member of the schedule has `schedule/` before its name, one of the first period
/// `period/`; `null` removes.
pub fn with(mut profile: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        let (object, name) = if let Some(name) = name.strip_prefix("schedule/") {
            (&mut profile["chargingSchedule"][0], name)
        } else if let Some(name) = name.strip_prefix("period/") {
            (&mut profile["chargingSchedule"][0]["chargingSchedulePeriod"][0], name)
        } else {
            (&mut profile, *name)
        };
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    profile
}

/// The status, and behind a slash the reason if there is one.
fn status(result: &Value) -> String {
    let status = result["status"].as_str().unwrap();
    match result["statusInfo"]["reasonCode"].as_str() {
        Some(reason) => format!("{status}/{reason}"),
        None => status.to_owned(),
    }
}

pub fn set(world: &mut Script, evse: i64, profile: &Value) -> String {
    world.ask("SetChargingProfile", json!({"evseId": evse, "chargingProfile": profile}));
    status(world.peer.result())
}

pub fn clear(world: &mut Script, request: Value) -> String {
    world.ask("ClearChargingProfile", request);
    status(world.peer.result())
}

/// Asks for profiles: the status, and what is reported.
pub fn get(world: &mut Script, evse: Option<i64>, criterion: Value) -> (String, Vec<Value>) {
    world.peer.forget();
    let mut request = json!({"requestId": 5, "chargingProfile": criterion});
    if let Some(evse) = evse {
        request["evseId"] = json!(evse);
    }
    world.ask("GetChargingProfiles", request);
    let status = status(world.peer.result());
    let reports: Vec<Value> = world.peer.payloads("ReportChargingProfiles").into_iter().cloned().collect();
    (status, reports)
}

/// The ids of the profiles that are reported.
fn ids(reports: &[Value]) -> Vec<i64> {
    let profiles = reports.iter().flat_map(|report| report["chargingProfile"].as_array().unwrap());
    let mut ids: Vec<i64> = profiles.map(|profile| profile["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// The composite schedule as pairs of start and limit.
pub fn schedule(world: &mut Script, evse: i64, duration: i64) -> Vec<(i64, f64)> {
    world.ask("GetCompositeSchedule", json!({"evseId": evse, "duration": duration, "chargingRateUnit": "A"}));
    let result = world.peer.result();
    assert_eq!(result["status"], "Accepted");
    let periods = result["schedule"]["chargingSchedulePeriod"].as_array().unwrap();
    periods.iter().map(|period| (period["startPeriod"].as_i64().unwrap(), period["limit"].as_f64().unwrap())).collect()
}

pub fn now_limit(world: &mut Script, evse: i64) -> f64 {
    schedule(world, evse, 60)[0].1
}

pub fn begin(world: &mut Script) {
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
}

/// The id of the transaction at an EVSE.
pub fn transaction(world: &Script) -> String {
    let mut state = world.peer.payloads("TransactionEvent").into_iter().rev();
    state.next().unwrap()["transactionInfo"]["transactionId"].as_str().unwrap().to_owned()
}

/// What the hardware of an EVSE was last told, as current of a phase.
pub fn told(world: &Script, wanted: u32) -> Option<String> {
    let limits = world.outputs.iter().rev().find_map(|(_, output)| match output {
        Output::SetLimit { evse, limit } if *evse == wanted => Some(*limit),
        _ => None,
    });
    limits.flatten().map(|limit: Limit| limit.current.normalize().to_string())
}

pub fn two_evses(version: Version) -> StationConfig {
    let mut config = config(version);
    config.evses = vec![EvseConfig::default(), EvseConfig::default()];
    config
}

pub fn at(second: u64) -> String {
    // The world starts at 08:00:00.
    format!("2026-11-20T{:02}:{:02}:{:02}.000Z", 8 + second / 3600, second / 60 % 60, second % 60)
}

/// K01.FR.07, K01.FR.27: what is accepted is stored before, and counts.
#[test]
fn a_profile_is_accepted_once_it_is_stored_and_outlives_a_power_cut() {
    for version in V2 {
        let mut world = Script::booted(version);
        let before = world.outputs.len();
        assert_eq!(set(&mut world, 0, &profile(1, "TxDefaultProfile", 16)), "Accepted");
        let place = |is_meant: &dyn Fn(&Output) -> bool| {
            world.outputs[before..].iter().position(|(_, output)| is_meant(output)).unwrap()
        };
        let stored = place(&|output| match output {
            Output::Store(batch) => batch.changes.iter().any(|change| change.key() == "charging-profile/1"),
            _ => false,
        });
        let answered = place(&|output| matches!(output, Output::Transmit(text) if text.contains("Accepted")));
        assert!(stored < answered);
        assert_eq!(set(&mut world, 0, &profile(2, "ChargingStationMaxProfile", 10)), "Accepted");
        assert_eq!(clear(&mut world, json!({"chargingProfileId": 1})), "Accepted");
        let later = with(profile(3, "TxDefaultProfile", 8), &[("stackLevel", json!(1))]);
        assert_eq!(set(&mut world, 1, &later), "Accepted");
        world.power_cut(Duration::from_secs(60));
        world.settle();
        let (_, reports) = get(&mut world, None, json!({}));
        assert_eq!(ids(&reports), [2, 3], "{version}");
        assert_eq!(now_limit(&mut world, 1), 8.0);
    }
}

/// K01.FR.09, K01.FR.16, K01.FR.19, K01.FR.22, K01.FR.26, K01.FR.28, K01.FR.31, K01.FR.33, K01.FR.34, K01.FR.35, K01.FR.38,
/// K01.FR.40, K01.FR.41, K01.FR.48, K04.FR.03
#[test]
fn a_profile_that_cannot_be_is_rejected_with_the_reason() {
    let period = |start: i64, limit: i64| json!({"startPeriod": start, "limit": limit});
    let default = || profile(1, "TxDefaultProfile", 16);
    let most = || profile(1, "ChargingStationMaxProfile", 16);
    let own = || with(profile(1, "TxProfile", 16), &[("transactionId", json!("nobody's"))]);
    let mut two = default();
    two["chargingSchedule"] = json!([two["chargingSchedule"][0], two["chargingSchedule"][0]]);
    let relative = [("chargingProfileKind", json!("Relative")), ("schedule/startSchedule", json!(null))];
    let cases = [
        ("an EVSE that isn't there", 3, default(), "UnknownEvse"),
        ("a negative EVSE", -1, default(), "UnknownEvse"),
        ("a station's profile at an EVSE", 1, most(), "InvalidProfile"),
        ("a relative limit of the station", 0, with(most(), &relative), "InvalidProfile"),
        ("a transaction that isn't there", 1, own(), "TxNotFound"),
        ("a transaction everywhere", 0, own(), "InvalidProfile"),
        ("no transaction", 1, profile(1, "TxProfile", 16), "MissingParam"),
        ("a transaction in vain", 1, with(default(), &[("transactionId", json!("T"))]), "InvalidProfile"),
        ("what others set", 0, profile(1, "ChargingStationExternalConstraints", 16), "InvalidProfile"),
        ("two schedules", 1, two, "InvalidSchedule"),
        ("absolute without a start", 1, with(default(), &[("schedule/startSchedule", json!(null))]), "InvalidSchedule"),
        ("relative with a start", 1, with(default(), &[("chargingProfileKind", json!("Relative"))]), "InvalidSchedule"),
        (
            "recurring without recurrence",
            1,
            with(default(), &[("chargingProfileKind", json!("Recurring"))]),
            "InvalidProfile",
        ),
        ("recurrence in vain", 1, with(default(), &[("recurrencyKind", json!("Daily"))]), "InvalidProfile"),
        ("a late period", 1, with(default(), &[("period/startPeriod", json!(5))]), "InvalidSchedule"),
        (
            "unordered periods",
            1,
            with(
                default(),
                &[("schedule/chargingSchedulePeriod", json!([period(0, 6), period(20, 7), period(10, 8)]))],
            ),
            "InvalidSchedule",
        ),
        ("a negative limit", 1, with(default(), &[("period/limit", json!(-1))]), "InvalidSchedule"),
        (
            "a chosen phase",
            1,
            with(default(), &[("period/numberPhases", json!(1)), ("period/phaseToUse", json!(2))]),
            "InvalidSchedule",
        ),
        (
            "never valid",
            1,
            with(default(), &[("validFrom", json!(at(60))), ("validTo", json!(at(60)))]),
            "InvalidProfile",
        ),
        ("a high stack level", 1, with(default(), &[("stackLevel", json!(10))]), "InvalidStackLevel"),
        ("a negative duration", 1, with(default(), &[("schedule/duration", json!(-1))]), "InvalidSchedule"),
    ];
    for version in V2 {
        let mut world = Script::booted_with(two_evses(version));
        for (what, evse, bad, reason) in &cases {
            // 2.1's schema itself refuses what is out of range.
            world.ask("SetChargingProfile", json!({"evseId": evse, "chargingProfile": bad}));
            match world.peer.answer() {
                Said::Result(result) => assert_eq!(status(result), format!("Rejected/{reason}"), "{version}: {what}"),
                Said::Error(code) => {
                    assert!(
                        what.contains("negative") && code == "PropertyConstraintViolation",
                        "{version}: {what} {code}"
                    );
                }
            }
        }
        assert_eq!(get(&mut world, None, json!({})), ("NoProfiles".to_owned(), vec![]), "{version}: nothing is there");
        assert_eq!(set(&mut world, 1, &default()), "Accepted");
    }
}

/// K01.FR.26, K08.FR.07
#[test]
fn a_unit_that_the_station_does_not_take_is_rejected() {
    for version in V2 {
        let mut config = config(version);
        config.settings.push(("ChargingScheduleAllowedChargingRateUnit".into(), "Current".into()));
        let mut world = Script::booted_with(config);
        let in_watts = with(profile(1, "TxDefaultProfile", 3000), &[("schedule/chargingRateUnit", json!("W"))]);
        assert_eq!(set(&mut world, 0, &in_watts), "Rejected/UnsupportedRateUnit");
        world.ask("GetCompositeSchedule", json!({"evseId": 0, "duration": 60, "chargingRateUnit": "W"}));
        assert_eq!(status(world.peer.result()), "Rejected/UnsupportedRateUnit");
    }
}

/// K01.FR.43, K01.FR.45, K01.FR.47, K01.FR.49, K01.FR.50, K01.FR.51
#[test]
fn a_number_of_phases_is_taken_where_the_station_can_keep_to_it() {
    for version in V2 {
        let mut world = Script::booted(version);
        let one_phase = |id| with(profile(id, "TxDefaultProfile", 10), &[("period/numberPhases", json!(1))]);
        assert_eq!(set(&mut world, 1, &one_phase(1)), "Rejected/InvalidSchedule", "three are wired");
        let mut single = config(version);
        single.evses[0].supply_phases = 1;
        let mut world = Script::booted_with(single);
        let three_phases = with(profile(1, "TxDefaultProfile", 10), &[("period/numberPhases", json!(3))]);
        assert_eq!(set(&mut world, 1, &three_phases), "Accepted");
        assert_eq!(now_limit(&mut world, 1), 10.0, "a current is that of each phase");
        let mut switching = config(version);
        switching.settings.push(("SmartChargingCtrlr.Phases3to1".into(), "true".into()));
        let mut world = Script::booted_with(switching);
        assert_eq!(set(&mut world, 1, &one_phase(1)), "Accepted");
        let in_watts =
            [("stackLevel", json!(1)), ("schedule/chargingRateUnit", json!("W")), ("period/limit", json!(6900))];
        assert_eq!(set(&mut world, 1, &with(profile(2, "TxDefaultProfile", 0), &in_watts)), "Accepted");
        assert_eq!(now_limit(&mut world, 1), 10.0, "6,900 W = 3 × 230 V × 10 A");
    }
}

/// K01.FR.05: the id decides; K01.FR.06, K01.FR.39, K01.FR.52, K01.FR.53: nothing else replaces.
#[test]
fn a_profile_replaces_one_with_its_id_and_no_other() {
    for version in V2 {
        let mut world = Script::booted(version);
        assert_eq!(set(&mut world, 1, &profile(1, "TxDefaultProfile", 16)), "Accepted");
        assert_eq!(set(&mut world, 1, &profile(1, "TxDefaultProfile", 13)), "Accepted");
        assert_eq!(now_limit(&mut world, 1), 13.0);
        assert_eq!(set(&mut world, 1, &profile(2, "TxDefaultProfile", 6)), "Rejected/DuplicateProfile");
        assert_eq!(set(&mut world, 0, &profile(2, "TxDefaultProfile", 6)), "Rejected/DuplicateProfile");
        assert_eq!(now_limit(&mut world, 1), 13.0);
        // The other way round.
        clear(&mut world, json!({"chargingProfileId": 1}));
        assert_eq!(set(&mut world, 0, &profile(2, "TxDefaultProfile", 6)), "Accepted");
        assert_eq!(set(&mut world, 1, &profile(1, "TxDefaultProfile", 16)), "Rejected/DuplicateProfile");
        // Two at a level that are valid one after the other.
        let until = with(profile(3, "ChargingStationMaxProfile", 5), &[("validTo", json!(at(3600)))]);
        let from = with(profile(4, "ChargingStationMaxProfile", 4), &[("validFrom", json!(at(3600)))]);
        assert_eq!(set(&mut world, 0, &until), "Accepted");
        assert_eq!(set(&mut world, 0, &from), "Accepted");
        assert_eq!(set(&mut world, 0, &profile(5, "ChargingStationMaxProfile", 4)), "Rejected/DuplicateProfile");
        world.power_cut(Duration::from_secs(1));
        world.settle();
        assert_eq!(ids(&get(&mut world, None, json!({})).1), [2, 3, 4], "a power cut replaces nothing either");
        begin(&mut world);
        let own = of_transaction(&world, 6, 3);
        assert_eq!(set(&mut world, 1, &own), "Accepted");
        let own = of_transaction(&world, 7, 2);
        assert_eq!(set(&mut world, 1, &own), "Rejected/DuplicateProfile");
        assert_eq!(told(&world, 1).as_deref(), Some("3"));
    }
}

/// K01.FR.04, K01.FR.17, K01.FR.32, K02.FR.04, K02.FR.05, K02.FR.08, K10.FR.05, K10.FR.07, K07.FR.01
#[test]
fn the_profile_of_a_transaction_overrules_the_default_and_ends_with_it() {
    for version in V2 {
        let mut world = Script::booted(version);
        begin(&mut world);
        assert_eq!(told(&world, 1), None);
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
        assert_eq!(told(&world, 1).as_deref(), Some("16"), "a new default takes hold of a running transaction");
        let own = with(of_transaction(&world, 2, 20), &[("validTo", json!(at(600)))]);
        assert_eq!(set(&mut world, 1, &own), "Accepted");
        assert_eq!(told(&world, 1).as_deref(), Some("20"));
        let higher = with(of_transaction(&world, 3, 9), &[("stackLevel", json!(1)), ("validTo", json!(at(300)))]);
        assert_eq!(set(&mut world, 1, &higher), "Accepted");
        assert_eq!(told(&world, 1).as_deref(), Some("9"));
        world.run(Duration::from_secs(300));
        assert_eq!(told(&world, 1).as_deref(), Some("20"));
        world.run(Duration::from_secs(300));
        assert_eq!(told(&world, 1).as_deref(), Some("16"), "back to the default");
        clear(&mut world, json!({"chargingProfileCriteria": {"chargingProfilePurpose": "TxDefaultProfile"}}));
        assert_eq!(told(&world, 1), None);
        world.tap("TAG");
        world.unplug();
        assert_eq!(get(&mut world, None, json!({})).0, "NoProfiles", "{version}");
    }
}

/// K06.FR.01, K06.FR.02, K07.FR.01
#[test]
fn profiles_are_followed_offline() {
    for version in V2 {
        let mut world = Script::booted(version);
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
        world.set("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true");
        world.cut();
        world.settle();
        begin(&mut world);
        assert_eq!(told(&world, 1).as_deref(), Some("16"));
        let mut world = Script::booted(version);
        begin(&mut world);
        let own = of_transaction(&world, 2, 7);
        set(&mut world, 1, &own);
        world.cut();
        world.run(Duration::from_secs(3600));
        assert_eq!(told(&world, 1).as_deref(), Some("7"));
    }
}

/// K01.FR.11, K01.FR.12, K01.FR.13, K01.FR.30, K01.FR.36, K01.FR.37, K08.FR.02, K08.FR.04
#[test]
fn the_hardware_and_the_composite_schedule_agree_on_every_period() {
    for version in V2 {
        let mut world = Script::booted(version);
        begin(&mut world);
        let periods =
            json!([{"startPeriod": 0, "limit": 6}, {"startPeriod": 60, "limit": 10}, {"startPeriod": 400, "limit": 1}]);
        let daily = with(
            profile(1, "TxDefaultProfile", 0),
            &[
                ("chargingProfileKind", json!("Recurring")),
                ("recurrencyKind", json!("Daily")),
                ("schedule/startSchedule", json!(at(120))),
                ("schedule/duration", json!(120)),
                ("schedule/chargingSchedulePeriod", periods),
            ],
        );
        assert_eq!(set(&mut world, 1, &daily), "Accepted");
        set(&mut world, 0, &profile(2, "ChargingStationMaxProfile", 8));
        let asked = world.now.utc;
        let planned = schedule(&mut world, 1, 600);
        let limits: Vec<f64> = planned.iter().map(|(_, limit)| *limit).collect();
        assert_eq!(limits, [8.0, 6.0, 8.0], "{version}");
        let before = world.outputs.len();
        world.run(Duration::from_secs(300));
        let told: Vec<String> = world.outputs[before..]
            .iter()
            .filter_map(|(_, output)| match output {
                Output::SetLimit { limit, .. } => limit.map(|limit| limit.current.normalize().to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(told, ["6", "8"], "{version}: asked at {asked}");
    }
}

/// K01.FR.42: the seconds of a relative profile are counted from when energy can flow, not from an earlier start.
#[test]
fn a_relative_profile_begins_when_energy_can_flow() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStartPoint", "EVConnected");
        let periods = json!([{"startPeriod": 0, "limit": 6}, {"startPeriod": 100, "limit": 10}]);
        let changes = [
            ("chargingProfileKind", json!("Relative")),
            ("schedule/startSchedule", json!(null)),
            ("schedule/chargingSchedulePeriod", periods),
        ];
        assert_eq!(set(&mut world, 0, &with(profile(1, "TxDefaultProfile", 0), &changes)), "Accepted");
        world.plug();
        world.run(Duration::from_secs(30));
        world.tap("TAG");
        world.run(Duration::from_secs(90));
        assert_eq!(told(&world, 1).as_deref(), Some("6"));
        // It is the same after a restart in between.
        world.run(Duration::from_secs(10));
        assert_eq!(told(&world, 1).as_deref(), Some("10"), "{version}");
    }
}

/// K04.FR.01, K04.FR.05, K08.FR.03
#[test]
fn transactions_share_the_limit_of_the_station() {
    for version in V2 {
        let mut world = Script::booted_with(two_evses(version));
        set(&mut world, 0, &profile(1, "ChargingStationMaxProfile", 20));
        begin(&mut world);
        assert_eq!(told(&world, 1).as_deref(), Some("20"));
        world.handle(Input::PluggedIn { evse: 2, connector: 1 });
        world.settle();
        world.handle(Input::TokenPresented { evse: Some(2), token: Token::rfid("OTHER") });
        world.settle();
        assert_eq!((told(&world, 1).as_deref(), told(&world, 2).as_deref()), (Some("10"), Some("10")));
        assert_eq!(now_limit(&mut world, 0), 20.0);
        set(&mut world, 1, &profile(2, "TxDefaultProfile", 6));
        set(&mut world, 2, &profile(3, "TxDefaultProfile", 7));
        assert_eq!(now_limit(&mut world, 0), 13.0, "what all of them together may draw");
    }
}

/// K08.FR.05, K08.FR.06: an EVSE without transaction is asked about as if one began now.
#[test]
fn a_composite_schedule_of_an_idle_evse_is_that_of_a_transaction_to_come() {
    for version in V2 {
        let mut config = config(version);
        config.evses[0].max_power = Some(decimal("22080"));
        let mut world = Script::booted_with(config);
        assert_eq!(now_limit(&mut world, 1), 32.0, "what the hardware gives");
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
        world.ask("GetCompositeSchedule", json!({"evseId": 1, "duration": 300}));
        let schedule = world.peer.result()["schedule"].clone();
        assert_eq!(
            (&schedule["evseId"], &schedule["duration"], &schedule["chargingRateUnit"]),
            (&json!(1), &json!(300), &json!("A"))
        );
        assert_eq!(schedule["chargingSchedulePeriod"], json!([{"startPeriod": 0, "limit": 16, "numberPhases": 3}]));
        world.ask("GetCompositeSchedule", json!({"evseId": 9, "duration": 300}));
        assert_eq!(status(world.peer.result()), "Rejected/UnknownEvse");
    }
}

/// K09.FR.01, K09.FR.02, K09.FR.04, K09.FR.05, K09.FR.06
#[test]
fn profiles_are_reported_as_they_were_set_in_as_many_parts_as_it_takes() {
    for version in V2 {
        let mut world = Script::booted_with(two_evses(version));
        let mut sent = Vec::new();
        for id in 1..=7 {
            let changes = [
                ("stackLevel", json!(id)),
                ("validFrom", json!(at(0))),
                ("schedule/minChargingRate", json!(5)),
                ("schedule/duration", json!(500)),
                ("period/numberPhases", json!(3)),
            ];
            let profile = with(profile(id, "TxDefaultProfile", 10), &changes);
            assert_eq!(set(&mut world, 1, &profile), "Accepted");
            sent.push(profile);
        }
        let most = profile(8, "ChargingStationMaxProfile", 30);
        set(&mut world, 0, &most);
        let (status, reports) = get(&mut world, Some(1), json!({"chargingProfilePurpose": "TxDefaultProfile"}));
        assert_eq!((status.as_str(), reports.len()), ("Accepted", 2));
        let told = |report: &Value| (report["requestId"].clone(), report["evseId"].clone(), report["tbc"].clone());
        assert_eq!(told(&reports[0]), (json!(5), json!(1), json!(true)));
        assert_eq!(told(&reports[1]), (json!(5), json!(1), json!(false)));
        assert_eq!(reports[0]["chargingLimitSource"], "CSO");
        let told: Vec<Value> =
            reports.iter().flat_map(|report| report["chargingProfile"].as_array().unwrap().clone()).collect();
        let as_numbers = |profiles: &[Value]| -> Vec<Value> {
            // 10 and 10.0 are one number.
            serde_json::from_str(&serde_json::to_string(profiles).unwrap().replace(".0,", ",").replace(".0}", "}"))
                .unwrap()
        };
        assert_eq!(as_numbers(&told), as_numbers(&sent), "{version}");
        assert_eq!(ids(&get(&mut world, Some(0), json!({})).1), [8]);
        assert_eq!(ids(&get(&mut world, None, json!({"stackLevel": 0})).1), [8]);
        assert_eq!(ids(&get(&mut world, None, json!({"chargingProfileId": [3, 8, 99]})).1), [3, 8]);
        assert_eq!(ids(&get(&mut world, None, json!({"chargingLimitSource": ["CSO"]})).1).len(), 8);
        for (evse, criterion) in [
            (Some(2), json!({})),
            (Some(7), json!({})),
            (None, json!({"chargingLimitSource": ["EMS"]})),
            (None, json!({"chargingProfileId": [99]})),
            (Some(0), json!({"chargingProfilePurpose": "TxDefaultProfile"})),
        ] {
            assert_eq!(get(&mut world, evse, criterion).0, "NoProfiles");
        }
    }
}

/// K10.FR.01, K10.FR.03, K10.FR.04
#[test]
fn clearing_takes_the_profile_with_the_id_or_all_that_fit_everything_given() {
    for version in V2 {
        let mut world = Script::booted_with(two_evses(version));
        for (id, evse, level) in [(1, 1, 0), (2, 1, 1), (3, 2, 0), (4, 2, 1)] {
            set(&mut world, evse, &with(profile(id, "TxDefaultProfile", 10), &[("stackLevel", json!(level))]));
        }
        set(&mut world, 0, &profile(5, "ChargingStationMaxProfile", 10));
        let by = |criteria: Value| json!({"chargingProfileCriteria": criteria});
        assert_eq!(clear(&mut world, json!({"chargingProfileId": 9})), "Unknown");
        assert_eq!(clear(&mut world, by(json!({"evseId": 3}))), "Unknown");
        assert_eq!(clear(&mut world, by(json!({"evseId": 0, "stackLevel": 1}))), "Unknown");
        assert_eq!(clear(&mut world, json!({"chargingProfileId": 1})), "Accepted");
        assert_eq!(clear(&mut world, json!({"chargingProfileId": 1})), "Unknown");
        assert_eq!(clear(&mut world, by(json!({"evseId": 2, "stackLevel": 1}))), "Accepted");
        assert_eq!(ids(&get(&mut world, None, json!({})).1), [2, 3, 5]);
        assert_eq!(clear(&mut world, by(json!({"chargingProfilePurpose": "TxDefaultProfile"}))), "Accepted");
        assert_eq!(ids(&get(&mut world, None, json!({})).1), [5], "{version}");
    }
}

/// K01.FR.29, K05.FR.04, F01.FR.12
#[test]
fn a_station_whose_smart_charging_is_switched_off_does_none_of_it() {
    for version in V2 {
        let mut world = Script::booted(version);
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
        begin(&mut world);
        assert_eq!(told(&world, 1).as_deref(), Some("16"));
        let off = json!({"setVariableData": [{"attributeValue": "false",
            "component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "Enabled"}}]});
        world.ask("SetVariables", off);
        assert_eq!(world.peer.result()["setVariableResult"][0]["attributeStatus"], "Accepted");
        assert_eq!(told(&world, 1), None);
        let unsupported = Said::Error("NotSupported".into());
        let call = json!({"evseId": 0, "chargingProfile": profile(1, "TxDefaultProfile", 16)});
        assert_eq!(world.ask("SetChargingProfile", call), unsupported, "{version}");
        let call = json!({"requestId": 1, "chargingProfile": {"stackLevel": 0}});
        assert_eq!(world.ask("GetChargingProfiles", call), unsupported);
        assert_eq!(world.ask("GetCompositeSchedule", json!({"evseId": 0, "duration": 60})), unsupported);
        assert_eq!(world.ask("ClearChargingProfile", json!({"chargingProfileId": 1})), unsupported);
        world.tap("TAG");
        world.unplug();
        let call = json!({"evseId": 1, "remoteStartId": 1, "idToken": {"idToken": "TAG", "type": "Central"},
            "chargingProfile": profile(2, "TxDefaultProfile", 20)});
        world.ask("RequestStartTransaction", call);
        assert_eq!(status(world.peer.result()), "Accepted", "the profile is ignored");
    }
}

/// What is switched off in 2.x is switched off in 1.6, which has no key for it (1.6 edition 2, 3.13).
#[test]
fn a_1_6_csms_hears_that_smart_charging_is_switched_off() {
    let mut world = Script::booted(Version::V1_6);
    world.set("SmartChargingCtrlr.Enabled", "false");
    let unsupported = Said::Error("NotSupported".into());
    assert_eq!(world.ask("GetCompositeSchedule", json!({"connectorId": 1, "duration": 60})), unsupported);
    assert_eq!(world.ask("ClearChargingProfile", json!({})), unsupported);
    world.set("SmartChargingCtrlr.Enabled", "true");
    assert_eq!(world.ask("ClearChargingProfile", json!({})), Said::Result(json!({"status": "Unknown"})));
}

/// K05.FR.02, K05.FR.03, K05.FR.05, F01.FR.10, F01.FR.11, F01.FR.26, F02.FR.18, F02.FR.27
#[test]
fn a_remote_start_brings_the_profile_of_its_transaction() {
    for version in V2 {
        for plug_first in [true, false] {
            let mut world = Script::booted(version);
            set(&mut world, 0, &profile(1, "TxDefaultProfile", 6));
            if plug_first {
                world.plug();
            }
            let mut call = json!({"evseId": 1, "remoteStartId": 1, "idToken": {"idToken": "TAG", "type": "Central"}});
            for (bad, reason) in [
                (profile(2, "TxDefaultProfile", 20), "InvalidProfile"),
                (with(profile(2, "TxProfile", 20), &[("transactionId", json!("T"))]), "InvalidProfile"),
                (with(profile(2, "TxProfile", 20), &[("period/startPeriod", json!(5))]), "InvalidSchedule"),
            ] {
                call["chargingProfile"] = bad;
                world.ask("RequestStartTransaction", call.clone());
                assert_eq!(status(world.peer.result()), format!("Rejected/{reason}"), "{version}");
            }
            call["chargingProfile"] = profile(2, "TxProfile", 20);
            world.ask("RequestStartTransaction", call);
            assert_eq!(status(world.peer.result()), "Accepted");
            if !plug_first {
                world.plug();
            }
            assert_eq!(told(&world, 1).as_deref(), Some("20"), "{version}, plug first: {plug_first}");
            let (_, reports) = get(&mut world, Some(1), json!({"chargingProfilePurpose": "TxProfile"}));
            assert!(reports[0]["chargingProfile"][0]["transactionId"].is_string());
        }
    }
}

/// The variables of `SmartChargingCtrlr` say how it is.
#[test]
fn the_variables_of_smart_charging_tell_what_the_station_does() {
    for version in V2 {
        let mut world = Script::booted(version);
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
        world.peer.forget();
        world.ask("GetBaseReport", json!({"requestId": 1, "reportBase": "FullInventory"}));
        let reports = world.peer.payloads("NotifyReport");
        let all = reports.iter().flat_map(|report| report["reportData"].as_array().unwrap());
        let of_component: Vec<&Value> = all.filter(|data| data["component"]["name"] == "SmartChargingCtrlr").collect();
        let value = |name: &str| {
            let data = of_component.iter().find(|data| data["variable"]["name"] == name).unwrap();
            data["variableAttribute"][0]["value"].as_str().unwrap().to_owned()
        };
        for (name, wanted) in [
            ("Available", "true"),
            ("Enabled", "true"),
            ("Entries", "1"),
            ("ProfileStackLevel", "9"),
            ("RateUnit", "A,W"),
            ("PeriodsPerSchedule", "100"),
            ("Phases3to1", "false"),
        ] {
            assert_eq!(value(name), wanted, "{version} {name}");
        }
        let entries = of_component.iter().find(|data| data["variable"]["name"] == "Entries").unwrap();
        assert_eq!(entries["variable"]["instance"], "ChargingProfiles");
        assert_eq!(entries["variableCharacteristics"]["maxLimit"].as_f64(), Some(20.0));
    }
}
