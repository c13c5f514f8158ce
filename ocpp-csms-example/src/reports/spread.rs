//! What a session adds to the days and hours of a station's calendar.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

/// The longest time that a session is taken to last: a station with a wrong clock must not fill the calendar.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// A session that has ended, as far as reports care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub stopped_at: Timestamp,
    /// What was charged, in Wh.
    pub energy_wh: Decimal,
    /// What it costs, in minor units of the currency.
    pub fees: i64,
    /// The currency, ISO 4217.
    pub currency: &'static str,
}

/// Days since 1970-01-01 in some calendar.
pub(crate) type Day = i64;

/// What is added up for a day and currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DayTotal {
    pub(crate) sessions: i64,
    /// In mWh.
    pub(crate) energy: i64,
    /// In minor units.
    pub(crate) fees: i64,
    /// In ms.
    pub(crate) occupied: i64,
}

/// What is added up for an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HourTotal {
    /// In mWh.
    pub(crate) energy: i64,
    /// In ms.
    pub(crate) occupied: i64,
}

/// The beginning of an hour, in epoch milliseconds, and which hour of the week it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hour {
    pub(crate) begins: i64,
    pub(crate) slot: i64,
}

/// What is to be added to the totals of a station.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) days: BTreeMap<(Day, String), DayTotal>,
    pub(crate) hours: BTreeMap<Hour, HourTotal>,
}

impl Totals {
    /// Adds a session, or takes it away again.
    pub(crate) fn count(&mut self, session: &Session, zone: &TimeZone, sign: i64) {
        let energy = milli(session.energy_wh);
        let last = day(session.stopped_at, zone);
        let total = self.days.entry((last, session.currency.to_owned())).or_default();
        total.sessions += sign;
        total.energy = total.energy.saturating_add(sign * energy);
        total.fees = total.fees.saturating_add(sign.saturating_mul(session.fees));
        let earliest = session.stopped_at.checked_sub(LONGEST).unwrap_or(Timestamp::MIN);
        let from = session.started_at.max(earliest).as_millisecond();
        let until = session.stopped_at.as_millisecond();
        let length = i128::from((until - from).max(1));
        // Up to a moment, so that the parts make exactly the whole.
        let energy_until = |moment: i64| {
            let part = i128::from(energy) * i128::from(moment - from) / length;
            i64::try_from(part).unwrap_or(energy)
        };
        let mut now = from;
        while now < until {
            let (hour, today) = hour(now, zone);
            let end = (hour.begins + 3_600_000).clamp(now + 1, until);
            let total = self.hours.entry(hour).or_default();
            total.occupied += sign * (end - now);
            total.energy += sign * (energy_until(end) - energy_until(now));
            self.days.entry((today, session.currency.to_owned())).or_default().occupied += sign * (end - now);
            now = end;
        }
    }

    /// What turns `before` into this.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        for (key, total) in &before.days {
            let mine = self.days.entry(key.clone()).or_default();
            mine.sessions -= total.sessions;
            mine.energy -= total.energy;
            mine.fees -= total.fees;
            mine.occupied -= total.occupied;
        }
        for (key, total) in &before.hours {
            let mine = self.hours.entry(*key).or_default();
            mine.energy -= total.energy;
            mine.occupied -= total.occupied;
        }
        self.days.retain(|_, total| *total != DayTotal::default());
        self.hours.retain(|_, total| *total != HourTotal::default());
        self
    }
}

/// In thousandths, to the nearest; what is beyond every meter counts as nothing.
pub(super) fn milli(value: Decimal) -> i64 {
    value.checked_mul(Decimal::ONE_THOUSAND).and_then(|value| value.round().to_i64()).unwrap_or(0)
}

/// The day on which a moment is.
pub(crate) fn day(at: Timestamp, zone: &TimeZone) -> Day {
    of_date(zone.to_datetime(at).date())
}

pub(crate) fn of_date(date: Date) -> Day {
    let since = date.since(Date::constant(1970, 1, 1)).map(|span| i64::from(span.get_days()));
    since.unwrap_or(0)
}

/// The date of a day; `None` beyond the years 1 to 9999.
pub(crate) fn date(day: Day) -> Option<Date> {
    Date::constant(1970, 1, 1).checked_add(SignedDuration::from_hours(day.checked_mul(24)?)).ok()
}

/// The hour of the calendar in which a moment is, and its day.
fn hour(millisecond: i64, zone: &TimeZone) -> (Hour, Day) {
    let at = Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = zone.to_datetime(at);
    let into = i64::from(local.minute()) * 60_000
        + i64::from(local.second()) * 1_000
        + i64::from(local.subsec_nanosecond()) / 1_000_000;
    let weekday = i64::from(local.date().weekday().to_monday_zero_offset());
    let slot = weekday * 24 + i64::from(local.hour());
    (Hour { begins: millisecond - into, slot }, of_date(local.date()))
}

