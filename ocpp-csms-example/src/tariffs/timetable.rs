//! Prices that depend on the time of the week.

use std::fmt;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Minutes of a week.
const WEEK: u16 = 7 * DAY;

/// A price for each minute of the week, by the local clock. There is exactly one: no minute is left out and none has two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Timetable {
    slots: Vec<Slot>,
    /// From which minute of the week on which price holds, in order, the first from minute 0.
    changes: Vec<(u16, Decimal)>,
}

/// A price on some days of the week, from one time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The days: `mo`, `tu`, `we`, `th`, `fr`, `sa`, `su`. All of them if it is left out.
    #[serde(default = "Day::all")]
    pub days: Vec<Day>,
    /// From this time on, such as `07:00`. Midnight if it is left out.
    #[serde(default)]
    pub from: MinuteOfDay,
    /// Until this time, which does not belong to it: `24:00` is the end of the day, and what it is if it is left out. A time
    /// that is not after `from` is one of the next day.
    #[serde(default = "MinuteOfDay::end")]
    pub to: MinuteOfDay,
    /// The price, in whole units of the currency; never negative.
    pub price: Decimal,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Day {
    Mo,
    Tu,
    We,
    Th,
    Fr,
    Sa,
    Su,
}

/// A time of the day, `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MinuteOfDay(u16);

/// Why slots make no timetable, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// There is a time without a price.
    #[error("no price on {0}: let a slot reach until then, or add one")]
    Gap(Moment),
    /// There is a time with more than one price.
    #[error("two prices on {0}: let one slot end where the other begins")]
    Overlap(Moment),
    /// A slot that is never.
    #[error("a slot without days is never: name its days, or leave `days` out for all of them")]
    NoDays,
    /// A price below zero.
    #[error("the price {0} is negative; who charges never gets money for it")]
    Negative(Decimal),
    /// Not a time of the day.
    #[error("{0:?} is not a time of the day; write it as 07:30, from 00:00 to 24:00")]
    NotATime(String),
}

/// A minute of the week, as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(u16);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let name = NAMES.get(usize::from(self.0 / DAY)).copied().unwrap_or_default();
        write!(f, "{name} from {}", MinuteOfDay(self.0 % DAY))
    }
}

impl Day {
    fn all() -> Vec<Self> {
        vec![Self::Mo, Self::Tu, Self::We, Self::Th, Self::Fr, Self::Sa, Self::Su]
    }
}

impl MinuteOfDay {
    fn end() -> Self {
        Self(DAY)
    }
}

impl fmt::Display for MinuteOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl From<MinuteOfDay> for String {
    fn from(time: MinuteOfDay) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for MinuteOfDay {
    type Error = TimetableError;

    fn try_from(text: String) -> Result<Self, TimetableError> {
        let parts = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
        let minute = parts.and_then(|(hour, minute)| {
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            let total = hour * 60 + minute;
            (minute < 60 && total <= DAY).then_some(total)
        });
        minute.map(Self).ok_or(TimetableError::NotATime(text))
    }
}

impl Default for Timetable {
    /// Free at all times.
    fn default() -> Self {
        let slot = Slot { days: Day::all(), from: MinuteOfDay(0), to: MinuteOfDay::end(), price: Decimal::ZERO };
        Self { slots: vec![slot], changes: vec![(0, Decimal::ZERO)] }
    }
}

impl Timetable {
    /// The same price at all times.
    ///
    /// # Errors
    /// The price is negative.
    pub fn constant(price: Decimal) -> Result<Self, TimetableError> {
        Self::new(vec![Slot { days: Day::all(), from: MinuteOfDay(0), to: MinuteOfDay::end(), price }])
    }

