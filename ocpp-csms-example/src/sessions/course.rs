//! How a session goes, as far as its price depends on it: no database, no clock.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::store::Transaction;
use crate::tariffs::{Tariff, Usage};

/// Readings that are remembered at most. More would take a tariff whose price changes with every reading for weeks.
const READINGS: usize = 5_000;

/// What the price of a session depends on, beside the two registers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Course {
    /// Readings of the energy register in Wh, in order: only those between which a price changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    readings: Vec<(Timestamp, Decimal)>,
    /// When the vehicle was connected and took no energy any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    idle: Vec<(Timestamp, Timestamp)>,
    /// Since when that is so again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idle_since: Option<Timestamp>,
    /// Whether it has charged at all.
    #[serde(default)]
    charged: bool,
    /// The latest moment that is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl Course {
    /// Something was reported at this moment.
    pub(super) fn seen(&mut self, at: Timestamp) {
        self.until = Some(self.until.map_or(at, |until| until.max(at)));
    }

    /// The energy register was read. What lies between two readings was taken evenly, so a reading between two others matters
    /// only where a price changed.
    pub(super) fn read(&mut self, at: Timestamp, wh: Decimal, tariff: &Tariff) {
        if self.readings.last().is_some_and(|(last, _)| *last >= at) || self.readings.len() >= READINGS {
            return;
        }
        if let [.., (before, _), _] = &*self.readings
            && tariff.energy().is_constant_between(*before, at, tariff.zone())
        {
            self.readings.pop();
        }
        self.readings.push((at, wh));
    }

    /// The state of charging changed; `state` is one of 2.x's `chargingState`, or one of 1.6's connector.
    ///
    /// A vehicle that hasn't begun to take energy is not idle, and one that the station holds back isn't either.
    pub(super) fn state(&mut self, at: Timestamp, state: &str) {
        match state {
            "Charging" => {
                self.charged = true;
                self.end_idle(at);
            }
            "SuspendedEVSE" => self.end_idle(at),
            "SuspendedEV" | "EVConnected" | "Idle" | "Finishing" if self.charged => {
                self.idle_since.get_or_insert(at);
            }
            _ => {}
        }
    }

    fn end_idle(&mut self, at: Timestamp) {
        if let Some(since) = self.idle_since.take()
            && since < at
        {
            self.idle.push((since, at));
        }
    }

    /// Whether the vehicle takes no energy any more.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.idle_since.is_some()
    }

    /// The latest moment that is known.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

/// What a session has used until a moment, or until its end if it's over.
///
/// The registers of the start and of the end count whatever the readings between them say.
#[must_use]
pub fn usage(transaction: &Transaction, now: Timestamp) -> Usage {
    let course = &transaction.course;
    let started = transaction.started_at;
    let until = transaction.stopped_at.unwrap_or(now).max(started);
    let mut readings = Vec::new();
    if let (Some(first), Some(last)) = (transaction.meter_start, transaction.meter_last) {
        let from = transaction.meter_start_at.unwrap_or(started);
        let to = transaction.meter_last_at.unwrap_or(until).max(from);
        readings.push((from, first));
        let between = course.readings.iter().filter(|(at, _)| *at > from && *at < to);
        readings.extend(between.map(|(at, wh)| (*at, (*wh).min(last))));
        readings.push((to, last));
    }
    let mut idle: Vec<_> = course.idle.clone();
    idle.extend(course.idle_since.map(|since| (since, until)));
    let within = |(from, to): (Timestamp, Timestamp)| (from.max(started), to.min(until));
    let idle = idle.into_iter().map(within).filter(|(from, to)| from < to).collect();
    Usage { started, until, readings, idle }
}
