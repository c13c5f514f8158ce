//! A storm: a real station in virtual time, a network that drops, delays, duplicates and cuts, a CSMS whose storage fails and that is
//! killed and restored at any step. After it every transaction is known to the application exactly once, whole, with the
//! energy that was metered.
//!
//! What is asserted is not read from the station's messages but from its hardware: energy that flowed from one permission to
//! its end is one transaction.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::{self, Answer, Authorization, Event, Session, StoreToken, TransactionAnswer, TransactionEvent};
use ocpp_core::station::{self, EvseConfig, Product, Reading, Station, StationConfig, Vehicle};
use ocpp_core::time::{Instant, Now};
use ocpp_core::types::{Decimal, Version};
use proptest::prelude::*;

use crate::csms_support::{BEGIN, accepting};

const SECOND: Duration = Duration::from_secs(1);
/// Long enough for every retry.
const CALM: u64 = 3 * 3600;
const EVSES: usize = 2;

/// What becomes of a frame.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Delivered,
    Dropped,
    Delayed(u8),
    Doubled,
    /// The connection ends before it arrives.
    Cut,
    /// It arrives, and then the connection ends. The CSMS doesn't notice before the station connects again.
    CutBehind,
}

/// What becomes of what the application is to store.
#[derive(Debug, Clone, Copy)]
enum Storage {
    Works,
    Fails,
    /// The node dies before storing.
    DiesBefore,
    /// The node dies after storing, before it says so.
    DiesAfter,
}

/// What happens at the station and around it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Plug(usize),
    Tap(usize),
    Unplug(usize),
    Pass(u16),
    Cut,
    Outage(u16),
    Kill,
}

#[derive(Debug)]
struct Frame {
    at: Instant,
    to_csms: bool,
    text: String,
    cut_behind: bool,
}

#[derive(Debug, Default)]
struct Evse {
    plugged: bool,
    permitted: bool,
    /// Wh; one flows a second while it may.
    register: i64,
    /// Where the register stood when energy was permitted last.
    permitted_at: i64,
    /// What flowed under each permission.
    charged: Vec<i64>,
}

struct Storm {
    version: Version,
    now: Now,
    station: Station,
    session: Session,
    /// What the node stored last.
    snapshot: Option<String>,
    stored: Vec<Event>,
    connected: bool,
    network: bool,
    frames: VecDeque<Frame>,
    fates: VecDeque<Fate>,
    storage: VecDeque<Storage>,
    evses: [Evse; EVSES],
}

impl Storm {
    fn new(version: Version, fates: Vec<Fate>, storage: Vec<Storage>) -> Self {
        let now = Now::new(Instant::ORIGIN, BEGIN.parse::<Timestamp>().unwrap());
        let mut config = StationConfig::new("CS001", "ws://localhost/ocpp", Product::new("Vendor", "Model"));
        config.versions = vec![version];
        config.evses = vec![EvseConfig::default(); EVSES];
        // The station never gives up: what it gives up is lost, whatever a CSMS does.
        config.settings = vec![
            ("OCPPCommCtrlr.MessageAttempts.TransactionEvent".into(), "1000".into()),
            ("OCPPCommCtrlr.MessageAttemptInterval.TransactionEvent".into(), "1".into()),
        ];
        let mut storm = Self {
            version,
            now,
            station: Station::new(config, [3; 32], now),
            session: Session::new(accepting(), [7; 32], now),
            snapshot: None,
            stored: Vec::new(),
            connected: false,
            network: true,
            frames: VecDeque::new(),
            fates: VecDeque::new(),
            storage: VecDeque::new(),
            evses: Default::default(),
        };
        storm.station.handle(now, station::Input::Network { up: true });
        storm.pass(30);
        storm.fates = fates.into();
        storm.storage = storage.into();
        storm
    }

    fn perform(&mut self, step: Step) {
        let number = |evse: usize| u32::try_from(evse + 1).unwrap();
        // Hands take time: two transactions of 1.6 that agree in place, token, meter and second are one.
        self.pass(1);
        match step {
            Step::Plug(evse) if !self.evses[evse].plugged => {
                self.evses[evse].plugged = true;
                self.does(station::Input::PluggedIn { evse: number(evse), connector: 1 });
                self.does(station::Input::Vehicle { evse: number(evse), vehicle: Vehicle::ready() });
            }
            Step::Unplug(evse) if self.evses[evse].plugged => {
                self.evses[evse].plugged = false;
                self.does(station::Input::Unplugged { evse: number(evse), connector: 1 });
            }
            Step::Tap(evse) => {
                let token = station::Token::rfid("TAG");
                self.does(station::Input::TokenPresented { evse: Some(number(evse)), token });
            }
            Step::Pass(seconds) => self.pass(seconds.into()),
            Step::Cut => self.cut(true),
            Step::Outage(seconds) => {
                self.network = false;
                self.cut(true);
                self.pass(seconds.into());
                self.network = true;
            }
            Step::Kill => self.kill(),
            Step::Plug(_) | Step::Unplug(_) => {}
        }
        self.settle();
    }

