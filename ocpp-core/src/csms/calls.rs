//! The CSMS's calls to the station: commands go out one at a time, and each comes to exactly one end.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};

use ocpp_types::{ErrorCode, Version};
use serde::Deserialize;

use super::command::{CallAnswer, CallError, CallOutcome, CallResult, Command};
use super::dialect::{self, AnswerForm, Call};
use super::event::{Event, Finding};
use super::findings::to_finding;
use super::identity::CommandId;
use super::session::Session;
use crate::rpc::{self, CallFailure, CallId, FailedCall, NotAccepted, OutgoingCall};

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
    /// The application's command; `None` for a call of the session itself.
    command: Option<CommandId>,
    version: Version,
    answer: AnswerForm,
    /// The message that the station was asked to send.
    requested: Option<String>,
}

impl Session {
    /// The application wants something of the station.
    pub(super) fn handle_command(&mut self, id: CommandId, mut command: Command) {
        if let Command::RemoteStop { transaction } = &mut command {
            *transaction = self.ledger.wire_name(transaction).clone();
        }
        if let Err(outcome) = self.try_command(Some(id), &command) {
            self.event(Event::CallFinished { command: id, outcome });
        }
    }

    /// Makes a call, or says why it came to nothing.
    fn try_command(&mut self, id: Option<CommandId>, command: &Command) -> Result<(), CallOutcome> {
        let Some(version) = self.endpoint.version() else { return Err(CallOutcome::NotConnected) };
        let Call { action, payload, answer } = dialect::write_call(version, command)?;
        let requested = requested_message(&payload);
        let boot_trigger = matches!(command, Command::TriggerMessage { message, .. } if message == "BootNotification");
        let rule = self.gate.forbids(&action);
        if let Some(rule) = rule.or_else(|| self.gate.forbids_boot_trigger(version).filter(|_| boot_trigger)) {
            return Err(CallOutcome::NotAllowed { rule });
        }
        let call = OutgoingCall::new(action.clone(), payload);
        let call = self.endpoint.call(call).map_err(|refused| match refused.reason {
            NotAccepted::QueueFull => CallOutcome::QueueFull,
            _ => CallOutcome::NotConnected,
        })?;
        self.gate.ask_for(&action, requested.as_deref());
        self.calls.pending.insert(call, Pending { command: id, version, answer, requested });
        Ok(())
    }

    /// A station that was told to wait is accepted: it need not wait until its interval is over (B02.FR.04).
    pub(super) fn trigger_boot(&mut self) {
        let command = Command::TriggerMessage { message: "BootNotification".into(), place: None };
        // Where that doesn't work, the station boots by itself when its time has come.
        let _ = self.try_command(None, &command);
    }

    /// The station answered a call.
    pub(super) fn handle_result(&mut self, result: &rpc::CallResult<'_>) {
        let Some(pending) = self.calls.pending.remove(&result.call) else { return };
        let payload = result.payload;
        if status(payload).is_some_and(|status| status != "Accepted") {
            self.gate.declined(&result.action, pending.requested.as_deref());
        }
        let conformance = self.config.conformance;
        let answer = dialect::read_answer(pending.version, &pending.answer, &result.action, payload, conformance);
        let outcome = match answer {
            Ok((mut meaning, findings)) => {
                self.report_findings(&result.action, &findings, pending.version);
                if let CallResult::Accepted { transaction: Some(transaction), .. } = &mut meaning {
                    *transaction = self.ledger.name(transaction).clone();
                }
                CallOutcome::Answered(CallAnswer { payload: payload.to_string(), result: meaning })
            }
            Err(error) => {
                // 2.1 part 4, 4.2.3: the station is told; other versions can't be.
                let answer = rpc::MessageType::CallResult;
                let refusal = rpc::CallError::of_payload(answer, payload, &error, pending.version);
                self.endpoint.reject_result(result.call, &refusal);
                let findings = error.findings.iter().map(|finding| to_finding(finding, pending.version)).collect();
                CallOutcome::MalformedAnswer { payload: payload.to_string(), findings }
            }
        };
        self.finish(pending.command, outcome);
    }

    /// A call came to nothing.
    pub(super) fn handle_failed(&mut self, failed: FailedCall) {
        let Some(pending) = self.calls.pending.remove(&failed.call) else { return };
        let outcome = match failed.failure {
            CallFailure::Refused(error) => {
                self.gate.declined(&failed.action, pending.requested.as_deref());
                CallOutcome::Error(to_call_error(&error, pending.version))
            }
            CallFailure::TimedOut => {
                if let Some(command) = pending.command {
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
        self.finish(pending.command, outcome);
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

    fn finish(&mut self, command: Option<CommandId>, outcome: CallOutcome) {
        if let Some(command) = command {
            self.event(Event::CallFinished { command, outcome });
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
