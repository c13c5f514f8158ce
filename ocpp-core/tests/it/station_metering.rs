//! Meter values (2.1 part 2, block J; 1.6 edition 2, 3.16 and 4.7).

use std::time::Duration;

use ocpp_core::station::{Input, Location, Measurand, Phase, Reading, Sample, SignedValue};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, decimal};
use crate::scripted::{Said, Script};

fn samples(version: Version, world: &Script) -> Vec<Value> {
    let (action, is_sample): (_, fn(&&&Value) -> bool) = match version {
        Version::V1_6 => ("MeterValues", |_| true),
        _ => ("TransactionEvent", |event| event["triggerReason"] == "MeterValuePeriodic"),
    };
    world.peer.payloads(action).iter().filter(is_sample).map(|payload| (*payload).clone()).collect()
}

/// J02.FR.11; 1.6 edition 2, 4.7; 1.6 edition 2, 3.16.1
#[test]
fn samples_come_in_their_rhythm_for_as_long_as_the_transaction_lasts() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValueSampleInterval", "30");
        world.plug();
        world.run(Duration::from_secs(100));
        assert!(samples(version, &world).is_empty(), "{version}: no transaction, no samples");
        world.tap("TAG");
        world.vehicle(true);
        world.meter("1234.5678");
        world.run(Duration::from_secs(100));
        let taken = samples(version, &world);
        assert_eq!(taken.len(), 3, "{version}");
        let value = &taken[0]["meterValue"][0]["sampledValue"][0];
        assert_eq!(value["context"], "Sample.Periodic", "{version}");
        assert_eq!(value["measurand"], "Energy.Active.Import.Register");
        match version {
            Version::V1_6 => {
                assert_eq!(value["value"], "1234.5678", "not rounded");
                assert_eq!(value["unit"], "Wh");
                assert_eq!((&taken[0]["connectorId"], &taken[0]["transactionId"]), (&json!(1), &json!(1)));
            }
            _ => {
                assert_eq!(value["value"].to_string(), "1234.5678", "{version}: not rounded");
                assert_eq!(value["unitOfMeasure"]["unit"], "Wh");
                assert_eq!(taken[0]["eventType"], "Updated");
            }
        }
        world.tap("TAG");
        world.peer.forget();
        world.run(Duration::from_secs(100));
        assert!(samples(version, &world).is_empty(), "{version}: it is over");
    }
}

/// J02.FR.11; 1.6 edition 2, 9.1.17: only what is configured, with its phase where it has one.
#[test]
fn only_the_configured_measurands_are_told() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValueSampleInterval", "30");
        world.set("MeterValuesSampledData", "SoC,Voltage.L1-N,Power.Active.Import,Current.Offered");
        world.plug();
        world.tap("TAG");
        let reading = Reading::energy(decimal("1500"))
            .with(Measurand::StateOfCharge, decimal("55"))
            .with(Measurand::PowerActiveImport, decimal("7360.5"))
            .with_phase(Measurand::Voltage, Phase::L1N, decimal("230.1"))
            .with_phase(Measurand::Voltage, Phase::L2N, decimal("229.9"));
        world.handle(Input::Meter { evse: 1, reading });
        world.run(Duration::from_secs(40));
        let taken = samples(version, &world);
        let values = taken[0]["meterValue"][0]["sampledValue"].as_array().unwrap();
        let told: Vec<_> = values.iter().map(|value| (value["measurand"].clone(), value["phase"].clone())).collect();
        assert_eq!(
            told,
            [
                (json!("SoC"), Value::Null),
                (json!("Voltage"), json!("L1-N")),
                (json!("Power.Active.Import"), Value::Null)
            ],
            "{version}: what the meter doesn't measure is left out"
        );
        assert_eq!(values[0]["location"], "EV");
    }
}

