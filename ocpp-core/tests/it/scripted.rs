//! A CSMS that answers by script, and accepts nothing that breaks the schema.

use std::collections::{BTreeMap, VecDeque};

use ocpp_core::time::Now;
use ocpp_core::types::{Conformance, Version, v1_6, v2_0_1, v2_1};
use serde_json::{Value, json};

use crate::harness::{Peer, World, config};
use ocpp_core::station::{Connect, ConnectionFailure, StationConfig};

/// What becomes of a call.
#[derive(Debug, Clone)]
pub enum Reply {
    Result(Value),
    Error(&'static str),
    Silence,
}

/// A call of the station as the CSMS heard it.
#[derive(Debug, Clone)]
pub struct Heard {
    pub at: Now,
    pub action: String,
    pub payload: Value,
}

/// What the station said to a call of the CSMS.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Result(Value),
    Error(String),
}

/// Says who gets a connection.
pub type Doorkeeper = Box<dyn FnMut(&Connect) -> Result<(), ConnectionFailure>>;

pub struct Scripted {
    version: Version,
    outbox: VecDeque<String>,
    waiting: VecDeque<(String, String, Value)>,
    outstanding: Option<(String, String)>,
    next_call: u32,
    once: BTreeMap<String, VecDeque<Reply>>,
    always: BTreeMap<String, Reply>,
    /// Ids that 1.6 transactions were given, by what makes a StartTransaction the same one.
    starts: Vec<Value>,
    /// The status of each connector that was told last on this connection, since the last boot.
    statuses: BTreeMap<i64, String>,
    pub heard: Vec<Heard>,
    /// Security events, which come between all the others.
    pub security_events: Vec<Value>,
    pub said: Vec<(String, Said)>,
    pub connections: u32,
    /// Whom it lets in.
    pub admits: Doorkeeper,
}

impl Scripted {
    pub fn new() -> Self {
        Self {
            version: Version::V2_1,
            outbox: VecDeque::new(),
            waiting: VecDeque::new(),
            outstanding: None,
            next_call: 0,
            once: BTreeMap::new(),
            always: BTreeMap::new(),
            starts: Vec::new(),
            statuses: BTreeMap::new(),
            heard: Vec::new(),
            security_events: Vec::new(),
            said: Vec::new(),
            connections: 0,
            admits: Box::new(|_| Ok(())),
        }
    }

    /// The next call of this action is answered so, after those that are scripted already.
    pub fn once(&mut self, action: &str, reply: Reply) {
        self.once.entry(action.into()).or_default().push_back(reply);
    }

    /// Every call of this action is answered so.
    pub fn always(&mut self, action: &str, reply: Reply) {
        self.always.insert(action.into(), reply);
    }

    /// Calls the station, one call at a time.
    pub fn call(&mut self, action: &str, payload: Value) {
        self.next_call += 1;
        self.waiting.push_back((format!("csms-{}", self.next_call), action.into(), payload));
    }

    /// Sends anything.
    pub fn send(&mut self, text: impl Into<String>) {
        self.outbox.push_back(text.into());
    }

    pub fn actions(&self) -> Vec<&str> {
        self.heard.iter().map(|heard| heard.action.as_str()).collect()
    }

    pub fn payloads(&self, action: &str) -> Vec<&Value> {
        self.heard.iter().filter(|heard| heard.action == action).map(|heard| &heard.payload).collect()
    }

    /// Forgets what was heard, to look at what comes.
    pub fn forget(&mut self) {
        self.heard.clear();
        self.said.clear();
    }

    /// The answer to the last call.
    pub fn answer(&self) -> &Said {
        &self.said.last().expect("the station answered").1
    }

    pub fn result(&self) -> &Value {
        match self.answer() {
            Said::Result(value) => value,
            Said::Error(code) => panic!("the station refused: {code}"),
        }
    }

    /// Panics where a status can't follow the one before it, in any test there is.
    fn check_status(&mut self, action: &str, payload: &Value) {
        if action == "BootNotification" {
            self.statuses.clear();
        }
        if action != "StatusNotification" || payload["errorCode"] == "LocalListConflict" {
            return;
        }
        let (connector, status) = (payload["connectorId"].as_i64().unwrap(), payload["status"].as_str().unwrap());
        // Connector 0 has three of them, and goes from any to any.
        assert!(connector != 0 || ["Available", "Unavailable", "Faulted"].contains(&status), "{payload}");
        if let Some(before) = self.statuses.insert(connector, status.to_owned()).filter(|_| connector != 0) {
            let allowed = TRANSITIONS.iter().any(|(from, to)| *from == before && to.split(' ').any(|to| to == status));
            assert!(allowed || before == status, "1.6 edition 2, 4.9: connector {connector} from {before} to {status}");
        }
    }

