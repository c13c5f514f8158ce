//! The CSMS's calls to the station: commands go out one at a time, and each comes to exactly one end.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};

use ocpp_types::{Conformance, Decoded, ErrorCode, Text, Version};
use serde::Deserialize;

use super::command::{CallAnswer, CallError, CallOutcome, CallResult, Command};
use super::dialect::{self, AnswerForm, Call};
use super::event::{Event, Finding};
use super::findings::to_finding;
use super::flows;
use super::identity::{CommandId, TransactionId};
use super::message::CallMessage;
use super::operations::{Happened, OperationId, Plan};
use super::session::Session;
use crate::rpc::{self, CallFailure, CallId, FailedCall, NotAccepted, OutgoingCall};
use crate::time::Now;

/// How many commands that timed out are remembered for a late answer.
const MAX_TIMED_OUT: usize = 8;

/// The calls that have not come to an end.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pending: BTreeMap<CallId, Pending>,
    timed_out: VecDeque<(CallId, CommandId)>,
}

#[derive(Debug)]
struct Pending {
    owner: Owner,
    version: Version,
    answer: AnswerForm,
    /// The message that the station was asked to send.
    requested: Option<String>,
    /// What was sent, where it can be read.
    message: Option<CallMessage>,
}

/// Who is told what came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The application, whose command it was.
    Command(CommandId),
    /// An operation.
    Operation(OperationId),
    /// Nobody.
    Session,
}

impl Session {
    /// The application wants something of the station.
    pub(super) fn handle_command(&mut self, now: Now, id: CommandId, mut command: Command) {
        self.name_as_station(&mut command);
        if let Err(outcome) = self.try_command(now, id, command) {
            self.event(Event::CallFinished { command: id, outcome });
        }
    }

    /// Calls transactions what the station calls them.
    fn name_as_station(&self, command: &mut Command) {
        match command {
            Command::RemoteStop { transaction }
            | Command::CostUpdated { transaction, .. }
            | Command::UsePriorityCharging { transaction, .. }
            | Command::ChangeTransactionTariff { transaction, .. }
            | Command::NotifyAllowedEnergyTransfer { transaction, .. }
            | Command::GetTransactionStatus { transaction: Some(transaction) } => {
                *transaction = self.ledger.wire_name(transaction).clone();
            }
            Command::SetChargingProfile { profile, .. } => self.name_text(&mut profile.transaction_id),
            Command::SetDisplayMessage { message } => self.name_text(&mut message.transaction_id),
            _ => {}
        }
    }

    fn name_text(&self, text: &mut Option<Text<36>>) {
        if let Some(id) = text {
            let name = TransactionId::new(id.as_str());
            // A name that is too long for the wire was never on it.
            if let Ok(wire) = Text::new(self.ledger.wire_name(&name).as_str()) {
                *id = wire;
            }
        }
    }

    fn try_command(&mut self, now: Now, id: CommandId, command: Command) -> Result<(), CallOutcome> {
        let Some(version) = self.endpoint.version() else { return Err(CallOutcome::NotConnected) };
        match self.plan(version, command)? {
            Plan::Call(call) => self.send(Owner::Command(id), version, call).map(|_| ()),
            Plan::Operation(operation) => self.start(now, Some(id), operation),
        }
    }

    /// Makes a call, or says why it came to nothing.
    pub(super) fn send(&mut self, owner: Owner, version: Version, call: Call) -> Result<CallId, CallOutcome> {
        let Call { action, payload, answer, message } = call;
        let requested = requested_message(&payload);
        let boot_trigger = action.ends_with("TriggerMessage") && requested.as_deref() == Some("BootNotification");
        let rule = self.gate.forbids(&action);
        let rule = rule.or_else(|| message.as_ref().and_then(|call| flows::forbids(call, &self.mirrors)));
        if let Some(rule) = rule.or_else(|| self.gate.forbids_boot_trigger(version).filter(|_| boot_trigger)) {
            return Err(CallOutcome::NotAllowed { rule });
        }
        let call = OutgoingCall::new(action.clone(), payload);
        let call = self.endpoint.call(call).map_err(|refused| match refused.reason {
            NotAccepted::QueueFull => CallOutcome::QueueFull,
            _ => CallOutcome::NotConnected,
        })?;
        self.gate.ask_for(&action, requested.as_deref());
        self.calls.pending.insert(call, Pending { owner, version, answer, requested, message });
        Ok(call)
    }

    /// Takes a call back; `false` where it was sent.
    pub(super) fn withdraw(&mut self, call: CallId) -> bool {
        if !self.endpoint.cancel(call) {
            return false;
        }
        if let Some(pending) = self.calls.pending.remove(&call)
            && let Some(message) = pending.message
        {
            self.gate.declined(message.action(), pending.requested.as_deref());
        }
        true
    }

    /// A station that was told to wait is accepted: it need not wait until its interval is over (B02.FR.04).
    pub(super) fn trigger_boot(&mut self) {
        let command = Command::TriggerMessage { message: "BootNotification".into(), place: None };
        // Where that doesn't work, the station boots by itself when its time has come.
        let Some(version) = self.endpoint.version() else { return };
        if let Ok(call) = dialect::write_call(version, &command) {
            let _ = self.send(Owner::Session, version, call);
        }
    }

