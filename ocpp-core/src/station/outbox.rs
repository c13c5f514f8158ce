//! Messages about transactions on their way to the CSMS: in order, kept until it has taken them (2.1 part 2, E04, E12, E13;
//! 1.6 edition 2, 3.7).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use super::calls::{Call, TokenInfo};
use super::event::Event;
use super::metering::{Context, MeterValue};
use super::settings::Key;
use super::transactions::{Stage, TransactionMessage, Trigger};
use super::{Output, Station};
use crate::time::Instant;

/// From how many messages on samples are thinned out (E12.FR.04, J02.FR.12).
const LIMIT: usize = 2_000;

/// At how many messages no further transaction begins: what the CSMS doesn't take has to be kept, and memory is finite.
const FULL: usize = 2 * LIMIT;

/// Messages that the CSMS has not taken.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    next: u64,
    in_flight: Option<u64>,
    pub(super) retry_at: Option<Instant>,
    /// The id that a 1.6 CSMS gave to a transaction, while messages about it may follow.
    csms_ids: BTreeMap<String, i64>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    message: Queued,
    attempts: u32,
}

/// What waits to be delivered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Queued {
    Transaction(TransactionMessage),
    /// What a meter said outside of transactions, that of an EVSE or with EVSE 0 that of the station. To 1.6 that is a
    /// message like those about transactions (edition 2, 3.7).
    Values {
        evse: u32,
        connector: u32,
        value: MeterValue,
    },
}

impl Queued {
    fn transaction(&self) -> Option<&TransactionMessage> {
        match self {
            Self::Transaction(message) => Some(message),
            Self::Values { .. } => None,
        }
    }

    /// It waits without a connection (E11.FR.07).
    fn waits_offline(&mut self) {
        if let Self::Transaction(message) = self {
            message.offline = true;
        }
    }

    /// Whether it may be left out where there are too many (E12.FR.05, J02.FR.13).
    fn is_sample(&self) -> bool {
        self.transaction().is_none_or(|message| {
            message.stage == Stage::Updated
                && matches!(message.trigger, Trigger::MeterValueClock | Trigger::MeterValuePeriodic)
                && !message.values.iter().any(|value| value.context == Context::Begin)
        })
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// It was given to the connection.
    Yes,
    /// There is no connection that would take it.
    NotNow,
    /// The version has no message for it.
    NotInThisVersion,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no room for another transaction.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= FULL
    }

    pub(super) fn has_messages_of(&self, transaction: &str) -> bool {
        self.entries
            .iter()
            .filter_map(|entry| entry.message.transaction())
            .any(|message| message.transaction == transaction)
    }

    /// Whether the station's own id belongs to a transaction that something is known of.
    pub(super) fn csms_id(&self, transaction: &str) -> Option<i64> {
        self.csms_ids.get(transaction).copied()
    }

    /// The connection is gone: what waits, waited without one (E11.FR.07).
    pub(super) fn disconnected(&mut self) {
        self.in_flight = None;
        for entry in &mut self.entries {
            entry.message.waits_offline();
        }
    }

    /// Takes over what a predecessor stored; call it in the order of the numbers.
    pub(super) fn restore(&mut self, number: u64, mut message: Queued) {
        self.next = self.next.max(number.saturating_add(1));
        message.waits_offline();
        self.entries.push_back(Entry { number, message, attempts: 0 });
        self.entries.make_contiguous().sort_by_key(|entry| entry.number);
    }

    pub(super) fn restore_csms_id(&mut self, transaction: String, id: i64) {
        self.csms_ids.insert(transaction, id);
    }
}

/// Numbers sort as texts, too.
fn record(number: u64) -> String {
    format!("outbox/{number:020}")
}

impl Station {
    pub(super) fn enqueue(&mut self, message: Queued) {
        let number = self.outbox.next;
        self.outbox.next += 1;
        self.journal.put(record(number), &message);
        self.outbox.entries.push_back(Entry { number, message, attempts: 0 });
        if self.outbox.entries.len() > LIMIT {
            self.thin_out();
        }
    }

