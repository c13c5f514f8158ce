//! What holds whatever a station sends, and whatever an application does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ocpp_core::csms::{Answer, Authorization, Conformance, Event, Input, Output, SessionConfig, StoreToken};
use ocpp_core::types::{Decimal, Version};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::csms_support::*;

/// How the application treats what it is to store.
#[derive(Debug, Clone, Copy)]
enum Storage {
    AtOnce,
    Fails,
    TooLate,
    FailsTooLate,
    /// The node dies after storing, and another goes on with what was stored.
    NodeDies,
    /// The connection is lost after storing, before the answer.
    ConnectionLost,
}

fn storage() -> impl Strategy<Value = Storage> {
    prop_oneof![
        4 => Just(Storage::AtOnce),
        1 => Just(Storage::Fails),
        1 => Just(Storage::TooLate),
        1 => Just(Storage::FailsTooLate),
        1 => Just(Storage::NodeDies),
        1 => Just(Storage::ConnectionLost),
    ]
}

/// A station that repeats a call until it is answered with a result, and an application that often fails; what it stored.
struct World {
    csms: Csms,
    storage: Vec<Storage>,
    stored: Vec<Event>,
}

impl World {
    fn new(version: Version, storage: Vec<Storage>) -> Self {
        Self { csms: Csms::new(version), storage, stored: Vec::new() }
    }

    /// Delivers a call, as often as it takes. Panics unless each attempt gets at most one answer.
    fn deliver(&mut self, action: &str, payload: &Value) -> Value {
        for _ in 0..100 {
            let id = self.csms.call(action, payload.clone());
            if self.csms.has_question() {
                self.csms.judge(Authorization::accepted());
            }
            if self.csms.has_record() {
                self.store();
            }
            let reply = self.csms.try_reply(&id);
            assert_eq!(self.csms.try_reply(&id), None, "answered twice");
            match reply {
                Some(Reply::Result(payload)) => return payload,
                Some(Reply::Error { code, .. }) => assert_eq!(code, "InternalError"),
                None => {
                    self.csms.input(Input::Disconnected);
                    self.csms.connect();
                }
            }
        }
        panic!("{action} is never answered")
    }

    fn store(&mut self) {
        let (token, events) = self.csms.record();
        match self.storage.pop().unwrap_or(Storage::AtOnce) {
            Storage::AtOnce => self.stored(token, events),
            Storage::Fails => self.csms.input(Input::NotStored(token)),
            Storage::TooLate => {
                self.csms.pass(Duration::from_secs(25));
                self.stored(token, events);
            }
            Storage::FailsTooLate => {
                self.csms.pass(Duration::from_secs(25));
                self.csms.input(Input::NotStored(token));
            }
            Storage::NodeDies => {
                self.stored.extend(events);
                let stored = serde_json::to_string(&self.csms.session.snapshot()).unwrap();
                let snapshot = serde_json::from_str(&stored).unwrap();
                let session = ocpp_core::csms::Session::restore(accepting(), [8; 32], self.csms.now, snapshot);
                self.csms.session = session;
                self.csms.connect();
            }
            Storage::ConnectionLost => {
                self.csms.input(Input::Disconnected);
                self.stored(token, events);
                self.csms.connect();
            }
        }
    }

    fn stored(&mut self, token: StoreToken, events: Vec<Event>) {
        self.stored.extend(events);
        self.csms.input(Input::Stored(token));
    }

    /// How often each transaction was told to have started and ended, and the energy that its end and start tell.
    fn bills(&self) -> BTreeMap<String, Bill> {
        let mut bills = BTreeMap::<String, Bill>::new();
        for event in &self.stored {
            match event {
                Event::TransactionStarted(event) => {
                    let bill = bills.entry(event.transaction.to_string()).or_default();
                    bill.starts += 1;
                    bill.meter_start = event.meter_wh;
                }
                Event::TransactionEnded(event) => {
                    let bill = bills.entry(event.transaction.to_string()).or_default();
                    bill.ends += 1;
                    bill.meter_stop = event.meter_wh;
                }
                _ => {}
            }
        }
        bills
    }
}

#[derive(Debug, Default, PartialEq)]
struct Bill {
    starts: u32,
    ends: u32,
    meter_start: Option<Decimal>,
    meter_stop: Option<Decimal>,
}

