//! Limits that others than the CSMS set (2.1 part 2, K11 to K13, K23, K27, K29).

use std::time::Duration;

use ocpp_core::station::smart_charging::{
    ExternalLimit, LimitOverTime, LimitSource, Period, RateUnit, Schedule, Start,
};
use ocpp_core::station::{Event, Input, Output};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{config, decimal};
use crate::scripted::{Reply, Script};
use crate::smart_charging_v2::{V2, begin, clear, get, now_limit, profile, set, told, two_evses};

fn amperes(source: LimitSource, amperes: &str) -> ExternalLimit {
    let limit = LimitOverTime::Constant { limit: decimal(amperes), unit: RateUnit::Amperes };
    ExternalLimit { source, evse: None, is_local_generation: false, limit: Some(limit) }
}

fn limit(world: &mut Script, limit: ExternalLimit) {
    world.handle(Input::ChargingLimit(limit));
    world.settle();
}

fn ems(world: &mut Script, value: &str) {
    limit(world, amperes(LimitSource::EnergyManagement, value));
}

fn release(world: &mut Script, source: LimitSource) {
    limit(world, ExternalLimit { limit: None, ..amperes(source, "0") });
}

fn heard(world: &Script, action: &str) -> Vec<Value> {
    world.peer.payloads(action).into_iter().cloned().collect()
}

fn triggers(world: &Script) -> Vec<String> {
    let events = world.peer.payloads("TransactionEvent");
    events.iter().map(|event| event["triggerReason"].as_str().unwrap().to_owned()).collect()
}

fn ignored(world: &Script) -> usize {
    world.events().filter(|event| matches!(event, Event::InputIgnored { .. })).count()
}

/// K11.FR.01, K11.FR.02, K11.FR.04, K11.FR.05, K13.FR.01, K13.FR.02, K13.FR.03
#[test]
fn a_transaction_follows_a_limit_from_outside_and_the_csms_hears_of_it() {
    for version in V2 {
        let mut world = Script::booted(version);
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 16));
        begin(&mut world);
        world.peer.forget();
        ems(&mut world, "10");
        assert_eq!(told(&world, 1).as_deref(), Some("10"));
        assert_eq!(heard(&world, "NotifyChargingLimit"), [json!({"chargingLimit": {"chargingLimitSource": "EMS"}})]);
        assert_eq!(triggers(&world), ["ChargingRateChanged"]);
        ems(&mut world, "20");
        assert_eq!(told(&world, 1).as_deref(), Some("16"), "more than the others allow is no limit");
        world.peer.forget();
        release(&mut world, LimitSource::EnergyManagement);
        assert_eq!(told(&world, 1).as_deref(), Some("16"));
        assert_eq!(heard(&world, "ClearedChargingLimit"), [json!({"chargingLimitSource": "EMS"})]);
        assert!(triggers(&world).is_empty(), "{version}: the rate is the same");
        ems(&mut world, "8");
        world.peer.forget();
        release(&mut world, LimitSource::EnergyManagement);
        assert_eq!(
            (told(&world, 1).as_deref(), triggers(&world)),
            (Some("16"), vec!["ChargingRateChanged".to_owned()])
        );
    }
}

/// K11.FR.02, K11.FR.04, K12.FR.02; SC.03
#[test]
fn a_change_below_the_significance_is_followed_and_not_told() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("SmartChargingCtrlr.LimitChangeSignificance", "10");
        begin(&mut world);
        ems(&mut world, "10");
        world.peer.forget();
        ems(&mut world, "9");
        assert_eq!(told(&world, 1).as_deref(), Some("9"));
        assert!(
            heard(&world, "NotifyChargingLimit").is_empty() && triggers(&world).is_empty(),
            "{version}: 10 % is not more"
        );
        ems(&mut world, "8");
        assert_eq!((heard(&world, "NotifyChargingLimit").len(), triggers(&world).len()), (1, 1));
    }
}

