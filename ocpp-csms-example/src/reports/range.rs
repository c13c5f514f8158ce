//! Which days a report is about.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::spread::{Day, of_date};
use crate::store::StoreError;

/// Days of a report at most.
pub const MAX_DAYS: i64 = 400;
/// Days of a report of which nobody said how many.
const USUAL: i64 = 30;

/// Why a report cannot be made. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A day is not written as one.
    #[error("{name} = {value:?} is no day: write it as 2026-11-30")]
    NotADay {
        /// The parameter.
        name: &'static str,
        /// What was given.
        value: String,
    },
    /// It ends before it begins.
    #[error("from = {from} is after until = {until}: turn them around")]
    Reversed {
        /// The first day.
        from: Date,
        /// The last day.
        until: Date,
    },
    /// It is too long.
    #[error("{days} days are too many: a report has {max} at most{hint}")]
    TooLong {
        /// How long it is.
        days: i64,
        /// How long it may be.
        max: i64,
        /// What else can be done.
        hint: &'static str,
    },
    /// There is no such time zone.
    #[error("{0:?} is no time zone: write its IANA name, such as Africa/Lagos or UTC")]
    UnknownZone(String),
    /// There is nothing of that name.
    #[error("there is no {what} {id:?}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The PDF cannot be made.
    #[error(transparent)]
    Pdf(#[from] super::pdf::PdfError),
    /// The CSV cannot be made.
    #[error("the CSV cannot be written: {0}")]
    Csv(String),
}

/// Days of a report, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

impl Range {
    /// The days as they were asked for: the last thirty where nothing was said, up to today in this calendar.
    ///
    /// # Errors
    /// When what was given are no days, or they make no range.
    pub fn parse(
        from: Option<&str>,
        until: Option<&str>,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<Self, ReportError> {
        let day = |name, value: Option<&str>| {
            let parse = |text: &str| {
                let date = Date::from_str(text).ok().filter(|date| (1970..=9000).contains(&date.year()));
                date.filter(|_| text.len() == 10).ok_or_else(|| ReportError::NotADay { name, value: text.to_owned() })
            };
            value.map(parse).transpose()
        };
        let (from, until) = (day("from", from)?, day("until", until)?);
        let until = match (from, until) {
            (_, Some(until)) => until,
            (Some(from), None) => zone.to_datetime(now).date().max(from),
            (None, None) => zone.to_datetime(now).date(),
        };
        let from = from.unwrap_or_else(|| until.saturating_sub((USUAL - 1).days()));
        if from > until {
            return Err(ReportError::Reversed { from, until });
        }
        let range = Self { from, until };
        range.at_most(MAX_DAYS, ": choose a shorter range")?;
        Ok(range)
    }

    /// Refuses a range that is longer.
    pub(crate) fn at_most(self, max: i64, hint: &'static str) -> Result<(), ReportError> {
        match self.days() {
            days if days > max => Err(ReportError::TooLong { days, max, hint }),
            _ => Ok(()),
        }
    }

    /// How many days.
    #[must_use]
    pub fn days(self) -> i64 {
        self.last() - self.first() + 1
    }

    /// As many days, right before.
    #[must_use]
    pub fn before(self) -> Self {
        let until = self.from.saturating_sub(1.day());
        Self { from: until.saturating_sub((self.days() - 1).days()), until }
    }

    pub(crate) fn first(self) -> Day {
        of_date(self.from)
    }

    pub(crate) fn last(self) -> Day {
        of_date(self.until)
    }

    /// The moments from the beginning of the first day to the end of the last, in a calendar.
    #[must_use]
    pub fn moments(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let begins = |date: Date| {
            let zoned = zone.to_zoned(date.at(0, 0, 0, 0));
            zoned.map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
        };
        (begins(self.from), begins(self.until.saturating_add(1.day())))
    }
}

/// A time zone by its IANA name.
///
/// # Errors
/// When there is none of that name.
pub fn zone(name: &str) -> Result<TimeZone, ReportError> {
    TimeZone::get(name).map_err(|_| ReportError::UnknownZone(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(from: Option<&str>, until: Option<&str>) -> Result<(String, String), String> {
        let now = "2026-11-20T23:30:00Z".parse().unwrap();
        Range::parse(from, until, &zone("Europe/Berlin").unwrap(), now)
            .map(|range| (range.from.to_string(), range.until.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_range_is_what_was_asked_for_or_the_last_thirty_days() {
        let range = |from: &str, until: &str| Ok((from.to_owned(), until.to_owned()));
        // It is the 21st in Berlin already.
        assert_eq!(parse(None, None), range("2026-10-23", "2026-11-21"));
        assert_eq!(parse(Some("2026-11-01"), None), range("2026-11-01", "2026-11-21"));
        assert_eq!(parse(None, Some("2026-03-02")), range("2026-02-01", "2026-03-02"));
        assert_eq!(parse(Some("2026-03-01"), Some("2026-03-01")), range("2026-03-01", "2026-03-01"));
    }

    #[test]
    fn a_range_that_makes_no_sense_is_refused_with_a_way_out() {
        for (from, until, word) in [
            ("2026-11-02", "2026-11-01", "turn them around"),
            ("2024-01-01", "2026-01-01", "shorter"),
            ("tomorrow", "2026-01-01", "write it as"),
            ("2026-02-30", "2026-03-01", "write it as"),
            ("2026-02-01", "-009999-01-01", "write it as"),
            ("9999-12-01", "9999-12-31", "write it as"),
        ] {
            assert!(parse(Some(from), Some(until)).unwrap_err().contains(word), "{from} {until}");
        }
        assert!(zone("Mars/Olympus").unwrap_err().to_string().contains("IANA"));
    }

    #[test]
    fn the_days_before_are_as_many() {
        let range = Range { from: Date::constant(2026, 3, 1), until: Date::constant(2026, 3, 31) };
        let before = range.before();
        assert_eq!((before.from, before.until), (Date::constant(2026, 1, 29), Date::constant(2026, 2, 28)));
        assert_eq!(before.days(), range.days());
    }

    #[test]
    fn a_day_is_as_long_as_its_calendar_says() {
        let autumn = Date::constant(2026, 10, 25);
        let (begin, end) = Range { from: autumn, until: autumn }.moments(&zone("Europe/Berlin").unwrap());
        assert_eq!(end.duration_since(begin).as_hours(), 25);
    }
}
