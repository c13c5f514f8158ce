//! Vehicles that speak ISO 15118 (2.1 part 2, K15 to K17).

use std::time::Duration;

use ocpp_core::station::smart_charging::{
    EnergyTransfer, OfferedSchedule, Period, RateUnit, Schedule, Start, VehicleNeeds, VehiclePlan,
};
use ocpp_core::station::{Event, Input, Output};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, decimal};
use crate::scripted::{Reply, Script};
use crate::smart_charging_v2::{V2, begin, now_limit, of_transaction, profile, set, told};

fn needs() -> VehicleNeeds {
    let transfer = EnergyTransfer::Ac {
        phases: 3,
        energy: decimal("12500.4"),
        min_current: decimal("6"),
        max_current: decimal("32"),
        max_voltage: decimal("400"),
    };
    VehicleNeeds { transfer, departure: None, max_periods: Some(12) }
}

fn need(world: &mut Script) {
    world.handle(Input::VehicleNeeds { evse: 1, needs: needs() });
    world.settle();
}

/// What the vehicle was offered, in its order: whether it is asked again, and the first limit.
fn offers(world: &Script) -> Vec<(bool, Option<String>)> {
    let offers = world.outputs.iter().filter_map(|(_, output)| match output {
        Output::OfferSchedule { evse: 1, offered } => Some(offered),
        _ => None,
    });
    let first =
        |offered: &OfferedSchedule| offered.schedule.periods[0].limit.map(|limit| limit.normalize().to_string());
    offers.map(|offered| (offered.is_renegotiation, first(offered))).collect()
}

fn offer(is_renegotiation: bool, limit: Option<&str>) -> (bool, Option<String>) {
    (is_renegotiation, limit.map(str::to_owned))
}

fn heard(world: &Script, action: &str) -> Vec<Value> {
    world.peer.payloads(action).into_iter().cloned().collect()
}

fn answering(version: Version, status: &str) -> Script {
    let mut world = Script::booted(version);
    world.peer.always("NotifyEVChargingNeeds", Reply::Result(json!({"status": status})));
    world.peer.always("NotifyEVChargingSchedule", Reply::Result(json!({"status": "Accepted"})));
    world
}

fn plan(world: &mut Script, limits: &[(u32, &str)]) -> bool {
    let periods = limits.iter().map(|(start, limit)| Period::new(*start, decimal(limit))).collect();
    let schedule = Schedule::new(Start::Transaction, RateUnit::Amperes, periods).unwrap().lasting(3600);
    world.handle(Input::VehiclePlan { evse: 1, plan: VehiclePlan { schedule, selected: Some(7) } });
    world.settle();
    let judged = world.events().filter_map(|event| match event {
        Event::VehiclePlanJudged { evse: 1, accepted } => Some(*accepted),
        _ => None,
    });
    judged.last().unwrap()
}

/// K15.FR.01, K15.FR.06, K15.FR.07, K15.FR.09, K15.FR.10, K15.FR.21
#[test]
fn a_vehicle_gets_the_schedule_that_the_csms_makes_of_its_needs() {
    for version in V2 {
        let mut world = answering(version, "Accepted");
        begin(&mut world);
        need(&mut world);
        let said = heard(&world, "NotifyEVChargingNeeds");
        assert_eq!((said.len(), &said[0]["evseId"], &said[0]["maxScheduleTuples"]), (1, &json!(1), &json!(12)));
        let charging = &said[0]["chargingNeeds"];
        assert_eq!(charging["requestedEnergyTransfer"], "AC_three_phase");
        let energy = charging["acChargingParameters"]["energyAmount"].as_f64().unwrap();
        assert_eq!(energy, if version == Version::V2_1 { 12_500.4 } else { 12_500.0 }, "2.0.1 has whole numbers");
        assert!(offers(&world).is_empty(), "the vehicle waits");
        let own = of_transaction(&world, 1, 16);
        assert_eq!(set(&mut world, 1, &own), "Accepted");
        assert_eq!(offers(&world), [offer(false, Some("16"))]);
        assert!(!plan(&mut world, &[(0, "16"), (60, "17")]), "more than it was offered");
        assert!(heard(&world, "NotifyEVChargingSchedule").is_empty());
        assert!(plan(&mut world, &[(0, "16"), (60, "10")]));
        let said = heard(&world, "NotifyEVChargingSchedule");
        assert_eq!(
            (said.len(), &said[0]["evseId"], &said[0]["chargingSchedule"]["id"]),
            (1, &json!(1), &json!(7)),
            "{version}"
        );
        assert_eq!(said[0]["chargingSchedule"]["chargingSchedulePeriod"].as_array().unwrap().len(), 2);
        let selected = said[0].get("selectedChargingScheduleId");
        assert_eq!(selected, (version == Version::V2_1).then_some(&json!(7)));
    }
}

/// K15.FR.14, K16.FR.10, K17.FR.14; SC.04: a composite schedule tells what the vehicle is going to take.
#[test]
fn a_composite_schedule_takes_the_plan_of_the_vehicle_into_account() {
    for version in V2 {
        let mut world = answering(version, "Accepted");
        begin(&mut world);
        need(&mut world);
        let own = of_transaction(&world, 1, 16);
        set(&mut world, 1, &own);
        plan(&mut world, &[(0, "9")]);
        assert_eq!(now_limit(&mut world, 1), 9.0, "{version}");
        assert_eq!(told(&world, 1).as_deref(), Some("16"), "it may take more all the same");
    }
}

