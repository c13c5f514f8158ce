//! Times of the day and of the week at which another limit holds.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::current::Limit;

/// A time of the day, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Clock(Time);

impl FromStr for Clock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time of the day: write it as 07:30");
        let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
        let is_pair = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_pair(hour) || !is_pair(minute) {
            return Err(wrong());
        }
        let time =
            hour.parse().ok().zip(minute.parse().ok()).and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
        time.map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Clock {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Clock> for String {
    fn from(clock: Clock) -> Self {
        clock.to_string()
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Clock {
    /// When it is this late next, after a moment.
    #[must_use]
    pub fn next_after(self, moment: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = moment.to_zoned(zone.clone()).date();
        (0..3_i64).find_map(|days| {
            let day = today.checked_add(days.days()).ok()?;
            let found = zone.to_timestamp(day.to_datetime(self.0)).ok()?;
            (found > moment).then_some(found)
        })
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    fn number(self) -> i8 {
        self as i8 + 1
    }
}

/// A window in which less may be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// On which days it begins; none are all.
    #[serde(default)]
    pub days: Vec<Day>,
    /// From when, in the site's time zone.
    #[schema(value_type = String, example = "17:00")]
    pub from: Clock,
    /// Until when; earlier than `from` is on the next day.
    #[schema(value_type = String, example = "20:00")]
    pub until: Clock,
    /// What may be drawn meanwhile.
    pub limit: Limit,
}

impl Window {
    /// The times between two moments at which it holds: pairs of begin and end, some of them before or after.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<(Timestamp, Timestamp)> {
        let mut found = Vec::new();
        // One that began yesterday may go on.
        let Ok(mut day) = from.to_zoned(zone.clone()).date().yesterday() else { return found };
        loop {
            let begin = zone.to_timestamp(day.to_datetime(self.from.0));
            let last = if self.until > self.from { Ok(day) } else { day.tomorrow() };
            let end = last.and_then(|last| zone.to_timestamp(last.to_datetime(self.until.0)));
            let (Ok(begin), Ok(end)) = (begin, end) else { return found };
            if begin >= until {
                return found;
            }
            let weekday = day.weekday().to_monday_one_offset();
            let counts = self.days.is_empty() || self.days.iter().any(|day| day.number() == weekday);
            if counts && end > from {
                found.push((begin, end));
            }
            match day.tomorrow() {
                Ok(tomorrow) => day = tomorrow,
                Err(_) => return found,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::Current;

    fn window(days: Vec<Day>, from: &str, until: &str) -> Window {
        let limit = Limit::Amperes(Current::amperes(10));
        Window { days, from: from.parse().unwrap(), until: until.parse().unwrap(), limit }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_found_on_its_days_in_its_time_zone() {
        let zone = TimeZone::get("Europe/Madrid").unwrap();
        // 2026-06-01 is a Monday; Madrid is two hours ahead.
        let found = window(vec![Day::Mon, Day::Wed], "17:00", "20:00").between(
            at("2026-06-01T00:00:00Z"),
            at("2026-06-05T00:00:00Z"),
            &zone,
        );
        let expected = [
            (at("2026-06-01T15:00:00Z"), at("2026-06-01T18:00:00Z")),
            (at("2026-06-03T15:00:00Z"), at("2026-06-03T18:00:00Z")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_window_over_midnight_that_began_yesterday_goes_on() {
        let found = window(Vec::new(), "22:00", "06:00").between(
            at("2026-06-01T03:00:00Z"),
            at("2026-06-01T04:00:00Z"),
            &TimeZone::UTC,
        );
        assert_eq!(found, [(at("2026-05-31T22:00:00Z"), at("2026-06-01T06:00:00Z"))]);
    }

    #[test]
    fn a_time_of_the_day_is_found_next() {
        let clock: Clock = "07:00".parse().unwrap();
        assert_eq!(clock.next_after(at("2026-06-01T06:00:00Z"), &TimeZone::UTC), Some(at("2026-06-01T07:00:00Z")));
        assert_eq!(clock.next_after(at("2026-06-01T07:00:00Z"), &TimeZone::UTC), Some(at("2026-06-02T07:00:00Z")));
        for wrong in ["7:00", "24:00", "07:60", "0700", "+7:00"] {
            assert!(wrong.parse::<Clock>().is_err(), "{wrong}");
        }
    }
}