    /// The station answered a call.
    pub(super) fn handle_result(&mut self, now: Now, result: &rpc::CallResult<'_>) {
        let Some(pending) = self.calls.pending.remove(&result.call) else { return };
        let (version, payload) = (pending.version, result.payload);
        if status(payload).is_some_and(|status| status != "Accepted") {
            self.gate.declined(&result.action, pending.requested.as_deref());
        }
        // What the application wrote itself it reads itself: such an answer is never refused.
        let raw = pending.answer == AnswerForm::Raw;
        let conformance = if raw { Conformance::Lenient } else { self.config.conformance };
        let (action, payload) = (&*result.action, payload.to_string());
        let answered = |result| CallOutcome::Answered(CallAnswer { payload: payload.clone(), result });
        let outcome = match dialect::decode_answer(version, action, &payload, conformance) {
            Ok(Decoded { message, findings }) => {
                self.report_findings(action, &findings, version);
                if let Some(call) = &pending.message {
                    self.observe(call, &message);
                }
                if let Owner::Operation(operation) = pending.owner {
                    let happened = Happened::Answered { message: Box::new(message), payload };
                    return self.advance_after(now, operation, result.call, happened);
                }
                let mut meaning = dialect::meaning(&pending.answer, message);
                if let CallResult::Accepted { transaction: Some(transaction), .. } = &mut meaning {
                    *transaction = self.ledger.name(transaction).clone();
                }
                answered(meaning)
            }
            Err(error) if raw => {
                self.report_findings(action, &error.findings, version);
                answered(CallResult::Raw)
            }
            Err(error) => {
                // 2.1 part 4, 4.2.3: the station is told; other versions can't be.
                let refusal = rpc::CallError::of_payload(rpc::MessageType::CallResult, &payload, &error, version);
                self.endpoint.reject_result(result.call, &refusal);
                let findings = error.findings.iter().map(|finding| to_finding(finding, version)).collect();
                CallOutcome::MalformedAnswer { payload, findings }
            }
        };
        self.ended(now, pending.owner, result.call, outcome);
    }

    /// A call came to nothing.
    pub(super) fn handle_failed(&mut self, now: Now, failed: FailedCall) {
        let Some(pending) = self.calls.pending.remove(&failed.call) else { return };
        let outcome = match failed.failure {
            CallFailure::Refused(error) => {
                self.gate.declined(&failed.action, pending.requested.as_deref());
                CallOutcome::Error(to_call_error(&error, pending.version))
            }
            CallFailure::TimedOut => {
                if let Owner::Command(command) = pending.owner {
                    if self.calls.timed_out.len() >= MAX_TIMED_OUT {
                        self.calls.timed_out.pop_front();
                    }
                    self.calls.timed_out.push_back((failed.call, command));
                }
                CallOutcome::TimedOut
            }
            CallFailure::Disconnected { sent: true } => CallOutcome::ConnectionLost,
            CallFailure::Disconnected { sent: false } => CallOutcome::NotConnected,
            CallFailure::Unreadable(problem) => CallOutcome::MalformedAnswer {
                payload: String::new(),
                findings: [unreadable(&problem, pending.version)].into(),
            },
        };
        self.ended(now, pending.owner, failed.call, outcome);
    }

    /// An answer that nothing waits for.
    pub(super) fn handle_unmatched(&mut self, unmatched: &rpc::Unmatched<'_>, text: &str) {
        let late_for = unmatched.late_for.and_then(|call| {
            let place = self.calls.timed_out.iter().position(|(timed_out, _)| *timed_out == call)?;
            self.calls.timed_out.remove(place).map(|(_, command)| command)
        });
        match late_for {
            Some(command) => {
                let payload = unmatched.payload.map(ToString::to_string);
                self.event(Event::LateAnswer { command, payload });
            }
            None => self.malformed("an answer that nothing waits for".into(), text),
        }
    }

    /// The station says that it can't use an answer.
    pub(super) fn handle_rejected_result(&mut self, rejected: rpc::RejectedResult) {
        let error = to_call_error(&rejected.error, self.endpoint.version().unwrap_or(Version::V2_1));
        self.event(Event::AnswerRejected { action: rejected.action.map(String::from), error });
    }

    fn ended(&mut self, now: Now, owner: Owner, call: CallId, outcome: CallOutcome) {
        match owner {
            Owner::Command(command) => self.event(Event::CallFinished { command, outcome }),
            Owner::Operation(operation) => self.advance_after(now, operation, call, Happened::Failed(outcome)),
            Owner::Session => {}
        }
    }
}

/// An error as the station's version spells it.
fn to_call_error(error: &rpc::CallError, version: Version) -> CallError {
    CallError {
        code: error.code.as_str(version).to_string(),
        description: error.description.clone(),
        details: error.details().to_string(),
    }
}

fn unreadable(problem: &rpc::Problem, version: Version) -> Finding {
    let code = ErrorCode::FormatViolation.as_str(version).to_string();
    Finding { path: String::new(), code, message: problem.to_string() }
}

/// The message that a TriggerMessage asks for.
fn requested_message(payload: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Trigger<'a> {
        #[serde(rename = "requestedMessage", borrow)]
        requested_message: Cow<'a, str>,
    }
    serde_json::from_str::<Trigger<'_>>(payload).ok().map(|trigger| trigger.requested_message.into_owned())
}

/// The status of an answer, where it has one.
fn status(payload: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        status: Cow<'a, str>,
    }
    serde_json::from_str::<Answer<'_>>(payload).ok().map(|answer| answer.status)
}