/// K15.FR.04, K15.FR.05, K15.FR.15
#[test]
fn a_vehicle_that_gets_no_schedule_in_time_gets_what_there_is() {
    for version in V2 {
        for status in ["Rejected", "Processing", "Accepted"] {
            let mut world = answering(version, status);
            set(&mut world, 0, &profile(1, "TxDefaultProfile", 13));
            begin(&mut world);
            need(&mut world);
            if status == "Accepted" {
                assert!(offers(&world).is_empty());
                world.run(Duration::from_secs(60));
            }
            assert_eq!(offers(&world), [offer(false, Some("13"))], "{version} {status}");
            // What comes later is another negotiation (K16.FR.02).
            let own = of_transaction(&world, 2, 6);
            set(&mut world, 1, &own);
            assert_eq!(offers(&world).last(), Some(&offer(true, Some("6"))));
        }
    }
}

/// K15.FR.15, K15.FR.20, K17.FR.15, K17.FR.17
#[test]
fn offline_a_vehicle_gets_what_there_is_and_the_csms_hears_of_its_needs_later() {
    for version in V2 {
        let mut world = answering(version, "Processing");
        set(&mut world, 0, &profile(1, "TxDefaultProfile", 13));
        begin(&mut world);
        world.cut();
        world.settle();
        let since = world.now.utc;
        need(&mut world);
        assert_eq!(offers(&world), [offer(false, Some("13"))]);
        world.network.up = true;
        world.run(Duration::from_secs(300));
        let said = heard(&world, "NotifyEVChargingNeeds");
        assert_eq!(said.len(), 1, "{version}");
        let told = said[0]["timestamp"].as_str().map(|time| time.parse::<jiff::Timestamp>().unwrap());
        match version {
            Version::V2_1 => assert!(told.unwrap().duration_since(since).as_secs().abs() <= 1),
            _ => assert_eq!(told, None),
        }
        assert_eq!(offers(&world).len(), 1, "it has got one");
    }
}

/// K16.FR.01, K16.FR.02, K16.FR.03, K16.FR.04, K16.FR.05, K16.FR.09, K16.FR.11, K16.FR.14
#[test]
fn a_new_profile_begins_a_negotiation_whose_needs_are_not_told_again() {
    for version in V2 {
        let mut world = answering(version, "Accepted");
        begin(&mut world);
        need(&mut world);
        let own = of_transaction(&world, 1, 16);
        set(&mut world, 1, &own);
        plan(&mut world, &[(0, "16")]);
        world.peer.forget();
        let mut lower = own.clone();
        lower["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] = json!(8);
        assert_eq!(set(&mut world, 1, &lower), "Accepted");
        assert_eq!(told(&world, 1).as_deref(), Some("8"), "at once");
        assert_eq!(offers(&world).last(), Some(&offer(true, Some("8"))));
        need(&mut world);
        assert!(heard(&world, "NotifyEVChargingNeeds").is_empty(), "{version}: the CSMS knows them");
        assert_eq!(offers(&world).last(), Some(&offer(false, Some("8"))));
        assert!(!plan(&mut world, &[(0, "16")]));
        assert!(plan(&mut world, &[(0, "8")]));
        assert_eq!(heard(&world, "NotifyEVChargingSchedule").len(), 1);
        let triggers: Vec<Value> =
            heard(&world, "TransactionEvent").iter().map(|event| event["triggerReason"].clone()).collect();
        assert_eq!(triggers, [json!("ChargingRateChanged")], "2.0.1 part 6, TC_K_58");
    }
}

/// K17.FR.01, K17.FR.06, K17.FR.09, K17.FR.10
#[test]
fn a_vehicle_that_needs_something_else_begins_a_negotiation() {
    for version in V2 {
        let mut world = answering(version, "Accepted");
        begin(&mut world);
        need(&mut world);
        let own = of_transaction(&world, 1, 16);
        set(&mut world, 1, &own);
        plan(&mut world, &[(0, "16")]);
        need(&mut world);
        assert_eq!(heard(&world, "NotifyEVChargingNeeds").len(), 2, "{version}");
        assert_eq!(offers(&world).len(), 1);
        let own = of_transaction(&world, 1, 20);
        set(&mut world, 1, &own);
        assert_eq!(offers(&world).last(), Some(&offer(false, Some("20"))), "it has asked itself");
        assert!(plan(&mut world, &[(0, "20")]));
    }
}

#[test]
fn a_vehicle_of_no_transaction_is_not_heard_and_one_that_leaves_is_forgotten() {
    for version in VERSIONS {
        let mut world = answering(version, "Accepted");
        need(&mut world);
        assert!(world.events().any(|event| matches!(event, Event::InputIgnored { .. })), "{version}");
        begin(&mut world);
        need(&mut world);
        if version == Version::V1_6 {
            assert_eq!(offers(&world), [offer(false, None)], "1.6 has no words for it");
            continue;
        }
        world.tap("TAG");
        world.unplug();
        let before = offers(&world).len();
        begin(&mut world);
        let own = of_transaction(&world, 1, 16);
        set(&mut world, 1, &own);
        assert_eq!(offers(&world).len(), before, "the next vehicle has said nothing");
    }
}