    /// The storm is over: everybody leaves, and everything gets its time.
    fn calm_down(&mut self) {
        self.fates.clear();
        self.storage.clear();
        for evse in 0..EVSES {
            self.perform(Step::Unplug(evse));
        }
        self.pass(CALM);
    }

    fn does(&mut self, input: station::Input) {
        self.station.handle(self.now, input);
        self.settle();
    }

    /// Lets time pass until each moment at which something falls due.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            self.settle();
            let due = [
                self.station.poll_timeout().map(|deadline| deadline.at),
                self.session.poll_timeout().map(|deadline| deadline.at),
                self.frames.iter().map(|frame| frame.at).min(),
            ];
            let due = due.into_iter().flatten().min().filter(|due| *due < end.instant);
            let Some(due) = due else { break };
            // In whole seconds, as the meter counts.
            let wait = due.saturating_since(self.now.instant);
            self.advance(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
            self.station.handle(self.now, station::Input::Timeout);
            self.session.handle(self.now, csms::Input::Timeout);
        }
        self.advance(end.instant.saturating_since(self.now.instant).as_secs());
        self.settle();
    }

    fn advance(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now = self.now + SECOND;
            for evse in &mut self.evses {
                evse.register += i64::from(evse.permitted);
            }
        }
        for (evse, number) in self.evses.iter().zip(1..) {
            let reading = Reading::energy(Decimal::from(evse.register));
            self.station.handle(self.now, station::Input::Meter { evse: number, reading });
        }
    }

    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.station.poll_output() {
                quiet = false;
                self.carry_out(output);
            }
            quiet &= !self.serve();
            if let Some(at) = self.frames.iter().position(|frame| frame.at <= self.now.instant) {
                quiet = false;
                let frame = self.frames.remove(at).unwrap();
                self.deliver(frame);
            }
            if quiet {
                return;
            }
        }
    }

    fn carry_out(&mut self, output: station::Output) {
        match output {
            station::Output::Connect(_) if self.network => {
                self.connected = true;
                self.frames.clear();
                self.session.handle(self.now, csms::Input::Connected { version: self.version });
                self.station.handle(self.now, station::Input::Connected { version: self.version });
            }
            station::Output::Connect(_) => {
                let reason = "no network".into();
                self.station.handle(
                    self.now,
                    station::Input::ConnectionFailed { reason, failure: station::ConnectionFailure::Other },
                );
            }
            station::Output::Close { .. } => self.cut(true),
            station::Output::Transmit(text) => self.send(true, text),
            station::Output::Store(batch) => self.station.handle(self.now, station::Input::Stored(batch.id)),
            station::Output::PermitEnergy { evse, permitted } => {
                let evse = &mut self.evses[usize::try_from(evse).unwrap() - 1];
                match (evse.permitted, permitted) {
                    (false, true) => evse.permitted_at = evse.register,
                    (true, false) => evse.charged.push(evse.register - evse.permitted_at),
                    _ => {}
                }
                evse.permitted = permitted;
            }
            station::Output::Ask(question) => {
                let answer = station::Answer::Done;
                self.station.handle(self.now, station::Input::Answer { question: question.id, answer });
            }
            station::Output::Event(station::Event::MessageLost { .. }) => panic!("the station has given up"),
            _ => {}
        }
    }

    fn send(&mut self, to_csms: bool, text: String) {
        if !self.connected {
            return;
        }
        let now = self.now.instant;
        let mut arrives = |at: Instant, cut_behind: bool| {
            self.frames.push_back(Frame { at, to_csms, text: text.clone(), cut_behind });
        };
        match self.fates.pop_front().unwrap_or(Fate::Delivered) {
            Fate::Delivered => arrives(now, false),
            Fate::Dropped => {}
            Fate::Delayed(seconds) => arrives(now + Duration::from_secs(seconds.into()), false),
            Fate::Doubled => {
                arrives(now, false);
                arrives(now + SECOND, false);
            }
            Fate::Cut => self.cut(true),
            Fate::CutBehind => arrives(now, true),
        }
    }

    fn deliver(&mut self, frame: Frame) {
        if frame.to_csms {
            self.session.handle(self.now, csms::Input::Frame(frame.text));
        } else {
            self.station.handle(self.now, station::Input::Frame(frame.text));
        }
        if frame.cut_behind {
            self.cut(false);
        }
    }

    fn cut(&mut self, both_notice: bool) {
        if !self.connected {
            return;
        }
        self.connected = false;
        self.frames.clear();
        if both_notice {
            self.session.handle(self.now, csms::Input::Disconnected);
        }
        self.station.handle(self.now, station::Input::Disconnected { reason: "lost".into() });
    }

    /// The node dies, and another one goes on with what was stored.
    fn kill(&mut self) {
        let snapshot = self.snapshot.as_ref().map(|text| serde_json::from_str(text).unwrap());
        self.session = match snapshot {
            Some(snapshot) => Session::restore(accepting(), [8; 32], self.now, snapshot),
            None => Session::new(accepting(), [8; 32], self.now),
        };
        self.cut(false);
    }

    /// Carries out what the session wants. True if there was anything.
    fn serve(&mut self) -> bool {
        let outputs: Vec<_> = std::iter::from_fn(|| self.session.poll_output()).collect();
        let any = !outputs.is_empty();
        for output in outputs {
            match output {
                csms::Output::Transmit(text) => self.send(false, text),
                // Whatever else the node wanted dies with it.
                csms::Output::Record { token, events } if !self.store(token, &events) => break,
                csms::Output::Ask { question, about } => {
                    let answer = match about {
                        csms::Question::Cost { .. } => Answer::Transaction(TransactionAnswer::default()),
                        _ => Answer::Authorization(Authorization::accepted()),
                    };
                    self.session.handle(self.now, csms::Input::Answer { question, answer });
                }
                _ => {}
            }
        }
        any
    }

    /// False if the node dies over it.
    fn store(&mut self, token: StoreToken, events: &[Event]) -> bool {
        let fate = self.storage.pop_front().unwrap_or(Storage::Works);
        if matches!(fate, Storage::Works | Storage::DiesAfter) {
            self.stored.extend(events.iter().cloned());
            self.snapshot = Some(serde_json::to_string(&self.session.snapshot()).unwrap());
        }
        match fate {
            Storage::Works => self.session.handle(self.now, csms::Input::Stored(token)),
            Storage::Fails => self.session.handle(self.now, csms::Input::NotStored(token)),
            Storage::DiesBefore | Storage::DiesAfter => self.kill(),
        }
        matches!(fate, Storage::Works | Storage::Fails)
    }

    /// What the application knows of each transaction. An error where it isn't whole.
    fn bills(&self) -> Result<BTreeMap<String, Bill>, TestCaseError> {
        let mut bills = BTreeMap::<String, Bill>::new();
        for event in &self.stored {
            let (event, start, end) = match event {
                Event::TransactionStarted(event) => (event, true, false),
                Event::TransactionUpdated(event) => (event, false, false),
                Event::TransactionEnded(event) => (event, false, true),
                _ => continue,
            };
            let bill = bills.entry(event.transaction.to_string()).or_default();
            bill.note(event, start, end)?;
        }
        let given_up = self.stored.iter().find(|event| matches!(event, Event::TransactionIncomplete(_)));
        prop_assert!(given_up.is_none(), "given up too early: {given_up:?}");
        for (transaction, bill) in &bills {
            prop_assert!(bill.from.is_some() && bill.to.is_some(), "{transaction} is not whole: {bill:?}");
            prop_assert!(!bill.gaps, "{transaction} has gaps: {bill:?}");
        }
        Ok(bills)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let bills = self.bills()?;
        for (evse, number) in self.evses.iter().zip(1..) {
            let mut here: Vec<_> = bills.values().filter(|bill| bill.evse == Some(number)).collect();
            here.sort_by_key(|bill| bill.from);
            let billed: Vec<i64> = here.iter().map(|bill| bill.energy()).filter(|energy| *energy > 0).collect();
            let charged: Vec<i64> = evse.charged.iter().copied().filter(|energy| *energy > 0).collect();
            prop_assert_eq!(billed, charged, "EVSE {}: {:?}", number, bills);
        }
        prop_assert_eq!(self.session.open_transactions().count(), 0);
        Ok(())
    }
}

