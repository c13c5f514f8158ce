//! The station's calls, one after the other: each is answered exactly once, and not before what it says is stored.
//!
//! A call may have to wait for the application twice: for its judgement of a token, and for its word that the facts are
//! stored. Calls behind it wait for their turn, so that facts are stored in the order in which they came.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::ErrorCode;

use super::authorization::Authorization;
use super::event::Event;
use super::identity::{QuestionId, StoreToken, TransactionId};
use super::input::{Answer, DataTransferStatus};
use super::output::{Deadline, DeadlineReason, Output, Question};
use super::request::{Reply, Request, TransactionForm};
use super::session::Session;
use super::transactions::{Kind, Message};
use crate::rpc::{CallError, IncomingId};
use crate::time::{Instant, Now};

/// The kind of token that stands for nobody (C02).
const NO_AUTHORIZATION: &str = "NoAuthorization";

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
    current: Option<Work>,
    /// The batch that the application has not acknowledged.
    batch: Option<StoreToken>,
    /// The 1.6 transaction whose id was in the last answer. That it arrived shows when the station goes on to something else.
    unconfirmed: Option<TransactionId>,
    next_question: u64,
    next_token: u64,
}

/// The call that is being worked on.
#[derive(Debug)]
struct Work {
    id: IncomingId,
    deadline: Instant,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The application was asked.
    Asked { question: QuestionId, about: Asked },
    /// The application was told to store.
    Storing { token: StoreToken, reply: Reply },
    /// The application still has a batch that it was told to store before.
    Queued { fact: Fact },
}

#[derive(Debug)]
enum Asked {
    Authorize,
    DataTransfer,
    Transaction {
        form: TransactionForm,
        message: Box<Message>,
    },
    /// A message that was recorded before, and whose answer isn't remembered.
    Repeated {
        form: TransactionForm,
        wire: TransactionId,
    },
}

