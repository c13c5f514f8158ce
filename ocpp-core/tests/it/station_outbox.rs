//! Messages about transactions through outages and refusals (2.1 part 2, E04, E11 to E13; 1.6 edition 2, 3.7).

use std::time::Duration;

use ocpp_core::station::{Event, Output};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::VERSIONS;
use crate::scripted::{Reply, Script};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn is_about_transactions(action: &str) -> bool {
    matches!(action, "StartTransaction" | "StopTransaction" | "MeterValues" | "TransactionEvent")
}

/// The moment that a message is about.
fn moment(payload: &Value) -> String {
    let at = payload.get("timestamp").or_else(|| payload.pointer("/meterValue/0/timestamp"));
    at.unwrap().as_str().unwrap().to_owned()
}

/// E04.FR.01 to 03, E12.FR.01, E12.FR.02; 1.6 edition 2, 3.7
#[test]
fn a_whole_transaction_without_a_connection_is_told_afterwards_in_order_and_before_what_is_new() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("AllowOfflineTxForUnknownId", "true");
        world.cut();
        world.settle();
        world.plug();
        world.tap("TAG");
        assert!(world.energy_permitted(), "{version}: C15.FR.08");
        world.vehicle(true);
        world.meter("1700");
        world.run(seconds(70));
        world.meter("2500");
        world.tap("TAG");
        world.unplug();
        world.plug();
        world.tap("TAG");
        assert!(world.peer.actions().is_empty(), "{version}");
        world.network.up = true;
        world.run(seconds(400));

        let messages: Vec<_> = world.peer.heard.iter().filter(|heard| is_about_transactions(&heard.action)).collect();
        let moments: Vec<_> = messages.iter().map(|heard| moment(&heard.payload)).collect();
        assert!(moments.is_sorted(), "{version}: {moments:?}");
        match version {
            Version::V1_6 => {
                let actions = world.transaction_messages();
                assert_eq!(actions[..4], ["StartTransaction", "MeterValues", "StopTransaction", "StartTransaction"]);
                assert_eq!(messages[1].payload["transactionId"], 1, "the id came with the answer to the first");
                assert_eq!(messages[2].payload["transactionId"], 1);
                assert_eq!(
                    (&messages[0].payload["meterStart"], &messages[2].payload["meterStop"]),
                    (&json!(1000), &json!(2500))
                );
            }
            _ => {
                let ended = messages.iter().position(|heard| heard.payload["eventType"] == "Ended").unwrap();
                for (place, heard) in messages.iter().enumerate().take(ended + 1) {
                    assert_eq!(heard.payload["offline"], true, "{version}");
                    assert_eq!(heard.payload["seqNo"], place, "{version}");
                }
                let online = messages.iter().filter(|heard| heard.payload.get("offline").is_none());
                assert!(
                    online.clone().count() > 0
                        && online.clone().all(|heard| heard.payload["triggerReason"] == "MeterValuePeriodic")
                );
            }
        }
        let now = world.now;
        assert_eq!(world.station().state(now).outbox, 0, "{version}");
    }
}

/// 1.6 edition 2, 3.7: what is not about a transaction may overtake.
#[test]
fn a_driver_does_not_wait_for_the_outbox() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("AllowOfflineTxForUnknownId", "true");
        world.cut();
        world.settle();
        world.plug();
        world.tap("TAG");
        world.tap("TAG");
        let action = if version == Version::V1_6 { "StartTransaction" } else { "TransactionEvent" };
        world.peer.once(action, Reply::Error("InternalError"));
        world.network.up = true;
        world.run(seconds(40));
        world.peer.forget();
        world.tap("OTHER");
        assert_eq!(world.peer.actions().first(), Some(&"Authorize"), "{version}");
        assert!(world.energy_permitted(), "{version}");
    }
}

/// C15.FR.04: the token that was trusted offline is judged when the message arrives.
#[test]
fn a_token_that_was_trusted_offline_is_judged_afterwards() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("AllowOfflineTxForUnknownId", "true");
        world.cut();
        world.settle();
        world.plug();
        world.tap("TAG");
        let (action, reply) = match version {
            Version::V1_6 => ("StartTransaction", json!({"idTagInfo": {"status": "Invalid"}, "transactionId": 9})),
            _ => ("TransactionEvent", json!({"idTokenInfo": {"status": "Invalid"}})),
        };
        world.peer.once(action, Reply::Result(reply));
        world.network.up = true;
        world.run(seconds(60));
        assert!(!world.energy_permitted(), "{version}");
    }
}

