//! The session itself: it takes inputs apart and hands them to the concern they belong to.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};

use ocpp_types::{Decoded, Version};

use super::calls::Calls;
use super::config::{RegistrationStatus, SessionConfig};
use super::dialect;
use super::event::Event;
use super::findings::Findings;
use super::flows::Flows;
use super::gate::Gate;
use super::identity::{Place, TransactionId};
use super::input::Input;
use super::mirrors::Mirrors;
use super::operations::Operations;
use super::output::{Deadline, DeadlineReason, Output};
use super::snapshot::Snapshot;
use super::transactions::{Inquiries, Ledger, TransactionAnswer};
use super::work::{Desk, Incoming};
use crate::rpc::{CallError, Endpoint, EndpointConfig, IncomingCall, IncomingSend, MessageIds, MessageType, Received};
use crate::time::Now;

/// How much of a text that can't be processed is reported, in bytes.
const MAX_EXCERPT: usize = 4096;

/// One station's session as the CSMS sees it. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Session {
    pub(super) config: SessionConfig,
    pub(super) endpoint: Endpoint,
    pub(super) gate: Gate,
    pub(super) ledger: Ledger,
    pub(super) inquiries: Inquiries,
    pub(super) mirrors: Mirrors,
    pub(super) calls: Calls,
    pub(super) desk: Desk,
    pub(super) operations: Operations,
    /// The profile that the vehicle did not keep to, and that was sent again: its EVSE and id.
    pub(super) renegotiated: Option<(i64, i64)>,
    pub(super) flows: Flows,
    findings: Findings,
    pub(super) outputs: VecDeque<Output>,
}

