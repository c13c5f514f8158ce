//! Price files: CSV and JSON.
//!
//! CSV has a line of headings with `start` and `price`, and may have `end`; every further line is a slot:
//!
//! ```text
//! start,end,price
//! 2026-06-01T00:00:00+02:00,2026-06-01T01:00:00+02:00,98.40
//! ```
//!
//! JSON is `{"slots": [{"start": "…", "end": "…", "price": "98.40"}, …]}`, where `end` may be left out as well and a price is a number or text. Moments are RFC 3339
//! with an offset. Slots are of 15, 30 or 60 minutes, all of the same length, in their order, without a hole and without an overlap; the
//! length of a file with one slot is given by its `end`. Zone, currency and unit are told beside the file.

use iso_currency::Currency;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::PriceSlot;

/// Slots of a file at most: a year of quarters of an hour.
const MOST_SLOTS: usize = 36_000;
/// How long slots may be, in minutes.
const LENGTHS: [i64; 3] = [15, 30, 60];

/// What prices are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Unit {
    /// A kilowatt-hour.
    #[serde(rename = "kWh")]
    KilowattHour,
    /// A megawatt-hour, as exchanges write it.
    #[serde(rename = "MWh")]
    MegawattHour,
}

/// A price file that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFile {
    /// The currency of all prices.
    pub currency: Currency,
    /// At least one, in their order and without a gap.
    pub slots: Vec<PriceSlot>,
}

/// Why a price file is not taken: nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceFileError {
    /// It is no such file.
    #[error("this is no price file: {0}")]
    Unreadable(String),
    /// There is nothing in it.
    #[error("the file has no slots: give at least one line after the headings")]
    Empty,
    /// There is too much in it.
    #[error("the file has more than {MOST_SLOTS} slots: import it in parts")]
    TooLong,
    /// Something in a line is not what it has to be. Slots of JSON are counted from 1.
    #[error("line {line}: {problem}")]
    Line {
        /// The line of CSV, the slot of JSON; from 1.
        line: u64,
        /// What is wrong, and what to do.
        problem: String,
    },
}

/// A slot as it was written.
#[derive(Debug)]
struct Written {
    line: u64,
    start: Timestamp,
    end: Option<Timestamp>,
    price: Decimal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json<'a> {
    #[serde(borrow)]
    slots: Vec<JsonSlot<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonSlot<'a> {
    start: String,
    #[serde(default)]
    end: Option<String>,
    /// As it is written: a JSON number would pass through a binary fraction.
    #[serde(borrow)]
    price: &'a RawValue,
}

fn line(line: u64, problem: impl Into<String>) -> PriceFileError {
    PriceFileError::Line { line, problem: problem.into() }
}

impl PriceFile {
    /// Reads CSV.
    ///
    /// # Errors
    /// When anything in it is wrong; the error says where.
    pub fn from_csv(text: &str, currency: Currency, unit: Unit) -> Result<Self, PriceFileError> {
        let unreadable = |error: csv::Error| match error.position() {
            Some(place) => line(place.line(), error.to_string()),
            None => PriceFileError::Unreadable(error.to_string()),
        };
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let headings = reader.headers().map_err(unreadable)?.clone();
        let column = |name: &str| headings.iter().position(|heading| heading.eq_ignore_ascii_case(name));
        let missing = |name: &str| {
            line(1, format!("there is no column {name:?}: the headings are start, end (optional) and price"))
        };
        let start = column("start").ok_or_else(|| missing("start"))?;
        let price = column("price").ok_or_else(|| missing("price"))?;
        let end = column("end");
        let mut written = Vec::new();
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            let number = record.position().map_or(0, csv::Position::line);
            let field = |column: usize| record.get(column).unwrap_or_default();
            let end = end.map(field).filter(|end| !end.is_empty());
            written.push(read(number, field(start), end, field(price))?);
            if written.len() > MOST_SLOTS {
                return Err(PriceFileError::TooLong);
            }
        }
        join(&written, currency, unit)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// When anything in it is wrong; the error says where.
    pub fn from_json(text: &str, currency: Currency, unit: Unit) -> Result<Self, PriceFileError> {
        let file: Json<'_> =
            serde_json::from_str(text).map_err(|error| PriceFileError::Unreadable(error.to_string()))?;
        if file.slots.len() > MOST_SLOTS {
            return Err(PriceFileError::TooLong);
        }
        let mut written = Vec::new();
        for (number, slot) in (1..).zip(&file.slots) {
            let price = slot.price.get().trim_matches('"');
            written.push(read(number, &slot.start, slot.end.as_deref(), price)?);
        }
        join(&written, currency, unit)
    }