/// 1.6 edition 2, 7.45; 1.6 errata 3.86
#[test]
fn a_frequency_is_in_hertz_for_which_1_6_has_no_word() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValueSampleInterval", "30");
        world.set("MeterValuesSampledData", "Frequency");
        world.plug();
        world.tap("TAG");
        let reading = Reading::energy(decimal("1500")).with(Measurand::Frequency, decimal("49.98"));
        world.handle(Input::Meter { evse: 1, reading });
        world.run(Duration::from_secs(40));
        let value = &samples(version, &world)[0]["meterValue"][0]["sampledValue"][0];
        let unit =
            if version == Version::V1_6 { value["unit"].clone() } else { value["unitOfMeasure"]["unit"].clone() };
        let told = if version == Version::V1_6 { Value::Null } else { json!("Hertz") };
        assert_eq!((value["measurand"].clone(), unit), (json!("Frequency"), told), "{version}");
    }
}

/// J02.FR.11; 1.6 edition 2, 9.1.19
#[test]
fn an_interval_of_zero_takes_no_samples_and_a_new_one_counts_at_once() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValueSampleInterval", "0");
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(600));
        assert!(samples(version, &world).is_empty(), "{version}");
        world.set("MeterValueSampleInterval", "10");
        world.run(Duration::from_secs(55));
        assert_eq!(samples(version, &world).len(), 5, "{version}");
    }
}

/// F06.FR.06, F06.FR.07; 1.6 edition 2, 5.17; 1.6 errata 3.46
#[test]
fn a_trigger_brings_what_the_meter_says_now() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.meter("1111.1");
        world.ask("TriggerMessage", json!({"requestedMessage": "MeterValues"}));
        assert_eq!(*world.peer.result(), json!({"status": "Accepted"}), "{version}");
        let values = world.peer.payloads("MeterValues")[0];
        let sample = &values["meterValue"][0]["sampledValue"][0];
        assert_eq!(sample["context"], "Trigger", "{version}");
        assert_eq!(sample["value"].to_string().trim_matches('"'), "1111.1", "{version}");
        if version == Version::V1_6 {
            continue;
        }
        world.ask("TriggerMessage", json!({"requestedMessage": "TransactionEvent"}));
        assert_eq!(*world.peer.result(), json!({"status": "Rejected"}), "{version}: there is none");
        world.plug();
        world.tap("TAG");
        world.ask("TriggerMessage", json!({"requestedMessage": "TransactionEvent", "evse": {"id": 1}}));
        let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
        assert_eq!((&event["eventType"], &event["triggerReason"]), (&json!("Updated"), &json!("Trigger")));
        assert!(event["transactionInfo"]["chargingState"].is_string());
        assert!(event["meterValue"].is_array(), "{version}");
    }
}

/// The clock-aligned values that were heard: time, EVSE or connector, value.
fn aligned(version: Version, world: &Script) -> Vec<(String, i64, String)> {
    let mut values = Vec::new();
    for heard in &world.peer.heard {
        let of_transaction = heard.payload["triggerReason"] == "MeterValueClock";
        if heard.action != "MeterValues" && !of_transaction {
            continue;
        }
        let place = match (version, of_transaction) {
            (Version::V1_6, _) => heard.payload["connectorId"].as_i64().unwrap(),
            (_, true) => 1,
            (_, false) => heard.payload["evseId"].as_i64().unwrap(),
        };
        for value in heard.payload["meterValue"].as_array().unwrap() {
            let sample = &value["sampledValue"][0];
            if sample["context"] == "Sample.Clock" {
                let reading = sample["value"].to_string().trim_matches('"').to_owned();
                values.push((value["timestamp"].as_str().unwrap().to_owned(), place, reading));
            }
        }
    }
    values
}

fn times(version: Version, world: &Script) -> Vec<String> {
    aligned(version, world).into_iter().map(|(time, ..)| time).collect()
}

/// The values that the last message of a transaction has.
fn values_at_end(version: Version, world: &Script) -> Vec<Value> {
    let (action, member) = match version {
        Version::V1_6 => ("StopTransaction", "transactionData"),
        _ => ("TransactionEvent", "meterValue"),
    };
    let last = world.peer.payloads(action).last().copied().unwrap().clone();
    last.get(member).map_or_else(Vec::new, |values| values.as_array().unwrap().clone())
}

fn contexts(values: &[Value]) -> Vec<&str> {
    values.iter().map(|value| value["sampledValue"][0]["context"].as_str().unwrap()).collect()
}

