//! The transactions of a station, kept whole however their messages arrive.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::answer::TransactionAnswer;
use super::entry::{Entry, Kind, Mark, Message, StartKey};
use super::limit::SupportedLimits;
use crate::csms::authorization::{Authorization, AuthorizationStatus};
use crate::csms::event::Event;
use crate::csms::identity::{Place, TransactionId};

/// How many ended transactions are remembered, so that a repeated message of theirs is known again.
const MAX_ENDED: usize = 32;
/// How many transactions may be open. A station has one an EVSE; more are ends that were lost.
const MAX_OPEN: usize = 128;
/// How far a number that a 1.6 station made up, or has from another CSMS, may push the session's own counter.
const MAX_LEAP: i64 = 1_000_000;

/// A message that was received before.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::csms) struct Repeated {
    /// What the application calls the transaction.
    pub(in crate::csms) id: TransactionId,
    /// What the station calls the transaction.
    pub(in crate::csms) wire: TransactionId,
    /// What it was answered about the token; `None` if that is not remembered, or there was none.
    pub(in crate::csms) authorization: Option<Authorization>,
    /// What it was answered besides; `None` if that is not remembered.
    pub(in crate::csms) answer: Option<TransactionAnswer>,
}

impl Repeated {
    fn of(entry: &Entry, mark: Option<Mark>) -> Self {
        Self {
            id: entry.id.clone(),
            wire: entry.wire.clone(),
            authorization: entry.judgement_of(mark),
            answer: entry.answer_to(mark),
        }
    }
}

/// The transactions of a station.
///
/// What [`Ledger::apply`] changes is provisional until [`Ledger::commit`]; [`Ledger::roll_back`] undoes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::csms) struct Ledger {
    /// In the order of their first message.
    entries: Vec<Entry>,
    next_id: i64,
    #[serde(skip)]
    undo: Undo,
}

/// What a provisional change replaced.
#[derive(Debug, Clone, PartialEq, Default)]
struct Undo {
    entries: Vec<(TransactionId, Option<Entry>)>,
    next_id: Option<i64>,
}

impl Ledger {
    /// No transactions, and the first id to give away.
    /// 1.6 errata 3.54: ids are positive
    pub(in crate::csms) fn new(first_id: i64) -> Self {
        Self { entries: Vec::new(), next_id: first_id, undo: Undo::default() }
    }

    /// Makes sure that ids below are not given away.
    pub(in crate::csms) fn reserve_ids_below(&mut self, first_id: i64) {
        self.next_id = self.next_id.max(first_id);
    }

    /// What the station calls a transaction; as it is where nothing is remembered of it.
    pub(in crate::csms) fn wire_name<'a>(&'a self, id: &'a TransactionId) -> &'a TransactionId {
        self.entries.iter().find(|entry| entry.id == *id).map_or(id, |entry| &entry.wire)
    }

    /// What the application calls a transaction; as it is where nothing is remembered of it.
    pub(in crate::csms) fn name<'a>(&'a self, wire: &'a TransactionId) -> &'a TransactionId {
        self.latest(wire).map_or(wire, |entry| &entry.id)
    }

    /// What the application calls, or will call, the transaction that a message tells of.
    pub(in crate::csms) fn name_of(&self, message: &Message) -> TransactionId {
        let wire = &message.event.transaction;
        match self.latest(wire) {
            Some(entry) if Self::begins_anew(entry, message) => {
                TransactionId::new(format!("{wire}@{}", message.event.at))
            }
            Some(entry) => entry.id.clone(),
            None => wire.clone(),
        }
    }

    /// The transactions that have not ended, oldest first.
    pub(in crate::csms) fn open(&self) -> impl Iterator<Item = (&TransactionId, Option<Place>)> {
        self.entries.iter().filter(|entry| entry.is_open()).map(|entry| (&entry.id, entry.place))
    }

    /// Those that have not ended, and in whose place another one began.
    pub(in crate::csms) fn superseded(&self) -> impl Iterator<Item = &TransactionId> {
        self.entries.iter().filter(|entry| entry.is_open() && entry.superseded).map(|entry| &entry.id)
    }

    /// Whether something before the last message of a transaction is missing.
    pub(in crate::csms) fn has_gaps(&self, id: &TransactionId) -> bool {
        let entry = self.entries.iter().find(|entry| entry.id == *id);
        entry.is_some_and(|entry| entry.started_at.is_none() || !entry.missing().is_empty())
    }

    /// Nothing that is missing of a transaction will come any more. What to tell about that, unless it was told; provisional, like
    /// what is applied.
    pub(in crate::csms) fn give_up(&mut self, id: &TransactionId, end_too: bool) -> Option<Event> {
        let at = self.entries.iter().position(|entry| entry.id == *id)?;
        self.note_undo(at);
        let gaps = self.entries.get_mut(at)?.give_up(end_too);
        if gaps.is_none() {
            self.undo.entries.pop();
        }
        gaps.map(|gaps| Event::TransactionIncomplete(Box::new(gaps)))
    }

