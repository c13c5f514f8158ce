//! A session back to back with a real station, in virtual time.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use ocpp_core::csms::{self, CallOutcome, CallResult, Command, Event, Registration, TransactionEvent};
use ocpp_core::station::{self, LocalStop, Product, Reading, Station, StationConfig, Vehicle};
use ocpp_core::types::v2_1::GetVariableDataType;
use ocpp_core::types::{Decimal, Version};
use serde_json::Value;

use crate::csms_support::*;

const MINUTE: Duration = Duration::from_secs(60);

/// A station with one EVSE whose vehicle takes 1 Wh a second while it may, and the session of its CSMS.
struct Pair {
    station: Station,
    csms: Csms,
    network: bool,
    connected: bool,
    /// Whether the first answer to each message of a transaction is lost, with the connection.
    losing: bool,
    /// The messages whose answer was lost.
    lost: BTreeSet<String>,
    /// The call that the station waits for.
    outstanding: String,
    permitted: bool,
    register: i64,
    to_csms: VecDeque<String>,
    events: Vec<Event>,
}

impl Pair {
    fn new(version: Version) -> Self {
        Self::with(version, accepting())
    }

    fn with(version: Version, config: csms::SessionConfig) -> Self {
        let mut csms = Csms::with(version, config).obliging();
        csms.input(csms::Input::Disconnected);
        let mut station = StationConfig::new("CS001", "ws://localhost/ocpp", Product::new("Vendor", "Model"));
        station.versions = vec![version];
        let station = Station::new(station, [3; 32], csms.now);
        let mut pair = Self {
            station,
            csms,
            network: true,
            connected: false,
            losing: false,
            lost: BTreeSet::new(),
            outstanding: String::new(),
            permitted: false,
            register: 1000,
            to_csms: VecDeque::new(),
            events: Vec::new(),
        };
        pair.does(station::Input::Network { up: true });
        pair.pass(Duration::from_secs(30));
        pair
    }

