//! What is remembered of one transaction.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::answer::TransactionAnswer;
use super::limit::{Limits, SupportedLimits};
use super::sequence::Sequence;
use crate::csms::authorization::Authorization;
use crate::csms::event::{TransactionEvent, TransactionGaps};
use crate::csms::identity::{Place, TransactionId};

/// How many of a transaction's last messages are known again with certainty.
const MAX_MARKS: usize = 32;

/// Which part of a transaction a message tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::csms) enum Kind {
    Started,
    Updated,
    Ended,
}

/// What a message tells of a transaction, before it is known whether it tells anything new.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::csms) struct Message {
    pub(in crate::csms) kind: Kind,
    /// The content. Its transaction is the name on the wire; what the ledger knows better is filled in there.
    pub(in crate::csms) event: TransactionEvent,
    /// What two messages agree in only if they are the same one, besides the sequence number.
    pub(in crate::csms) fingerprint: u64,
    /// Whether the station calls the transaction by its name: always in 2.x; in 1.6 not in its start, and not with -1.
    pub(in crate::csms) named: bool,
    /// The start of 1.6.
    pub(in crate::csms) start: Option<StartKey>,
}

/// What tells a message from all others of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) sequence: Option<i64>,
    pub(super) fingerprint: u64,
    /// Microseconds since 1970.
    pub(super) at: i64,
}

impl Mark {
    pub(super) fn of(message: &Message) -> Self {
        let event = &message.event;
        Self { sequence: event.sequence, fingerprint: message.fingerprint, at: event.at.as_microsecond() }
    }
}

/// What makes a StartTransaction of 1.6 the one that was received before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::csms) struct StartKey {
    pub(in crate::csms) connector: i64,
    /// The fingerprint of the token, in small letters.
    pub(in crate::csms) token: u64,
    pub(in crate::csms) meter_start: i64,
    /// Microseconds since 1970.
    pub(in crate::csms) at: i64,
}

/// What a message was answered, to be given again when it is repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answered<T> {
    to: Mark,
    with: T,
}

impl<T: Clone> Answered<T> {
    fn to(&self, mark: Option<Mark>) -> Option<T> {
        mark.is_none_or(|mark| self.to == mark).then(|| self.with.clone())
    }
}

/// What is remembered of one transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// What the application calls it.
    pub(super) id: TransactionId,
    /// What the station calls it.
    pub(super) wire: TransactionId,
    pub(super) place: Option<Place>,
    /// Microseconds since 1970; `None` as long as the start was not received.
    pub(super) started_at: Option<i64>,
    /// Microseconds since 1970; `None` while it goes on.
    pub(super) ended_at: Option<i64>,
    /// Another was started at its place.
    pub(super) superseded: bool,
    /// Its end will not come any more, as far as known. Snapshots of old have none of what has a default.
    #[serde(default)]
    pub(super) lost: bool,
    /// What is missing of it as it was stated when it was given up, and whether its start was.
    #[serde(default)]
    pub(super) given_up: Option<(bool, Vec<(i64, i64)>)>,
    /// The start of 1.6.
    pub(super) start: Option<StartKey>,
    /// Whether the station has shown that it knows the name: always in 2.x, in 1.6 once it went on after being told.
    pub(super) named: bool,
    received: Sequence,
    marks: VecDeque<Mark>,
    /// The latest time of a message whose mark is forgotten, in microseconds since 1970.
    forgotten_until: Option<i64>,
    /// What was said last about a token.
    #[serde(default, rename = "token_answer")]
    judgement: Option<Box<Answered<Authorization>>>,
    /// What was said last besides.
    #[serde(default)]
    answer: Option<Box<Answered<TransactionAnswer>>>,
    #[serde(default)]
    limits: Limits,
}

