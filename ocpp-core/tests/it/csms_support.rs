//! A session of a CSMS in virtual time, with a station that is scripted frame by frame and an application that does what the test
//! says.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use ocpp_core::csms::{
    Answer, Authorization, CallOutcome, Command, CommandId, Event, Input, Output, Question, QuestionId, Registration,
    Session, SessionConfig, StoreToken,
};
use ocpp_core::time::{Instant, Now};
use ocpp_core::types::Version;
use serde_json::{Value, json};

pub(crate) const HEARTBEAT: Duration = Duration::from_secs(300);

/// The moment at which every test begins.
pub(crate) const BEGIN: &str = "2026-11-20T10:00:00Z";

pub(crate) fn accepting() -> SessionConfig {
    let mut config = SessionConfig::default();
    config.registration = Registration::accepted(HEARTBEAT);
    config
}

/// What the station was answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Result(Value),
    Error { code: String, description: String },
}

impl Reply {
    pub(crate) fn result(self) -> Value {
        match self {
            Self::Result(payload) => payload,
            Self::Error { .. } => panic!("{self:?}"),
        }
    }

    pub(crate) fn code(self) -> String {
        match self {
            Self::Error { code, .. } => code,
            Self::Result(_) => panic!("{self:?}"),
        }
    }
}

pub(crate) struct Csms {
    pub(crate) session: Session,
    pub(crate) now: Now,
    pub(crate) version: Version,
    /// Whether the application accepts every token and stores everything at once.
    pub(crate) obliging: bool,
    calls: u64,
    sent: VecDeque<Value>,
    events: VecDeque<Event>,
    records: VecDeque<(StoreToken, Vec<Event>)>,
    questions: VecDeque<(QuestionId, Question)>,
}

impl Csms {
    /// A session with an accepted station, connected.
    pub(crate) fn new(version: Version) -> Self {
        Self::with(version, accepting())
    }

    /// A session with a connected station.
    pub(crate) fn with(version: Version, config: SessionConfig) -> Self {
        let now = Now::new(Instant::ORIGIN, BEGIN.parse::<Timestamp>().unwrap());
        let mut csms = Self::of(Session::new(config, [7; 32], now), now, version);
        csms.connect();
        csms
    }

    /// Any session.
    pub(crate) fn of(session: Session, now: Now, version: Version) -> Self {
        Self {
            session,
            now,
            version,
            obliging: false,
            calls: 0,
            sent: VecDeque::new(),
            events: VecDeque::new(),
            records: VecDeque::new(),
            questions: VecDeque::new(),
        }
    }

    pub(crate) fn obliging(mut self) -> Self {
        self.obliging = true;
        self
    }