    /// Something happens at the station, and what comes of it.
    fn does(&mut self, input: station::Input) {
        self.station.handle(self.csms.now, input);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.station.poll_output() {
                quiet = false;
                self.carry_out(output);
            }
            if let Some(text) = self.to_csms.pop_front() {
                quiet = false;
                if text.starts_with("[2,") {
                    self.outstanding.clone_from(&text);
                }
                self.csms.frame(text);
            }
            for frame in self.csms.drain_sent() {
                quiet = false;
                if self.is_lost(&frame) {
                    self.disconnect();
                } else if self.connected {
                    self.station.handle(self.csms.now, station::Input::Frame(frame.to_string()));
                }
            }
            self.events.extend(self.csms.events());
            if quiet {
                return;
            }
        }
    }

    fn is_lost(&mut self, frame: &Value) -> bool {
        let call: Value = serde_json::from_str(&self.outstanding).unwrap_or_default();
        let transactional = ["StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"];
        let answers = frame[0] == 3 && frame[1] == call[1];
        self.losing
            && answers
            && transactional.iter().any(|action| call[2] == *action)
            && self.lost.insert(call[3].to_string())
    }

    fn carry_out(&mut self, output: station::Output) {
        let now = self.csms.now;
        match output {
            station::Output::Connect(_) if self.network => {
                self.connected = true;
                self.csms.connect();
                self.station.handle(now, station::Input::Connected { version: self.csms.version });
            }
            station::Output::Connect(_) => {
                self.station.handle(
                    now,
                    station::Input::ConnectionFailed {
                        failure: station::ConnectionFailure::Other,
                        reason: "no network".into(),
                    },
                );
            }
            station::Output::Close { .. } => self.disconnect(),
            station::Output::Transmit(text) => self.to_csms.push_back(text),
            station::Output::Store(batch) => self.station.handle(now, station::Input::Stored(batch.id)),
            station::Output::PermitEnergy { permitted, .. } => self.permitted = permitted,
            station::Output::Ask(question) => {
                let answer = station::Answer::Done;
                self.station.handle(now, station::Input::Answer { question: question.id, answer });
            }
            _ => {}
        }
    }

    fn disconnect(&mut self) {
        self.connected = false;
        self.to_csms.clear();
        self.csms.input(csms::Input::Disconnected);
        self.station.handle(self.csms.now, station::Input::Disconnected { reason: "lost".into() });
    }

    /// The network fails: the station can't connect either.
    fn fail(&mut self) {
        self.network = false;
        self.disconnect();
        self.settle();
    }

    /// Lets time pass, second by second.
    fn pass(&mut self, duration: Duration) {
        for _ in 0..duration.as_secs() {
            self.csms.pass(Duration::from_secs(1));
            if self.permitted {
                self.register += 1;
            }
            let reading = Reading::energy(Decimal::from(self.register));
            self.station.handle(self.csms.now, station::Input::Meter { evse: 1, reading });
            if self.station.poll_timeout().is_some_and(|deadline| deadline.at <= self.csms.now.instant) {
                self.station.handle(self.csms.now, station::Input::Timeout);
            }
            self.settle();
        }
    }

    fn plug_in(&mut self) {
        self.does(station::Input::PluggedIn { evse: 1, connector: 1 });
        self.does(station::Input::Vehicle { evse: 1, vehicle: Vehicle::ready() });
    }

    fn tap(&mut self) {
        self.does(station::Input::TokenPresented { evse: Some(1), token: station::Token::rfid("TAG") });
    }

    fn unplug(&mut self) {
        self.does(station::Input::Unplugged { evse: 1, connector: 1 });
    }

    fn command(&mut self, command: Command) -> CallOutcome {
        self.csms.command(1, command);
        self.settle();
        let finished = self.events.iter().rposition(|event| matches!(event, Event::CallFinished { .. }));
        let Event::CallFinished { outcome, .. } = self.events.remove(finished.unwrap()) else { unreachable!() };
        outcome
    }

    fn count(&self, of_kind: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| of_kind(event)).count()
    }

    /// The one transaction that was told of: its start, its end, and all of it. Panics if the two sides differ about anything.
    fn bill(&self) -> (&TransactionEvent, &TransactionEvent, Vec<&TransactionEvent>) {
        let all: Vec<&TransactionEvent> = self
            .events
            .iter()
            .filter_map(|event| match event {
                Event::TransactionStarted(event)
                | Event::TransactionUpdated(event)
                | Event::TransactionEnded(event) => Some(&**event),
                _ => None,
            })
            .collect();
        let names: BTreeSet<_> = all.iter().map(|event| &event.transaction).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(all.iter().all(|event| !event.start_lost));
        assert!(all.last().unwrap().missing.is_empty());
        let find = |of_kind: fn(&Event) -> Option<&TransactionEvent>| {
            let found: Vec<_> = self.events.iter().filter_map(of_kind).collect();
            let [event] = &*found else { panic!("{found:?}") };
            *event
        };
        let start = find(|event| if let Event::TransactionStarted(event) = event { Some(event) } else { None });
        let end = find(|event| if let Event::TransactionEnded(event) = event { Some(event) } else { None });
        (start, end, all)
    }

    /// Nothing was said that the standard doesn't have.
    fn assert_no_complaints(&self) {
        let complaint = |event: &&Event| {
            matches!(event, Event::Finding { .. } | Event::Malformed { .. } | Event::NotAccepted { .. })
        };
        let complaints: Vec<_> = self.events.iter().filter(complaint).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

/// The last register reading that the events tell.
fn last_register(events: &[&TransactionEvent]) -> Option<Decimal> {
    events.iter().filter_map(|event| event.meter_wh).next_back()
}

#[test]
fn a_station_boots_and_tells_the_state_of_its_connectors() {
    for version in Version::ALL {
        let pair = Pair::new(version);
        pair.assert_no_complaints();
        assert_eq!(pair.count(|event| matches!(event, Event::Booted(_))), 1);
        let available = |event: &Event| match event {
            Event::ConnectorStatus(status) => status.place.is_some() && status.status == "Available",
            _ => false,
        };
        assert!(pair.count(available) >= 1, "{:?}", pair.events);
    }
}

/// B01 to B03
#[test]
fn a_pending_station_waits_until_it_is_accepted_and_is_served_then() {
    for version in Version::ALL {
        let mut config = accepting();
        config.registration = Registration::pending(Duration::from_secs(600));
        let mut pair = Pair::with(version, config);
        pair.plug_in();
        pair.pass(MINUTE);
        assert_eq!(pair.count(|event| matches!(event, Event::Booted(_))), 1);
        assert_eq!(pair.count(|event| matches!(event, Event::ConnectorStatus(_))), 0);
        pair.assert_no_complaints();
        pair.csms.input(csms::Input::Registration(Registration::accepted(HEARTBEAT)));
        pair.settle();
        pair.pass(MINUTE);
        assert_eq!(pair.count(|event| matches!(event, Event::Booted(_))), 2, "long before its interval is over");
        assert!(pair.count(|event| matches!(event, Event::ConnectorStatus(_))) > 0);
        pair.assert_no_complaints();
    }
}

#[test]
fn a_transaction_by_token_is_billed_to_the_watt_hour() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        pair.plug_in();
        pair.tap();
        assert!(pair.permitted, "{version}");
        pair.pass(10 * MINUTE);
        pair.tap();
        assert!(!pair.permitted, "{version}");
        pair.pass(MINUTE);
        pair.unplug();
        pair.pass(MINUTE);
        pair.assert_no_complaints();
        let (start, end, all) = pair.bill();
        assert_eq!(start.place.map(|place| place.evse), Some(1));
        assert!(all.iter().any(|event| event.token.as_ref().is_some_and(|token| token.id == "TAG")));
        let first = all.iter().find_map(|event| event.meter_wh).unwrap();
        assert_eq!((first, last_register(&all)), (Decimal::from(1000), Some(Decimal::from(pair.register))));
        assert!(end.stopped_reason.is_some());
    }
}

