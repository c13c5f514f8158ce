//! A CSMS that sends and answers anything, in any order, to a station at which somebody charges. It is driven by bytes, so that a
//! property test and a fuzzer can choose them; it panics when something does not hold.

mod payloads;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ocpp_core::station::{
    Answer, Change, Event, EvseConfig, Input, LocalStop, Output, Product, Reading, Record, Station, StationConfig,
    Token, Vehicle, VendorAnswer, VendorStatus,
};
use ocpp_core::time::{Instant, Now};
use ocpp_core::types::{Decimal, Version};
use serde_json::{Value, json};

pub use payloads::Bytes;

/// Most bytes that a station may have on its disk, whatever happens: two full lists, caches, profiles and an outbox fit in.
const DISK: usize = 4 << 20;
/// Most that a station says of itself: its whole state as text.
const STATE: usize = 16 << 20;

/// Lets a CSMS do to a station what the bytes say, and then everything come to its end.
pub fn check(version: Version, data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut world = World::new(version);
    world.begin();
    while !bytes.is_empty() {
        world.step(&mut bytes);
    }
    world.end();
}

struct World {
    version: Version,
    now: Now,
    config: StationConfig,
    station: Station,
    disk: BTreeMap<String, String>,
    starts: u8,
    connected: bool,
    /// The last call of the station that has no answer yet.
    outstanding: Option<(String, String, Value)>,
    next_call: u64,
    register: u32,
    plugged: bool,
    permitted: bool,
    /// What the station did that a fact follows from.
    facts: Vec<Input>,
    /// How often each transaction began and ended, by the station's own word.
    begun: BTreeMap<String, u32>,
    ended: BTreeMap<String, u32>,
    lost: bool,
    /// 1.6's numbers of transactions, by what makes two starts the same one.
    numbers: Vec<Value>,
    stops: BTreeMap<i64, Value>,
    events: BTreeMap<String, BTreeSet<u64>>,
}

impl World {
    fn new(version: Version) -> Self {
        let mut config = StationConfig::new("CP-1", "ws://csms.example/ocpp", Product::new("ACME", "Wallbox"));
        config.versions = vec![version];
        config.evses = vec![EvseConfig::default(), EvseConfig::with_connectors(2)];
        config.vendor_ids = vec!["com.example".into()];
        let now = Now::new(Instant::ORIGIN, "2026-11-20T08:00:00Z".parse().unwrap());
        let station = Station::new(config.clone(), [1; 32], now);
        Self {
            version,
            now,
            config,
            station,
            disk: BTreeMap::new(),
            starts: 1,
            connected: false,
            outstanding: None,
            next_call: 0,
            register: 1_000,
            plugged: false,
            permitted: false,
            facts: Vec::new(),
            begun: BTreeMap::new(),
            ended: BTreeMap::new(),
            lost: false,
            numbers: Vec::new(),
            stops: BTreeMap::new(),
            events: BTreeMap::new(),
        }
    }

    /// Somebody charges.
    fn begin(&mut self) {
        self.drain();
        self.answer_everything();
        self.meter(0);
        self.plugged = true;
        self.tell(Input::PluggedIn { evse: 1, connector: 1 });
        self.tell(Input::TokenPresented { evse: Some(1), token: Token::rfid("TAG") });
        self.answer_everything();
        self.tell(Input::Vehicle { evse: 1, vehicle: Vehicle::ready() });
        self.answer_everything();
        assert_eq!(self.begun.len(), 1, "a transaction runs");
        assert!(self.permitted);
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        // People take their time: two starts of one second with one register would be one start to a CSMS of 1.6.
        self.wait(Duration::from_secs(1));
        match bytes.below(24) {
            0..=8 => self.request(bytes),
            9..=11 => self.answer_well(),
            12 | 13 => self.answer_badly(bytes),
            14 => self.garbage(bytes),
            15 | 16 => self.wait(Duration::from_secs(bytes.below(200))),
            17 => self.meter(u32::try_from(bytes.below(500)).unwrap()),
            18 => self.disconnect(),
            19 => self.tell(Input::TokenPresented { evse: None, token: Token::rfid(payloads::token(bytes)) }),
            20 if self.plugged => {
                self.plugged = false;
                self.tell(Input::Unplugged { evse: 1, connector: 1 });
            }
            20 => {
                self.plugged = true;
                self.tell(Input::PluggedIn { evse: 1, connector: 1 });
            }
            21 => self.wait(Duration::from_secs(40)),
            22 => self.power_cut(),
            _ => self.tell(Input::ClockAligned),
        }
        self.check();
    }

