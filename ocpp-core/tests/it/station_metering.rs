//! Meter values (2.1 part 2, block J; 1.6 edition 2, 3.16 and 4.7).

use std::time::Duration;

use ocpp_core::station::{Input, Measurand, Phase, Reading};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, decimal};
use crate::scripted::Script;

fn samples(version: Version, world: &Script) -> Vec<Value> {
    let (action, is_sample): (_, fn(&&&Value) -> bool) = match version {
        Version::V1_6 => ("MeterValues", |_| true),
        _ => ("TransactionEvent", |event| event["triggerReason"] == "MeterValuePeriodic"),
    };
    world.peer.payloads(action).iter().filter(is_sample).map(|payload| (*payload).clone()).collect()
}

/// J02.FR.11; 1.6 4.7
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

/// J02.FR.11; 1.6 9.1.17: only what is configured, with its phase where it has one.
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

/// J02.FR.11; 1.6 9.1.19
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

/// F06.FR.06, F06.FR.07; 1.6 5.17
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