    /// Whether the message was received before.
    pub(in crate::csms) fn repeated(&self, message: &Message) -> Option<Repeated> {
        let wire = &message.event.transaction;
        let entry = self
            .entries
            .iter()
            .rev()
            .find(|entry| entry.wire == *wire && entry.knows(message) && !Self::begins_anew(entry, message))?;
        Some(Repeated::of(entry, Some(Mark::of(message))))
    }

    /// The transaction that a StartTransaction of 1.6 began when it was received before.
    pub(in crate::csms) fn repeated_start(&self, key: &StartKey) -> Option<Repeated> {
        let entry = self.entries.iter().rev().find(|entry| entry.start.as_ref() == Some(key))?;
        Some(Repeated::of(entry, None))
    }

    /// An id for a 1.6 transaction: the proposed one if it is free.
    pub(in crate::csms) fn allocate(&mut self, proposed: Option<i64>) -> i64 {
        self.undo.next_id.get_or_insert(self.next_id);
        let free = |id: &i64| self.latest(&TransactionId::from(*id)).is_none();
        if let Some(id) = proposed.filter(|id| *id > 0).filter(free) {
            self.leap_over(id);
            return id;
        }
        while !free_in(&self.entries, self.next_id) {
            self.next_id = self.next_id.saturating_add(1);
        }
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        id
    }

    /// The transaction that a 1.6 station means.
    ///
    /// One that was never told an id says -1 for all of them (errata to 1.6, 3.18), and some say 0 where there is none: as
    /// only positive ids are given away, it is the one that fits. Where none does, an end is the end of a transaction
    /// whose start is lost, and a reading belongs to no transaction.
    pub(in crate::csms) fn resolve(&mut self, number: i64, message: &Message) -> Option<TransactionId> {
        if number > 0 {
            if self.latest(&TransactionId::from(number)).is_none() {
                self.undo.next_id.get_or_insert(self.next_id);
                self.leap_over(number);
            }
            return Some(TransactionId::from(number));
        }
        let mark = Mark::of(message);
        if let Some(entry) = self.entries.iter().rev().find(|entry| !entry.named && entry.has_mark(mark)) {
            return Some(entry.wire.clone());
        }
        let mut fitting = self.entries.iter().filter(|entry| entry.is_open() && fits_unnamed(entry, message, mark));
        match (fitting.next(), fitting.next()) {
            (Some(entry), None) => Some(entry.wire.clone()),
            _ => (message.kind == Kind::Ended).then(|| TransactionId::from(self.allocate(None))),
        }
    }