#[test]
fn a_transaction_is_started_and_stopped_from_afar() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        pair.plug_in();
        let token = csms::Token::with_kind("WEB-1", "Central");
        let outcome = pair.command(Command::RemoteStart {
            evse: Some(1),
            token,
            remote_start_id: 77,
            group: None,
            charging_profile: None,
        });
        let CallOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(answer.result, CallResult::Accepted { .. }), "{version} {answer:?}");
        pair.pass(5 * MINUTE);
        assert!(pair.permitted, "{version}");
        let (transaction, _) = pair.csms.session.open_transactions().next().unwrap();
        let outcome = pair.command(Command::RemoteStop { transaction: transaction.clone() });
        let CallOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(answer.result, CallResult::Accepted { .. }), "{version} {answer:?}");
        pair.pass(MINUTE);
        pair.unplug();
        pair.pass(MINUTE);
        pair.assert_no_complaints();
        let (_, end, all) = pair.bill();
        assert_eq!(end.stopped_reason.as_deref(), Some("Remote"));
        assert!(all.iter().any(|event| event.token.as_ref().is_some_and(|token| token.id == "WEB-1")));
        let remote = all.iter().find_map(|event| event.remote_start_id);
        assert_eq!(remote, (version != Version::V1_6).then_some(77));
    }
}

#[test]
fn an_outage_in_the_middle_of_a_transaction_loses_nothing() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        pair.plug_in();
        pair.tap();
        pair.pass(3 * MINUTE);
        pair.fail();
        pair.pass(5 * MINUTE);
        pair.does(station::Input::StopPressed { evse: 1, reason: LocalStop::Local });
        pair.unplug();
        pair.pass(5 * MINUTE);
        assert_eq!(pair.csms.session.open_transactions().count(), 1, "nobody has heard of the end");
        pair.network = true;
        pair.pass(10 * MINUTE);
        pair.assert_no_complaints();
        let (_, end, all) = pair.bill();
        assert_eq!(end.offline, version != Version::V1_6);
        assert_eq!(last_register(&all), Some(Decimal::from(pair.register)));
        assert_eq!(pair.csms.session.open_transactions().count(), 0);
    }
}

#[test]
fn answers_that_are_lost_make_no_fact_twice() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        pair.plug_in();
        pair.losing = true;
        pair.tap();
        pair.pass(10 * MINUTE);
        pair.does(station::Input::StopPressed { evse: 1, reason: LocalStop::Local });
        pair.unplug();
        pair.pass(60 * MINUTE);
        assert!(pair.lost.len() > 3, "{:?}", pair.lost);
        let (_, _, all) = pair.bill();
        assert_eq!(last_register(&all), Some(Decimal::from(pair.register)), "{version}");
        assert_eq!(pair.csms.session.open_transactions().count(), 0);
    }
}