/// What tells one fact of a transaction from another: number, time, register, whether it is the end, and how many readings it has.
type Fact = (Option<i64>, Timestamp, Option<Decimal>, bool, usize);

#[derive(Debug, Default)]
struct Bill {
    evse: Option<i64>,
    from: Option<Decimal>,
    to: Option<Decimal>,
    /// As its latest message has it.
    gaps: bool,
    /// What tells one fact from another.
    told: BTreeSet<Fact>,
}

impl Bill {
    fn note(&mut self, event: &TransactionEvent, start: bool, end: bool) -> Result<(), TestCaseError> {
        let (ended, readings) = (event.stopped_reason.is_some(), event.readings.len());
        let news = self.told.insert((event.sequence, event.at, event.meter_wh, ended, readings));
        prop_assert!(news, "told twice: {event:?}");
        if start {
            prop_assert!(self.from.is_none(), "started twice: {event:?}");
            self.from = event.meter_wh;
        }
        if end {
            prop_assert!(self.to.is_none(), "ended twice: {event:?}");
            self.to = event.meter_wh;
        }
        self.evse = self.evse.or(event.place.map(|place| place.evse));
        self.gaps = event.start_lost || !event.missing.is_empty();
        Ok(())
    }

    fn energy(&self) -> i64 {
        let energy = self.to.unwrap_or_default() - self.from.unwrap_or_default();
        energy.try_into().unwrap()
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Delivered),
        2 => Just(Fate::Dropped),
        2 => (1_u8..50).prop_map(Fate::Delayed),
        2 => Just(Fate::Doubled),
        1 => Just(Fate::Cut),
        2 => Just(Fate::CutBehind),
    ]
}