/// The name of a key of 1.6 or of the variable that does the same in 2.x.
fn either(version: Version, key: &'static str, variable: &'static str) -> &'static str {
    if version == Version::V1_6 { key } else { variable }
}

/// J01.FR.14; 1.6 edition 2, 3.16.2, 9.1.5, 9.1.15
#[test]
fn clock_aligned_values_come_at_the_quarters_of_the_hour_without_a_transaction_too() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.run(Duration::from_secs(2_000));
        assert!(aligned(version, &world).is_empty(), "{version}: an interval of 0 switches them off");
        world.peer.forget();
        world.set("ClockAlignedDataInterval", "900");
        world.run(Duration::from_secs(1_800));
        let at = |time: &str| (format!("2026-11-20T{time}.000Z"), 1, "1000".to_owned());
        assert_eq!(aligned(version, &world), [at("08:45:00"), at("09:00:00")], "{version}");
    }
}

/// 1.6 edition 2, 9.1.5: a day begins at midnight with a new interval, whole or not.
#[test]
fn the_first_clock_aligned_value_of_a_day_comes_at_midnight() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("ClockAlignedDataInterval", "50000");
        world.run(Duration::from_secs(36 * 3_600));
        let expected = ["2026-11-20T13:53:20.000Z", "2026-11-21T00:00:00.000Z", "2026-11-21T13:53:20.000Z"];
        assert_eq!(times(version, &world), expected, "{version}");
    }
}

/// 1.6 edition 2, 9.1.5, 4.2, 4.6; J01: the wall clock counts, and it is the one that the CSMS sets.
#[test]
fn a_clock_that_is_set_moves_the_clock_aligned_moments() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("ClockAlignedDataInterval", "900");
        world.set("HeartbeatInterval", "86400");
        let time = json!({"currentTime": "2026-11-20T08:10:00.000Z"});
        world.peer.once("Heartbeat", crate::scripted::Reply::Result(time));
        world.ask("TriggerMessage", json!({"requestedMessage": "Heartbeat"}));
        world.run(Duration::from_secs(290));
        assert!(aligned(version, &world).is_empty(), "{version}");
        world.run(Duration::from_secs(10));
        assert_eq!(times(version, &world), ["2026-11-20T08:15:00.000Z"], "{version}");
    }
}

/// J01: what the clock is put right by doesn't bring a moment back.
#[test]
fn a_clock_that_is_set_back_by_a_moment_brings_no_value_twice() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("ClockAlignedDataInterval", "900");
        world.run(Duration::from_millis(897_100));
        assert_eq!(times(version, &world).len(), 1, "{version}");
        let time = json!({"currentTime": "2026-11-20T08:14:59.700Z"});
        world.peer.once("Heartbeat", crate::scripted::Reply::Result(time));
        world.ask("TriggerMessage", json!({"requestedMessage": "Heartbeat"}));
        world.run(Duration::from_secs(10));
        assert_eq!(times(version, &world).len(), 1, "{version}");
    }
}

/// J01.FR.22; 1.6 edition 2, 3.16, 4.7: with the transaction that they belong to, and kept while there is no connection.
/// 1.6 errata 3.16
#[test]
fn clock_aligned_values_of_a_transaction_are_kept_until_they_are_delivered() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValueSampleInterval", "0");
        world.set("ClockAlignedDataInterval", "900");
        world.plug();
        world.tap("TAG");
        world.cut();
        world.meter("1500.25");
        world.run(Duration::from_secs(900));
        world.network.up = true;
        world.run(Duration::from_secs(400));
        assert_eq!(aligned(version, &world), [("2026-11-20T08:15:00.000Z".into(), 1, "1500.25".into())], "{version}");
        if version == Version::V1_6 {
            assert_eq!(world.peer.payloads("MeterValues")[0]["transactionId"], 1);
        }
    }
}