    fn default_reply(&mut self, now: Now, action: &str, payload: &Value) -> Value {
        let time = format!("{:.3}", now.utc);
        match (self.version, action) {
            (_, "BootNotification") => json!({"status": "Accepted", "currentTime": time, "interval": 300}),
            (_, "Heartbeat") => json!({"currentTime": time}),
            (Version::V1_6, "Authorize") => json!({"idTagInfo": {"status": "Accepted"}}),
            (_, "Authorize") => json!({"idTokenInfo": {"status": "Accepted"}}),
            (Version::V1_6, "StartTransaction") => {
                json!({"idTagInfo": {"status": "Accepted"}, "transactionId": self.number_of(payload)})
            }
            (_, "TransactionEvent") if payload.get("idToken").is_some() => {
                json!({"idTokenInfo": {"status": "Accepted"}})
            }
            _ => json!({}),
        }
    }

    /// The same StartTransaction has the same number (1.6 J errata: a station repeats what it got no answer to).
    pub fn number_of(&mut self, start: &Value) -> usize {
        match self.starts.iter().position(|known| known == start) {
            Some(place) => place + 1,
            None => {
                self.starts.push(start.clone());
                self.starts.len()
            }
        }
    }

    fn reply(&mut self, now: Now, action: &str, payload: &Value) -> Reply {
        if let Some(reply) = self.once.get_mut(action).and_then(VecDeque::pop_front) {
            return reply;
        }
        match self.always.get(action) {
            Some(reply) => reply.clone(),
            None => Reply::Result(self.default_reply(now, action, payload)),
        }
    }
}

/// What may follow each status (1.6 edition 2, 4.9, with B6 of 1.6 errata 3.20).
pub const TRANSITIONS: [(&str, &str); 9] = [
    ("Available", "Preparing Charging SuspendedEV SuspendedEVSE Reserved Unavailable Faulted"),
    ("Preparing", "Available Charging SuspendedEV SuspendedEVSE Finishing Faulted"),
    ("Charging", "Available SuspendedEV SuspendedEVSE Finishing Unavailable Faulted"),
    ("SuspendedEV", "Available Charging SuspendedEVSE Finishing Unavailable Faulted"),
    ("SuspendedEVSE", "Available Charging SuspendedEV Finishing Unavailable Faulted"),
    ("Finishing", "Available Preparing Unavailable Faulted"),
    ("Reserved", "Available Preparing Unavailable Faulted"),
    ("Unavailable", "Available Preparing Charging SuspendedEV SuspendedEVSE Faulted"),
    ("Faulted", "Available Preparing Charging SuspendedEV SuspendedEVSE Finishing Reserved Unavailable"),
];

/// Panics where a call of a station breaks the schema.
pub fn check_request(version: Version, action: &str, payload: &str) {
    let result = match version {
        Version::V1_6 => v1_6::StationRequest::decode(action, payload, Conformance::Strict).map(drop),
        Version::V2_0_1 => v2_0_1::StationRequest::decode(action, payload, Conformance::Strict).map(drop),
        Version::V2_1 => v2_1::StationRequest::decode(action, payload, Conformance::Strict).map(drop),
    };
    result.unwrap_or_else(|error| panic!("{version} {action} {payload}: {error}"));
}

/// Panics where an answer of a station breaks the schema.
pub fn check_response(version: Version, action: &str, payload: &str) {
    let result = match version {
        Version::V1_6 => v1_6::StationResponse::decode(action, payload, Conformance::Strict).map(drop),
        Version::V2_0_1 => v2_0_1::StationResponse::decode(action, payload, Conformance::Strict).map(drop),
        Version::V2_1 => v2_1::StationResponse::decode(action, payload, Conformance::Strict).map(drop),
    };
    result.unwrap_or_else(|error| panic!("{version} {action} {payload}: {error}"));
}