#[test]
fn without_a_connection_an_unknown_token_is_turned_away_by_default() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.cut();
        world.settle();
        world.plug();
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}");
    }
}

/// E11.FR.07
#[test]
fn a_transaction_goes_on_through_an_outage_and_only_what_waited_is_marked() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        world.cut();
        world.run(seconds(130));
        world.network.up = true;
        world.run(seconds(200));
        world.tap("TAG");
        let events = world.peer.payloads("TransactionEvent");
        let numbers: Vec<_> = events.iter().map(|event| event["seqNo"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "{version}: nothing is missing or doubled");
        let offline: Vec<_> = events.iter().map(|event| event.get("offline").is_some()).collect();
        let first = offline.iter().position(|offline| *offline).unwrap();
        let last = offline.iter().rposition(|offline| *offline).unwrap();
        assert!(first >= 3 && last < offline.len() - 1, "{version}: {offline:?}");
        assert!(offline[first..=last].iter().all(|offline| *offline), "{version}: {offline:?}");
    }
}

/// E13.FR.02 to 04; 1.6 edition 2, 3.7.1, 9.1.31, 9.1.32
#[test]
fn a_message_that_is_refused_is_tried_again_ever_more_slowly_and_then_given_up() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("TransactionMessageAttempts", "3");
        world.set("TransactionMessageRetryInterval", "60");
        world.set("MeterValueSampleInterval", "0");
        let action = if version == Version::V1_6 { "StartTransaction" } else { "TransactionEvent" };
        for _ in 0..3 {
            world.peer.once(action, Reply::Error("InternalError"));
        }
        world.plug();
        world.tap("TAG");
        world.tap("TAG");
        world.run(seconds(1000));
        let times: Vec<_> =
            world.peer.heard.iter().filter(|heard| heard.action == action).map(|heard| heard.at.instant).collect();
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_since(pair[0]).as_secs()).collect();
        assert_eq!(gaps[..2], [60, 120], "{version}");
        let lost = world.events().filter(|event| matches!(event, Event::MessageLost { seq_no: 0, .. })).count();
        assert_eq!(lost, 1, "{version}");
        match version {
            // 1.6 errata 3.18
            Version::V1_6 => assert_eq!(world.peer.payloads("StopTransaction")[0]["transactionId"], -1),
            _ => assert_eq!(world.transaction_messages().last().unwrap(), "Ended/StopAuthorized", "{version}"),
        }
        let now = world.now;
        assert_eq!(world.station().state(now).outbox, 0, "{version}");
        assert!(world.storage.keys().all(|key| !key.starts_with("outbox/")), "{version}");
    }
}

#[test]
fn a_message_without_an_answer_or_with_a_broken_one_is_tried_again() {
    for version in VERSIONS {
        for reply in [Reply::Silence, Reply::Result(json!([]))] {
            let mut world = Script::booted(version);
            let action = if version == Version::V1_6 { "StartTransaction" } else { "TransactionEvent" };
            world.peer.once(action, reply.clone());
            world.plug();
            world.tap("TAG");
            world.run(seconds(120));
            let said = world.peer.payloads(action);
            assert!(said.len() >= 2, "{version} {reply:?}");
            assert_eq!(said[0], said[1], "{version} {reply:?}: the very same message");
        }
    }
}

/// A connection that breaks under a message costs no attempt.
#[test]
fn a_lost_connection_is_no_failure_of_the_message() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        let action = if version == Version::V1_6 { "StartTransaction" } else { "TransactionEvent" };
        world.set("TransactionMessageAttempts", "1");
        world.plug();
        for _ in 0..5 {
            world.peer.once(action, Reply::Silence);
        }
        world.tap("TAG");
        for _ in 0..5 {
            world.drop_connection();
            world.run(seconds(25));
        }
        assert!(world.events().all(|event| !matches!(event, Event::MessageLost { .. })), "{version}");
        assert_eq!(world.peer.connections, 6, "{version}");
        world.tap("TAG");
        world.settle();
        let now = world.now;
        assert_eq!(world.station().state(now).outbox, 0, "{version}");
    }
}

