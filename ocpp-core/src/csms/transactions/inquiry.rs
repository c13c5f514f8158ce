//! Asking after transactions of which something is missing, and giving up what will not come (2.1 part 2, E14).
//!
//! A station of 2.x is asked with GetTransactionStatus: after it connected anew, when messages of a transaction are missing, when
//! its connector is free although a transaction goes on there, or another one began. What it has no messages of any more is
//! stated as lost. A station of 1.6 can't be asked: a transaction counts as lost there when its connector was free, or
//! another transaction went on in its place, for a while.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ocpp_types::Version;
use ocpp_types::v2_1::{GetTransactionStatusRequest, StationResponse};

use crate::csms::command::CallOutcome;
use crate::csms::config::RegistrationStatus;
use crate::csms::event::ConnectorStatus;
use crate::csms::identity::TransactionId;
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::operations::{Happened, Next, Operation, Scene};
use crate::csms::output::{Deadline, DeadlineReason, Output};
use crate::csms::session::Session;
use crate::csms::wire::bounded;
use crate::csms::work::Batch;
use crate::time::{Instant, Now};

/// How long to wait where the application still has facts to store.
const STORING: core::time::Duration = core::time::Duration::from_secs(1);

/// The transactions to be asked after, each at its time.
#[derive(Debug, Default)]
pub(in crate::csms) struct Inquiries {
    due: BTreeMap<TransactionId, Instant>,
    /// When the station was heard last.
    heard_at: Option<Instant>,
}

impl Inquiries {
    pub(in crate::csms) fn deadline(&self) -> Option<Deadline> {
        let at = self.due.values().min().copied()?;
        Some(Deadline { at, reason: DeadlineReason::Operation })
    }

    pub(in crate::csms) fn clear(&mut self) {
        self.due.clear();
    }

    /// The station said something.
    pub(in crate::csms) fn heard(&mut self, now: Now) {
        self.heard_at = Some(now.instant);
    }
}

impl Session {
    /// The station connected: what is open may have ended meanwhile.
    pub(in crate::csms) fn inquire_after_open(&mut self, now: Now, version: Version) {
        let doubtful: Vec<TransactionId> = match version {
            Version::V1_6 => self.ledger.superseded().cloned().collect(),
            _ => self.ledger.open().map(|(id, _)| id.clone()).collect(),
        };
        for transaction in doubtful {
            self.inquire(now, transaction);
        }
    }

    /// A message of a transaction was taken in.
    pub(in crate::csms) fn inquire_after_message(
        &mut self,
        now: Now,
        wire: &TransactionId,
        superseded: Vec<TransactionId>,
    ) {
        let id = self.ledger.name(wire).clone();
        if self.connected() != Some(Version::V1_6) && self.ledger.has_gaps(&id) {
            self.inquire(now, id);
        } else {
            self.inquiries.due.remove(&id);
        }
        for transaction in superseded {
            self.inquire(now, transaction);
        }
    }

    /// A connector changed its state: where it is free, no transaction goes on.
    pub(in crate::csms) fn inquire_after_status(&mut self, now: Now, status: &ConnectorStatus) {
        let Some(place) = status.place else { return };
        let here: Vec<TransactionId> = self
            .ledger
            .open()
            .filter(|(_, at)| at.is_some_and(|at| at.evse == place.evse))
            .map(|(id, _)| id.clone())
            .collect();
        for transaction in here {
            if status.status == "Available" {
                self.inquire(now, transaction);
            } else if self.connected() == Some(Version::V1_6) {
                self.inquiries.due.remove(&transaction);
            }
        }
    }

    fn inquire(&mut self, now: Now, transaction: TransactionId) {
        let delay = match self.connected() {
            None => return,
            Some(Version::V1_6) => self.config.transaction_lost_after,
            Some(_) => self.config.transaction_inquiry_delay,
        };
        self.inquiries.due.entry(transaction).or_insert(now.instant + delay);
    }

    /// Asks after those whose time has come.
    pub(in crate::csms) fn inquiries_overdue(&mut self, now: Now) {
        let due = self.inquiries.due.iter().filter(|(_, at)| **at <= now.instant);
        let due: Vec<TransactionId> = due.map(|(transaction, _)| transaction.clone()).collect();
        for transaction in due {
            self.inquiries.due.remove(&transaction);
            let Some(version) = self.connected() else { return };
            if self.registration() != RegistrationStatus::Accepted {
                self.inquire(now, transaction);
            } else if version == Version::V1_6 {
                // A connection that nothing comes by may be a dead one, and the station waiting to connect again with all that
                // it has to tell.
                let patience = self.config.transaction_lost_after / 2;
                if self.inquiries.heard_at.is_some_and(|at| now.instant.saturating_since(at) <= patience) {
                    self.give_up(now, transaction, true);
                } else {
                    self.inquiries.due.insert(transaction, now.instant + patience);
                }
            } else {
                // Where too much is under way, the next occasion will do.
                let _ = self.start(now, None, Box::new(Inquiry { transaction }));
            }
        }
    }

    /// The station says how a transaction stands.
    fn inquiry_answered(&mut self, now: Now, transaction: &TransactionId, ongoing: bool, messages_in_queue: bool) {
        if messages_in_queue {
            self.inquire(now, transaction.clone());
        } else {
            self.give_up(now, transaction.clone(), !ongoing);
        }
    }

    /// Nothing that is missing of a transaction will come any more: told once, as a fact.
    fn give_up(&mut self, now: Now, transaction: TransactionId, end_too: bool) {
        if self.desk.batch.is_some() {
            self.inquiries.due.insert(transaction, now.instant + STORING);
            return;
        }
        if let Some(event) = self.ledger.give_up(&transaction, end_too) {
            let token = self.desk.next_token();
            self.desk.batch = Some(Batch { token, transaction: None, superseded: Vec::new() });
            self.outputs.push_back(Output::Record { token, events: [event].into() });
        }
    }
}

/// Asks the station how a transaction stands.
#[derive(Debug)]
struct Inquiry {
    transaction: TransactionId,
}

impl Operation for Inquiry {
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> Next {
        match happened {
            Happened::Begun => {
                let wire = scene.session.ledger.wire_name(&self.transaction);
                let Ok(id) = bounded("/transactionId", wire.as_str()) else { return done() };
                let mut request = GetTransactionStatusRequest::new();
                request.transaction_id = Some(id);
                Next::Call(CallMessage::v2(request))
            }
            Happened::Answered { message, .. } => {
                if let AnswerMessage::V2(answer) = *message
                    && let StationResponse::GetTransactionStatus(answer) = *answer
                    && let Some(ongoing) = answer.ongoing_indicator
                {
                    let now = scene.now;
                    scene.session.inquiry_answered(now, &self.transaction, ongoing, answer.messages_in_queue);
                }
                done()
            }
            Happened::Failed(_) => done(),
            _ => Next::Stay,
        }
    }
}

/// Nobody is told how it ended.
fn done() -> Next {
    Next::End(CallOutcome::NotSupported)
}