fn read(name: &str) -> GetVariableDataType {
    let (component, variable) = name.split_once('.').unwrap();
    let data = serde_json::json!({"component": {"name": component}, "variable": {"name": variable}});
    serde_json::from_value(data).unwrap()
}

fn result_of(outcome: CallOutcome) -> CallResult {
    let CallOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    answer.result
}

/// B06, B07
#[test]
fn the_variables_of_a_station_are_reported_and_then_read_together() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut pair = Pair::new(version);
        let result = result_of(pair.command(Command::GetBaseReport { base: "FullInventory".into() }));
        let CallResult::Report(report) = result else { panic!("{result:?}") };
        assert!(report.complete && report.missing.is_empty());
        let known = pair.csms.session.mirrors().device_model().len();
        assert!(known > 20 && known <= report.variables.len(), "{known}");
        let names =
            ["OCPPCommCtrlr.HeartbeatInterval", "AuthCtrlr.AuthorizeRemoteStart", "LocalAuthListCtrlr.ItemsPerMessage"];
        let variables = names.map(read).to_vec();
        let CallResult::Variables(results) = result_of(pair.command(Command::GetVariables { variables })) else {
            panic!()
        };
        let model = pair.csms.session.mirrors().device_model();
        for (name, result) in names.iter().zip(results) {
            let (component, variable) = name.split_once('.').unwrap();
            let value = result.attribute_value.as_ref().map(|value| value.as_str());
            assert!(value.is_some(), "{name} {result:?}");
            assert_eq!(model.value(&csms::VariableKey::new(component, variable)), value);
        }
        pair.assert_no_complaints();
    }
}

/// D01, D02; 1.6 edition 2, 5.10, 5.15
#[test]
fn a_local_list_reaches_a_station_whole() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        let entry = |number: usize| {
            let token = serde_json::json!({"idToken": format!("T{number}"), "type": "ISO14443"});
            serde_json::from_value(serde_json::json!({"idToken": token, "idTokenInfo": {"status": "Accepted"}}))
                .unwrap()
        };
        let entries = (0..120).map(entry).collect();
        let update = "Full".into();
        let result = result_of(pair.command(Command::SendLocalList { version: 3, update, entries, whole: None }));
        let CallResult::LocalListSent { version: sent } = result else { panic!("{version} {result:?}") };
        assert!(sent >= 3);
        let result = result_of(pair.command(Command::GetLocalListVersion));
        assert_eq!(result, CallResult::LocalListVersion(sent), "{version}");
        pair.assert_no_complaints();
    }
}

/// 1.6 edition 2, 5.5, 5.7, 5.16
#[test]
fn a_plan_limits_a_1_6_station_until_it_is_cleared() {
    let mut pair = Pair::new(Version::V1_6);
    let limit = |pair: &mut Pair| {
        let command = Command::GetCompositeSchedule { evse: 1, duration: 60, unit: Some("A".into()) };
        let CallResult::CompositeSchedule(schedule) = result_of(pair.command(command)) else { panic!() };
        schedule.charging_schedule_period[0].limit.unwrap()
    };
    let free = limit(&mut pair);
    let period = serde_json::json!({"startPeriod": 0, "limit": 6});
    let schedule = serde_json::json!({"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]});
    let profile = serde_json::json!({"id": 9, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative", "chargingSchedule": [schedule]});
    let profile = Box::new(serde_json::from_value(profile).unwrap());
    let result = result_of(pair.command(Command::SetChargingProfile { evse: 1, profile }));
    assert!(matches!(result, CallResult::Accepted { .. }), "{result:?}");
    assert_eq!(limit(&mut pair), Decimal::from(6));
    assert_eq!(pair.csms.session.mirrors().charging_profiles().iter().count(), 1);
    let clear = Command::ClearChargingProfile { profile: Some(9), criteria: None };
    assert!(matches!(result_of(pair.command(clear)), CallResult::Accepted { .. }));
    assert_eq!(limit(&mut pair), free);
    assert_eq!(pair.csms.session.mirrors().charging_profiles().iter().count(), 0);
}