/// 1.6 edition 2, 3.7, 3.16.2; 1.6 errata 3.15: to 1.6 they are messages like those about transactions, also outside of them.
#[test]
fn clock_aligned_values_without_a_transaction_wait_for_the_connection_in_1_6() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("ClockAlignedDataInterval", "900");
        world.cut();
        world.meter("1500.25");
        world.run(Duration::from_secs(1_000));
        world.power_cut(Duration::from_secs(10));
        world.meter("1500.25");
        world.run(Duration::from_secs(900));
        world.network.up = true;
        world.run(Duration::from_secs(800));
        let expected: &[&str] = match version {
            Version::V1_6 => &["2026-11-20T08:15:00.000Z", "2026-11-20T08:30:00.000Z"],
            _ => &[],
        };
        let late = times(version, &world);
        assert!(late.starts_with(&expected.iter().map(|time| (*time).to_owned()).collect::<Vec<_>>()), "{late:?}");
        let values = world.peer.payloads("MeterValues");
        assert!(values.iter().all(|payload| payload.get("transactionId").is_none()), "{version}");
        let now = world.now;
        assert_eq!(world.station().state(now).outbox, 0, "{version}");
        if version == Version::V1_6 {
            // One that the CSMS fails to take is tried again, and given up.
            world.set("TransactionMessageRetryInterval", "1");
            world.peer.forget();
            world.peer.always("MeterValues", crate::scripted::Reply::Error("InternalError"));
            world.handle(ocpp_core::station::Input::ClockAligned);
            world.run(Duration::from_secs(10));
            assert_eq!(world.peer.payloads("MeterValues").len(), 3);
            let now = world.now;
            assert_eq!(world.station().state(now).outbox, 0);
        }
    }
}

/// 1.6 edition 2, 9.1.15, 3.16.3: every phase and location, where the list names none.
#[test]
fn a_measurand_is_told_for_every_phase_and_location_that_the_meter_measures() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("ClockAlignedDataInterval", "900");
        world.set("MeterValuesAlignedData", "Current.Import");
        let current = |amperes: &str| Sample::new(Measurand::CurrentImport, decimal(amperes));
        let reading = Reading::default()
            .with_sample(current("16.1").at_phase(Phase::L1))
            .with_sample(current("16.2").at_phase(Phase::L2))
            .with_sample(current("15").at_phase(Phase::L1).at_location(Location::Cable));
        world.handle(Input::Meter { evse: 1, reading });
        world.run(Duration::from_secs(900));
        let values = world.peer.payloads("MeterValues")[0]["meterValue"][0]["sampledValue"].as_array().unwrap();
        let told: Vec<_> = values.iter().map(|value| (&value["phase"], &value["location"], &value["unit"])).collect();
        let unit = if version == Version::V1_6 { json!("A") } else { Value::Null };
        let (l1, l2) = (json!("L1"), json!("L2"));
        let (outlet, cable) = (json!("Outlet"), json!("Cable"));
        assert_eq!(told, [(&l1, &outlet, &unit), (&l2, &outlet, &unit), (&l1, &cable, &unit)], "{version}");
    }
}

/// J01.FR.03, J01.FR.04; 1.6 edition 2, 3.16.3, 4.7; 1.6 errata 3.16
#[test]
fn the_main_meter_is_told_as_that_of_the_whole_station() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.handle(Input::Meter { evse: 0, reading: Reading::energy(decimal("70000")) });
        world.set("ClockAlignedDataInterval", "900");
        world.run(Duration::from_secs(900));
        let told: Vec<_> = aligned(version, &world).into_iter().map(|(_, place, value)| (place, value)).collect();
        assert_eq!(told, [(0, "70000".into()), (1, "1000".into())], "{version}");
        let main = world.peer.payloads("MeterValues")[0];
        assert_eq!(main["meterValue"][0]["sampledValue"][0]["location"], "Inlet", "{version}");

        world.set("ClockAlignedDataInterval", "0");
        world.plug();
        world.tap("TAG");
        world.peer.forget();
        world.run(Duration::from_secs(121));
        let of_station = |payload: &&&Value| payload["connectorId"] == 0;
        let sampled = world.peer.payloads("MeterValues").iter().filter(of_station).count();
        // J02.FR.22: in 2.x samples belong to the EVSE of the transaction.
        assert_eq!(sampled, if version == Version::V1_6 { 2 } else { 0 }, "{version}");

        world.peer.forget();
        let place = either(version, "connectorId", "evse");
        let whole = if version == Version::V1_6 { json!(0) } else { json!({"id": 0}) };
        world.ask("TriggerMessage", json!({"requestedMessage": "MeterValues", place: whole}));
        assert_eq!(*world.peer.result(), json!({"status": "Accepted"}), "{version}");
        assert_eq!(world.peer.payloads("MeterValues").len(), 1, "{version}: of the main meter alone");
    }
}

