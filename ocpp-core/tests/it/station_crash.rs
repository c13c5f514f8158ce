//! Power cuts and broken connections at every step: no transaction is lost, and none is doubled.

use std::collections::BTreeMap;
use std::time::Duration;

use ocpp_core::station::{Input, Output};
use ocpp_core::types::Version;
use serde_json::Value;

use crate::harness::{VERSIONS, config};
use crate::scripted::{Script, Scripted};

/// What the driver does, and what the meter shows then.
const STEPS: &[(&str, &str)] = &[
    ("plug", "1000"),
    ("tap", "1000"),
    ("ready", "1000"),
    ("charge", "1500.5"),
    ("charge", "2000.25"),
    ("tap", "2000.25"),
    ("unplug", "2000.25"),
];

pub struct Outcome {
    pub world: Script,
    /// The meter when the driver left.
    pub meter: &'static str,
}

/// Lets a driver charge; where the power goes off, he leaves when it is back.
fn charge(mut world: Script) -> Outcome {
    let mut plugged = false;
    for (step, meter) in STEPS {
        world.meter(meter);
        match *step {
            "plug" => {
                plugged = true;
                world.plug();
            }
            "tap" => world.tap("TAG"),
            "ready" => world.vehicle(true),
            "charge" => world.run(Duration::from_secs(61)),
            _ => {
                plugged = false;
                world.unplug();
            }
        }
        // The meter may be told between two steps as well.
        if world.station.is_none() {
            world.now = world.now + Duration::from_secs(20);
            world.power_on();
            if plugged {
                world.handle(Input::PluggedIn { evse: 1, connector: 1 });
            }
            world.meter(meter);
            world.settle();
            if plugged {
                world.unplug();
            }
            world.run(Duration::from_secs(200));
            return Outcome { world, meter };
        }
    }
    world.run(Duration::from_secs(200));
    if world.station.is_none() {
        world.power_on();
        world.run(Duration::from_secs(200));
    }
    Outcome { world, meter: STEPS[STEPS.len() - 1].1 }
}

/// What is different between two sendings of one message.
fn without_offline(payload: &Value) -> Value {
    let mut payload = payload.clone();
    if let Some(object) = payload.as_object_mut() {
        object.remove("offline");
    }
    payload
}

/// The messages of all transactions, each once; panics where two sendings of one message differ.
fn messages(version: Version, csms: &Scripted) -> Vec<Value> {
    let mut messages: BTreeMap<String, Value> = BTreeMap::new();
    for heard in &csms.heard {
        let payload = without_offline(&heard.payload);
        let key = match (version, heard.action.as_str()) {
            (Version::V1_6, "StartTransaction" | "MeterValues") => format!("{} {payload}", heard.action),
            (Version::V1_6, "StopTransaction") => format!("StopTransaction {}", payload["transactionId"]),
            (_, "TransactionEvent") => {
                let number = payload["seqNo"].as_u64().unwrap();
                format!("{} {number:05}", payload["transactionInfo"]["transactionId"])
            }
            _ => continue,
        };
        let known = messages.entry(key).or_insert_with(|| payload.clone());
        assert_eq!(*known, payload, "{version}: a message that is repeated stays the same");
    }
    messages.into_values().collect()
}