    /// Drops every other sample, never a beginning, an end or an event (E12.FR.05, J02.FR.13).
    fn thin_out(&mut self) {
        let in_flight = self.outbox.in_flight;
        let mut drop = false;
        let journal = &mut self.journal;
        self.outbox.entries.retain(|entry| {
            if !entry.message.is_sample() || in_flight == Some(entry.number) {
                return true;
            }
            drop = !drop;
            if drop {
                journal.delete(record(entry.number));
            }
            !drop
        });
    }

    /// Sends the oldest message, if the CSMS is there and it is time.
    pub(super) fn send_oldest(&mut self) {
        while self.may_send() && self.outbox.in_flight.is_none() && self.outbox.retry_at.is_none() {
            let Some(entry) = self.outbox.entries.front() else { return };
            let number = entry.number;
            let call = match entry.message.clone() {
                Queued::Transaction(message) => {
                    let csms_id = self.outbox.csms_id(&message.transaction);
                    Call::Transaction { entry: number, message, csms_id }
                }
                Queued::Values { evse, connector, value } => {
                    Call::MeterValues { evse, connector, csms_id: None, value, entry: Some(number) }
                }
            };
            match self.request(call) {
                Called::Yes => self.outbox.in_flight = Some(number),
                Called::NotNow => return,
                // 1.6 has no message for a mere change of the state of charging.
                Called::NotInThisVersion => self.remove(number),
            }
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(place) = self.outbox.entries.iter().position(|entry| entry.number == number) else { return };
        self.journal.delete(record(number));
        let Some(entry) = self.outbox.entries.remove(place) else { return };
        if let Queued::Transaction(message) = entry.message
            && message.stage == Stage::Ended
            && self.outbox.csms_ids.remove(&message.transaction).is_some()
        {
            self.journal.delete(format!("csms-id/{}", message.transaction));
        }
    }

    /// The CSMS has taken a message.
    pub(super) fn delivered(
        &mut self,
        number: u64,
        message: &TransactionMessage,
        info: Option<TokenInfo>,
        csms_id: Option<i64>,
    ) {
        self.outbox.in_flight.take_if(|in_flight| *in_flight == number);
        if let Some(csms_id) = csms_id {
            self.journal.put(format!("csms-id/{}", message.transaction), &csms_id);
            self.outbox.csms_ids.insert(message.transaction.clone(), csms_id);
        }
        self.remove(number);
        if let (Some(info), Some(token)) = (info, &message.token) {
            self.remember(token, &info);
            if message.stage != Stage::Ended {
                self.token_judged(&message.transaction, token, info);
            }
        }
    }

    /// The CSMS has taken what a meter said outside of transactions.
    pub(super) fn values_delivered(&mut self, number: u64) {
        self.outbox.in_flight.take_if(|in_flight| *in_flight == number);
        self.remove(number);
    }

    /// The CSMS failed to take a message (E13.FR.02 to 04; 1.6 edition 2, 3.7.1).
    pub(super) fn not_delivered(&mut self, number: u64, reason: &str) {
        if self.outbox.in_flight.take_if(|in_flight| *in_flight == number).is_none() {
            return;
        }
        let limit = self.settings.integer(Key::MessageAttempts);
        let interval = self.settings.duration(Key::MessageAttemptInterval);
        let Some(entry) = self.outbox.entries.iter_mut().find(|entry| entry.number == number) else { return };
        entry.attempts += 1;
        if i64::from(entry.attempts) < limit {
            self.outbox.retry_at = Some(self.now.instant + interval.saturating_mul(entry.attempts));
            return;
        }
        if let Some(message) = entry.message.transaction() {
            let transaction = message.transaction.clone();
            let event = Event::MessageLost { transaction, seq_no: message.seq_no, reason: reason.to_string() };
            self.effect(Output::Event(event));
        }
        self.remove(number);
    }
}