/// 1.6 edition 2, 9.1.27, errata 3.14; 2.1 `SampledDataCtrlr.TxEndedInterval`, E06.FR.11
#[test]
fn the_last_message_has_the_samples_of_the_whole_transaction() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set(either(version, "MeterValueSampleInterval", "SampledDataCtrlr.TxEndedInterval"), "30");
        world.set("StopTxnSampledData", "Energy.Active.Import.Register");
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(40));
        world.meter("1100");
        world.run(Duration::from_secs(30));
        world.tap("TAG");
        let values = values_at_end(version, &world);
        let expected = ["Transaction.Begin", "Sample.Periodic", "Sample.Periodic", "Transaction.End"];
        assert_eq!(contexts(&values), expected, "{version}");
        let told = |at: usize| values[at]["sampledValue"][0]["value"].to_string().trim_matches('"').to_owned();
        assert_eq!([told(0), told(1), told(2), told(3)], ["1000", "1000", "1100", "1100"], "{version}");
    }
}

/// 1.6 edition 2, 9.1.25; 2.1 `AlignedDataCtrlr.TxEndedInterval` and `TxEndedMeasurands`
#[test]
fn the_last_message_has_the_clock_aligned_values_of_the_whole_transaction() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set(either(version, "ClockAlignedDataInterval", "AlignedDataCtrlr.TxEndedInterval"), "900");
        world.set("StopTxnAlignedData", "Energy.Active.Import.Register");
        world.set("StopTxnSampledData", "");
        world.run(Duration::from_secs(900));
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(1_800));
        world.tap("TAG");
        let values = values_at_end(version, &world);
        match version {
            // Errata 4.0, 3.14: of every measurand that is configured, beginning and end as well.
            Version::V1_6 => {
                assert_eq!(contexts(&values), ["Transaction.Begin", "Sample.Clock", "Sample.Clock", "Transaction.End"])
            }
            _ => assert_eq!(contexts(&values), ["Sample.Clock", "Sample.Clock"], "{version}"),
        }
        let clock: Vec<_> =
            values.iter().filter(|value| value["sampledValue"][0]["context"] == "Sample.Clock").collect();
        assert_eq!(clock[0]["timestamp"], "2026-11-20T08:30:00.000Z", "{version}");
        assert_eq!(clock[1]["timestamp"], "2026-11-20T08:45:00.000Z", "{version}");
    }
}

/// 1.6 edition 2, 3.16.5
#[test]
fn without_stop_lists_the_last_message_has_no_values() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("ClockAlignedDataInterval", "60");
        world.set("StopTxnAlignedData", "");
        world.set("StopTxnSampledData", "");
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(200));
        world.tap("TAG");
        assert!(values_at_end(version, &world).is_empty(), "{version}");
    }
}

/// E17.FR.20 to 22; 1.6 edition 2, 9.1.27: what was collected before a power cut is part of the end.
#[test]
fn collected_values_outlive_a_power_cut() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set(either(version, "MeterValueSampleInterval", "SampledDataCtrlr.TxEndedInterval"), "30");
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(70));
        world.power_cut(Duration::from_secs(60));
        world.meter("1300");
        world.settle();
        let expected = ["Transaction.Begin", "Sample.Periodic", "Sample.Periodic", "Transaction.End"];
        assert_eq!(contexts(&values_at_end(version, &world)), expected, "{version}");
        assert!(world.storage.keys().all(|key| !key.starts_with("transaction")), "{version}: nothing is left over");
    }
}

