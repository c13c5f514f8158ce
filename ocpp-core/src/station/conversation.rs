//! Calls, their answers, and the calls of the CSMS: where neutral words meet the wire.

use alloc::string::{String, ToString};

use ocpp_types::Version;

use super::calls::{Call, Reply};
use super::dialect::{self, Answered};
use super::event::{Event, Registration};
use super::outbox::Called;
use super::security::SecurityEvent;
use super::settings::Key;
use super::{Output, Station};
use crate::rpc::{CallError, CallFailure, ErrorCode, FailedCall, IncomingCall, OutgoingCall, Received};

impl Station {
    /// Says something that the CSMS only hears once it has accepted the station.
    pub(super) fn request(&mut self, call: Call) -> Called {
        if self.may_send() { self.call(call) } else { Called::NotNow }
    }

    /// Says something, accepted or not: boot, and what the CSMS has asked for (B02.FR.02).
    pub(super) fn call(&mut self, call: Call) -> Called {
        if !self.is_connected() {
            return Called::NotNow;
        }
        let Some((action, payload)) = dialect::encode(self, &call) else { return Called::NotInThisVersion };
        let outgoing = OutgoingCall::new(action, payload).with_timeout(self.settings.duration(Key::MessageTimeout));
        let outgoing = if matches!(call, Call::Boot(_)) { outgoing.ahead_of_queue() } else { outgoing };
        match self.endpoint.call(outgoing) {
            Ok(id) => {
                self.calls.insert(id, call);
                // G02.FR.05
                self.schedule_heartbeat();
                Called::Yes
            }
            Err(_) => Called::NotNow,
        }
    }

    pub(super) fn frame(&mut self, text: &str) {
        let received = self.endpoint.handle_text(text);
        if matches!(received, Received::Call(_) | Received::Result(_)) {
            self.access_proven();
        }
        match received {
            Received::Call(call) => self.called(call),
            Received::Result(result) => {
                let Some(call) = self.calls.remove(&result.call) else { return };
                match dialect::reply(self.version(), &call, result.payload) {
                    Ok((reply, findings)) => {
                        if let Some(findings) = findings {
                            self.peer_fault(findings);
                        }
                        self.replied(call, reply);
                    }
                    Err(description) => {
                        self.invalid_message(description.clone());
                        self.not_answered(call, &description);
                    }
                }
            }
            Received::Failed(failed) => self.call_failed(failed),
            Received::Send(send) => {
                let description = alloc::format!("{} is not for a station", send.action);
                self.peer_fault(description);
            }
            Received::ResultRejected(rejected) => {
                let action = rejected.action.as_deref().unwrap_or_default().to_string();
                self.refused(action, &rejected.error);
            }
            Received::Unmatched(unmatched) => {
                let description = alloc::format!("an answer to nothing: {}", unmatched.message_id);
                self.peer_fault(description);
            }
            Received::Malformed(malformed) => self.invalid_message(malformed.problem.to_string()),
        }
    }

    /// A message that is not valid (1.6 security, 8).
    fn invalid_message(&mut self, description: String) {
        self.security_event(SecurityEvent::InvalidMessages, Some(&description));
        self.peer_fault(description);
    }

    fn peer_fault(&mut self, description: String) {
        self.effect(Output::Event(Event::PeerFault { description }));
    }

    fn refused(&mut self, action: String, error: &CallError) {
        let code = error.code.as_str(self.version()).to_string();
        self.effect(Output::Event(Event::Refused { action, code, description: error.description.clone() }));
    }

    /// The CSMS calls.
    fn called(&mut self, call: IncomingCall<'_>) {
        if self.provisioning.registration == Some(Registration::Rejected) {
            if self.version() != Version::V1_6 {
                // B03.FR.08
                let error = CallError::new(ErrorCode::SecurityError, "the station was rejected");
                self.endpoint.refuse(call.id, &error);
            }
            // 1.6 edition 2, 4.2: a rejected station doesn't answer.
            return;
        }
        match dialect::answer(self, &call.action, call.payload) {
            Answered::Now(payload) => {
                self.endpoint.respond(call.id, &payload);
            }
            Answered::Unlock { evse, connector } => self.ask_to_unlock(evse, connector, call.id),
            Answered::AfterSigningCertificate(request) => self.ask_about_signing_certificate(request, call.id),
            Answered::AfterCertificate(request) => self.ask_about_certificate(request, call.id),
            Answered::AfterLog(request) => self.ask_for_log(*request, call.id),
            Answered::VendorMessage(message) => self.ask_about_vendor_message(message, call.id),
            Answered::Refuse(error) => {
                let description = alloc::format!("{}: {error}", call.action);
                match error.code {
                    ErrorCode::NotImplemented | ErrorCode::NotSupported => self.peer_fault(description),
                    _ => self.invalid_message(description),
                }
                self.endpoint.refuse(call.id, &error);
            }
        }
        self.run_after_answer();
    }