    /// What holds at every moment.
    fn check(&self) {
        let bytes: usize = self.disk.iter().map(|(key, value)| key.len() + value.len()).sum();
        assert!(bytes <= DISK, "{bytes} bytes on the disk");
        let state = self.station.state(self.now);
        assert!(state.outbox <= 2_100, "{} messages wait", state.outbox);
        let evse = &state.evses[0];
        assert!(!evse.energy_permitted || (evse.authorized && evse.plugged.is_some()), "{evse:?}");
        assert!(!self.permitted || evse.energy_permitted, "the hardware still gives energy: {evse:?}");
    }

    /// Everything comes to its end: the CSMS is well again, and everybody leaves.
    fn end(&mut self) {
        assert!(format!("{:?}", self.station).len() <= STATE);
        self.tell(Input::Network { up: true });
        self.tell(Input::StopPressed { evse: 1, reason: LocalStop::EmergencyStop });
        if self.plugged {
            self.tell(Input::Unplugged { evse: 1, connector: 1 });
        }
        // What comes in a rhythm would hide the end of a long wait.
        for (name, value) in [("HeartbeatInterval", "86400"), ("ClockAlignedDataInterval", "0")] {
            self.station.change_setting(self.now, &name.into(), Some(value)).expect("a setting of every version");
            self.drain();
        }
        // Waits that a CSMS has prescribed may be long; what is waited for comes.
        for _ in 0..5_000 {
            self.answer_everything();
            let state = self.station.state(self.now);
            if state.outbox == 0 && state.evses.iter().all(|evse| evse.transaction.is_none()) {
                break;
            }
            let deadline = self.station.poll_timeout().expect("something is waited for");
            self.wait(deadline.at.saturating_since(self.now.instant));
        }
        let state = self.station.state(self.now);
        assert_eq!(state.outbox, 0, "everything is told");
        assert!(state.evses.iter().all(|evse| evse.transaction.is_none() && !evse.energy_permitted), "{state:?}");
        assert!(!self.permitted);
        let once = |count: &u32| *count == 1;
        assert!(self.begun.values().all(once) && self.ended.values().all(once), "{:?} {:?}", self.begun, self.ended);
        if self.lost {
            return;
        }
        match self.version {
            Version::V1_6 => assert!(self.stops.keys().all(|number| *number > 0), "{:?}", self.stops),
            _ => {
                for (transaction, numbers) in &self.events {
                    let all: BTreeSet<u64> = (0..numbers.len() as u64).collect();
                    assert_eq!(*numbers, all, "{transaction}: no message is missing");
                }
            }
        }
    }