/// The parts of an interval on each day.
pub(crate) fn by_day(from: Timestamp, until: Timestamp, zone: &TimeZone) -> BTreeMap<Day, i64> {
    let mut days = BTreeMap::new();
    let mut now = from;
    while now < until {
        let today = day(now, zone);
        let midnight = date(today + 1).and_then(|date| zone.to_zoned(date.at(0, 0, 0, 0)).ok());
        let end = midnight.map_or(until, |midnight| midnight.timestamp());
        // Where the clock is set back over midnight, a day is entered twice.
        let end = if end <= now { until.min(now + SignedDuration::from_hours(1)) } else { end.min(until) };
        *days.entry(today).or_default() += end.as_millisecond() - now.as_millisecond();
        now = end;
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn session(from: &str, until: &str, wh: i64) -> Session {
        Session { started_at: at(from), stopped_at: at(until), energy_wh: wh.into(), fees: 500, currency: "EUR" }
    }

    fn totals(session: &Session, zone: &str) -> Totals {
        let mut totals = Totals::default();
        totals.count(session, &TimeZone::get(zone).unwrap(), 1);
        totals
    }

    #[test]
    fn a_session_over_midnight_belongs_to_the_day_of_its_end_and_its_time_to_both() {
        // 23:30 to 01:00 in Berlin.
        let totals = totals(&session("2026-06-01T21:30:00Z", "2026-06-01T23:00:00Z", 9_000), "Europe/Berlin");
        let day = |date: Date| totals.days[&(of_date(date), "EUR".to_owned())];
        let (first, second) = (day(Date::constant(2026, 6, 1)), day(Date::constant(2026, 6, 2)));
        assert_eq!((first.sessions, first.energy, first.fees, first.occupied), (0, 0, 0, 1_800_000));
        assert_eq!((second.sessions, second.energy, second.fees, second.occupied), (1, 9_000_000, 500, 3_600_000));
        let hours: Vec<_> = totals.hours.iter().map(|(hour, total)| (hour.slot, total.energy)).collect();
        // 2026-06-01 is a Monday.
        assert_eq!(hours, [(23, 3_000_000), (24, 6_000_000)]);
    }

    #[test]
    fn the_hour_that_comes_twice_is_two_hours_and_the_one_that_is_left_out_is_none() {
        // Clocks go from 03:00 back to 02:00 at 01:00 UTC.
        let autumn = totals(&session("2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z", 3_000), "Europe/Berlin");
        let slots: Vec<_> = autumn.hours.keys().map(|hour| hour.slot - 6 * 24).collect();
        assert_eq!(slots, [2, 2, 3]);
        let spring = totals(&session("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", 3_000), "Europe/Berlin");
        let slots: Vec<_> = spring.hours.keys().map(|hour| hour.slot - 6 * 24).collect();
        assert_eq!(slots, [1, 3, 4]);
        for totals in [autumn, spring] {
            assert!(totals.hours.values().all(|total| total.occupied == 3_600_000 && total.energy == 1_000_000));
        }
    }

    #[test]
    fn hours_are_those_of_the_calendar_where_it_differs_by_half_an_hour() {
        let totals = totals(&session("2026-06-01T00:00:00Z", "2026-06-01T01:00:00Z", 1_000), "Asia/Kolkata");
        let hours: Vec<_> = totals.hours.iter().map(|(hour, total)| (hour.slot, total.occupied)).collect();
        assert_eq!(hours, [(5, 1_800_000), (6, 1_800_000)]);
    }

    #[test]
    fn a_station_with_a_wrong_clock_does_not_fill_the_calendar() {
        let long = totals(&session("1970-01-01T00:00:00Z", "2026-06-01T00:00:00Z", 1_000), "UTC");
        assert_eq!(long.hours.len(), 31 * 24);
        let backwards = totals(&session("2026-06-01T01:00:00Z", "2026-06-01T00:00:00Z", 1_000), "UTC");
        assert!(backwards.hours.is_empty());
        assert_eq!(backwards.days.len(), 1);
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_calendar_gives_it() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let days = by_day(at("2026-10-23T22:00:00Z"), at("2026-10-26T23:00:00Z"), &berlin);
        assert_eq!(days.values().map(|ms| ms / 3_600_000).collect::<Vec<_>>(), [24, 25, 24]);
        // Midnight itself is left out or comes twice.
        for zone in ["America/Havana", "Africa/Cairo", "Asia/Beirut", "America/Asuncion", "Australia/Lord_Howe"] {
            let zone = TimeZone::get(zone).unwrap();
            let (from, until) = (at("2015-01-01T00:00:00Z"), at("2018-01-01T00:00:00Z"));
            let sum: i64 = by_day(from, until, &zone).values().sum();
            assert_eq!(sum, until.as_millisecond() - from.as_millisecond());
        }
    }

    #[test]
    fn a_day_and_its_date_are_the_same() {
        for date in [Date::constant(1970, 1, 1), Date::constant(2026, 11, 20), Date::constant(1969, 12, 31)] {
            assert_eq!(super::date(of_date(date)), Some(date));
        }
        assert_eq!(super::date(i64::MAX), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_added(
            start in 0_i64..4_000_000_000_000, length in 0_i64..2_600_000_000, wh in 0_i64..10_000_000, zone in 0..5_usize,
        ) {
            let zone = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"][zone];
            let moment = |ms| Timestamp::from_millisecond(ms).unwrap();
            let session = Session {
                started_at: moment(start), stopped_at: moment(start + length), energy_wh: Decimal::new(wh, 3), fees: 7, currency: "EUR",
            };
            let totals = totals(&session, zone);
            let sum = |of: fn(&HourTotal) -> i64| totals.hours.values().map(of).sum::<i64>();
            proptest::prop_assert_eq!(sum(|hour| hour.occupied), length);
            proptest::prop_assert_eq!(totals.days.values().map(|day| day.occupied).sum::<i64>(), length);
            proptest::prop_assert_eq!(sum(|hour| hour.energy), if length > 0 { wh } else { 0 });
            proptest::prop_assert!(totals.clone().since(&totals) == Totals::default());
        }
    }
}