/// K12.FR.01, K12.FR.03, K12.FR.04, K12.FR.05, K11.FR.03, K11.FR.06
#[test]
fn a_limit_from_outside_bounds_all_evses_together_and_is_reported_as_what_it_is() {
    for version in V2 {
        let mut world = Script::booted_with(two_evses(version));
        world.set("SmartChargingCtrlr.NotifyChargingLimitWithSchedules", "true");
        let periods = vec![Period::new(0, decimal("12")), Period::new(600, decimal("20"))];
        let start = Start::At(world.now.utc);
        let schedule = Schedule::new(start, RateUnit::Amperes, periods).unwrap();
        let over_time = Some(LimitOverTime::Schedule(schedule));
        limit(&mut world, ExternalLimit { limit: over_time, ..amperes(LimitSource::SystemOperator, "0") });
        let told = heard(&world, "NotifyChargingLimit");
        assert_eq!(told[0]["chargingLimit"]["chargingLimitSource"], "SO");
        let periods = told[0]["chargingSchedule"][0]["chargingSchedulePeriod"].as_array().unwrap();
        assert_eq!((periods.len(), periods[1]["limit"].as_f64()), (2, Some(20.0)), "{version}");
        assert_eq!(now_limit(&mut world, 0), 12.0);
        let (status, reports) =
            get(&mut world, None, json!({"chargingProfilePurpose": "ChargingStationExternalConstraints"}));
        assert_eq!((status.as_str(), reports.len()), ("Accepted", 1));
        assert_eq!((&reports[0]["evseId"], &reports[0]["chargingLimitSource"]), (&json!(0), &json!("SO")));
        let known = &reports[0]["chargingProfile"][0];
        assert!(known["id"].as_i64().unwrap() < 0, "an id that the CSMS would not choose");
        assert_eq!(known["chargingProfilePurpose"], "ChargingStationExternalConstraints");
        // Both sources count.
        ems(&mut world, "9");
        assert_eq!(now_limit(&mut world, 0), 9.0);
        release(&mut world, LimitSource::EnergyManagement);
        assert_eq!(now_limit(&mut world, 0), 12.0);
    }
}

/// K01.FR.05, K10.FR.04, K10.FR.08, K10.FR.09
#[test]
fn a_limit_from_outside_is_not_the_csmss_to_replace_or_clear() {
    for version in V2 {
        let mut world = Script::booted(version);
        ems(&mut world, "10");
        let (_, reports) = get(&mut world, None, json!({}));
        let id = reports[0]["chargingProfile"][0]["id"].as_i64().unwrap();
        assert_eq!(set(&mut world, 0, &profile(id, "TxDefaultProfile", 32)), "Rejected/InvalidProfileId");
        assert_eq!(clear(&mut world, json!({"chargingProfileId": id})), "Unknown");
        assert_eq!(clear(&mut world, json!({"chargingProfileCriteria": {"evseId": 0}})), "Unknown");
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 32));
        assert_eq!(clear(&mut world, json!({"chargingProfileCriteria": {"stackLevel": 0}})), "Accepted");
        assert_eq!(now_limit(&mut world, 1), 10.0, "{version}: only the other one has gone");
    }
}

/// K11.FR.02, K13.FR.02: what happened offline is told when the CSMS can hear it.
#[test]
fn limits_that_change_offline_are_told_when_the_connection_is_back() {
    for version in V2 {
        let mut world = Script::booted(version);
        ems(&mut world, "10");
        world.cut();
        world.settle();
        release(&mut world, LimitSource::EnergyManagement);
        limit(&mut world, amperes(LimitSource::SystemOperator, "7"));
        limit(&mut world, amperes(LimitSource::SystemOperator, "5"));
        // Nobody ever hears of this one.
        limit(&mut world, amperes(LimitSource::Other, "5"));
        release(&mut world, LimitSource::Other);
        world.peer.forget();
        world.network.up = true;
        world.run(Duration::from_secs(300));
        assert_eq!(heard(&world, "ClearedChargingLimit"), [json!({"chargingLimitSource": "EMS"})], "{version}");
        assert_eq!(heard(&world, "NotifyChargingLimit"), [json!({"chargingLimit": {"chargingLimitSource": "SO"}})]);
    }
}

/// K11.FR.02: a notice that the connection swallowed is sent again.
#[test]
fn a_notice_that_was_cut_off_is_sent_again() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.peer.once("NotifyChargingLimit", Reply::Silence);
        ems(&mut world, "10");
        world.drop_connection();
        world.peer.forget();
        world.run(Duration::from_secs(300));
        assert_eq!(heard(&world, "NotifyChargingLimit").len(), 1, "{version}");
    }
}

/// K11.FR.07 and the variables that keep signals out.
#[test]
fn limits_from_outside_are_ignored_where_they_are_not_allowed() {
    let mut world = Script::booted(Version::V2_1);
    world.set("SmartChargingCtrlr.ExternalConstraintsProfileDisallowed", "true");
    let before = ignored(&world);
    ems(&mut world, "10");
    assert_eq!(ignored(&world), before + 1);
    assert_eq!(get(&mut world, None, json!({})).0, "NoProfiles");
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("SmartChargingCtrlr.ExternalControlSignalsEnabled", "false");
        ems(&mut world, "10");
        assert_eq!(
            (get(&mut world, None, json!({})).0.as_str(), heard(&world, "NotifyChargingLimit").len()),
            ("NoProfiles", 0)
        );
    }
}