    /// A timetable of these slots.
    ///
    /// # Errors
    /// They leave a time out, or have one twice; see [`TimetableError`].
    pub fn new(slots: Vec<Slot>) -> Result<Self, TimetableError> {
        let mut spans: Vec<(u16, u16, Decimal)> = Vec::new();
        for slot in &slots {
            if slot.days.is_empty() {
                return Err(TimetableError::NoDays);
            }
            if slot.price.is_sign_negative() && !slot.price.is_zero() {
                return Err(TimetableError::Negative(slot.price));
            }
            for day in &slot.days {
                let start = *day as u16 * DAY + slot.from.0;
                let length =
                    if slot.to.0 > slot.from.0 { slot.to.0 - slot.from.0 } else { slot.to.0 + DAY - slot.from.0 };
                let end = start + length;
                spans.push((start, end.min(WEEK), slot.price));
                if end > WEEK {
                    spans.push((0, end - WEEK, slot.price));
                }
            }
        }
        spans.sort_by_key(|(start, ..)| *start);
        let mut covered = 0;
        let mut changes: Vec<(u16, Decimal)> = Vec::new();
        for (start, end, price) in spans {
            if start > covered {
                return Err(TimetableError::Gap(Moment(covered)));
            }
            if start < covered {
                return Err(TimetableError::Overlap(Moment(start)));
            }
            if changes.last().is_none_or(|(_, last)| *last != price) {
                changes.push((start, price));
            }
            covered = end;
        }
        if covered < WEEK {
            return Err(TimetableError::Gap(Moment(covered)));
        }
        Ok(Self { slots, changes })
    }

    /// The slots as they were given.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Whether nothing is ever to be paid.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.changes.iter().all(|(_, price)| price.is_zero())
    }

    /// The price, where it is the same at all times.
    #[must_use]
    pub fn constant_price(&self) -> Option<Decimal> {
        match &*self.changes {
            [(_, price)] => Some(*price),
            _ => None,
        }
    }

    /// The lowest price and the highest one.
    #[must_use]
    pub fn range(&self) -> (Decimal, Decimal) {
        let prices = || self.changes.iter().map(|(_, price)| *price);
        (prices().min().unwrap_or_default(), prices().max().unwrap_or_default())
    }

    /// Whether the price does not change between two moments.
    #[must_use]
    pub fn is_constant_between(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> bool {
        self.changes.len() < 2 || self.split(from, to, zone).len() < 2
    }

    /// The price at a moment, and until when it holds at least.
    fn at(&self, moment: Timestamp, zone: &TimeZone) -> (Decimal, Option<Timestamp>) {
        let local = zone.to_datetime(moment);
        let minute = day_number(local.weekday()) * DAY + minute_of(local.time());
        let index = self.changes.partition_point(|(start, _)| *start <= minute).saturating_sub(1);
        let price = self.changes.get(index).map(|(_, price)| *price).unwrap_or_default();
        if self.changes.len() < 2 {
            return (price, None);
        }
        let next = self.changes.get(index + 1).map_or(WEEK, |(start, _)| *start);
        let midnight = local.date().to_datetime(Time::midnight());
        let days = i64::from(next / DAY) - i64::from(minute / DAY);
        let until = midnight
            .checked_add(days.days())
            .and_then(|day| day.checked_add(i64::from(next % DAY).minutes()))
            .and_then(|local| zone.to_timestamp(local))
            .ok()
            // Where the clock is set back, the same local times come again: then the next minute is looked at anew.
            .map(
                |until| {
                    if until > moment { until } else { moment.saturating_add(1.minute()).unwrap_or(Timestamp::MAX) }
                },
            );
        (price, until)
    }

    /// Takes a stretch of time apart by price, in order.
    pub fn split(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<(Timestamp, Timestamp, Decimal)> {
        let mut parts: Vec<(Timestamp, Timestamp, Decimal)> = Vec::new();
        let mut at = from;
        while at < to {
            let (price, until) = self.at(at, zone);
            let end = until.unwrap_or(to).min(to);
            match parts.last_mut() {
                Some((_, last_end, last_price)) if *last_price == price => *last_end = end,
                _ => parts.push((at, end, price)),
            }
            at = end;
        }
        parts
    }
}

fn day_number(weekday: Weekday) -> u16 {
    weekday.to_monday_zero_offset().unsigned_abs().into()
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

/// A timetable as it is written: one price, or slots.
#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Constant(Decimal),
    Slots(Vec<Slot>),
}

impl<'de> Deserialize<'de> for Written {
    // Not untagged: what is wrong with a slot is to be told, and not that it's neither of the two.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let text = text.get();
        let read = match text.starts_with('[') {
            true => serde_json::from_str(text).map(Self::Slots),
            false => serde_json::from_str(text).map(Self::Constant),
        };
        read.map_err(|error| {
            let shape = "a price is a number, or a list of slots with days, from, to and price";
            D::Error::custom(format!("{error} ({shape})"))
        })
    }
}

impl TryFrom<Written> for Timetable {
    type Error = TimetableError;