/// 1.6 errata 3.91; J02.FR.20
#[test]
fn of_too_many_values_some_between_beginning_and_end_are_left_out() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValueSampleInterval", "0");
        world.set(either(version, "MeterValueSampleInterval", "SampledDataCtrlr.TxEndedInterval"), "10");
        world.set("MeterValuesSampledData", "");
        world.set("StopTransactionMaxMeterValues", "10");
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(3_600));
        let kept = world.storage.keys().filter(|key| key.starts_with("transaction-data/")).count();
        assert!((4..=8).contains(&kept), "{version}: {kept}");
        world.tap("TAG");
        let values = values_at_end(version, &world);
        assert_eq!(values.len(), kept + 2, "{version}");
        let contexts = contexts(&values);
        assert_eq!((contexts[0], contexts[values.len() - 1]), ("Transaction.Begin", "Transaction.End"), "{version}");
    }
    let mut world = Script::booted(Version::V1_6);
    let change = json!({"key": "StopTransactionMaxMeterValues", "value": "5"});
    assert_eq!(world.ask("ChangeConfiguration", change), Said::Result(json!({"status": "Rejected"})));
}

/// 1.6 edition 2, 3.16.4, 9.1.15 to 9.1.18, 9.1.25 to 9.1.28
#[test]
fn lists_of_measurands_are_refused_whole_where_the_station_cannot_follow_them() {
    for key in ["MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData"] {
        let mut world = Script::booted(Version::V1_6);
        let value = |world: &mut Script, key: &str| {
            world.ask("GetConfiguration", json!({"key": [key]}));
            world.peer.result()["configurationKey"][0].clone()
        };
        let length = value(&mut world, &format!("{key}MaxLength"));
        assert_eq!(length["readonly"], true);
        let most: usize = length["value"].as_str().unwrap().parse().unwrap();
        let longest = "Energy.Reactive.Import.Interval.L1-N";
        let all = vec![longest; most].join(",");
        assert!(all.len() <= 500, "{key}: a list of this length can be read");
        let mut change = |list: &str| {
            world.ask("ChangeConfiguration", json!({"key": key, "value": list}));
            world.peer.result()["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(change(&all), "Accepted", "{key}");
        assert_eq!(change("SoC, Voltage.L1"), "Accepted", "{key}");
        assert_eq!(change("SoC,Happiness"), "Rejected", "{key}");
        assert_eq!(change(&vec!["SoC"; most + 1].join(",")), "Rejected", "{key}");
        assert_eq!(value(&mut world, key)["value"], "SoC,Voltage.L1", "{key}: nothing has changed");
        let mut config = crate::harness::config(Version::V1_6);
        config.measurands = vec![Measurand::EnergyActiveImportRegister, Measurand::Voltage];
        let mut world = Script::booted_with(config);
        let mut change = |list: &str| {
            world.ask("ChangeConfiguration", json!({"key": key, "value": list}));
            world.peer.result()["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(change("Voltage.L1-N"), "Accepted", "{key}");
        assert_eq!(change("Voltage,SoC"), "Rejected", "{key}: no meter of the station measures it");
    }
}

/// J01.FR.20
#[test]
fn clock_aligned_values_can_be_kept_to_idle_times() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = Script::booted(version);
        world.set("AlignedDataCtrlr.Interval", "60");
        world.set("AlignedDataCtrlr.SendDuringIdle", "true");
        world.run(Duration::from_secs(60));
        assert_eq!(times(version, &world).len(), 1, "{version}");
        world.plug();
        world.tap("TAG");
        world.peer.forget();
        world.run(Duration::from_secs(600));
        assert!(times(version, &world).is_empty(), "{version}");
        world.tap("TAG");
        world.run(Duration::from_secs(60));
        assert_eq!(times(version, &world).len(), 1, "{version}");
    }
}

/// 2.1 `AlignedDataCtrlr.Enabled`, `SampledDataCtrlr.Enabled`
#[test]
fn aligned_and_sampled_data_can_be_switched_off() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = Script::booted(version);
        world.set("AlignedDataCtrlr.Interval", "60");
        world.set("SampledDataCtrlr.TxEndedInterval", "10");
        world.set("AlignedDataCtrlr.Enabled", "false");
        world.set("SampledDataCtrlr.Enabled", "false");
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(200));
        world.tap("TAG");
        let told = world.peer.heard.iter().filter(|heard| heard.payload.get("meterValue").is_some()).count();
        assert_eq!(told, 0, "{version}");
        world.set("AlignedDataCtrlr.Enabled", "true");
        world.run(Duration::from_secs(60));
        assert_eq!(times(version, &world).len(), 1, "{version}");
    }
}