fn storage() -> impl Strategy<Value = Storage> {
    prop_oneof![
        4 => Just(Storage::Works),
        1 => Just(Storage::Fails),
        1 => Just(Storage::DiesBefore),
        1 => Just(Storage::DiesAfter),
    ]
}

/// A visit with a good chance of charging, or anything.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let evse = || 0..EVSES;
    let single = prop_oneof![
        1 => evse().prop_map(Step::Plug),
        2 => evse().prop_map(Step::Tap),
        1 => evse().prop_map(Step::Unplug),
        3 => (1_u16..300).prop_map(Step::Pass),
        1 => Just(Step::Cut),
        1 => (1_u16..400).prop_map(Step::Outage),
        1 => Just(Step::Kill),
    ];
    let single = single.prop_map(|step| vec![step]);
    let visit = (evse(), 1_u16..300, any::<bool>()).prop_map(|(evse, seconds, taps)| {
        let stop = if taps { Step::Tap(evse) } else { Step::Unplug(evse) };
        vec![Step::Plug(evse), Step::Tap(evse), Step::Pass(seconds), stop, Step::Unplug(evse)]
    });
    prop::collection::vec(prop_oneof![2 => single, 1 => visit], 1..24).prop_map(|steps| steps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_transaction_comes_through_a_storm_whole_and_once(
        version in prop::sample::select(&Version::ALL[..]),
        steps in steps(),
        fates in prop::collection::vec(fate(), 0..80),
        storage in prop::collection::vec(storage(), 0..30),
    ) {
        let mut storm = Storm::new(version, fates, storage);
        for step in steps {
            storm.perform(step);
        }
        storm.calm_down();
        storm.check()?;
    }
}

/// A single mishap to any message of a visit: what chance may leave out.
#[test]
fn no_single_mishap_makes_a_fact_twice_or_loses_it() {
    for version in Version::ALL {
        for fate in [Fate::Doubled, Fate::Dropped, Fate::CutBehind] {
            let mut frame = 0;
            loop {
                let mut fates = vec![Fate::Delivered; frame];
                fates.push(fate);
                let mut storm = Storm::new(version, fates, Vec::new());
                for step in [Step::Plug(0), Step::Tap(0), Step::Pass(130), Step::Tap(0), Step::Unplug(0)] {
                    storm.perform(step);
                }
                if !storm.fates.is_empty() {
                    break;
                }
                storm.calm_down();
                storm.check().unwrap_or_else(|error| panic!("{version}, frame {frame} {fate:?}: {error}"));
                frame += 1;
            }
            assert!(frame > 10, "{version}: a visit has more messages");
        }
    }
}

/// The model itself: without a storm there are transactions, and they are billed.
#[test]
fn in_calm_weather_each_visit_is_a_transaction() {
    for version in Version::ALL {
        let mut storm = Storm::new(version, Vec::new(), Vec::new());
        for evse in [0, 1, 0] {
            for step in [Step::Plug(evse), Step::Tap(evse), Step::Pass(200), Step::Tap(evse), Step::Unplug(evse)] {
                storm.perform(step);
            }
        }
        storm.calm_down();
        storm.check().unwrap();
        assert_eq!(storm.evses.each_ref().map(|evse| evse.charged.len()), [2, 1], "{version}");
        assert!(storm.evses.iter().flat_map(|evse| &evse.charged).all(|energy| *energy >= 199), "{version}");
        assert_eq!(storm.bills().unwrap().len(), 3, "{version}");
    }
}