#[test]
fn a_limit_that_makes_no_sense_changes_nothing() {
    for version in V2 {
        let mut world = Script::booted(version);
        for senseless in [
            amperes(LimitSource::EnergyManagement, "-1"),
            ExternalLimit { evse: Some(5), ..amperes(LimitSource::EnergyManagement, "1") },
            ExternalLimit { limit: None, ..amperes(LimitSource::EnergyManagement, "1") },
        ] {
            let before = ignored(&world);
            limit(&mut world, senseless.clone());
            assert_eq!(ignored(&world), before + 1, "{senseless:?}");
        }
        assert_eq!(get(&mut world, None, json!({})).0, "NoProfiles");
    }
}

/// K29.FR.04, K29.FR.05, K29.FR.06; 2.0.1, which knows no such kind, sees an absolute one.
#[test]
fn a_single_value_is_a_dynamic_profile() {
    for version in V2 {
        let mut world = Script::booted(version);
        ems(&mut world, "10");
        let one = get(&mut world, None, json!({})).1[0]["chargingProfile"][0].clone();
        world.run(Duration::from_secs(60));
        ems(&mut world, "6");
        let next = get(&mut world, None, json!({})).1[0]["chargingProfile"][0].clone();
        assert_eq!(one["id"], next["id"]);
        assert_eq!(next["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"].as_f64(), Some(6.0));
        if version == Version::V2_1 {
            assert_eq!(next["chargingProfileKind"], "Dynamic");
            assert!(one["dynUpdateTime"].as_str() < next["dynUpdateTime"].as_str());
        } else {
            assert_eq!(next["chargingProfileKind"], "Absolute");
            assert!(next.get("dynUpdateTime").is_none());
        }
    }
}

/// K27.FR.01, K27.FR.02, K27.FR.03, K27.FR.04, K27.FR.05, K04.FR.05
#[test]
fn what_is_generated_on_the_spot_comes_on_top() {
    let mut world = Script::booted(Version::V2_1);
    world.set("SmartChargingCtrlr.NotifyChargingLimitWithSchedules", "true");
    set(&mut world, 0, &profile(1, "ChargingStationMaxProfile", 20));
    set(&mut world, 0, &profile(2, "TxDefaultProfile", 10));
    begin(&mut world);
    world.peer.forget();
    limit(&mut world, ExternalLimit { is_local_generation: true, ..amperes(LimitSource::EnergyManagement, "4") });
    assert_eq!(told(&world, 1).as_deref(), Some("14"));
    assert_eq!(now_limit(&mut world, 1), 14.0);
    let said = heard(&world, "NotifyChargingLimit");
    let limit_type = json!({"chargingLimitSource": "EMS", "isLocalGeneration": true});
    assert_eq!((said.len(), &said[0]["chargingLimit"]), (1, &limit_type));
    assert_eq!(said[0]["chargingSchedule"].as_array().unwrap().len(), 1);
    // A limit of the same source is another matter.
    ems(&mut world, "6");
    assert_eq!(told(&world, 1).as_deref(), Some("10"), "6 A from the grid and 4 A from the roof");
    let (_, reports) = get(&mut world, None, json!({"chargingProfilePurpose": "LocalGeneration"}));
    assert_eq!(reports[0]["chargingProfile"][0]["chargingProfilePurpose"], "LocalGeneration");
    let id = reports[0]["chargingProfile"][0]["id"].clone();
    assert_eq!(clear(&mut world, json!({"chargingProfileId": id})), "Unknown", "K10.FR.09");
}

/// K01.FR.80, K01.FR.81, K01.FR.82
#[test]
fn ids_of_others_are_kept_apart_where_the_station_says_how() {
    let mut config = config(Version::V2_1);
    config.settings.push(("SmartChargingCtrlr.MaxExternalConstraintsId".into(), "-100".into()));
    let mut world = Script::booted_with(config);
    assert_eq!(set(&mut world, 0, &profile(-100, "TxDefaultProfile", 10)), "Rejected/InvalidProfileId");
    assert_eq!(set(&mut world, 0, &profile(-99, "TxDefaultProfile", 10)), "Accepted");
    ems(&mut world, "6");
    let (_, reports) = get(&mut world, None, json!({"chargingProfilePurpose": "ChargingStationExternalConstraints"}));
    assert!(reports[0]["chargingProfile"][0]["id"].as_i64().unwrap() <= -100);
}

/// A limit from outside is what others say now: after a restart they say it again.
#[test]
fn a_limit_from_outside_is_not_stored() {
    for version in [Version::V1_6, Version::V2_0_1, Version::V2_1] {
        let mut world = Script::booted(version);
        ems(&mut world, "6");
        begin(&mut world);
        assert_eq!(told(&world, 1).as_deref(), Some("6"), "in every version");
        let stored = world.outputs.iter().any(|(_, output)| match output {
            Output::Store(batch) => batch.changes.iter().any(|change| change.key().starts_with("charging-profile/")),
            _ => false,
        });
        assert!(!stored, "{version}");
    }
}