fn signed_reading() -> Reading {
    let signed = SignedValue {
        data: "T0NNRg==".into(),
        signing_method: String::new(),
        encoding_method: "OCMF".into(),
        public_key: "b2Nh".into(),
    };
    let sample = Sample::new(Measurand::EnergyActiveImportRegister, decimal("1000")).signed(signed);
    Reading::default().with_sample(sample)
}

/// The public keys of the signed values of a message, in their order.
fn public_keys(version: Version, values: &Value) -> Vec<String> {
    let values = values.as_array().into_iter().flatten();
    let samples = values.flat_map(|value| value["sampledValue"].as_array().unwrap());
    let signed = samples.filter_map(|sample| match version {
        Version::V1_6 if sample["format"] == "SignedData" => {
            let value: Value = serde_json::from_str(sample["value"].as_str().unwrap()).unwrap();
            Some(value)
        }
        Version::V1_6 => None,
        _ => sample.get("signedMeterValue").cloned(),
    });
    signed
        .map(|signed| {
            assert_eq!(signed["signedMeterData"], "T0NNRg==");
            assert_eq!((&signed["encodingMethod"], &signed["signingMethod"]), (&json!("OCMF"), &json!("")));
            signed["publicKey"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// "Signed meter values in OCPP" 3.2.1, 3.3.2, 3.3.3, 3.3.6, 4.3; J02.FR.21
#[test]
fn signed_values_are_told_where_the_settings_want_them() {
    for version in VERSIONS {
        let charge = |settings: &[(&str, &str)]| {
            let mut world = Script::booted(version);
            world.handle(Input::Meter { evse: 1, reading: signed_reading() });
            for (name, value) in settings {
                world.set(name, value);
            }
            world.plug();
            world.tap("TAG");
            world.run(Duration::from_secs(61));
            let updated = public_keys(version, &samples(version, &world)[0]["meterValue"]);
            world.tap("TAG");
            let ended = public_keys(version, &Value::Array(values_at_end(version, &world)));
            (updated.len(), ended)
        };
        let samples = if version == Version::V1_6 { 1 } else { 0 };
        let keys = vec!["b2Nh".to_owned(); 2 + samples];
        assert_eq!(charge(&[]), (0, vec![]), "{version}: not without being asked for");
        assert_eq!(charge(&[("SampledDataSignReadings", "true")]), (0, keys.clone()), "{version}");
        let both = [("SampledDataSignReadings", "true"), ("SampledDataSignUpdatedReadings", "true")];
        assert_eq!(charge(&both), (1, keys), "{version}");
        assert_eq!(charge(&both[1..]), (0, vec![]), "{version}: the first switch is for all of them");
        let once =
            charge(&[("SampledDataSignReadings", "true"), ("PublicKeyWithSignedMeterValue", "OncePerTransaction")]);
        let mut expected = vec![String::new(); 2 + samples];
        expected[0] = "b2Nh".into();
        assert_eq!(once.1, expected, "{version}");
        let never = charge(&[("SampledDataSignReadings", "true"), ("PublicKeyWithSignedMeterValue", "Never")]);
        assert_eq!(never.1, vec![String::new(); 2 + samples], "{version}");
    }
}

/// "Signed meter values in OCPP" 3.3.7, 3.3.8; J01.FR.21
#[test]
fn clock_aligned_values_are_signed_by_their_own_settings() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.handle(Input::Meter { evse: 1, reading: signed_reading() });
        world.set("MeterValueSampleInterval", "0");
        world.set("ClockAlignedDataInterval", "60");
        let signed = |world: &mut Script| {
            world.peer.forget();
            world.run(Duration::from_secs(60));
            let heard = world.peer.heard.iter().find(|heard| heard.payload.get("meterValue").is_some()).unwrap();
            public_keys(version, &heard.payload["meterValue"]).len()
        };
        assert_eq!(signed(&mut world), 0, "{version}");
        world.set("AlignedDataSignReadings", "true");
        assert_eq!(signed(&mut world), 1, "{version}");
        world.plug();
        world.tap("TAG");
        assert_eq!(signed(&mut world), 0, "{version}: in the course of a transaction only if that is wanted");
        world.set("AlignedDataSignUpdatedReadings", "true");
        assert_eq!(signed(&mut world), 1, "{version}");
    }
}

/// "Signed meter values in OCPP" 3.3.4, 3.3.5
#[test]
fn a_message_of_its_own_can_tell_the_beginning_of_a_1_6_transaction() {
    let mut world = Script::booted(Version::V1_6);
    world.handle(Input::Meter { evse: 1, reading: signed_reading() });
    world.set("StartTxnSampledData", "Energy.Active.Import.Register");
    world.set("SampledDataSignReadings", "true");
    world.set("SampledDataSignStartedReadings", "true");
    world.plug();
    world.tap("TAG");
    assert_eq!(world.transaction_messages(), ["StartTransaction", "MeterValues"]);
    let values = world.peer.payloads("MeterValues")[0];
    assert_eq!(values["transactionId"], 1);
    assert_eq!(contexts(values["meterValue"].as_array().unwrap()), ["Transaction.Begin"]);
    assert_eq!(public_keys(Version::V1_6, &values["meterValue"]).len(), 1);
}

/// What somebody who tries things out can have at once, where it is switched on.
#[test]
fn a_clock_aligned_moment_can_be_brought_forward() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.handle(Input::ClockAligned);
        world.settle();
        assert!(aligned(version, &world).is_empty(), "{version}: switched off");
        world.set("ClockAlignedDataInterval", "900");
        world.handle(Input::ClockAligned);
        world.run(Duration::from_secs(900));
        assert_eq!(times(version, &world), ["2026-11-20T08:00:05.980Z", "2026-11-20T08:15:00.000Z"], "{version}");
    }
}