/// What is to be recorded.
#[derive(Debug)]
enum Fact {
    Transaction { form: TransactionForm, message: Box<Message> },
    Other(Event),
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
        self.current
            .take_if(|work| matches!(work.step, Step::Asked { about: Asked::Authorize | Asked::DataTransfer, .. }));
    }

    fn next_question(&mut self) -> QuestionId {
        self.next_question += 1;
        QuestionId(self.next_question)
    }

    fn next_token(&mut self) -> StoreToken {
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
        match request {
            Request::Boot(mut boot) => {
                let registration = self.gate.boot();
                boot.registration = registration.status;
                self.reply(id, &Reply::Boot { registration, at: now.utc });
                self.event(Event::Booted(boot));
            }
            Request::Heartbeat => {
                self.reply(id, &Reply::Heartbeat { at: now.utc });
                self.event(Event::Heartbeat);
            }
            Request::Status(status) => self.take_note(id, Event::ConnectorStatus(status)),
            Request::MeterValues { place, readings } => self.take_note(id, Event::MeterValues { place, readings }),
            Request::FirmwareStatus { status, request_id } => {
                self.take_note(id, Event::FirmwareStatus { status, request_id });
            }
            Request::LogStatus { status, request_id } => self.take_note(id, Event::LogStatus { status, request_id }),
            Request::Notification { connectors, payload } => {
                self.take_note(id, Event::Notification { action, payload });
                for connector in connectors {
                    self.event(Event::ConnectorStatus(Box::new(connector)));
                }
            }
            Request::Refused { code, reason } => self.refuse(id, code, reason),
            Request::Authorize { token } => self.ask(now, id, Question::Authorize { token }, Asked::Authorize),
            Request::DataTransfer { vendor_id, message_id, data } => {
                self.ask(now, id, Question::DataTransfer { vendor_id, message_id, data }, Asked::DataTransfer);
            }
            // Stations keep security events until they are answered (A04.FR.02).
            Request::SecurityEvent { kind, at, detail } => {
                self.record(now, id, Fact::Other(Event::SecurityEvent { kind, at, detail }), None);
            }
            Request::Transaction { form, message } => self.begin_transaction(now, id, form, message),
        }
    }

    /// The station goes on after it was told a transaction's id, or asks for it once more.
    fn confirm(&mut self, request: &Result<Request, CallError>) {
        let Some(wire) = self.desk.unconfirmed.take() else { return };
        let again = match request {
            Ok(Request::Transaction { message, .. }) => {
                message.start.as_ref().and_then(|start| self.ledger.repeated_start(start))
            }
            _ => None,
        };
        if again.is_none_or(|again| again.wire != wire) {
            self.ledger.confirm(&wire);
        }
    }

    /// Answers with an empty object, and tells the application.
    fn take_note(&mut self, id: IncomingId, event: Event) {
        self.reply(id, &Reply::Empty);
        self.event(event);
    }

    fn begin_transaction(&mut self, now: Now, id: IncomingId, form: TransactionForm, mut message: Box<Message>) {
        if self.desk.batch.is_some() {
            // Whether this repeats what is being stored can't be said before that is settled.
            return self.queue(now, id, Fact::Transaction { form, message });
        }
        let repeated = match &message.start {
            Some(start) => self.ledger.repeated_start(start),
            None => {
                if let (TransactionForm::Stop | TransactionForm::MeterValues, Some(number)) =
                    (form, message.event.transaction.number())
                {
                    let Some(transaction) = self.ledger.resolve(number, &message) else {
                        let (place, readings) = (message.event.place, message.event.readings);
                        return self.take_note(id, Event::MeterValues { place, readings });
                    };
                    message.event.transaction = transaction;
                }
                self.ledger.repeated(&message)
            }
        };
        let token = message.event.token.clone();
        if let Some(repeated) = repeated {
            return match (token, repeated.authorization) {
                (Some(token), None) => {
                    let question = self.about_transaction(&message, token, Some(&repeated.wire));
                    self.ask(now, id, question, Asked::Repeated { form, wire: repeated.wire });
                }
                (_, authorization) => self.reply(id, &Reply::Transaction { form, wire: repeated.wire, authorization }),
            };
        }
        match token {
            // C02.FR.02: there is nobody to judge.
            Some(token) if token.kind.as_deref() == Some(NO_AUTHORIZATION) => {
                let authorization = Authorization::accepted();
                self.record(now, id, Fact::Transaction { form, message }, Some(authorization));
            }
            // E01.FR.11, E02.FR.04, E05.FR.01; 1.6 edition 2, 4.8: the station may have judged by what was true once.
            Some(token) => {
                let known = (form != TransactionForm::Start).then(|| message.event.transaction.clone());
                let question = self.about_transaction(&message, token, known.as_ref());
                self.ask(now, id, question, Asked::Transaction { form, message });
            }
            None => self.record(now, id, Fact::Transaction { form, message }, None),
        }
    }

    fn about_transaction(
        &self,
        message: &Message,
        token: super::identity::Token,
        wire: Option<&TransactionId>,
    ) -> Question {
        Question::Transaction {
            token,
            transaction: wire.map(|wire| self.ledger.name(wire).clone()),
            place: message.event.place,
            starts: message.kind == Kind::Started,
            ended: message.kind == Kind::Ended,
            offline: message.event.offline,
        }
    }

    fn ask(&mut self, now: Now, id: IncomingId, about: Question, asked: Asked) {
        let question = self.desk.next_question();
        let deadline = now.instant + self.config.answer_deadline;
        self.desk.current = Some(Work { id, deadline, step: Step::Asked { question, about: asked } });
        self.outputs.push_back(Output::Ask { question, about });
    }

    fn queue(&mut self, now: Now, id: IncomingId, fact: Fact) {
        let deadline = now.instant + self.config.store_deadline;
        self.desk.current = Some(Work { id, deadline, step: Step::Queued { fact } });
    }

    /// Has a fact stored; the station is answered after that.
    fn record(&mut self, now: Now, id: IncomingId, fact: Fact, authorization: Option<Authorization>) {
        if self.desk.batch.is_some() {
            return self.queue(now, id, fact);
        }
        let (events, reply) = match fact {
            Fact::Other(event) => (Vec::from([event]), Reply::Empty),
            Fact::Transaction { form, mut message } => {
                if form == TransactionForm::Start {
                    let proposed = authorization.as_ref().and_then(|authorization| authorization.transaction_id);
                    message.event.transaction = TransactionId::from(self.ledger.allocate(proposed));
                }
                let wire = message.event.transaction.clone();
                let events = self.ledger.apply(*message, authorization.as_ref());
                (events, Reply::Transaction { form, wire, authorization })
            }
        };
        let token = self.desk.next_token();
        self.desk.batch = Some(token);
        let deadline = now.instant + self.config.store_deadline;
        self.desk.current = Some(Work { id, deadline, step: Step::Storing { token, reply } });
        self.outputs.push_back(Output::Record { token, events });
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
        let (authorization, data_transfer) = match answer {
            Some(Answer::Authorization(authorization)) => (Some(authorization), None),
            Some(Answer::DataTransfer { status, data }) => (None, Some((status, data))),
            None => (None, None),
        };
        let authorization = authorization.unwrap_or_else(|| Authorization::new(self.config.unanswered));
        match about {
            Asked::Authorize => self.reply(work.id, &Reply::Authorize(authorization)),
            Asked::DataTransfer => {
                let (status, data) = data_transfer.unwrap_or((DataTransferStatus::Rejected, None));
                self.reply(work.id, &Reply::DataTransfer { status, data });
            }
            Asked::Transaction { form, message } => {
                self.record(now, work.id, Fact::Transaction { form, message }, Some(authorization));
            }
            Asked::Repeated { form, wire } => {
                self.reply(work.id, &Reply::Transaction { form, wire, authorization: Some(authorization) });
            }
        }
    }

    /// The application has stored a batch, or has not.
    pub(super) fn handle_stored(&mut self, now: Now, token: StoreToken, stored: bool) {
        if self.desk.batch.take_if(|batch| *batch == token).is_none() {
            return;
        }
        if stored {
            self.ledger.commit();
        } else {
            self.ledger.roll_back();
        }
        let Some(work) = self.desk.current.take() else { return };
        match work.step {
            Step::Storing { token: storing, reply } if storing == token => {
                if stored {
                    self.reply(work.id, &reply);
                } else {
                    self.refuse(work.id, ErrorCode::InternalError, "not stored, please repeat");
                }
            }
            Step::Queued { fact: Fact::Transaction { form, message } } => {
                self.begin_transaction(now, work.id, form, message);
            }
            Step::Queued { fact } => self.record(now, work.id, fact, None),
            step => self.desk.current = Some(Work { step, ..work }),
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

    fn reply(&mut self, id: IncomingId, reply: &Reply) {
        // Without a connection there is nobody to answer.
        if let Some(version) = self.endpoint.version() {
            let payload = super::dialect::write_reply(version, reply);
            let sent = self.endpoint.respond(id, &payload);
            if let (true, Reply::Transaction { form: TransactionForm::Start, wire, .. }) = (sent, reply) {
                self.desk.unconfirmed = Some(wire.clone());
            }
        }
    }

    fn refuse(&mut self, id: IncomingId, code: ErrorCode, description: &str) {
        self.endpoint.refuse(id, &CallError::new(code, description));
    }
}
