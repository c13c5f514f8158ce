//! Flows of a session, with a station that is scripted frame by frame.

use std::time::Duration;

use ocpp_core::csms::flows::{Authentication, Flow, FlowEnd, PasswordUsed, Progress};
use ocpp_core::csms::{Answer, CallOutcome, Command, Event, Input, Question, Session, Snapshot};
use serde_json::{Value, json};

use crate::csms_support::*;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

impl Csms {
    pub(crate) fn flow(&mut self, id: u64, flow: Flow) {
        self.command(id, Command::Flow(Box::new(flow)));
    }

    /// The station answers the call that it received; the call's action and payload.
    pub(crate) fn answer(&mut self, answer: Value) -> (String, Value) {
        let (id, action, payload) = self.received_call();
        self.frame(json!([3, id, answer]).to_string());
        (action, payload)
    }

    /// The same with a status.
    pub(crate) fn answer_status(&mut self, status: &str) -> (String, Value) {
        self.answer(json!({"status": status}))
    }

    /// How the only flow ended that did.
    pub(crate) fn end(&mut self, id: u64) -> FlowEnd {
        match self.outcome(id) {
            CallOutcome::Flow(end) => *end,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn assert_running(&mut self) {
        let events = self.events();
        assert!(!events.iter().any(|event| matches!(event, Event::CallFinished { .. })), "{events:?}");
    }

    /// What was told of how flows go.
    pub(crate) fn progress(&mut self) -> Vec<Progress> {
        self.take_events(|event| match event {
            Event::FlowProgress { progress, .. } => Some(progress.clone()),
            _ => None,
        })
    }

    /// The station loses its connection and comes again, as whom it is.
    pub(crate) fn reconnect(&mut self, authentication: Authentication) {
        self.input(Input::Disconnected);
        self.input(Input::Authenticated(authentication));
        self.connect();
    }

    /// The application answers the only question; the question.
    pub(crate) fn decide(&mut self, answer: Answer) -> Question {
        let (question, about) = self.question();
        self.input(Input::Answer { question, answer });
        about
    }

    /// The node dies and another takes over: the snapshot goes through its text.
    pub(crate) fn restart(&mut self) {
        let text = serde_json::to_string(&self.session.snapshot()).unwrap();
        let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
        assert_eq!(snapshot, self.session.snapshot());
        let session = Session::restore(accepting(), [8; 32], self.now, snapshot);
        let mut csms = Csms::of(session, self.now, self.version);
        csms.obliging = self.obliging;
        // What it has to say at once.
        csms.input(Input::Timeout);
        *self = csms;
    }
}

pub(crate) fn by_password(used: PasswordUsed) -> Authentication {
    let mut authentication = Authentication::new(1);
    authentication.password = Some(used);
    authentication
}
