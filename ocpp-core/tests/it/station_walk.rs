//! Anything may happen to a station, in any order: what its transactions must be like afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use ocpp_core::station::{Event, Fault, FaultCode, Input, LocalStop};
use ocpp_core::types::Version;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::VERSIONS;
use crate::scripted::{Reply, Script};

#[derive(Debug, Clone)]
enum Step {
    Plug,
    Unplug,
    Tap(&'static str),
    Ready(bool),
    Charge(u32),
    Stop(LocalStop),
    Fault(FaultCode),
    ClearFault,
    LockFails,
    Bay(bool),
    Wait(u64),
    Cut,
    Reconnect,
    Drop,
    PowerCut(u64),
    RemoteStart,
    RemoteStop,
    Reset(&'static str),
    Availability(bool),
    Unlock,
    /// The next message about a transaction is answered so.
    Next(Reply),
    /// The next token is judged so.
    Verdict(&'static str),
    SlowDisk(bool),
    /// EVSE 1, or any, is reserved for somebody, for a while.
    Reserve(bool, &'static str),
    CancelReservation,
    ClockAligned,
}

fn any_step() -> impl Strategy<Value = Step> {
    let stops = vec![LocalStop::Local, LocalStop::EmergencyStop, LocalStop::StoppedByEv, LocalStop::PowerQuality];
    let faults = vec![FaultCode::GroundFailure, FaultCode::WeakSignal, FaultCode::PowerMeterFailure];
    let replies = vec![Reply::Error("InternalError"), Reply::Silence, Reply::Result(json!({"status": 1}))];
    prop_oneof![
        6 => Just(Step::Plug),
        4 => Just(Step::Unplug),
        8 => prop::sample::select(vec!["A", "B"]).prop_map(Step::Tap),
        3 => any::<bool>().prop_map(Step::Ready),
        3 => (1..5000_u32).prop_map(Step::Charge),
        1 => prop::sample::select(stops).prop_map(Step::Stop),
        1 => prop::sample::select(faults).prop_map(Step::Fault),
        2 => Just(Step::ClearFault),
        1 => Just(Step::LockFails),
        1 => any::<bool>().prop_map(Step::Bay),
        3 => (1..300_u64).prop_map(Step::Wait),
        2 => Just(Step::Cut),
        3 => Just(Step::Reconnect),
        2 => Just(Step::Drop),
        1 => (1..600_u64).prop_map(Step::PowerCut),
        3 => Just(Step::RemoteStart),
        2 => Just(Step::RemoteStop),
        1 => prop::sample::select(vec!["Immediate", "OnIdle"]).prop_map(Step::Reset),
        1 => any::<bool>().prop_map(Step::Availability),
        1 => Just(Step::Unlock),
        2 => prop::sample::select(replies).prop_map(Step::Next),
        1 => prop::sample::select(vec!["Blocked", "Invalid"]).prop_map(Step::Verdict),
        1 => any::<bool>().prop_map(Step::SlowDisk),
        2 => (any::<bool>(), prop::sample::select(vec!["A", "C"])).prop_map(|(any, token)| Step::Reserve(any, token)),
        1 => Just(Step::CancelReservation),
        1 => Just(Step::ClockAligned),
    ]
}

/// Settings that change the course of transactions.
fn any_settings() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let points = vec![
        ("PowerPathClosed", "EVConnected,Authorized"),
        ("EVConnected", "EVConnected"),
        ("Authorized", "Authorized"),
        ("EVConnected,Authorized", "PowerPathClosed"),
        ("EnergyTransfer", "EnergyTransfer,EVConnected,Authorized"),
        ("ParkingBayOccupancy,EVConnected", "ParkingBayOccupancy,EVConnected"),
    ];
    let switch = || prop::sample::select(vec!["true", "false"]);
    let resumption = prop::sample::select(vec!["0", "300"]);
    (prop::sample::select(points), switch(), switch(), switch(), switch(), switch(), switch(), resumption).prop_map(
        |((start, stop), invalid, disconnect, unlock, remote, cache, at_once, resumption)| {
            vec![
                ("TxCtrlr.TxStartPoint", start),
                ("TxCtrlr.TxStopPoint", stop),
                ("StopTransactionOnInvalidId", invalid),
                ("StopTransactionOnEVSideDisconnect", disconnect),
                ("UnlockConnectorOnEVSideDisconnect", unlock),
                ("AuthorizeRemoteTxRequests", remote),
                ("AuthorizationCacheEnabled", cache),
                ("LocalPreAuthorize", at_once),
                ("AllowOfflineTxForUnknownId", "true"),
                ("TxCtrlr.TxResumptionTimeout", resumption),
                ("TransactionMessageRetryInterval", "5"),
                ("ClockAlignedDataInterval", "45"),
                ("AlignedDataCtrlr.TxEndedInterval", "50"),
                ("StopTxnAlignedData", "Energy.Active.Import.Register"),
                ("SampledDataCtrlr.TxEndedInterval", "35"),
                ("StopTransactionMaxMeterValues", "12"),
            ]
        },
    )
}

struct Walk {
    world: Script,
    plugged: bool,
    ready: bool,
    bay: bool,
    /// The register in Wh.
    register: u32,
}

impl Walk {
    fn new(version: Version, settings: &[(&str, &str)]) -> Self {
        let mut world = Script::booted(version);
        for (name, value) in settings {
            world.set(name, value);
        }
        world.settle();
        Self { world, plugged: false, ready: false, bay: false, register: 1000 }
    }

    fn step(&mut self, step: Step) {
        let version = self.world.version;
        let starts = self.world.restarts;
        let world = &mut self.world;
        match step {
            Step::Plug if !self.plugged => {
                self.plugged = true;
                world.plug();
            }
            Step::Unplug if self.plugged => {
                self.plugged = false;
                self.ready = false;
                world.unplug();
            }
            Step::Plug | Step::Unplug => {}
            Step::Tap(token) => world.tap(token),
            Step::Ready(ready) => {
                if self.plugged {
                    self.ready = ready;
                    world.vehicle(ready);
                }
            }
            Step::Charge(energy) => {
                if world.energy_permitted() && self.plugged && self.ready {
                    self.register += energy;
                }
                world.meter(&self.register.to_string());
                world.settle();
            }
            Step::Stop(reason) => world.handle(Input::StopPressed { evse: 1, reason }),
            Step::Fault(code) => world.handle(Input::Fault { evse: Some(1), connector: None, fault: Fault::new(code) }),
            Step::ClearFault => world.handle(Input::FaultCleared { evse: Some(1), connector: None }),
            Step::LockFails if self.plugged => world.handle(Input::LockFailed { evse: 1, connector: 1 }),
            Step::LockFails => {}
            Step::Bay(occupied) => {
                self.bay = occupied;
                world.handle(Input::ParkingBay { evse: 1, occupied });
            }
            Step::Wait(seconds) => world.run(Duration::from_secs(seconds)),
            Step::Cut => world.cut(),
            Step::Reconnect => {
                world.network.up = true;
                world.handle(Input::Network { up: true });
            }
            Step::Drop => world.drop_connection(),
            Step::PowerCut(seconds) => {
                world.power_cut(Duration::from_secs(seconds));
                world.restarts += 1;
            }
            Step::RemoteStart => {
                let (action, payload) = match version {
                    Version::V1_6 => ("RemoteStartTransaction", json!({"idTag": "R", "connectorId": 1})),
                    _ => {
                        let token = json!({"idToken": "R", "type": "ISO14443"});
                        ("RequestStartTransaction", json!({"idToken": token, "remoteStartId": 3, "evseId": 1}))
                    }
                };
                world.peer.call(action, payload);
            }
            Step::RemoteStop => {
                let now = world.now;
                let state = world.station().state(now);
                if let Some(transaction) = &state.evses[0].transaction {
                    let (action, payload) = match version {
                        Version::V1_6 => {
                            ("RemoteStopTransaction", json!({"transactionId": transaction.csms_id.unwrap_or(0)}))
                        }
                        _ => ("RequestStopTransaction", json!({"transactionId": transaction.id})),
                    };
                    world.peer.call(action, payload);
                }
            }
            Step::Reset(kind) => {
                let kind = if version == Version::V1_6 { "Soft" } else { kind };
                world.peer.call("Reset", json!({"type": kind}));
            }
            Step::Availability(operative) => {
                let word = if operative { "Operative" } else { "Inoperative" };
                let payload = match version {
                    Version::V1_6 => json!({"connectorId": 1, "type": word}),
                    _ => json!({"operationalStatus": word, "evse": {"id": 1}}),
                };
                world.peer.call("ChangeAvailability", payload);
            }
            Step::Unlock => {
                let payload = match version {
                    Version::V1_6 => json!({"connectorId": 1}),
                    _ => json!({"evseId": 1, "connectorId": 1}),
                };
                world.peer.call("UnlockConnector", payload);
            }
            Step::Next(reply) => {
                for action in ["StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"] {
                    world.peer.once(action, reply.clone());
                }
            }
            Step::Verdict(word) => {
                let member = if version == Version::V1_6 { "idTagInfo" } else { "idTokenInfo" };
                world.peer.once("Authorize", Reply::Result(json!({ member: {"status": word} })));
            }
            Step::Reserve(any, token) => {
                let expires = (world.now.utc + Duration::from_secs(100)).to_string();
                let payload = match version {
                    Version::V1_6 => json!({"connectorId": if any { 0 } else { 1 }, "expiryDate": expires,
                        "idTag": token, "reservationId": 5}),
                    _ => {
                        let token = json!({"idToken": token, "type": "ISO14443"});
                        let mut payload = json!({"id": 5, "expiryDateTime": expires, "idToken": token});
                        if !any {
                            payload["evseId"] = json!(1);
                        }
                        payload
                    }
                };
                world.peer.call("ReserveNow", payload);
            }
            Step::CancelReservation => world.peer.call("CancelReservation", json!({"reservationId": 5})),
            Step::ClockAligned => world.handle(Input::ClockAligned),
            Step::SlowDisk(slow) => world.store_latency = Duration::from_millis(if slow { 1500 } else { 5 }),
        }
        world.settle();
        if self.world.restarts != starts {
            self.report_hardware();
        }
        self.check_always();
    }

    /// After a start the hardware says how it is.
    fn report_hardware(&mut self) {
        if self.bay {
            self.world.handle(Input::ParkingBay { evse: 1, occupied: true });
        }
        if self.plugged {
            self.world.handle(Input::PluggedIn { evse: 1, connector: 1 });
            self.world.vehicle(self.ready);
        }
        let register = self.register.to_string();
        self.world.meter(&register);
        self.world.settle();
    }

    /// What holds at every moment.
    fn check_always(&mut self) {
        let now = self.world.now;
        let state = self.world.station().state(now);
        let evse = &state.evses[0];
        if evse.energy_permitted {
            assert!(evse.authorized && evse.plugged.is_some(), "energy without authorisation or vehicle: {evse:?}");
        }
        // C01.FR.01: the hardware is never told more than the state says.
        let hardware = self.world.energy_permitted();
        assert!(!hardware || evse.energy_permitted, "the hardware may still give energy: {evse:?}");
    }

    /// Everybody leaves, everything works again.
    fn finish(&mut self) {
        for step in [Step::ClearFault, Step::SlowDisk(false), Step::Reconnect] {
            self.step(step);
        }
        self.world.handle(Input::StopPressed { evse: 1, reason: LocalStop::EmergencyStop });
        self.step(Step::Unplug);
        self.step(Step::Bay(false));
        self.step(Step::Wait(2000));
        self.step(Step::Wait(1));
        // A clock-aligned moment may just have come: what it brings takes a while to arrive, and to be gone from the disk.
        let now = self.world.now;
        let on_disk = self.world.storage.keys().any(|key| key.starts_with("outbox/"));
        if on_disk || self.world.station().state(now).outbox > 0 {
            self.step(Step::Wait(2));
        }
    }
}

fn number(payload: &Value) -> u64 {
    payload["seqNo"].as_u64().unwrap()
}

/// Every transaction that the CSMS heard of begins once and ends once.
fn check_transactions(version: Version, walk: &mut Walk) {
    let world = &mut walk.world;
    let lost: Vec<(String, u32)> = world
        .events()
        .filter_map(|event| match event {
            Event::MessageLost { transaction, seq_no, .. } => Some((transaction.clone(), *seq_no)),
            _ => None,
        })
        .collect();
    let started: Vec<String> = world
        .events()
        .filter_map(|event| match event {
            Event::TransactionStarted { transaction, .. } => Some(transaction.clone()),
            _ => None,
        })
        .collect();
    let ended = world.events().filter(|event| matches!(event, Event::TransactionEnded { .. })).count();
    assert!(ended >= started.len().saturating_sub(usize::try_from(world.restarts).unwrap()), "{version}");
    let now = world.now;
    let state = world.station().state(now);
    assert!(state.evses[0].transaction.is_none(), "{version}");
    assert!(!state.evses[0].energy_permitted, "{version}");
    assert_eq!(state.outbox, 0, "{version}");
    let left: Vec<_> = world
        .storage
        .keys()
        .filter(|key| {
            let lasting = ["setting/", "security-event/", "availability/", "authorization-cache/", "boot"];
            !lasting.iter().any(|lasting| key.starts_with(lasting))
        })
        .collect();
    assert!(left.is_empty(), "{version}: {left:?}");
    if version == Version::V1_6 {
        // A start that was given up has no number, and neither has its stop.
        let stops: Vec<_> = world.peer.payloads("StopTransaction").into_iter().cloned().collect();
        let mut by_id: BTreeMap<i64, Value> = BTreeMap::new();
        for stop in &stops {
            let id = stop["transactionId"].as_i64().unwrap();
            let known = by_id.entry(id).or_insert_with(|| stop.clone());
            assert!(id == -1 || known == stop, "a second, different stop of {id}");
            assert!(stop["meterStop"].as_i64().unwrap() >= 1000);
        }
        if lost.is_empty() {
            let mut starts: Vec<_> =
                world.peer.payloads("StartTransaction").iter().map(|start| start.to_string()).collect();
            starts.sort();
            starts.dedup();
            assert_eq!(starts.len(), by_id.len(), "{starts:?} {by_id:?}");
            assert!(!by_id.contains_key(&-1));
        }
        return;
    }
    let mut by_transaction: BTreeMap<String, BTreeMap<u64, Value>> = BTreeMap::new();
    for event in world.peer.payloads("TransactionEvent") {
        let id = event["transactionInfo"]["transactionId"].as_str().unwrap().to_owned();
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove("offline");
        let known =
            by_transaction.entry(id).or_default().entry(number(&event)).or_insert_with(|| event.clone()).clone();
        assert_eq!(known, event, "{version}: one number, two messages");
    }
    for (id, events) in &by_transaction {
        let of = |stage: &str| events.values().filter(|event| event["eventType"] == stage).count();
        assert_eq!((of("Started"), of("Ended")), (1, 1), "{version} {id}: {events:#?}");
        let last = *events.keys().last().unwrap();
        assert_eq!(events[&0]["eventType"], "Started", "{version} {id}");
        assert_eq!(events[&last]["eventType"], "Ended", "{version} {id}");
        assert_eq!(events.len() as u64, last + 1, "{version} {id}: a message is missing");
        let mut registers: Vec<(String, u64)> = events
            .values()
            .filter_map(|event| event["meterValue"].as_array())
            .flatten()
            .flat_map(|value| {
                let samples = value["sampledValue"].as_array().unwrap().iter();
                let told = samples.filter(|sample| sample["context"] != "Transaction.Begin");
                told.map(|sample| (value["timestamp"].to_string(), sample["value"].as_u64().unwrap()))
            })
            .collect();
        // The last message tells the whole course once more.
        registers.sort();
        let registers: Vec<u64> = registers.into_iter().map(|(_, register)| register).collect();
        assert!(registers.is_sorted(), "J02.FR.16 {version} {id}: {registers:?}");
    }
    assert!(lost.iter().all(|(id, _)| by_transaction.contains_key(id)), "{version}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_transaction_begins_once_and_ends_once(
        version in prop::sample::select(VERSIONS.to_vec()),
        settings in any_settings(),
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let mut walk = Walk::new(version, &settings);
        for step in steps {
            walk.step(step);
        }
        walk.finish();
        check_transactions(version, &mut walk);
    }
}
