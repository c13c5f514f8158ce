//! One profile over time.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::profile::{Period, Profile, Start};

/// What a profile says at a moment, and how long it says the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    /// Its period at that moment; `None` while it says nothing.
    pub(super) period: Option<&'a Period>,
    /// The first moment at which that may be different; `None` for never.
    pub(super) until: Option<Timestamp>,
}

/// The earlier one of two moments that may never come.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// What a profile depends on besides the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// When the transaction began.
    pub(super) began: Timestamp,
    /// What the random delays of the transaction grow from; without one there are none (K08.FR.06).
    pub(super) chance: Option<u64>,
    /// How full the battery of the vehicle is, in percent.
    pub(super) state_of_charge: Option<Decimal>,
}

impl Circumstances {
    /// Those of the station.
    pub(super) fn at(began: Timestamp) -> Self {
        Self { began, chance: None, state_of_charge: None }
    }

    /// By how many seconds a period begins later: always the same in a transaction (K01.FR.93), and never the first one
    /// (K01.FR.92).
    fn delay(self, profile: &Profile, period: usize) -> u32 {
        match (self.chance, profile.schedule.randomized_delay(), u64::try_from(period)) {
            (Some(chance), Some(most), Ok(period)) if period > 0 => {
                let number = fnv(fnv(chance, &profile.id.to_le_bytes()), &period.to_le_bytes());
                u32::try_from(number % (u64::from(most) + 1)).unwrap_or(most)
            }
            _ => 0,
        }
    }
}

/// A number that looks like chance and follows from the id of a transaction, which is random itself.
pub(super) fn chance_of(transaction: &str) -> u64 {
    fnv(0xcbf2_9ce4_8422_2325, transaction.as_bytes())
}

/// The Fowler–Noll–Vo hash (FNV-1a), carried on from `state`; the end is folded, because its low bits alone are weak.
fn fnv(state: u64, bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 32)
}

/// What a profile says at a moment.
pub(super) fn segment_at<'a>(
    profile: &'a Profile,
    circumstances: Circumstances,
    zone: &TimeZone,
    at: Timestamp,
) -> Segment<'a> {
    // 1.6 edition 2, 3.13.2; K01.FR.36
    if let Some(from) = profile.valid_from.filter(|from| at < *from) {
        return Segment { period: None, until: Some(from) };
    }
    // K01.FR.37
    if profile.valid_to.is_some_and(|to| at >= to) {
        return Segment { period: None, until: None };
    }
    let Segment { period, until } = of_schedule(profile, circumstances, zone, at);
    Segment { period, until: earlier(until, profile.valid_to) }
}

fn of_schedule<'a>(profile: &'a Profile, circumstances: Circumstances, zone: &TimeZone, at: Timestamp) -> Segment<'a> {
    let schedule = &profile.schedule;
    let (start, clock_moves) = match schedule.start() {
        Start::At(start) => (Some(start), None),
        Start::Transaction => (Some(circumstances.began), None),
        // K01.FR.91: between two moves of the clock, local time is a point in time.
        Start::LocalTime(local) => {
            let moves = zone.following(at).map(|transition| transition.timestamp()).find(|moves| *moves > at);
            (zone.to_offset(at).to_timestamp(local).ok(), moves)
        }
    };
    // A start outside of all time is never reached.
    let Some(start) = start else { return Segment { period: None, until: clock_moves } };
    let elapsed = at.duration_since(start);
    if elapsed.is_negative() {
        // K01.FR.30
        return Segment { period: None, until: earlier(Some(start), clock_moves) };
    }
    let elapsed = elapsed.as_secs();
    let cycle = schedule.recurrence().map(|recurrence| recurrence.seconds());
    let position = cycle.map_or(elapsed, |cycle| elapsed % cycle);
    let begin = elapsed - position;
    // What is longer than the recurrence is cut off (1.6 errata 3.44); what is shorter leaves a gap (1.6 errata 3.43).
    let end = schedule.duration().map(i64::from).into_iter().chain(cycle).min();
    let (period, until) = if end.is_some_and(|end| position >= end) {
        (None, cycle)
    } else {
        let (period, next_start) = period_at(profile, circumstances, position);
        // K01.FR.11, K01.FR.12
        (period, next_start.into_iter().chain(end).min())
    };
    let until = until.and_then(|until| start.checked_add(SignedDuration::from_secs(begin + until)).ok());
    Segment { period, until: earlier(until, clock_moves) }
}

/// The period in which a second of a schedule is, and the second at which another one begins.
fn period_at(profile: &Profile, circumstances: Circumstances, position: i64) -> (Option<&Period>, Option<i64>) {
    let periods = profile.schedule.periods();
    if profile.schedule.randomized_delay().is_none() || circumstances.chance.is_none() {
        let next = periods.partition_point(|period| i64::from(period.start) <= position);
        let next_start = periods.get(next).map(|period| i64::from(period.start));
        return (next.checked_sub(1).and_then(|current| periods.get(current)), next_start);
    }
    // A delay may carry a period behind the next one, which then follows at once (K01.FR.92).
    let start =
        |(number, period): (usize, &Period)| i64::from(period.start) + i64::from(circumstances.delay(profile, number));
    let begun = periods.iter().enumerate().rev().find(|numbered| start(*numbered) <= position);
    let behind = begun.map_or(0, |(number, _)| number + 1);
    (begun.map(|(_, period)| period), periods.iter().enumerate().skip(behind).map(start).min())
}
