//! The station's calls, one after the other: each is answered exactly once, and not before what it says is stored.
//!
//! A call may have to wait for the application twice: for its judgement of a token, and for its word that the facts are
//! stored. Calls behind it wait for their turn, so that facts are stored in the order in which they came.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::{ErrorCode, Version};

use super::authorization::Authorization;
use super::event::Event;
use super::flows::Asking;
use super::identity::{QuestionId, StoreToken, TransactionId};
use super::input::{Answer, DataTransferStatus};
use super::output::{Deadline, DeadlineReason, Output, Question};
use super::recording::Fact;
use super::request::{Reply, Request, TransactionForm};
use super::session::Session;
use super::transactions::{Message, TransactionAnswer};
use crate::rpc::{CallError, IncomingId};
use crate::time::{Instant, Now};

/// How many facts of ended connections wait for their turn.
const MAX_LEFT_BEHIND: usize = 32;

/// A call that waits for its turn, read or found unreadable.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) id: IncomingId,
    pub(super) action: String,
    pub(super) request: Result<Request, CallError>,
}

impl Incoming {
    /// Whether it tells of something that must not be lost when the connection is.
    fn is_fact(&self) -> bool {
        matches!(self.request, Ok(Request::Transaction { .. } | Request::SecurityEvent { .. }))
    }
}

/// The station's calls and the application's business with them.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: VecDeque<Incoming>,
    pub(super) current: Option<Work>,
    /// The batch that the application has not acknowledged.
    pub(super) batch: Option<Batch>,
    /// The 1.6 transaction whose id was in the last answer. That it arrived shows when the station goes on to something else.
    pub(super) unconfirmed: Option<TransactionId>,
    next_question: u64,
    next_token: u64,
}

/// Facts that the application was told to store.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) token: StoreToken,
    /// What the station calls the transaction that they are about.
    pub(super) transaction: Option<TransactionId>,
    /// The transactions in whose place it began.
    pub(super) superseded: Vec<TransactionId>,
}

/// The call that is being worked on.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) id: IncomingId,
    pub(super) deadline: Instant,
    pub(super) step: Step,
}

#[derive(Debug)]
pub(super) enum Step {
    /// The application was asked.
    Asked { question: QuestionId, about: Asked },
    /// The application was told to store.
    Storing { token: StoreToken, reply: Box<Reply> },
    /// The application still has a batch that it was told to store before.
    Queued { fact: Fact },
}

#[derive(Debug)]
pub(super) enum Asked {
    Authorize,
    AuthorizeContract,
    DataTransfer,
    DynamicSchedule {
        profile: i64,
    },
    VatNumber {
        number: String,
        evse: Option<i64>,
    },
    Settlement,
    /// What somebody else must answer.
    Flow(Asking),
    Transaction {
        form: TransactionForm,
        message: Box<Message>,
    },
    /// A message that was recorded before, and whose answer isn't remembered.
    Repeated {
        form: TransactionForm,
        wire: TransactionId,
        answer: Box<TransactionAnswer>,
        /// The transaction whose cost isn't remembered either.
        cost_of: Option<TransactionId>,
    },
    /// A message that was recorded before, of a transaction whose cost isn't remembered.
    Cost {
        reply: Box<Reply>,
    },
}

impl Desk {
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let work = self.current.as_ref()?;
        let reason = match work.step {
            Step::Asked { .. } => DeadlineReason::Answer,
            Step::Storing { .. } | Step::Queued { .. } => DeadlineReason::Store,
        };
        Some(Deadline { at: work.deadline, reason })
    }

    pub(super) fn enqueue(&mut self, incoming: Incoming) {
        self.waiting.push_back(incoming);
    }

    /// The connection ended: nobody waits for answers any more, but what was told is true.
    pub(super) fn connection_ended(&mut self) {
        self.waiting.retain(Incoming::is_fact);
        // The station has to send them again in any case.
        self.waiting.truncate(MAX_LEFT_BEHIND);
        self.unconfirmed = None;
        // What isn't kept is asked for nobody.
        self.current.take_if(|work| {
            matches!(
                work.step,
                Step::Asked {
                    about: Asked::Authorize
                        | Asked::AuthorizeContract
                        | Asked::DataTransfer
                        | Asked::DynamicSchedule { .. }
                        | Asked::Flow(_)
                        | Asked::VatNumber { .. },
                    ..
                }
            )
        });
    }

    pub(super) fn next_question(&mut self) -> QuestionId {
        self.next_question += 1;
        QuestionId(self.next_question)
    }

    pub(super) fn next_token(&mut self) -> StoreToken {
        self.next_token += 1;
        StoreToken(self.next_token)
    }
}