    /// The CSMS answered a call.
    fn replied(&mut self, call: Call, reply: Reply) {
        match (call, reply) {
            (Call::Boot(_), Reply::Boot { status, interval, current_time }) => {
                self.boot_answered(status, interval, current_time);
            }
            (Call::Heartbeat, Reply::Heartbeat { current_time }) => self.heartbeat_answered(current_time),
            (Call::Authorize { evse, token }, Reply::Authorize(info)) => self.authorization_answered(evse, token, info),
            (Call::Transaction { entry, message, .. }, Reply::Transaction { info, csms_id }) => {
                self.delivered(entry, &message, info, csms_id);
            }
            (Call::MeterValues { entry: Some(entry), .. }, _) => self.values_delivered(entry),
            (Call::VendorMessage { id, .. }, Reply::VendorMessage(answer)) => {
                self.vendor_message_answered(id, Some(answer));
            }
            (Call::SignCertificate { .. }, Reply::SignCertificate { accepted }) => {
                self.signing_request_answered(accepted);
            }
            (Call::SecurityEvent { number, .. }, _) => self.security_event_delivered(number),
            (Call::Progress { number, .. }, _) => self.progress_answered(number),
            (Call::VehicleNeeds { evse, .. }, Reply::VehicleNeeds { sends_schedule }) => {
                self.needs_answered(evse, sends_schedule);
            }
            (Call::PullValues { profile }, Reply::Values(limit)) => self.values_pulled(profile, limit),
            _ => {}
        }
    }

    pub(super) fn call_failed(&mut self, failed: FailedCall) {
        let Some(call) = self.calls.remove(&failed.call) else { return };
        match &failed.failure {
            CallFailure::Refused(error) => self.refused(failed.action.to_string(), error),
            CallFailure::Disconnected { .. } => return self.cut_off(call),
            _ => self.peer_fault(alloc::format!("{}: {}", failed.action, failed.failure)),
        }
        if let Call::SecurityEvent { number, .. } = call {
            let refusal = if let CallFailure::Refused(error) = &failed.failure { Some(error) } else { None };
            self.security_event_failed(number, refusal);
            return;
        }
        let reason = failed.failure.to_string();
        self.not_answered(call, &reason);
    }

    /// The CSMS did not answer a call, or not so that it helps.
    fn not_answered(&mut self, call: Call, reason: &str) {
        match call {
            Call::Boot(_) => self.boot_failed(),
            Call::Heartbeat => self.heartbeat_answered(None),
            Call::Authorize { evse, token } => self.authorization_failed(evse, token),
            Call::Transaction { entry, .. } | Call::MeterValues { entry: Some(entry), .. } => {
                self.not_delivered(entry, reason);
            }
            Call::VendorMessage { id, .. } => self.vendor_message_answered(id, None),
            Call::SignCertificate { .. } => self.signing_request_failed(),
            Call::Progress { number, .. } => self.progress_answered(number),
            Call::VehicleNeeds { evse, .. } => self.needs_answered(evse, false),
            // Told again only when it changes: a CSMS that can't take a status won't take it the second time either.
            _ => {}
        }
    }

    /// The connection was lost under a call.
    fn cut_off(&mut self, call: Call) {
        match call {
            Call::Boot(_) => self.boot_failed(),
            Call::Heartbeat => self.heartbeat_answered(None),
            Call::Authorize { evse, token } => self.authorization_failed(evse, token),
            Call::Status(report) => self.status_not_reported(&report),
            Call::VendorMessage { id, .. } => self.vendor_message_answered(id, None),
            Call::SignCertificate { .. } => self.signing.cut_off(),
            Call::SecurityEvent { .. } => self.security_log.cut_off(),
            Call::ChargingLimit(notice) => self.limit_not_told(notice),
            Call::VehicleNeeds { evse, needs, since } => self.needs_not_told(evse, needs, since),
            Call::PriorityCharging { transaction, activated } => self.priority_not_told(&transaction, activated),
            // The outbox keeps its own.
            _ => {}
        }
    }

    /// Gives what is to be sent to the integrator, behind what has to be stored first.
    pub(super) fn transmit(&mut self) {
        while let Some(frame) = self.endpoint.poll_transmit(self.now.instant) {
            self.effect(Output::Transmit(frame));
        }
    }
}