impl Session {
    /// The session of a station that this CSMS has never seen. Equal seeds and inputs give equal outputs, byte for byte; the seed
    /// is for the ids of messages: give each session of a station another one.
    #[must_use]
    pub fn new(config: SessionConfig, seed: [u8; 32], now: Now) -> Self {
        let _ = now;
        let endpoint_config = EndpointConfig {
            call_timeout: config.call_timeout,
            queue_limit: config.command_queue,
            ..EndpointConfig::default()
        };
        let [a, b, c, d, e, f, g, h, i, j, ..] = seed;
        let message_ids = MessageIds::new([a, b, c, d, e, f, g, h, i, j]);
        Self {
            endpoint: Endpoint::new(endpoint_config, message_ids),
            gate: Gate::new(config.registration),
            ledger: Ledger::new(config.first_transaction_id),
            inquiries: Inquiries::default(),
            mirrors: Mirrors::default(),
            calls: Calls::default(),
            desk: Desk::default(),
            operations: Operations::default(),
            renegotiated: None,
            flows: Flows::default(),
            findings: Findings::default(),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// The session of a station that is known already: as it was when the snapshot was taken, and not connected.
    #[must_use]
    pub fn restore(config: SessionConfig, seed: [u8; 32], now: Now, snapshot: Snapshot) -> Self {
        let mut session = Self::new(config, seed, now);
        let first_id = session.config.first_transaction_id;
        session.ledger = snapshot.ledger;
        session.mirrors = snapshot.mirrors;
        session.ledger.reserve_ids_below(first_id);
        session.restore_flows(now, snapshot.flows);
        session
    }

    /// What must be stored so that [`Session::restore`] can go on from here. Stored together with an
    /// [`Output::Record`], it says that the facts of it are known.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { ledger: self.ledger.clone(), flows: self.save_flows(), mirrors: self.mirrors.clone() }
    }

    /// The same as [`Snapshot::without_mirrors`] of [`Session::snapshot`], without copying the mirrors first.
    #[must_use]
    pub fn snapshot_without_mirrors(&self) -> Snapshot {
        Snapshot { ledger: self.ledger.clone(), flows: self.save_flows(), mirrors: Mirrors::default() }
    }

    /// Takes a fact in. Never fails: a peer's fault becomes an answer to it and an event, a late input changes nothing.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Connected { version } => self.handle_connected(now, version),
            Input::Authenticated(authentication) => self.handle_authenticated(authentication),
            Input::ClientCertificate { common_name } => self.gate.identified(common_name),
            Input::Disconnected => self.handle_disconnected(now),
            Input::Frame(text) => self.handle_frame(now, &text),
            Input::Timeout => self.handle_timeout(now),
            Input::Registration(registration) => {
                self.config.registration = registration;
                if self.gate.decide(registration) {
                    self.trigger_boot();
                }
            }
            Input::Conformance(conformance) => self.config.conformance = conformance,
            Input::Answer { question, answer } => self.handle_answer(now, question, answer),
            Input::Stored(token) => self.handle_stored(now, token, Some(TransactionAnswer::default())),
            Input::StoredAndAnswered { token, answer } => self.handle_stored(now, token, Some(answer)),
            Input::NotStored(token) => self.handle_stored(now, token, None),
            Input::Command { id, command } => self.handle_command(now, id, command),
            Input::Cancel(id) => self.cancel(now, id),
        }
        self.work(now);
        while let Some(text) = self.endpoint.poll_transmit(now.instant) {
            self.outputs.push_back(Output::Transmit(text));
        }
    }

    /// The next effect to carry out. To be called until it returns `None`, after every [`Session::handle`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Timeout`], and why; `None` when there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        let call = self.endpoint.poll_timeout().map(|at| Deadline { at, reason: DeadlineReason::Call });
        call.into_iter()
            .chain(self.desk.deadline())
            .chain(self.operations.deadline())
            .chain(self.inquiries.deadline())
            .min_by_key(|deadline| deadline.at)
    }

    /// The version of the connection, `None` without one.
    #[must_use]
    pub fn connected(&self) -> Option<Version> {
        self.endpoint.version()
    }

    /// How the station stands with the CSMS.
    #[must_use]
    pub fn registration(&self) -> RegistrationStatus {
        self.gate.status()
    }

    /// The transactions that have not ended, oldest first, and where they are, as far as known.
    pub fn open_transactions(&self) -> impl Iterator<Item = (&TransactionId, Option<Place>)> {
        self.ledger.open()
    }

    fn handle_connected(&mut self, now: Now, version: Version) {
        self.handle_disconnected(now);
        if !dialect::is_available(version) {
            self.outputs.push_back(Output::Close { reason: format!("OCPP {version} was compiled out") });
            return;
        }
        if !self.admit() {
            return;
        }
        for failed in self.endpoint.handle_connect(version) {
            self.handle_failed(now, failed);
        }
        self.gate.connected(self.flows.certificate_expired());
        self.findings.clear();
        self.operations_connected(now);
        self.inquire_after_open(now, version);
    }

    fn handle_disconnected(&mut self, now: Now) {
        let connected = self.endpoint.version().is_some();
        for failed in self.endpoint.handle_disconnect() {
            self.handle_failed(now, failed);
        }
        self.desk.connection_ended();
        self.inquiries.clear();
        if connected {
            self.operations_disconnected(now);
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        if let Some(failed) = self.endpoint.handle_timeout(now.instant) {
            self.handle_failed(now, failed);
        }
        self.handle_overdue(now);
        self.operations_overdue(now);
        self.inquiries_overdue(now);
    }

    fn handle_frame(&mut self, now: Now, text: &str) {
        self.inquiries.heard(now);
        match self.endpoint.handle_text(text) {
            Received::Call(call) => self.handle_call(now, call, text),
            Received::Send(send) => {
                self.handle_send(&send, text, now);
            }
            Received::Result(result) => self.handle_result(now, &result),
            Received::Failed(failed) => self.handle_failed(now, failed),
            Received::ResultRejected(rejected) => self.handle_rejected_result(rejected),
            Received::Unmatched(unmatched) => self.handle_unmatched(&unmatched, text),
            Received::Malformed(malformed) => self.malformed(malformed.problem.to_string(), text),
        }
    }

    fn handle_call(&mut self, now: Now, call: IncomingCall<'_>, text: &str) {
        let Some(version) = self.endpoint.version() else { return };
        let action = call.action.into_owned();
        let request = match dialect::read_request(version, &action, call.payload, self.config.conformance, now.utc) {
            Ok(Decoded { message, findings }) => {
                self.report_findings(&action, &findings, version);
                Ok(message)
            }
            Err(error) => {
                self.report_findings(&action, &error.findings, version);
                self.malformed(format!("{action}: {}", error.description()), text);
                Err(CallError::of_payload(MessageType::Call, call.payload, &error, version))
            }
        };
        self.desk.enqueue(Incoming { id: call.id, action, request });
    }

    /// A message that is not answered (2.1 part 4, 4.2.4): reported if it can be read.
    fn handle_send(&mut self, send: &IncomingSend<'_>, text: &str, now: Now) {
        let (Some(version), action) = (self.endpoint.version(), &*send.action) else { return };
        match dialect::read_request(version, action, send.payload, self.config.conformance, now.utc) {
            Ok(Decoded { message, findings }) => {
                self.report_findings(action, &findings, version);
                self.take_send(&message);
                let (action, payload) = (action.to_string(), send.payload.to_string());
                self.event(Event::Notification { action, payload });
            }
            Err(error) => {
                self.report_findings(action, &error.findings, version);
                self.malformed(format!("{action}: {}", error.description()), text);
            }
        }
    }

    /// Reports what departs from the schema, each kind once.
    pub(super) fn report_findings(&mut self, action: &str, findings: &[ocpp_types::Finding], version: Version) {
        for finding in findings {
            if let Some(event) = self.findings.report(action, finding, version) {
                self.event(event);
            }
        }
    }

    /// Reports what can't be processed.
    pub(super) fn malformed(&mut self, reason: String, text: &str) {
        self.event(Event::Malformed { reason, text: excerpt(text) });
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

fn excerpt(text: &str) -> String {
    let end = (0..=text.len().min(MAX_EXCERPT)).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default().to_string()
}