/// Nothing is promised before it is stored.
#[test]
fn nothing_depends_on_what_is_not_stored() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.store_latency = seconds(20);
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}: a transaction that is not stored gives no energy");
        assert!(world.transaction_messages().is_empty(), "{version}");
        world.run(seconds(60));
        assert!(world.energy_permitted(), "{version}");
        assert!(!world.transaction_messages().is_empty(), "{version}");
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}: the end of energy waits for nothing");
    }
}

#[test]
fn what_is_delivered_is_forgotten() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        world.tap("TAG");
        world.unplug();
        let left: Vec<_> = {
            let lasting = |key: &&String| key.starts_with("setting/") || key.starts_with("security-event/");
            world.storage.keys().filter(|key| !lasting(key)).collect()
        };
        assert_eq!(left, ["boot"], "{version}");
    }
}

/// The 1.6 id survives the power cut that follows it, and the version may change in between.
#[test]
fn a_transaction_that_began_in_one_version_ends_in_another() {
    let mut config = crate::harness::config(Version::V1_6);
    config.versions = vec![Version::V1_6, Version::V2_1];
    let mut world = Script::booted_with(config);
    world.plug();
    world.tap("TAG");
    world.version = Version::V2_1;
    world.drop_connection();
    world.run(seconds(30));
    world.tap("TAG");
    let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
    assert_eq!(event["eventType"], "Ended");
    assert!(world.outputs.iter().any(|(_, output)| matches!(output, Output::PermitEnergy { permitted: false, .. })));
}

/// E11.FR.07: what waits when the connection is lost has waited without one.
#[test]
fn a_message_that_waits_when_the_connection_is_lost_is_marked() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("SampledDataCtrlr.TxUpdatedInterval", "0");
        world.peer.once("TransactionEvent", Reply::Error("InternalError"));
        world.plug();
        world.tap("TAG");
        world.drop_connection();
        world.run(seconds(100));
        let events = world.peer.payloads("TransactionEvent");
        assert_eq!(events[0].get("offline"), None, "{version}");
        assert!(events.len() > 2 && events[1..].iter().all(|event| event["offline"] == true), "{version}");
        assert_eq!(events[0]["seqNo"], events[1]["seqNo"], "{version}");
    }
}

/// E12.FR.04, E12.FR.05, J02.FR.12, J02.FR.13
#[test]
fn a_very_long_outage_thins_the_samples_out_and_keeps_everything_else() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("MeterValueSampleInterval", "10");
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        world.cut();
        world.run(seconds(50_000));
        let now = world.now;
        let waiting = world.station().state(now).outbox;
        assert!((1000..=2000).contains(&waiting), "{version}: {waiting}");
        assert_eq!(world.storage.keys().filter(|key| key.starts_with("outbox/")).count(), waiting, "{version}");
        world.meter("9000");
        world.tap("TAG");
        world.network.up = true;
        world.run(seconds(1000));
        let (first, last) = match version {
            Version::V1_6 => ("StartTransaction".to_owned(), "StopTransaction"),
            _ => ("Started/Authorized".to_owned(), "Ended/StopAuthorized"),
        };
        let messages = world.transaction_messages();
        assert_eq!((messages.first(), messages.last().map(String::as_str)), (Some(&first), Some(last)), "{version}");
        // What is left is spread over the whole outage.
        let moments: Vec<_> = world.peer.heard.iter().filter(|heard| is_about_transactions(&heard.action)).collect();
        let moments: Vec<jiff::Timestamp> =
            moments.iter().map(|heard| moment(&heard.payload).parse().unwrap()).collect();
        let longest = moments.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).max().unwrap();
        assert!(longest <= 160, "{version}: {longest}");
    }
}

/// What waits behind the disk does not come back after its end.
#[test]
fn a_permission_that_is_withdrawn_before_it_was_given_is_never_given() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.store_latency = seconds(20);
        world.tap("TAG");
        world.tap("TAG");
        world.run(seconds(100));
        let permitted =
            world.outputs.iter().any(|(_, output)| matches!(output, Output::PermitEnergy { permitted: true, .. }));
        assert!(!permitted, "{version}");
        let now = world.now;
        assert_eq!(world.station().state(now).outbox, 0, "{version}: the transaction is told all the same");
        assert!(world.transaction_messages().len() >= 2, "{version}");
    }
}