/// 1.6 edition 2, 7.31; 2.1 part 2, `MeasurandEnumType`
#[test]
fn measurands_that_2_x_has_no_word_for_are_told_in_1_6_alone() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("ClockAlignedDataInterval", "60");
        world.set("MeterValuesAlignedData", "RPM,Temperature,Frequency");
        let reading = Reading::default()
            .with(Measurand::Rpm, decimal("900"))
            .with(Measurand::Temperature, decimal("31.5"))
            .with(Measurand::Frequency, decimal("49.98"));
        world.handle(Input::Meter { evse: 1, reading });
        world.run(Duration::from_secs(60));
        let values = world.peer.payloads("MeterValues")[0]["meterValue"][0]["sampledValue"].as_array().unwrap();
        assert_eq!(values.len(), if version == Version::V1_6 { 3 } else { 1 }, "{version}");
    }
}

/// 2.1 part 2, `SampledDataCtrlr.RegisterValuesWithoutPhases`
#[test]
fn the_register_of_each_phase_can_be_left_out() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValuesSampledData", "Energy.Active.Import.Register,Voltage");
        let reading = Reading::energy(decimal("1000"))
            .with_phase(Measurand::EnergyActiveImportRegister, Phase::L1, decimal("600"))
            .with_phase(Measurand::EnergyActiveImportRegister, Phase::L2, decimal("400"))
            .with_phase(Measurand::Voltage, Phase::L1N, decimal("230"));
        world.handle(Input::Meter { evse: 1, reading });
        world.plug();
        world.tap("TAG");
        world.run(Duration::from_secs(60));
        world.set("SampledDataCtrlr.RegisterValuesWithoutPhases", "true");
        world.run(Duration::from_secs(60));
        let taken = samples(version, &world);
        let told = |at: usize| taken[at]["meterValue"][0]["sampledValue"].as_array().unwrap().len();
        assert_eq!((told(0), told(1)), (4, 2), "{version}");
    }
}