impl Session {
    /// Works on the station's calls until one has to wait for the application.
    pub(super) fn work(&mut self, now: Now) {
        while self.desk.current.is_none() {
            let Some(incoming) = self.desk.waiting.pop_front() else { return };
            self.begin(now, incoming);
        }
    }

    fn begin(&mut self, now: Now, incoming: Incoming) {
        let Incoming { id, action, request } = incoming;
        self.confirm(&request);
        if !self.gate.admits(&action) {
            let registration = self.gate.status();
            self.refuse(id, ErrorCode::SecurityError, "the station is not accepted");
            self.event(Event::NotAccepted { action, registration });
            return;
        }
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                self.endpoint.refuse(id, &error);
                return;
            }
        };
        let told = self.operations.are_running().then(|| request.clone());
        self.serve(now, id, action, request);
        if let Some(told) = told {
            self.tell_operations(now, &told);
        }
    }

    fn serve(&mut self, now: Now, id: IncomingId, action: String, request: Request) {
        match request {
            // B01.FR.12
            Request::Boot(boot)
                if self.endpoint.version() != Some(Version::V1_6)
                    && self.gate.is_other_station(boot.serial_number.as_deref()) =>
            {
                let reason = "the serial number is not the one of the certificate".into();
                self.outputs.push_back(Output::Close { reason });
            }
            Request::Boot(mut boot) => {
                let registration = self.gate.boot();
                boot.registration = registration.status;
                self.flows_booted(now);
                self.reply(id, &Reply::Boot { registration, at: now.utc });
                if self.gate.renewal_is_due() {
                    self.renew_certificate(now);
                } else {
                    self.renew_inventory(now, &boot);
                }
                self.event(Event::Booted(boot));
            }
            Request::Heartbeat => {
                // G02.FR.03
                self.reply(id, &Reply::Heartbeat { at: now.utc });
                self.event(Event::Heartbeat);
            }
            Request::Status(status) => {
                self.inquire_after_status(now, &status);
                self.take_note(id, Event::ConnectorStatus(status));
            }
            // J01.FR.18
            Request::MeterValues { place, readings } => self.take_note(id, Event::MeterValues { place, readings }),
            Request::FirmwareStatus { status, request_id } => {
                self.take_note(id, Event::FirmwareStatus { status, request_id });
            }
            Request::LogStatus { status, request_id } => self.take_note(id, Event::LogStatus { status, request_id }),
            Request::Message { message, payload } => self.handle_message(now, id, action, message, payload),
            Request::Refused { code, reason } => self.refuse(id, code, reason),
            // C06.FR.04
            Request::Authorize { token } => self.ask(now, id, Question::Authorize { token }, Asked::Authorize),
            // C07.FR.04, C07.FR.05
            Request::AuthorizeContract { token, certificates } => {
                self.ask(now, id, Question::AuthorizeContract { token, certificates }, Asked::AuthorizeContract);
            }
            Request::VatNumber { number, evse } => {
                let asked = Asked::VatNumber { number: number.clone(), evse };
                self.ask(now, id, Question::VatNumber { number, evse }, asked);
            }
            Request::Settlement(settlement) => {
                let mut settlement = settlement;
                if let Some(transaction) = &mut settlement.transaction {
                    *transaction = self.ledger.name(transaction).clone();
                }
                self.ask(now, id, Question::Settlement(settlement), Asked::Settlement);
            }
            Request::DataTransfer { vendor_id, message_id, data } => {
                self.ask(now, id, Question::DataTransfer { vendor_id, message_id, data }, Asked::DataTransfer);
            }
            // Stations keep security events until they are answered (A04.FR.02).
            Request::SecurityEvent { kind, at, detail } => {
                self.record(now, id, Fact::Other(Event::SecurityEvent { kind, at, detail }), None);
            }
            // J02.FR.19
            Request::Transaction { form, message } => self.begin_transaction(now, id, form, message),
        }
    }

    /// Answers with an empty object, and tells the application.
    pub(super) fn take_note(&mut self, id: IncomingId, event: Event) {
        self.reply(id, &Reply::Empty);
        self.event(event);
    }

    pub(super) fn ask(&mut self, now: Now, id: IncomingId, about: Question, asked: Asked) {
        let question = self.desk.next_question();
        let deadline = now.instant + self.config.answer_deadline;
        self.desk.current = Some(Work { id, deadline, step: Step::Asked { question, about: asked } });
        self.outputs.push_back(Output::Ask { question, about });
    }

    /// The application answers a question.
    pub(super) fn handle_answer(&mut self, now: Now, question: QuestionId, answer: Answer) {
        let waits = |work: &mut Work| matches!(work.step, Step::Asked { question: asked, .. } if asked == question);
        let Some(work) = self.desk.current.take_if(waits) else { return };
        self.answered(now, work, Some(answer));
    }

    /// Goes on with an answer, or with the safe one.
    fn answered(&mut self, now: Now, work: Work, answer: Option<Answer>) {
        let Step::Asked { about, .. } = work.step else { return };
        let id = work.id;
        match about {
            Asked::Authorize => self.reply(id, &Reply::Authorize(self.judgement(answer))),
            Asked::Flow(asking) => self.answer_asking(now, id, asking, answer),
            Asked::AuthorizeContract => self.reply(id, &Reply::Authorize(self.judgement(answer).of_contract())),
            Asked::DataTransfer => {
                let (status, data) = match answer {
                    Some(Answer::DataTransfer { status, data }) => (status, data),
                    _ => (DataTransferStatus::Rejected, None),
                };
                self.reply(id, &Reply::DataTransfer { status, data });
            }
            Asked::VatNumber { number, evse } => {
                let (valid, company) = match answer {
                    Some(Answer::VatNumber { valid, company }) => (valid, company),
                    _ => (false, None),
                };
                self.reply(id, &Reply::VatNumber { number, evse, valid, company });
            }
            Asked::DynamicSchedule { profile } => {
                let update = match answer {
                    Some(Answer::DynamicSchedule(update)) => update.map(|update| *update),
                    _ => None,
                };
                self.answer_pull(id, profile, update);
            }
            Asked::Settlement => match answer {
                Some(Answer::Receipt(receipt)) => self.reply(id, &Reply::Receipt(receipt)),
                _ => self.refuse(id, ErrorCode::InternalError, "the settlement was not taken in, please repeat"),
            },
            Asked::Transaction { form, message } => {
                let authorization = self.judgement(answer);
                self.record(now, id, Fact::Transaction { form, message }, Some(authorization));
            }
            Asked::Repeated { form, wire, answer: told, cost_of } => {
                let (authorization, told) = (Some(self.judgement(answer)), *told);
                self.reply_again(now, id, Reply::Transaction { form, wire, authorization, answer: told }, cost_of);
            }
            Asked::Cost { mut reply } => {
                if let (Reply::Transaction { answer: told, .. }, Some(Answer::Transaction(answer))) =
                    (&mut *reply, answer)
                {
                    told.total_cost = answer.total_cost;
                }
                self.reply(id, &reply);
            }
        }
    }

    /// The application's judgement of a token, or the safe one.
    fn judgement(&self, answer: Option<Answer>) -> Authorization {
        match answer {
            Some(Answer::Authorization(authorization)) => authorization,
            _ => Authorization::new(self.config.unanswered),
        }
    }

    /// Gives up waiting for the application where its time is over.
    pub(super) fn handle_overdue(&mut self, now: Now) {
        let Some(work) = self.desk.current.take_if(|work| work.deadline <= now.instant) else { return };
        match work.step {
            Step::Asked { .. } => self.answered(now, work, None),
            // The batch may still be stored: what is sent again is compared with it then.
            Step::Storing { .. } | Step::Queued { .. } => {
                self.refuse(work.id, ErrorCode::InternalError, "not stored in time, please repeat");
            }
        }
    }

    pub(super) fn reply(&mut self, id: IncomingId, reply: &Reply) {
        // Without a connection there is nobody to answer.
        if let Some(version) = self.endpoint.version() {
            let payload = super::dialect::write_reply(version, reply);
            let sent = self.endpoint.respond(id, &payload);
            if let (true, Reply::Transaction { form: TransactionForm::Start, wire, .. }) = (sent, reply) {
                self.desk.unconfirmed = Some(wire.clone());
            }
        }
    }

    pub(super) fn refuse(&mut self, id: IncomingId, code: ErrorCode, description: &str) {
        self.endpoint.refuse(id, &CallError::new(code, description));
    }
}