    pub(crate) fn connect(&mut self) {
        self.input(Input::Connected { version: self.version });
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.session.handle(self.now, input);
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(text) => self.sent.push_back(serde_json::from_str(&text).unwrap()),
                Output::Event(event) => self.events.push_back(event),
                Output::Record { token, events } => {
                    assert!(!events.is_empty());
                    if self.obliging {
                        self.events.extend(events);
                        self.session.handle(self.now, Input::Stored(token));
                    } else {
                        self.records.push_back((token, events));
                    }
                }
                Output::Ask { question, about } => {
                    if self.obliging {
                        let answer = Answer::Authorization(Authorization::accepted());
                        self.session.handle(self.now, Input::Answer { question, answer });
                    } else {
                        self.questions.push_back((question, about));
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Lets time pass, and everything happen that falls due.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.session.poll_timeout().filter(|deadline| deadline.at <= end.instant) {
            let step = deadline.at.saturating_since(self.now.instant);
            self.now = self.now + step;
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    pub(crate) fn frame(&mut self, text: impl Into<String>) {
        self.input(Input::Frame(text.into()));
    }

    /// The station calls; the message id.
    pub(crate) fn call(&mut self, action: &str, payload: Value) -> String {
        self.calls += 1;
        let id = format!("call-{}", self.calls);
        self.frame(json!([2, id, action, payload]).to_string());
        id
    }

    /// The answer to a call, if there is one already.
    pub(crate) fn try_reply(&mut self, id: &str) -> Option<Reply> {
        let place = self.sent.iter().position(|frame| frame[1] == id && frame[0] != 2)?;
        let frame = self.sent.remove(place).unwrap();
        Some(match frame[0].as_i64() {
            Some(3) => Reply::Result(frame[2].clone()),
            Some(4) => {
                Reply::Error { code: frame[2].as_str().unwrap().into(), description: frame[3].as_str().unwrap().into() }
            }
            _ => panic!("{frame}"),
        })
    }

    pub(crate) fn reply(&mut self, id: &str) -> Reply {
        self.try_reply(id).unwrap_or_else(|| panic!("{id} is not answered"))
    }

    /// The station calls and is answered at once.
    pub(crate) fn exchange(&mut self, action: &str, payload: Value) -> Reply {
        let id = self.call(action, payload);
        self.reply(&id)
    }

    /// The call that the station receives: message id, action, payload.
    pub(crate) fn received_call(&mut self) -> (String, String, Value) {
        let frame = self.sent.pop_front().expect("the station receives a call");
        assert_eq!(frame[0], 2, "{frame}");
        (frame[1].as_str().unwrap().into(), frame[2].as_str().unwrap().into(), frame[3].clone())
    }

    pub(crate) fn assert_nothing_sent(&self) {
        assert!(self.sent.is_empty(), "{:?}", self.sent);
    }

    pub(crate) fn drain_sent(&mut self) -> Vec<Value> {
        self.sent.drain(..).collect()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    /// The events that are of interest; the others stay.
    pub(crate) fn take_events<T>(&mut self, of_interest: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        let (mut taken, mut rest) = (Vec::new(), VecDeque::new());
        for event in self.events.drain(..) {
            match of_interest(&event) {
                Some(interesting) => taken.push(interesting),
                None => rest.push_back(event),
            }
        }
        self.events = rest;
        taken
    }

    /// The only thing that the application is to store.
    pub(crate) fn record(&mut self) -> (StoreToken, Vec<Event>) {
        assert_eq!(self.records.len(), 1, "{:?}", self.records);
        self.records.pop_front().unwrap()
    }

    pub(crate) fn has_record(&self) -> bool {
        !self.records.is_empty()
    }

    pub(crate) fn has_question(&self) -> bool {
        !self.questions.is_empty()
    }

    pub(crate) fn forget_questions(&mut self) {
        self.questions.clear();
    }

    pub(crate) fn assert_no_record(&self) {
        assert!(self.records.is_empty(), "{:?}", self.records);
    }

    /// The application stores what it is to store; the facts.
    pub(crate) fn store(&mut self) -> Vec<Event> {
        let (token, events) = self.record();
        self.input(Input::Stored(token));
        events
    }

    /// The only question that the application is asked.
    pub(crate) fn question(&mut self) -> (QuestionId, Question) {
        assert_eq!(self.questions.len(), 1, "{:?}", self.questions);
        self.questions.pop_front().unwrap()
    }

    pub(crate) fn assert_no_question(&self) {
        assert!(self.questions.is_empty(), "{:?}", self.questions);
    }

    /// The application judges the token that it is asked about; the question.
    pub(crate) fn judge(&mut self, authorization: Authorization) -> Question {
        let (question, about) = self.question();
        self.input(Input::Answer { question, answer: Answer::Authorization(authorization) });
        about
    }

    pub(crate) fn command(&mut self, id: u64, command: Command) {
        self.input(Input::Command { id: CommandId(id), command });
    }

    /// How the only command ended that did since the last time.
    pub(crate) fn outcome(&mut self, id: u64) -> CallOutcome {
        let finished = self.events.iter().position(|event| matches!(event, Event::CallFinished { .. }));
        let event = self.events.remove(finished.expect("a command ended")).unwrap();
        let Event::CallFinished { command, outcome } = event else { panic!("{event:?}") };
        assert_eq!(command, CommandId(id));
        outcome
    }
}

/// The moment this many seconds after the beginning, as stations write it.
pub(crate) fn at(second: i64) -> String {
    (BEGIN.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(second)).to_string()
}

pub(crate) fn boot(version: Version) -> Value {
    match version {
        Version::V1_6 => json!({
            "chargePointVendor": "Vendor", "chargePointModel": "Model", "chargePointSerialNumber": "S1",
            "firmwareVersion": "1.0",
        }),
        _ => json!({
            "reason": "PowerUp",
            "chargingStation": {
                "vendorName": "Vendor", "model": "Model", "serialNumber": "S1", "firmwareVersion": "1.0",
            },
        }),
    }
}

/// A connector becomes available: any call that is no boot.
pub(crate) fn status(version: Version) -> Value {
    match version {
        Version::V1_6 => json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
        _ => json!({"timestamp": at(0), "connectorStatus": "Available", "evseId": 1, "connectorId": 1}),
    }
}

pub(crate) fn authorize(version: Version, token: &str) -> Value {
    match version {
        Version::V1_6 => json!({"idTag": token}),
        _ => json!({"idToken": {"idToken": token, "type": "ISO14443"}}),
    }
}

/// The verdict in an answer about a token.
pub(crate) fn verdict(version: Version, reply: &Value) -> &str {
    let info = if version == Version::V1_6 { "idTagInfo" } else { "idTokenInfo" };
    reply[info]["status"].as_str().unwrap_or_else(|| panic!("no verdict in {reply}"))
}

/// StartTransaction of 1.6.
pub(crate) fn start(connector: i64, token: &str, meter: i64, second: i64) -> Value {
    json!({"connectorId": connector, "idTag": token, "meterStart": meter, "timestamp": at(second)})
}

/// StopTransaction of 1.6.
pub(crate) fn stop(transaction: i64, meter: i64, second: i64) -> Value {
    json!({"transactionId": transaction, "meterStop": meter, "timestamp": at(second)})
}

/// TransactionEvent of 2.x, with the meter read.
pub(crate) fn event(kind: &str, transaction: &str, sequence: i64, second: i64, meter: i64) -> Value {
    let trigger = match kind {
        "Started" => "CablePluggedIn",
        "Ended" => "EVDeparted",
        _ => "MeterValuePeriodic",
    };
    json!({
        "eventType": kind, "timestamp": at(second), "triggerReason": trigger, "seqNo": sequence,
        "transactionInfo": {"transactionId": transaction},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": at(second), "sampledValue": [{"value": meter}]}],
    })
}

/// The same with a token.
pub(crate) fn with_token(mut event: Value, token: &str) -> Value {
    event["idToken"] = json!({"idToken": token, "type": "ISO14443"});
    event
}

pub(crate) const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];
