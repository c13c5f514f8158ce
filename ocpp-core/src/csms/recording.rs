//! Facts that are stored before the station is answered: what tells of transactions and of security.
//!
//! One batch is outstanding at a time. What comes while the application has one waits, because whether it repeats what is being
//! stored can't be said before that is settled.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ocpp_types::ErrorCode;

use super::authorization::Authorization;
use super::event::Event;
use super::identity::{StoreToken, Token, TransactionId};
use super::output::{Output, Question};
use super::request::{Reply, Request, TransactionForm};
use super::session::Session;
use super::transactions::{Kind, Message, Repeated, SupportedLimits, TransactionAnswer};
use super::work::{Asked, Batch, Step, Work};
use crate::rpc::{CallError, IncomingId};
use crate::time::Now;

/// The kind of token that stands for nobody (C02).
const NO_AUTHORIZATION: &str = "NoAuthorization";

/// What is to be recorded.
#[derive(Debug)]
pub(super) enum Fact {
    Transaction { form: TransactionForm, message: Box<Message> },
    Other(Event),
}

impl Session {
    /// The station goes on after it was told a transaction's id, or asks for it once more.
    pub(super) fn confirm(&mut self, request: &Result<Request, CallError>) {
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

    pub(super) fn begin_transaction(
        &mut self,
        now: Now,
        id: IncomingId,
        form: TransactionForm,
        mut message: Box<Message>,
    ) {
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
            return self.repeat(now, id, form, &message, repeated);
        }
        match token {
            // C02.FR.02: there is nobody to judge.
            Some(token) if token.kind.as_deref() == Some(NO_AUTHORIZATION) => {
                let authorization = Authorization::accepted();
                self.record(now, id, Fact::Transaction { form, message }, Some(authorization));
            }
            // C12.FR.03, E01.FR.11, E02.FR.04, E05.FR.01; 1.6 edition 2, 4.8: the station may have judged by what was true once.
            Some(token) => {
                let known = (form != TransactionForm::Start).then(|| self.ledger.name_of(&message));
                let question = about_transaction(&message, token, known);
                self.ask(now, id, question, Asked::Transaction { form, message });
            }
            None => self.record(now, id, Fact::Transaction { form, message }, None),
        }
    }

    /// Answers a message that was received before as it was answered then, and asks the application for what isn't remembered.
    fn repeat(&mut self, now: Now, id: IncomingId, form: TransactionForm, message: &Message, repeated: Repeated) {
        let Repeated { id: transaction, wire, authorization, answer } = repeated;
        // I03.FR.02: what a transaction cost in the end is told again.
        let is_last = form == TransactionForm::Event && message.kind == Kind::Ended;
        let cost_of = (is_last && answer.is_none()).then(|| transaction.clone());
        let answer = answer.unwrap_or_default();
        match &message.event.token {
            Some(token) if authorization.is_none() => {
                let question = about_transaction(message, token.clone(), Some(transaction));
                self.ask(now, id, question, Asked::Repeated { form, wire, answer: Box::new(answer), cost_of });
            }
            _ => self.reply_again(now, id, Reply::Transaction { form, wire, authorization, answer }, cost_of),
        }
    }

    /// Answers a repeated message, once it is known what its transaction has cost.
    pub(super) fn reply_again(&mut self, now: Now, id: IncomingId, reply: Reply, cost_of: Option<TransactionId>) {
        match cost_of {
            Some(transaction) => {
                self.ask(now, id, Question::Cost { transaction }, Asked::Cost { reply: Box::new(reply) })
            }
            None => self.reply(id, &reply),
        }
    }

    fn queue(&mut self, now: Now, id: IncomingId, fact: Fact) {
        let deadline = now.instant + self.config.store_deadline;
        self.desk.current = Some(Work { id, deadline, step: Step::Queued { fact } });
    }

    /// Has a fact stored; the station is answered after that.
    pub(super) fn record(&mut self, now: Now, id: IncomingId, fact: Fact, authorization: Option<Authorization>) {
        if self.desk.batch.is_some() {
            return self.queue(now, id, fact);
        }
        let (transaction, events, reply) = match fact {
            Fact::Other(event) => (None, Vec::from([event]), Reply::Empty),
            Fact::Transaction { form, mut message } => {
                if form == TransactionForm::Start {
                    let proposed = authorization.as_ref().and_then(|authorization| authorization.transaction_id);
                    message.event.transaction = TransactionId::from(self.ledger.allocate(proposed));
                }
                self.observe_transaction(&message);
                let wire = message.event.transaction.clone();
                let events = self.ledger.apply(*message, authorization.as_ref());
                let answer = TransactionAnswer::default();
                (Some(wire.clone()), events, Reply::Transaction { form, wire, authorization, answer })
            }
        };
        let token = self.desk.next_token();
        let superseded = events.iter().filter_map(|event| match event {
            Event::TransactionSuperseded { transaction, .. } => Some(transaction.clone()),
            _ => None,
        });
        self.desk.batch = Some(Batch { token, transaction, superseded: superseded.collect() });
        let deadline = now.instant + self.config.store_deadline;
        self.desk.current = Some(Work { id, deadline, step: Step::Storing { token, reply: Box::new(reply) } });
        self.outputs.push_back(Output::Record { token, events });
    }

    /// The application has stored a batch, or has not.
    pub(super) fn handle_stored(&mut self, now: Now, token: StoreToken, stored: Option<TransactionAnswer>) {
        let Some(mut batch) = self.desk.batch.take_if(|batch| batch.token == token) else { return };
        let told = stored.map(|answer| self.settle(&batch, answer));
        if let (Some(_), Some(wire)) = (&told, &batch.transaction) {
            self.inquire_after_message(now, wire, core::mem::take(&mut batch.superseded));
        }
        if told.is_none() {
            self.ledger.roll_back();
        }
        let Some(work) = self.desk.current.take() else { return };
        match work.step {
            Step::Storing { token: storing, mut reply } if storing == token => match told {
                Some(told) => {
                    if let Reply::Transaction { answer, .. } = &mut *reply {
                        *answer = told;
                    }
                    self.reply(work.id, &reply);
                }
                None => self.refuse(work.id, ErrorCode::InternalError, "not stored, please repeat"),
            },
            Step::Queued { fact: Fact::Transaction { form, message } } => {
                self.begin_transaction(now, work.id, form, message);
            }
            Step::Queued { fact } => self.record(now, work.id, fact, None),
            step => self.desk.current = Some(Work { step, ..work }),
        }
    }

    /// What was stored holds; what the station is to be told.
    fn settle(&mut self, batch: &Batch, answer: TransactionAnswer) -> TransactionAnswer {
        self.ledger.commit();
        match &batch.transaction {
            Some(wire) => {
                let supported = SupportedLimits::of(&self.mirrors.device_model);
                self.ledger.answer(wire, answer, supported)
            }
            None => answer,
        }
    }
}

fn about_transaction(message: &Message, token: Token, transaction: Option<TransactionId>) -> Question {
    Question::Transaction {
        token,
        transaction,
        place: message.event.place,
        starts: message.kind == Kind::Started,
        ended: message.kind == Kind::Ended,
        offline: message.event.offline,
    }
}