    /// From when.
    #[must_use]
    pub fn from(&self) -> Option<Timestamp> {
        self.slots.first().map(|slot| slot.from)
    }

    /// Until when.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.slots.last().map(|slot| slot.until)
    }
}

fn read(number: u64, start: &str, end: Option<&str>, price: &str) -> Result<Written, PriceFileError> {
    let moment = |text: &str| {
        text.parse::<Timestamp>()
            .map_err(|_| line(number, format!("{text:?} is no moment: write it as 2026-06-01T00:00:00+02:00")))
    };
    let price =
        price.parse::<Decimal>().map_err(|_| line(number, format!("{price:?} is no price: write it as 98.40")))?;
    Ok(Written { line: number, start: moment(start)?, end: end.map(moment).transpose()?, price })
}

/// Makes slots of what was written, one after the other.
fn join(written: &[Written], currency: Currency, unit: Unit) -> Result<PriceFile, PriceFileError> {
    let first = written.first().ok_or(PriceFileError::Empty)?;
    let length = match (first.end, written.get(1)) {
        (Some(end), _) => end.duration_since(first.start),
        (None, Some(second)) => second.start.duration_since(first.start),
        (None, None) => return Err(line(first.line, "a file with one slot gives its end: add the column end")),
    };
    // Out of order is out of order, whatever the length would be.
    if length.is_positive() && !LENGTHS.iter().any(|minutes| length == SignedDuration::from_mins(*minutes)) {
        let minutes = length.as_mins();
        return Err(line(
            first.line,
            format!("the slot from {} has {minutes} minutes: slots have 15, 30 or 60", first.start),
        ));
    }
    let mut slots: Vec<PriceSlot> = Vec::with_capacity(written.len());
    for slot in written {
        if let Some(before) = slots.last() {
            let (expected, found) = (before.until, slot.start);
            if found < before.from {
                return Err(line(slot.line, format!("{found} comes after {}: sort the file by start", before.from)));
            }
            if found < expected || found == before.from {
                return Err(line(
                    slot.line,
                    format!("the slot from {found} overlaps the one before, which lasts until {expected}: remove one"),
                ));
            }
            if found > expected {
                return Err(line(
                    slot.line,
                    format!("there is no price from {expected} until {found}: add the missing slots"),
                ));
            }
        }
        let until = slot.start.checked_add(length).map_err(|_| line(slot.line, "too far in the future"))?;
        if let Some(end) = slot.end
            && (end != until || !length.is_positive())
        {
            let minutes = end.duration_since(slot.start).as_mins();
            return Err(line(
                slot.line,
                format!(
                    "the slot from {} until {end} has {minutes} minutes, the first one {}: give all the same length",
                    slot.start,
                    length.as_mins()
                ),
            ));
        }
        let price = match unit {
            Unit::KilowattHour => slot.price,
            Unit::MegawattHour => (slot.price / Decimal::ONE_THOUSAND).normalize(),
        };
        slots.push(PriceSlot { from: slot.start, until, price });
    }
    Ok(PriceFile { currency, slots })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(lines: &[&str]) -> Result<PriceFile, PriceFileError> {
        PriceFile::from_csv(&lines.join("\n"), Currency::EUR, Unit::KilowattHour)
    }

    fn refused(lines: &[&str]) -> String {
        csv(lines).unwrap_err().to_string()
    }

    #[test]
    fn a_file_of_hours_is_read_with_and_without_ends() {
        let file = csv(&["start,price", "2026-06-01T00:00:00+02:00,0.10", "2026-06-01T01:00:00+02:00,-0.02"]).unwrap();
        assert_eq!(file.slots.len(), 2);
        assert_eq!(file.until(), Some("2026-06-01T00:00:00Z".parse().unwrap()));
        assert_eq!(file.slots[1].price, "-0.02".parse().unwrap());
        let with_ends = csv(&["price,end,start", "0.1,2026-06-01T00:15:00Z,2026-06-01T00:00:00Z"]).unwrap();
        assert_eq!(with_ends.slots[0].until, "2026-06-01T00:15:00Z".parse().unwrap());
    }

    #[test]
    fn json_says_the_same_and_prices_of_a_megawatt_hour_are_divided() {
        let text = r#"{"slots": [{"start": "2026-06-01T00:00:00Z", "price": 98.4}, {"start": "2026-06-01T00:30:00Z", "price": "100"}]}"#;
        let file = PriceFile::from_json(text, Currency::EUR, Unit::MegawattHour).unwrap();
        let prices: Vec<_> = file.slots.iter().map(|slot| slot.price.to_string()).collect();
        assert_eq!(prices, ["0.0984", "0.1"]);
    }

    #[test]
    fn the_change_of_the_clock_is_no_hole() {
        let lines = [
            "start,price",
            "2026-10-25T02:00:00+02:00,1",
            "2026-10-25T02:00:00+01:00,2",
            "2026-10-25T03:00:00+01:00,3",
        ];
        assert_eq!(csv(&lines).unwrap().slots.len(), 3);
    }

    #[test]
    fn a_hole_an_overlap_and_disorder_are_named_with_their_line() {
        let (one, two, four) = ("2026-06-01T01:00:00Z,1", "2026-06-01T02:00:00Z,1", "2026-06-01T04:00:00Z,1");
        assert_eq!(
            refused(&["start,price", one, two, four]),
            "line 4: there is no price from 2026-06-01T03:00:00Z until 2026-06-01T04:00:00Z: add the missing slots"
        );
        assert!(
            refused(&["start,price", one, two, two]).starts_with("line 4: the slot from 2026-06-01T02:00:00Z overlaps")
        );
        assert!(refused(&["start,price", one, two, "2026-06-01T02:30:00Z,1"]).starts_with("line 4: "));
        assert!(refused(&["start,price", two, four]).contains("has 120 minutes: slots have 15, 30 or 60"));
        assert!(refused(&["start,price", four, two, one]).contains("sort the file by start"));
        assert!(refused(&["start,price", one, one]).starts_with("line 3: "));
    }

    #[test]
    fn what_is_no_moment_or_no_price_is_named_with_its_line() {
        assert!(
            refused(&["start,price", "2026-06-31T00:00:00Z,1"])
                .starts_with("line 2: \"2026-06-31T00:00:00Z\" is no moment")
        );
        assert!(refused(&["start,price", "2026-06-01T00:00:00,1"]).contains("is no moment"));
        assert!(refused(&["start,price", "2026-06-01T00:00:00Z,cheap"]).contains("\"cheap\" is no price"));
        assert!(refused(&["from,price", "2026-06-01T00:00:00Z,1"]).starts_with("line 1: there is no column \"start\""));
        assert!(refused(&["start,price", "2026-06-01T00:00:00Z"]).starts_with("line 2: "));
        assert_eq!(csv(&["start,price"]), Err(PriceFileError::Empty));
        assert!(refused(&["start,price", "2026-06-01T00:00:00Z,1"]).contains("add the column end"));
        let backwards = refused(&["start,end,price", "2026-06-01T01:00:00Z,2026-06-01T00:00:00Z,1"]);
        assert!(backwards.starts_with("line 2: "), "{backwards}");
    }
}