impl Peer for Scripted {
    fn connected(&mut self, _now: Now, version: Version) {
        self.version = version;
        self.connections += 1;
        self.statuses.clear();
        self.outstanding = None;
    }

    fn admits(&mut self, connect: &Connect) -> Result<(), ConnectionFailure> {
        (self.admits)(connect)
    }

    fn disconnected(&mut self, _now: Now) {
        self.outbox.clear();
        self.waiting.clear();
        self.outstanding = None;
    }

    fn frame(&mut self, now: Now, text: &str) {
        let frame: Vec<Value> = serde_json::from_str(text).unwrap();
        let id = frame[1].as_str().unwrap().to_owned();
        match frame[0].as_i64().unwrap() {
            2 => {
                let action = frame[2].as_str().unwrap().to_owned();
                check_request(self.version, &action, &frame[3].to_string());
                if self.version == Version::V1_6 {
                    self.check_status(&action, &frame[3]);
                }
                if action == "SecurityEventNotification" {
                    self.security_events.push(frame[3].clone());
                } else {
                    self.heard.push(Heard { at: now, action: action.clone(), payload: frame[3].clone() });
                }
                match self.reply(now, &action, &frame[3]) {
                    Reply::Result(payload) => self.outbox.push_back(json!([3, id, payload]).to_string()),
                    Reply::Error(code) => self.outbox.push_back(json!([4, id, code, "", {}]).to_string()),
                    Reply::Silence => {}
                }
            }
            kind => {
                // An answer to something that was sent raw is not matched.
                let Some((_, action)) = self.outstanding.take_if(|(known, _)| *known == id) else { return };
                let said = if kind == 3 {
                    check_response(self.version, &action, &frame[2].to_string());
                    Said::Result(frame[2].clone())
                } else {
                    Said::Error(frame[2].as_str().unwrap().to_owned())
                };
                self.said.push((action, said));
            }
        }
    }

    fn poll(&mut self, _now: Now) -> Option<String> {
        if let Some(text) = self.outbox.pop_front() {
            return Some(text);
        }
        if self.outstanding.is_some() {
            return None;
        }
        let (id, action, payload) = self.waiting.pop_front()?;
        let text = json!([2, id, action, payload]).to_string();
        self.outstanding = Some((id, action));
        Some(text)
    }
}

/// A station with a scripted CSMS.
pub type Script = World<Scripted>;

impl Script {
    /// A station that has just started.
    pub fn start(version: Version) -> Self {
        Self::with(config(version))
    }

    pub fn with(config: StationConfig) -> Self {
        Self::new(config, Scripted::new())
    }

    /// A station that the CSMS has accepted, with a meter at 1,000 Wh, and nothing heard since.
    pub fn booted(version: Version) -> Self {
        Self::booted_with(config(version))
    }

    pub fn booted_with(config: StationConfig) -> Self {
        let mut world = Self::with(config);
        world.settle();
        world.meter("1000");
        world.peer.forget();
        world
    }

    /// Calls the station and lets it answer.
    pub fn ask(&mut self, action: &str, payload: Value) -> Said {
        let before = self.peer.said.len();
        self.peer.call(action, payload);
        self.settle();
        assert_eq!(self.peer.said.len(), before + 1, "{action} was answered once");
        self.peer.answer().clone()
    }

    /// The status that the CSMS heard last for connector 1.
    pub fn heard_statuses(&self) -> Vec<String> {
        let of_connector = |payload: &&&Value| payload["connectorId"] == 1;
        self.peer
            .payloads("StatusNotification")
            .iter()
            .filter(of_connector)
            .map(|payload| {
                let status = payload.get("status").or(payload.get("connectorStatus"));
                status.unwrap().as_str().unwrap().to_owned()
            })
            .collect()
    }

    /// The messages about transactions: in 2.x `eventType/triggerReason`, in 1.6 the action.
    pub fn transaction_messages(&self) -> Vec<String> {
        let heard = self.peer.heard.iter();
        heard
            .filter_map(|heard| match heard.action.as_str() {
                "TransactionEvent" => Some(format!(
                    "{}/{}",
                    heard.payload["eventType"].as_str().unwrap(),
                    heard.payload["triggerReason"].as_str().unwrap()
                )),
                "StartTransaction" | "StopTransaction" | "MeterValues" => Some(heard.action.clone()),
                _ => None,
            })
            .collect()
    }
}