    fn tell(&mut self, input: Input) {
        self.station.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            while let Some(output) = self.station.poll_output() {
                self.carry_out(output);
            }
            if self.facts.is_empty() {
                return;
            }
            let fact = self.facts.remove(0);
            self.station.handle(self.now, fact);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect(_) => {
                self.connected = true;
                self.outstanding = None;
                self.facts.push(Input::Connected { version: self.version });
            }
            Output::Close { .. } => {
                self.connected = false;
                self.outstanding = None;
                self.facts.push(Input::Disconnected { reason: "closed".into() });
            }
            Output::Transmit(text) => self.hear(&text),
            Output::Store(batch) => {
                for change in batch.changes {
                    match change {
                        Change::Put(record) => self.disk.insert(record.key, record.value),
                        Change::Delete(key) => self.disk.remove(&key),
                    };
                }
                self.facts.push(Input::Stored(batch.id));
            }
            Output::PermitEnergy { evse: 1, permitted } => self.permitted = permitted,
            Output::Restart { evse: None } => self.power_cut(),
            Output::Ask(question) => {
                let answer = match self.next_call % 3 {
                    0 => Answer::Done,
                    1 => Answer::Failed,
                    _ => Answer::VendorMessage(VendorAnswer::new(VendorStatus::Accepted)),
                };
                self.facts.push(Input::Answer { question: question.id, answer });
            }
            Output::Event(Event::TransactionStarted { transaction, .. }) => {
                *self.begun.entry(transaction).or_default() += 1;
            }
            Output::Event(Event::TransactionEnded { transaction, .. }) => {
                *self.ended.entry(transaction).or_default() += 1;
            }
            Output::Event(Event::MessageLost { .. }) => self.lost = true,
            _ => {}
        }
    }

    fn power_cut(&mut self) {
        self.starts = self.starts.wrapping_add(1);
        self.now = self.now + Duration::from_secs(5);
        self.facts.clear();
        self.connected = false;
        self.outstanding = None;
        self.permitted = false;
        let records = self.disk.iter().map(|(key, value)| Record { key: key.clone(), value: value.clone() });
        let restored = Station::restore(self.config.clone(), [self.starts; 32], self.now, records);
        self.station = restored.expect("what a station has stored it can read");
        if self.plugged {
            self.facts.push(Input::PluggedIn { evse: 1, connector: 1 });
            self.facts.push(Input::Vehicle { evse: 1, vehicle: Vehicle::ready() });
        }
        self.facts.push(Input::Meter { evse: 1, reading: Reading::energy(Decimal::from(self.register)) });
        self.drain();
    }

    fn meter(&mut self, energy: u32) {
        if self.permitted && self.plugged {
            self.register += energy;
        }
        self.tell(Input::Meter { evse: 1, reading: Reading::energy(Decimal::from(self.register)) });
    }

    fn disconnect(&mut self) {
        if self.connected {
            self.connected = false;
            self.outstanding = None;
            self.tell(Input::Disconnected { reason: "lost".into() });
        }
    }

    /// Time passes, and what falls due in it happens.
    fn wait(&mut self, duration: Duration) {
        let end = self.now.instant + duration;
        for _ in 0..500 {
            let Some(deadline) = self.station.poll_timeout().filter(|deadline| deadline.at <= end) else { break };
            self.now = self.now + deadline.at.saturating_since(self.now.instant);
            self.tell(Input::Timeout);
        }
        self.now = self.now + end.saturating_since(self.now.instant);
    }

    /// A frame of the station.
    fn hear(&mut self, text: &str) {
        let frame: Vec<Value> = serde_json::from_str(text).expect("a station sends JSON");
        if frame[0] != 2 {
            return;
        }
        let (id, action) = (frame[1].as_str().unwrap().to_owned(), frame[2].as_str().unwrap().to_owned());
        payloads::check_request(self.version, &action, &frame[3]);
        match action.as_str() {
            "StopTransaction" => {
                let number = frame[3]["transactionId"].as_i64().unwrap();
                let known = self.stops.entry(number).or_insert_with(|| frame[3].clone());
                assert!(number == -1 || *known == frame[3], "two different ends of {number}");
            }
            "TransactionEvent" => {
                let transaction = frame[3]["transactionInfo"]["transactionId"].as_str().unwrap().to_owned();
                self.events.entry(transaction).or_default().insert(frame[3]["seqNo"].as_u64().unwrap());
            }
            _ => {}
        }
        self.outstanding = Some((id, action, frame[3].clone()));
    }

    fn receive(&mut self, text: String) {
        if self.connected {
            self.tell(Input::Frame(text));
        }
    }

    fn request(&mut self, bytes: &mut Bytes<'_>) {
        self.next_call += 1;
        let transaction = self.station.state(self.now).evses[0].transaction.as_ref().map(|known| known.id.clone());
        let (action, payload) = payloads::request(self.version, bytes, transaction.as_deref());
        self.receive(format!("[2,\"csms-{}\",\"{action}\",{payload}]", self.next_call));
    }

    fn answer_everything(&mut self) {
        for _ in 0..3_000 {
            if self.outstanding.is_none() {
                return;
            }
            self.answer_well();
        }
        panic!("the station never comes to rest");
    }

    fn answer_well(&mut self) {
        let Some((id, action, payload)) = self.outstanding.take() else { return };
        let time = format!("{:.3}", self.now.utc);
        let is_1_6 = self.version == Version::V1_6;
        let answer = match action.as_str() {
            "BootNotification" => json!({"status": "Accepted", "currentTime": time, "interval": 300}),
            "Heartbeat" => json!({ "currentTime": time }),
            "Authorize" if is_1_6 => json!({"idTagInfo": {"status": "Accepted"}}),
            "Authorize" => json!({"idTokenInfo": {"status": "Accepted"}}),
            "StartTransaction" => {
                let place = self.numbers.iter().position(|known| *known == payload).unwrap_or_else(|| {
                    self.numbers.push(payload);
                    self.numbers.len() - 1
                });
                json!({"idTagInfo": {"status": "Accepted"}, "transactionId": place + 1})
            }
            "DataTransfer" | "SignCertificate" | "Get15118EVCertificate" => json!({"status": "Accepted"}),
            _ => json!({}),
        };
        self.receive(json!([3, id, answer]).to_string());
    }

    fn answer_badly(&mut self, bytes: &mut Bytes<'_>) {
        let Some((id, action, _)) = self.outstanding.take() else { return };
        match bytes.below(4) {
            0 => self.receive(json!([4, id, "InternalError", "", {}]).to_string()),
            1 => self.receive(json!([3, id, []]).to_string()),
            // It answers what it likes; a number that it gives to a transaction may be any.
            _ if action == "StartTransaction" => self.receive(json!([4, id, "GenericError", "", {}]).to_string()),
            _ => {
                let payload = payloads::response(self.version, &action, bytes);
                self.receive(format!("[3,\"{id}\",{payload}]"));
            }
        }
    }

    fn garbage(&mut self, bytes: &mut Bytes<'_>) {
        let texts = ["", "[", "[2]", "[3,\"x\",{}]", "[2,\"x\",\"Reset\",null]", "[9,1,2]", "null", "[2,\"\",\"\",{}]"];
        let length = texts.len() as u64;
        self.receive(texts[usize::try_from(bytes.below(length)).unwrap()].to_owned());
    }
}
