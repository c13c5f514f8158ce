//! Questions to the integrator, and what is done with his answers.

use alloc::boxed::Box;
use core::time::Duration;

use super::firmware::UpdateRequest;
use super::input::Answer;
use super::logs::LogRequest;
use super::output::{Question, QuestionId, QuestionKind};
use super::security::CertificateRequest;
use super::settings::Key;
use super::{Output, Station, dialect};
use crate::rpc::IncomingId;
use crate::time::Instant;

/// A question that is not answered yet.
#[derive(Debug)]
pub(super) struct PendingQuestion {
    id: QuestionId,
    pub(super) deadline: Instant,
    pub(super) about: About,
}

/// What hangs on the answer.
#[derive(Debug)]
pub(super) enum About {
    /// The answer to a call that wants a plug released.
    Unlock { call: IncomingId, evse: u32, connector: u32 },
    /// The answer to a call that wants new firmware.
    SigningCertificate { call: IncomingId, request: Box<UpdateRequest> },
    /// The installation of the firmware at hand.
    FirmwareSignature,
    /// The answer to a vendor's message.
    VendorMessage { call: IncomingId },
    /// The answer to a call that brings a certificate.
    Certificate { call: IncomingId, request: Box<CertificateRequest> },
    /// A new certificate for the station.
    SigningRequest,
    /// The answer to a call that wants a log.
    Log { call: IncomingId, request: Box<LogRequest> },
}

impl About {
    /// Whether the answer to a call hangs on it, which is pointless without the connection that the call came on.
    const fn is_of_connection(&self) -> bool {
        !matches!(self, Self::FirmwareSignature | Self::SigningRequest)
    }
}

impl Station {
    /// Asks the integrator. An answer that doesn't come in time is a failure.
    pub(super) fn ask(&mut self, kind: QuestionKind, about: About, patience: Duration) {
        self.last_question += 1;
        let id = QuestionId(self.last_question);
        self.questions.push(PendingQuestion { id, deadline: self.now.instant + patience, about });
        self.effect(Output::Ask(Question { id, kind }));
    }

    /// How long the answer to a call may wait for the integrator: the CSMS must not wait for ever.
    pub(super) fn patience(&self) -> Duration {
        self.settings.duration(Key::MessageTimeout) / 2
    }

    pub(super) fn answered(&mut self, question: QuestionId, answer: &Answer) {
        let Some(place) = self.questions.iter().position(|pending| pending.id == question) else {
            self.ignore("an answer to a question that nobody asked");
            return;
        };
        let pending = self.questions.remove(place);
        let (call, payload) = match pending.about {
            About::Unlock { call, evse, connector } => {
                let unlocked = *answer == Answer::Done;
                self.unlock_tried(evse, connector, unlocked);
                (call, dialect::unlock_answer(self.version(), unlocked))
            }
            About::SigningCertificate { call, request } => {
                let outcome = self.signing_certificate_judged(*request, answer);
                (call, dialect::update_firmware_answer(self.version(), outcome))
            }
            About::VendorMessage { call } => {
                let answer = Self::answer_to_vendor(answer);
                (call, dialect::vendor_answer(self.version(), &answer))
            }
            About::Certificate { call, request } => {
                // An answer that came in time is a judgement.
                let judgement = (self.now.instant < pending.deadline).then_some(answer);
                let outcome = self.certificate_judged(*request, judgement);
                (call, dialect::certificate_answer(self.version(), outcome))
            }
            About::SigningRequest => return self.signing_request_made(answer.clone()),
            About::FirmwareSignature => return self.signature_judged(answer),
            About::Log { call, request } => {
                let is_diagnostics = request.is_diagnostics();
                let outcome = self.log_found(*request, answer);
                (call, dialect::log_answer(self.version(), is_diagnostics, &outcome))
            }
        };
        if let Some(payload) = payload {
            self.endpoint.respond(call, &payload);
        }
    }

    /// Answers that don't come are failures.
    pub(super) fn give_up_questions(&mut self) {
        while let Some(pending) = self.questions.iter().find(|pending| pending.deadline <= self.now.instant) {
            let id = pending.id;
            self.answered(id, &Answer::Failed);
        }
    }

    /// The connection is gone, and with it the calls whose answers waited.
    pub(super) fn forget_questions_of_connection(&mut self) {
        self.questions.retain(|pending| !pending.about.is_of_connection());
    }
}
