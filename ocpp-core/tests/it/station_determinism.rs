//! The same inputs and the same seed give the same outputs; and nothing that a peer sends does harm.

use std::time::Duration;

use ocpp_core::station::{Output, Station};
use ocpp_core::types::{Version, v1_6, v2_0_1, v2_1};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{STARTED, VERSIONS, config};
use crate::scripted::Script;

/// A day in the life of a station, with an outage and a jittery network.
fn day(version: Version) -> Script {
    let mut world = Script::booted(version);
    world.network.jitter = Duration::from_millis(80);
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
    world.run(Duration::from_secs(200));
    world.cut();
    world.run(Duration::from_secs(100));
    world.meter("1500");
    world.network.up = true;
    world.run(Duration::from_secs(100));
    world.tap("TAG");
    world.unplug();
    world
}

/// A log of inputs replays a field bug exactly.
#[test]
fn a_log_of_inputs_replays_the_same_outputs_byte_for_byte() {
    for version in VERSIONS {
        let world = day(version);
        let start = ocpp_core::time::Now::new(Default::default(), STARTED.parse().unwrap());
        let replay = |seed: u8| {
            let mut station = Station::new(config(version), [seed; 32], start);
            let mut outputs: Vec<Output> = std::iter::from_fn(|| station.poll_output()).collect();
            for (now, input) in &world.inputs {
                station.handle(*now, input.clone());
                outputs.extend(std::iter::from_fn(|| station.poll_output()));
            }
            outputs
        };
        let original: Vec<_> = world.outputs.iter().map(|(_, output)| output.clone()).collect();
        assert!(replay(1) == original, "{version}");
        assert_eq!(format!("{:?}", replay(1)), format!("{original:?}"), "{version}");
        assert!(replay(2) != original, "{version}: the seed counts");
    }
}

#[test]
fn two_runs_of_one_world_are_the_same() {
    for version in VERSIONS {
        assert_eq!(day(version).sent, day(version).sent, "{version}");
    }
}

/// A superfluous timeout changes nothing.
#[test]
fn a_timeout_that_is_not_due_is_harmless() {
    for version in VERSIONS {
        let mut world = day(version);
        let outputs = world.outputs.len();
        for _ in 0..10 {
            world.handle(ocpp_core::station::Input::Timeout);
        }
        assert_eq!(world.outputs.len(), outputs, "{version}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        prop::sample::select(vec!["Inoperative", "Hard", "Immediate", "OnIdle", "TAG", "1"]).prop_map(Value::from),
    ];
    let members = prop::sample::select(vec![
        "connectorId",
        "type",
        "transactionId",
        "idTag",
        "evseId",
        "idToken",
        "key",
        "value",
        "evse",
        "id",
        "requestedMessage",
        "remoteStartId",
        "operationalStatus",
        "status",
        "vendorId",
        "customData",
    ]);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((members.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn any_frame() -> impl Strategy<Value = String> {
    let actions: Vec<&str> = [v1_6::CsmsRequest::ACTIONS, v2_0_1::CsmsRequest::ACTIONS, v2_1::CsmsRequest::ACTIONS]
        .concat()
        .into_iter()
        .chain(v2_1::StationRequest::ACTIONS.iter().copied())
        .collect();
    let action = prop_oneof![prop::sample::select(actions).prop_map(str::to_owned), ".{0,20}"];
    let call =
        (".{0,40}", action, any_json()).prop_map(|(id, action, payload)| json!([2, id, action, payload]).to_string());
    prop_oneof![
        4 => call,
        1 => ".{0,200}",
        1 => any_json().prop_map(|value| value.to_string()),
        1 => (0..8_i64, ".{0,40}", any_json()).prop_map(|(kind, id, payload)| json!([kind, id, payload]).to_string()),
        1 => (any_json(), any_json(), any_json(), any_json(), any_json())
            .prop_map(|(a, b, c, d, e)| json!([a, b, c, d, e]).to_string()),
        1 => (1..100_usize).prop_map(|depth| "[".repeat(depth * 1000)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_peer_sends_the_transaction_ends_whole(
        version in prop::sample::select(VERSIONS.to_vec()),
        frames in prop::collection::vec(any_frame(), 1..12),
    ) {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        for frame in frames {
            world.peer.send(frame);
            world.settle();
        }
        world.meter("2000");
        world.unplug();
        world.run(Duration::from_secs(600));
        let (starts, stops) = match version {
            Version::V1_6 => (world.peer.payloads("StartTransaction").len(), world.peer.payloads("StopTransaction").len()),
            _ => {
                let of = |stage: &str| {
                    world.peer.payloads("TransactionEvent").iter().filter(|event| event["eventType"] == stage).count()
                };
                (of("Started"), of("Ended"))
            }
        };
        prop_assert!(starts >= 1);
        prop_assert_eq!(starts, stops);
    }
}

/// The cases that have broken other stations.
#[test]
fn frames_that_are_no_frames_are_answered_or_dropped() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        let deep = format!(r#"[2,"1","Reset",{}1{}]"#, r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        for frame in [
            "",
            "null",
            "[]",
            "[2]",
            "{}",
            "[2,\"1\"]",
            "[2,\"1\",\"Reset\",[]]",
            "[2,1,\"Reset\",{}]",
            "[3,\"?\",{}]",
            "[2,\"1\",\"Reset\",{\"type\":\"\u{0}\"}]",
            "[2,\"1\",\"Reset\",{\"type\":1e400}]",
            "[2,\"1\",\"Reset\",NaN]",
            "[2,\"\\ud800\",\"Reset\",{}]",
            &deep,
            &"x".repeat(2 << 20),
        ] {
            world.peer.send(frame);
            world.settle();
        }
        assert!(world.energy_permitted(), "{version}");
        assert_eq!(world.restarts, 0, "{version}");
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}");
        let now = world.now;
        assert_eq!(world.station().state(now).outbox, 0, "{version}");
    }
}
