//! One profile over time.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::profile::{Period, Profile, Schedule, Start};

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

/// What a profile says at a moment, to a transaction that began at `began`.
pub(super) fn segment_at<'a>(profile: &'a Profile, began: Timestamp, zone: &TimeZone, at: Timestamp) -> Segment<'a> {
    // 1.6 edition 2, 3.13.2; K01.FR.36
    if let Some(from) = profile.valid_from.filter(|from| at < *from) {
        return Segment { period: None, until: Some(from) };
    }
    // K01.FR.37
    if profile.valid_to.is_some_and(|to| at >= to) {
        return Segment { period: None, until: None };
    }
    let Segment { period, until } = of_schedule(&profile.schedule, began, zone, at);
    Segment { period, until: earlier(until, profile.valid_to) }
}

fn of_schedule<'a>(schedule: &'a Schedule, began: Timestamp, zone: &TimeZone, at: Timestamp) -> Segment<'a> {
    let (start, clock_moves) = match schedule.start() {
        Start::At(start) => (Some(start), None),
        Start::Transaction => (Some(began), None),
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
        let periods = schedule.periods();
        let next = periods.partition_point(|period| i64::from(period.start) <= position);
        // K01.FR.11, K01.FR.12
        let next_start = periods.get(next).map(|period| i64::from(period.start));
        (next.checked_sub(1).and_then(|current| periods.get(current)), next_start.into_iter().chain(end).min())
    };
    let until = until.and_then(|until| start.checked_add(SignedDuration::from_secs(begin + until)).ok());
    Segment { period, until: earlier(until, clock_moves) }
}