impl Entry {
    pub(super) fn new(id: TransactionId, wire: TransactionId) -> Self {
        Self {
            id,
            wire,
            place: None,
            started_at: None,
            ended_at: None,
            superseded: false,
            lost: false,
            given_up: None,
            start: None,
            named: false,
            received: Sequence::default(),
            marks: VecDeque::new(),
            forgotten_until: None,
            judgement: None,
            answer: None,
            limits: Limits::default(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.ended_at.is_none() && !self.lost
    }

    /// Nothing that is missing will come any more. What to tell about that, unless it was told.
    pub(super) fn give_up(&mut self, end_too: bool) -> Option<TransactionGaps> {
        let (start_lost, missing) = (self.started_at.is_none(), self.missing());
        let end_lost = end_too && self.ended_at.is_none();
        let gaps = (start_lost, missing.iter().map(|gap| (*gap.start(), *gap.end())).collect());
        let news =
            (end_lost && !self.lost) || ((start_lost || !missing.is_empty()) && self.given_up.as_ref() != Some(&gaps));
        self.lost |= end_lost;
        self.given_up = Some(gaps);
        news.then(|| TransactionGaps { transaction: self.id.clone(), start_lost, missing, end_lost })
    }

    /// Whether a message like this was received.
    pub(super) fn has_mark(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }

    /// Whether the message was received before.
    ///
    /// A sequence number alone doesn't tell: there are stations whose counter stands still, and stations that begin again
    /// at 0 after a power cut. What they tell must not be lost.
    pub(super) fn knows(&self, message: &Message) -> bool {
        let mark = Mark::of(message);
        if self.has_mark(mark) {
            return true;
        }
        let first_of_its_kind = match message.kind {
            Kind::Started => self.started_at.is_none(),
            Kind::Ended => self.ended_at.is_none(),
            Kind::Updated => false,
        };
        let old = self.forgotten_until.is_some_and(|until| mark.at <= until);
        let number_was_received = mark.sequence.is_some_and(|number| {
            self.received.contains(number) && self.marks.iter().all(|known| known.sequence != Some(number))
        });
        !first_of_its_kind && old && number_was_received
    }

    /// Notes a message as received, and says what the application is to be told: a second start or end is an update.
    pub(super) fn note(&mut self, message: &Message, authorization: Option<&Authorization>) -> Kind {
        let mark = Mark::of(message);
        // What was given up goes on.
        self.lost = false;
        self.named |= message.named;
        if message.start.is_some() {
            self.start = message.start;
        }
        if let Some(number) = mark.sequence {
            self.received.insert(number);
        }
        if self.marks.len() >= MAX_MARKS
            && let Some(forgotten) = self.marks.pop_front()
        {
            self.forgotten_until = self.forgotten_until.max(Some(forgotten.at));
        }
        self.marks.push_back(mark);
        if let Some(place) = message.event.place
            && (place.connector.is_some() || self.place.is_none())
        {
            self.place = Some(place);
        }
        if let Some(authorization) = authorization {
            self.judgement = Some(Box::new(Answered { to: mark, with: authorization.clone() }));
        }
        if let Some(limit) = &message.event.limit {
            self.limits.reported(limit);
        }
        match message.kind {
            Kind::Started if self.started_at.is_none() => {
                self.started_at = Some(mark.at);
                Kind::Started
            }
            Kind::Ended if self.ended_at.is_none() => {
                self.ended_at = Some(mark.at);
                Kind::Ended
            }
            Kind::Started | Kind::Updated | Kind::Ended => Kind::Updated,
        }
    }

    /// What was said about the token of a message, if it had one and that is remembered.
    pub(super) fn judgement_of(&self, mark: Option<Mark>) -> Option<Authorization> {
        self.judgement.as_ref()?.to(mark)
    }

    /// What was said besides in answer to a message, if that is remembered.
    pub(super) fn answer_to(&self, mark: Option<Mark>) -> Option<TransactionAnswer> {
        self.answer.as_ref()?.to(mark)
    }

    /// The application answers the last message; what the station is to be told of that.
    pub(super) fn answer_last(&mut self, answer: TransactionAnswer, supported: SupportedLimits) -> TransactionAnswer {
        let open = self.is_open();
        let limit = answer.limit.filter(|_| open).and_then(|limit| self.limits.tell(&limit, supported));
        let with = TransactionAnswer { limit, ..answer };
        if let Some(to) = self.marks.back().copied() {
            self.answer = Some(Box::new(Answered { to, with: with.clone() }));
        }
        with
    }

    /// The numbers that are missing so far.
    pub(super) fn missing(&self) -> alloc::vec::Vec<core::ops::RangeInclusive<i64>> {
        self.received.missing()
    }
}