    /// The station knows the transaction's id.
    pub(in crate::csms) fn confirm(&mut self, wire: &TransactionId) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.wire == *wire) {
            entry.named = true;
        }
    }

    /// Takes a message in that is not a repetition, and says what the application is to be told.
    pub(in crate::csms) fn apply(&mut self, message: Message, authorization: Option<&Authorization>) -> Vec<Event> {
        let at = self.entry_for(&message);
        let Some(entry) = self.entries.get_mut(at) else { return Vec::new() };
        let had_place = entry.place.is_some();
        let kind = entry.note(&message, authorization);
        let mut event = message.event;
        event.transaction = entry.id.clone();
        event.place = event.place.or(entry.place);
        event.missing = entry.missing();
        event.start_lost = entry.started_at.is_none();
        event.authorization = authorization.map(|authorization| authorization.status);

        // A start that is refused leaves alone what goes on at its place: it is about to be stopped itself.
        let refused = event.authorization.is_some_and(|status| status != AuthorizationStatus::Accepted);
        let mut events = match kind {
            Kind::Started if !refused => self.supersede_others_than(at),
            Kind::Updated if !refused && !had_place => self.supersede_others_than(at),
            Kind::Started | Kind::Updated | Kind::Ended => Vec::new(),
        };
        let event = Box::new(event);
        events.push(match kind {
            Kind::Started => Event::TransactionStarted(event),
            Kind::Updated => Event::TransactionUpdated(event),
            Kind::Ended => Event::TransactionEnded(event),
        });
        events
    }

    /// The application answers the last message of a transaction; what the station is to be told of that.
    pub(in crate::csms) fn answer(
        &mut self,
        wire: &TransactionId,
        answer: TransactionAnswer,
        supported: SupportedLimits,
    ) -> TransactionAnswer {
        match self.entries.iter_mut().rev().find(|entry| entry.wire == *wire) {
            Some(entry) => entry.answer_last(answer, supported),
            None => TransactionAnswer { limit: None, ..answer },
        }
    }

    /// What was applied holds.
    pub(in crate::csms) fn commit(&mut self) {
        self.undo = Undo::default();
        self.forget(MAX_ENDED, |entry| !entry.is_open());
        self.forget(MAX_OPEN, Entry::is_open);
    }

    /// What was applied since the last commit never happened.
    pub(in crate::csms) fn roll_back(&mut self) {
        let undo = core::mem::take(&mut self.undo);
        for (id, before) in undo.entries.into_iter().rev() {
            let Some(at) = self.entries.iter().position(|entry| entry.id == id) else { continue };
            match before {
                Some(before) => {
                    if let Some(entry) = self.entries.get_mut(at) {
                        *entry = before;
                    }
                }
                None => {
                    self.entries.remove(at);
                }
            }
        }
        if let Some(next_id) = undo.next_id {
            self.next_id = next_id;
        }
    }

    fn latest(&self, wire: &TransactionId) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.wire == *wire)
    }

    /// A start that is later than the end of its transaction begins another one: some stations count from 1 again when they
    /// boot.
    fn begins_anew(entry: &Entry, message: &Message) -> bool {
        let mark = Mark::of(message);
        message.kind == Kind::Started
            && entry.started_at.is_some()
            && entry.ended_at.is_some_and(|ended_at| ended_at < mark.at)
            && !entry.has_mark(mark)
    }

    /// The place of the message's transaction in the list, where it is put if need be. Notes how to undo it.
    fn entry_for(&mut self, message: &Message) -> usize {
        let wire = &message.event.transaction;
        let known = self.entries.iter().rposition(|entry| entry.wire == *wire);
        let anew = known.and_then(|at| self.entries.get(at)).is_some_and(|entry| Self::begins_anew(entry, message));
        if let Some(at) = known.filter(|_| !anew) {
            self.note_undo(at);
            return at;
        }
        let id = self.name_of(message);
        self.undo.entries.push((id.clone(), None));
        self.entries.push(Entry::new(id, wire.clone()));
        self.entries.len() - 1
    }

    fn note_undo(&mut self, at: usize) {
        if let Some(entry) = self.entries.get(at) {
            self.undo.entries.push((entry.id.clone(), Some(entry.clone())));
        }
    }

    /// Marks what is still open at the place of a transaction that begins there.
    fn supersede_others_than(&mut self, at: usize) -> Vec<Event> {
        let Some(entry) = self.entries.get(at) else { return Vec::new() };
        let (Some(place), Some(started_at), true) = (entry.place, entry.started_at, entry.is_open()) else {
            return Vec::new();
        };
        let by = entry.id.clone();
        let stale = |(other_at, other): (usize, &Entry)| {
            let same_place = other.place.is_some_and(|other| other.evse == place.evse);
            let older = other.started_at.is_none_or(|other| other <= started_at);
            (other_at != at && same_place && older && other.is_open() && !other.superseded).then_some(other_at)
        };
        let stale: Vec<usize> = self.entries.iter().enumerate().filter_map(stale).collect();
        let mut events = Vec::with_capacity(stale.len());
        for other_at in stale {
            self.note_undo(other_at);
            if let Some(other) = self.entries.get_mut(other_at) {
                other.superseded = true;
                events.push(Event::TransactionSuperseded { transaction: other.id.clone(), by: by.clone() });
            }
        }
        events
    }

    /// Keeps the counter ahead of ids that others gave away, within reason.
    fn leap_over(&mut self, id: i64) {
        if id >= self.next_id && id.saturating_sub(self.next_id) <= MAX_LEAP {
            self.next_id = id.saturating_add(1);
        }
    }

    /// Forgets the oldest of a group past a limit, those that were superseded first.
    fn forget(&mut self, limit: usize, of_group: impl Fn(&Entry) -> bool) {
        while self.entries.iter().filter(|entry| of_group(entry)).count() > limit {
            let superseded = self.entries.iter().position(|entry| of_group(entry) && entry.superseded);
            let Some(at) = superseded.or_else(|| self.entries.iter().position(&of_group)) else { return };
            self.entries.remove(at);
        }
    }
}

fn free_in(entries: &[Entry], id: i64) -> bool {
    let id = TransactionId::from(id);
    entries.iter().all(|entry| entry.wire != id)
}

/// Whether a message without an id may belong to an open transaction whose id the station never used.
fn fits_unnamed(entry: &Entry, message: &Message, mark: Mark) -> bool {
    let event = &message.event;
    let same_place = match (event.place, entry.place) {
        (Some(place), Some(of_entry)) => place.evse == of_entry.evse,
        _ => true,
    };
    let not_earlier = entry.started_at.is_none_or(|started_at| started_at <= mark.at);
    let meter_not_lower = match (&entry.start, event.meter_wh) {
        (Some(start), Some(meter)) => rust_decimal::Decimal::from(start.meter_start) <= meter,
        _ => true,
    };
    !entry.named && same_place && not_earlier && meter_not_lower
}

/// A hash that is the same on every machine, of eight bytes at a time: payloads are long, and each is hashed.
pub(in crate::csms) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    // Each step can be undone, so that two texts that differ in eight bytes never agree; the shift takes what the product has moved up
    // down again.
    let mut mix = |word: u64| {
        hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    };
    for part in parts {
        let (words, rest) = part.as_bytes().as_chunks::<8>();
        for word in words {
            mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        mix(u64::from_le_bytes(last));
        mix(part.len() as u64);
    }
    hash
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
