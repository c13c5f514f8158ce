//! The test vectors of `tests/vectors/smart_charging`, which other implementations can use too.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ocpp_core::station::smart_charging::{
    Outlet, Period, Place, Profile, Purpose, RateUnit, Recurrence, Schedule, Solver, Start, Supply, Window,
};
use ocpp_core::types::Decimal;
use serde_json::{Value, json};

fn number(value: &Value) -> Decimal {
    value.to_string().parse().unwrap()
}

fn integer(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn unit(value: &Value) -> RateUnit {
    match value.as_str().unwrap() {
        "A" => RateUnit::Amperes,
        "W" => RateUnit::Watts,
        other => panic!("no unit: {other}"),
    }
}

fn schedule(profile: &Value) -> Schedule {
    let schedule = &profile["chargingSchedule"];
    let start = match (&profile["chargingProfileKind"], schedule.get("startSchedule")) {
        (kind, Some(start)) if kind != "Relative" => {
            if schedule.get("useLocalTime") == Some(&json!(true)) {
                Start::LocalTime(TimeZone::UTC.to_datetime(time(start)))
            } else {
                Start::At(time(start))
            }
        }
        _ => Start::Transaction,
    };
    let periods = schedule["chargingSchedulePeriod"].as_array().unwrap().iter().map(|period| {
        let made = Period::new(integer(&period["startPeriod"]), number(&period["limit"]));
        match period.get("numberPhases") {
            Some(phases) => made.over_phases(integer(phases)),
            None => made,
        }
    });
    let mut made = Schedule::new(start, unit(&schedule["chargingRateUnit"]), periods.collect()).unwrap();
    if profile["chargingProfileKind"] == "Recurring" {
        made = made.recurring(match profile["recurrencyKind"].as_str().unwrap() {
            "Daily" => Recurrence::Daily,
            _ => Recurrence::Weekly,
        });
    }
    match schedule.get("duration") {
        Some(duration) => made.lasting(integer(duration)),
        None => made,
    }
}

fn profile(installed: &Value) -> Profile {
    let profile = &installed["csChargingProfiles"];
    let purpose = match profile["chargingProfilePurpose"].as_str().unwrap() {
        "ChargePointMaxProfile" => Purpose::StationMax,
        "TxDefaultProfile" => Purpose::TransactionDefault,
        "TxProfile" => Purpose::Transaction(profile["transactionId"].to_string()),
        other => panic!("no purpose: {other}"),
    };
    let place = match integer(&installed["connectorId"]) {
        0 => Place::Station,
        evse => Place::Evse { evse, connector: None },
    };
    let id = profile["chargingProfileId"].as_i64().unwrap();
    let level = profile["stackLevel"].as_i64().unwrap();
    let mut made = Profile::new(id, level, purpose, place, schedule(profile));
    made.valid_from = profile.get("validFrom").map(time);
    made.valid_to = profile.get("validTo").map(time);
    made
}

/// What the solver says to one question of a case.
fn solve(case: &Value, question: &Value) -> Value {
    let zone = TimeZone::posix(case["timeZone"].as_str().unwrap()).unwrap_or(TimeZone::UTC);
    let voltage = integer(&case["lineVoltage"]);
    let profiles: Vec<Profile> = case["profiles"].as_array().unwrap().iter().map(profile).collect();
    let from = time(&question["scheduleStart"]);
    let outlets: Vec<Outlet> = (1..)
        .zip(case["connectors"].as_array().unwrap())
        .map(|(evse, connector)| {
            let supply = Supply::new(voltage, integer(&connector["phases"]));
            let mut outlet = Outlet::new(evse, 1, supply, from);
            outlet.max_power = connector.get("maxPower").map(number);
            match connector.get("transaction") {
                Some(running) => outlet.charging(running["transactionId"].to_string(), time(&running["startedAt"])),
                None => outlet,
            }
        })
        .collect();
    let window = Window {
        from,
        seconds: integer(&question["duration"]),
        unit: unit(&question["chargingRateUnit"]),
        decimal_places: 1,
        max_periods: 100,
    };
    let solver = Solver::new(&profiles, &zone);
    let composite = match integer(&question["connectorId"]) {
        0 => solver.composite_of_station(&outlets, Supply::new(voltage, 3), &window),
        evse => solver.composite(&outlets[evse as usize - 1], &window),
    };
    assert_eq!(composite.seconds, window.seconds);
    let periods = composite.periods.iter().map(|period| {
        let limit: Value = period.limit.map_or(Value::Null, |limit| limit.to_string().parse().unwrap());
        json!({"startPeriod": period.start, "limit": limit, "numberPhases": period.phases})
    });
    periods.collect()
}

fn run(file: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/smart_charging");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        for question in case["schedules"].as_array().unwrap() {
            let solved = solve(&case, question);
            assert_eq!(solved, question["expected"], "{}: {question}", case["name"]);
        }
    }
}

/// 1.6 edition 2, 3.13.1 to 3.13.3, 5.16.4; 2.1 part 2, K01.FR.11, 12, 30, 36, 37, K02.FR.04, K02.FR.08
#[test]
fn the_vectors_about_precedence_hold() {
    run("precedence.json");
}

/// 1.6 edition 2, 5.16.4, 7.37, 1.6 errata 3.43, 3.44, 3.79; 2.1 part 2, K01.FR.13, K01.FR.90, K01.FR.91
#[test]
fn the_vectors_about_recurrence_hold() {
    run("recurrence.json");
}

/// 1.6 edition 2, 7.9, 7.13; 2.1 part 2, K01.FR.42, K08.FR.06
#[test]
fn the_vectors_about_relative_schedules_hold() {
    run("relative.json");
}

/// 1.6 edition 2, 7.12, 7.14, 1.6 errata 3.34, 3.69; 2.1 part 2, K01.FR.50, K01.FR.51, K 3.8
#[test]
fn the_vectors_about_units_and_phases_hold() {
    run("units.json");
}

/// 1.6 edition 2, 3.13.3, 5.7, 1.6 errata 3.30; 2.1 part 2, K08.FR.03
#[test]
fn the_vectors_about_the_whole_station_hold() {
    run("station.json");
}

#[test]
fn every_file_of_vectors_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/smart_charging");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    files.sort();
    assert_eq!(files, ["precedence.json", "recurrence.json", "relative.json", "station.json", "units.json"]);
}