/// Messages of one to four transactions, any of them missing, repeated, in any order: (transaction, sequence number).
fn deliveries() -> impl Strategy<Value = Vec<(usize, i64)>> {
    prop::collection::vec((0_usize..4, 0_i64..5), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn each_transaction_of_2_x_is_told_once_in_any_order(
        version in prop::sample::select(&V2[..]),
        deliveries in deliveries(),
        storage in prop::collection::vec(storage(), 0..20),
    ) {
        let mut world = World::new(version, storage);
        let (mut started, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for (transaction, sequence) in deliveries {
            let id = format!("tx-{transaction}");
            let (kind, seen) = match sequence {
                0 => ("Started", &mut started),
                4 => ("Ended", &mut ended),
                _ => ("Updated", &mut BTreeSet::new()),
            };
            seen.insert(id.clone());
            let second = i64::try_from(transaction).unwrap() * 1000 + sequence * 10;
            let mut payload = event(kind, &id, sequence, second, 100 + sequence * 7);
            payload["evse"] = json!({"id": transaction + 1});
            if sequence == 0 {
                payload = with_token(payload, "TAG");
            }
            world.deliver("TransactionEvent", &payload);
        }
        for (id, bill) in world.bills() {
            let energy = |told: bool, meter: i64| told.then(|| Decimal::from(meter));
            let expected = Bill {
                starts: u32::from(started.contains(&id)),
                ends: u32::from(ended.contains(&id)),
                meter_start: energy(started.contains(&id), 100),
                meter_stop: energy(ended.contains(&id), 128),
            };
            prop_assert_eq!(bill, expected);
        }
    }

    #[test]
    fn each_transaction_of_1_6_is_told_once_in_any_order_after_its_start(
        deliveries in prop::collection::vec((0_i64..4, 0_usize..3), 1..60),
        storage in prop::collection::vec(storage(), 0..20),
    ) {
        let mut world = World::new(Version::V1_6, storage);
        let mut ids = BTreeMap::new();
        let mut expected = BTreeMap::<String, Bill>::new();
        for (transaction, part) in deliveries {
            let second = transaction * 1000;
            let (connector, energy) = (transaction % 2 + 1, transaction * 777);
            match (part, ids.get(&transaction).copied()) {
                (0, known) => {
                    let reply = world.deliver("StartTransaction", &start(connector, "TAG", 500, second));
                    let id = reply["transactionId"].as_i64().unwrap();
                    prop_assert!(known.is_none_or(|known| known == id), "one transaction, one id");
                    ids.insert(transaction, id);
                    let bill = expected.entry(id.to_string()).or_default();
                    (bill.starts, bill.meter_start) = (1, Some(Decimal::from(500)));
                }
                (1, Some(id)) => {
                    let payload = json!({"connectorId": connector, "transactionId": id, "meterValue": [
                        {"timestamp": at(second + 10), "sampledValue": [{"value": "600"}]},
                    ]});
                    world.deliver("MeterValues", &payload);
                }
                (_, Some(id)) => {
                    world.deliver("StopTransaction", &stop(id, 500 + energy, second + 20));
                    let bill = expected.entry(id.to_string()).or_default();
                    (bill.ends, bill.meter_stop) = (1, Some(Decimal::from(500 + energy)));
                }
                // A station has no name for what it has not started.
                (_, None) => {}
            }
        }
        let different: BTreeSet<i64> = ids.values().copied().collect();
        prop_assert_eq!(different.len(), ids.len(), "another transaction, another id");
        prop_assert_eq!(world.bills(), expected);
    }

    #[test]
    fn every_call_is_answered_once_whatever_is_in_it(
        version in prop::sample::select(&Version::ALL[..]),
        strict in any::<bool>(),
        calls in prop::collection::vec((action(), payload(), any::<bool>()), 1..40),
    ) {
        let mut config = accepting();
        config.conformance = if strict { Conformance::Strict } else { Conformance::Lenient };
        let mut csms = Csms::with(version, config);
        for (action, payload, answers) in calls {
            let id = csms.call(&action, payload);
            if csms.has_question() && answers {
                csms.judge(Authorization::accepted());
            }
            // Whoever is not judged or stored in time is answered nevertheless.
            csms.pass(Duration::from_secs(60));
            csms.forget_questions();
            while csms.has_record() {
                csms.store();
            }
            prop_assert!(csms.try_reply(&id).is_some(), "{} is not answered", action);
            prop_assert!(csms.try_reply(&id).is_none(), "{} is answered twice", action);
        }
    }

    #[test]
    fn nothing_that_is_received_makes_a_session_panic(
        version in prop::sample::select(&Version::ALL[..]),
        inputs in prop::collection::vec(input(), 0..60),
    ) {
        let mut csms = Csms::with(version, SessionConfig::default());
        for input in inputs {
            csms.session.handle(csms.now, input);
            while let Some(output) = csms.session.poll_output() {
                if let Output::Transmit(text) = output {
                    prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
                }
            }
            csms.now = csms.now + Duration::from_secs(3);
            csms.session.handle(csms.now, Input::Timeout);
        }
    }
}

const ACTIONS: [&str; 13] = [
    "Authorize",
    "BootNotification",
    "DataTransfer",
    "Heartbeat",
    "MeterValues",
    "NotifyEvent",
    "NotifyReport",
    "SecurityEventNotification",
    "StartTransaction",
    "StatusNotification",
    "StopTransaction",
    "TransactionEvent",
    "NotifyPeriodicEventStream",
];

fn action() -> impl Strategy<Value = String> {
    prop_oneof![9 => prop::sample::select(&ACTIONS[..]).prop_map(String::from), 1 => "[A-Za-z]{0,12}"]
}

/// Payloads that are right, nearly right, or anything.
fn payload() -> impl Strategy<Value = Value> {
    let right = prop::sample::select(vec![
        boot(Version::V1_6),
        boot(Version::V2_1),
        status(Version::V1_6),
        status(Version::V2_1),
        authorize(Version::V1_6, "TAG"),
        authorize(Version::V2_1, "TAG"),
        start(1, "TAG", 5, 0),
        stop(-1, 5, 0),
        stop(i64::MAX, i64::MIN, 0),
        event("Started", "a", 0, 0, 0),
        with_token(event("Updated", "a", i64::MAX, 5, 5), "TAG"),
        event("Ended", "a", i64::MIN, 9, 9),
        json!({"vendorId": "v", "data": {"a": [null]}}),
        json!({"type": "x", "timestamp": at(0)}),
        json!({"connectorId": 1, "transactionId": -1, "meterValue": [{"timestamp": at(0), "sampledValue": [{"value": "1e400"}]}]}),
    ]);
    let members: Vec<&str> =
        vec!["connectorId", "timestamp", "transactionInfo", "seqNo", "idTag", "meterValue", "evse"];
    let mutated = (right.clone(), prop::sample::select(members), value()).prop_map(|(mut payload, member, value)| {
        payload[member] = value;
        payload
    });
    let anything = prop::collection::btree_map("[a-zA-Z]{0,8}", value(), 0..4).prop_map(|members| json!(members));
    prop_oneof![3 => right, 3 => mutated, 1 => anything]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

fn input() -> impl Strategy<Value = Input> {
    let number = 0_u64..5;
    let call = (0_u8..5, action(), payload())
        .prop_map(|(id, action, payload)| Input::Frame(json!([2, id.to_string(), action, payload]).to_string()));
    let frame = (0_u8..8, value(), value(), value())
        .prop_map(|(kind, a, b, c)| Input::Frame(json!([kind, a, b, c]).to_string()));
    let answer = number.clone().prop_map(|question| Input::Answer {
        question: ocpp_core::csms::QuestionId(question),
        answer: Answer::Authorization(Authorization::accepted()),
    });
    prop_oneof![
        6 => call,
        2 => frame,
        1 => "\\PC{0,60}".prop_map(Input::Frame),
        2 => answer,
        2 => number.clone().prop_map(|token| Input::Stored(StoreToken(token))),
        1 => number.clone().prop_map(|token| Input::NotStored(StoreToken(token))),
        1 => prop::sample::select(&Version::ALL[..]).prop_map(|version| Input::Connected { version }),
        1 => Just(Input::Disconnected),
        1 => Just(Input::Registration(ocpp_core::csms::Registration::accepted(HEARTBEAT))),
        1 => (number, action(), "\\PC{0,20}").prop_map(|(id, action, payload)| Input::Command {
            id: ocpp_core::csms::CommandId(id),
            command: ocpp_core::csms::Command::Raw { action, payload, validate: false },
        }),
    ]
}