    fn try_from(written: Written) -> Result<Self, TimetableError> {
        match written {
            Written::Constant(price) => Self::constant(price),
            Written::Slots(slots) => Self::new(slots),
        }
    }
}

impl From<Timetable> for Written {
    fn from(timetable: Timetable) -> Self {
        match &*timetable.changes {
            [(_, price)] => Self::Constant(*price),
            _ => Self::Slots(timetable.slots),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Timetable, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn parts(timetable: &Timetable, from: &str, to: &str) -> Vec<(String, String)> {
        let zone = berlin();
        let parts = timetable.split(from.parse().unwrap(), to.parse().unwrap(), &zone);
        parts.into_iter().map(|(from, _, price)| (zone.to_datetime(from).to_string(), price.to_string())).collect()
    }

    const DAY_AND_NIGHT: &str =
        r#"[{"from": "06:00", "to": "22:00", "price": "0.40"}, {"from": "22:00", "to": "06:00", "price": "0.25"}]"#;

    #[test]
    fn a_night_that_passes_midnight_is_one_slot() {
        let timetable = read(DAY_AND_NIGHT).unwrap();
        assert_eq!(
            parts(&timetable, "2026-11-20T20:30:00Z", "2026-11-21T06:00:00Z"),
            [("2026-11-20T21:30:00", "0.40"), ("2026-11-20T22:00:00", "0.25"), ("2026-11-21T06:00:00", "0.40")]
                .map(|(at, price)| (at.to_owned(), price.to_owned()))
        );
    }

    #[test]
    fn a_weekend_has_its_own_price() {
        let timetable = read(
            r#"[{"days": ["mo", "tu", "we", "th", "fr"], "price": "0.40"}, {"days": ["sa", "su"], "price": "0.30"}]"#,
        )
        .unwrap();
        // From Friday to Monday.
        let prices: Vec<_> = parts(&timetable, "2026-11-20T12:00:00Z", "2026-11-23T12:00:00Z");
        assert_eq!(prices.iter().map(|(_, price)| &**price).collect::<Vec<_>>(), ["0.40", "0.30", "0.40"]);
        assert_eq!(prices[2].0, "2026-11-23T00:00:00");
    }

    #[test]
    fn an_hour_that_the_clock_shows_twice_has_its_price_twice() {
        let timetable =
            read(r#"[{"from": "02:00", "to": "03:00", "price": "1"}, {"from": "03:00", "to": "02:00", "price": "2"}]"#)
                .unwrap();
        // The clock goes from 03:00 back to 02:00 at 01:00 UTC.
        let zone = berlin();
        let split =
            timetable.split("2026-10-24T23:00:00Z".parse().unwrap(), "2026-10-25T04:00:00Z".parse().unwrap(), &zone);
        let minutes = |price: i64| -> i64 {
            let of_price = split.iter().filter(|(.., at)| *at == Decimal::from(price));
            of_price.map(|(from, to, _)| to.duration_since(*from).as_mins()).sum()
        };
        assert_eq!((minutes(1), minutes(2)), (120, 180));
    }

    #[test]
    fn a_gap_and_an_overlap_are_refused_with_where_they_are() {
        let gap = read(r#"[{"from": "06:00", "to": "22:00", "price": "1"}]"#).unwrap_err();
        assert!(gap.contains("no price on Monday from 00:00"), "{gap}");
        let gap = read(r#"[{"days": ["mo", "tu", "we", "th", "fr"], "price": "1"}]"#).unwrap_err();
        assert!(gap.contains("no price on Saturday from 00:00"), "{gap}");
        let overlap = read(r#"[{"price": "1"}, {"days": ["su"], "from": "12:00", "to": "13:00", "price": "2"}]"#);
        assert!(overlap.clone().unwrap_err().contains("two prices on Sunday from 12:00"), "{overlap:?}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(read(r#""-0.1""#).unwrap_err().contains("negative"));
        assert!(read(r#"[{"days": [], "price": "1"}]"#).unwrap_err().contains("days"));
        for time in ["7:00", "24:01", "12:60", "noon"] {
            assert!(serde_json::from_value::<MinuteOfDay>(time.into()).is_err(), "{time}");
        }
        assert!(read(r#"[{"from": "06:00", "until": "22:00", "price": "1"}]"#).is_err());
    }

    #[test]
    fn a_timetable_is_written_as_it_was_read() {
        for json in [
            r#""0.35""#,
            r#"[{"days":["mo","tu","we","th","fr","sa"],"from":"00:00","to":"24:00","price":"1"},{"days":["su"],"from":"00:00","to":"24:00","price":"2"}]"#,
        ] {
            assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), json);
        }
    }
}