fn decimal(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

fn reading(event: &Value, context: &str) -> f64 {
    let values = event["meterValue"].as_array().unwrap();
    let mut samples = values.iter().flat_map(|value| value["sampledValue"].as_array().unwrap());
    decimal(&samples.find(|sample| sample["context"] == context).unwrap()["value"])
}

/// What stays on the disk when nothing goes on.
const LASTING: [&str; 8] = [
    "availability/",
    "boot",
    "charging-profile/",
    "local-list/",
    "reservation/",
    "security-event/",
    "setting/",
    "vendor-setting/",
];

/// Panics unless there was one transaction that was told whole, or none and no energy.
pub fn check(version: Version, outcome: &Outcome, what: &str) {
    let Outcome { world, meter } = outcome;
    let messages = messages(version, &world.peer);
    let (starts, stops): (Vec<_>, Vec<_>) = match version {
        Version::V1_6 => (
            messages.iter().filter(|message| message.get("meterStart").is_some()).collect(),
            messages.iter().filter(|message| message.get("meterStop").is_some()).collect(),
        ),
        _ => (
            messages.iter().filter(|message| message["eventType"] == "Started").collect(),
            messages.iter().filter(|message| message["eventType"] == "Ended").collect(),
        ),
    };
    let permitted =
        world.outputs.iter().any(|(_, output)| matches!(output, Output::PermitEnergy { permitted: true, .. }));
    assert_eq!(starts.len(), stops.len(), "{version} {what}: {messages:#?}");
    assert!(starts.len() == 1 || (starts.is_empty() && !permitted), "{version} {what}: {messages:#?}");
    for (start, stop) in starts.iter().zip(&stops) {
        let (from, to) = match version {
            Version::V1_6 => (
                decimal(&start["meterStart"]),
                reading(&serde_json::json!({"meterValue": stop["transactionData"]}), "Transaction.End"),
            ),
            _ => (reading(start, "Transaction.Begin"), reading(stop, "Transaction.End")),
        };
        assert_eq!((from, to), (1000.0, meter.parse().unwrap()), "{version} {what}");
    }
    if version != Version::V1_6 {
        let numbers: Vec<_> = messages.iter().map(|message| message["seqNo"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..messages.len() as u64).collect::<Vec<_>>(), "{version} {what}");
    }
    let left: Vec<_> =
        world.storage.keys().filter(|key| !LASTING.iter().any(|lasting| key.starts_with(lasting))).collect();
    assert!(left.is_empty(), "{version} {what}: {left:?}");
    let on = world.station.as_ref().expect("the power is on").state(world.now);
    assert_eq!(on.outbox, 0, "{version} {what}");
    assert!(!on.evses[0].energy_permitted, "{version} {what}");
}

fn booted(version: Version) -> Script {
    let mut world = Script::with(config(version));
    world.set("AllowOfflineTxForUnknownId", "true");
    world.settle();
    world
}

#[test]
fn without_a_cut_there_is_one_transaction() {
    for version in VERSIONS {
        let outcome = charge(booted(version));
        check(version, &outcome, "uncut");
        assert!(outcome.world.transaction_messages().len() >= 4, "{version}");
    }
}

#[test]
fn a_power_cut_between_any_two_effects_loses_no_transaction_and_doubles_none() {
    for version in VERSIONS {
        let first = booted(version).outputs.len();
        let last = charge(booted(version)).world.outputs.len();
        for at in first..last {
            for survives in [false, true] {
                let mut world = booted(version);
                world.power_off_at = Some(at);
                world.last_batch_survives = survives;
                check(version, &charge(world), &format!("cut before output {at}, last batch survives: {survives}"));
            }
        }
    }
}

#[test]
fn a_slow_disk_changes_nothing_about_that() {
    for version in VERSIONS {
        let slow = || {
            let mut world = booted(version);
            world.store_latency = Duration::from_millis(700);
            world
        };
        let first = slow().outputs.len();
        let last = charge(slow()).world.outputs.len();
        for at in first..last {
            let mut world = slow();
            world.power_off_at = Some(at);
            check(version, &charge(world), &format!("slow disk, cut before output {at}"));
        }
    }
}

#[test]
fn a_power_cut_while_offline_loses_no_transaction_and_doubles_none() {
    for version in VERSIONS {
        let offline = || {
            let mut world = booted(version);
            world.cut();
            world.settle();
            world
        };
        let first = offline().outputs.len();
        let last = charge(offline()).world.outputs.len();
        for at in first..last {
            for survives in [false, true] {
                let mut world = offline();
                world.power_off_at = Some(at);
                world.last_batch_survives = survives;
                let mut outcome = charge(world);
                outcome.world.network.up = true;
                outcome.world.run(Duration::from_secs(1000));
                check(version, &outcome, &format!("offline, cut before output {at}, last batch survives: {survives}"));
            }
        }
    }
}

#[test]
fn a_connection_that_breaks_at_any_frame_loses_no_transaction_and_doubles_none() {
    for version in VERSIONS {
        for frame in 1..60 {
            let mut world = booted(version);
            world.network.cut_at = Some(world.frames() + frame);
            check(version, &charge(world), &format!("cut at frame {frame}"));
        }
    }
}

/// A batch that can't be read is the storage's fault, and named.
#[test]
fn a_record_that_cannot_be_read_is_named() {
    use ocpp_core::station::{Record, Station};
    let mut world = booted(Version::V2_1);
    world.set("AuthorizationCacheEnabled", "true");
    let tokens =
        serde_json::json!([{"idToken": {"idToken": "A", "type": "Local"}, "idTokenInfo": {"status": "Accepted"}}]);
    let list = serde_json::json!({"versionNumber": 12, "updateType": "Full", "localAuthorizationList": tokens});
    world.ask("SendLocalList", list);
    world.plug();
    world.tap("TAG");
    let torn = |key: &str| {
        let records = world.storage.iter().map(|(known, value)| Record {
            key: known.clone(),
            value: if known == key { value[..value.len() / 2].to_owned() } else { value.clone() },
        });
        Station::restore(config(Version::V2_1), [9; 32], world.now, records.collect::<Vec<_>>().into_iter())
    };
    for key in world.storage.keys() {
        assert_eq!(torn(key).unwrap_err().key, *key);
    }
    assert!(torn("nothing").is_ok());
    let odd = [Record { key: "outbox/x".into(), value: "{}".into() }];
    assert!(Station::restore(config(Version::V2_1), [9; 32], world.now, odd.into_iter()).is_err());
    let newer = [Record { key: "from-a-newer-version/x".into(), value: "{}".into() }];
    assert!(Station::restore(config(Version::V2_1), [9; 32], world.now, newer.into_iter()).is_ok());
}
