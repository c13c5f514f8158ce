//! Points in time as OCPP writes them.

use alloc::borrow::Cow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::num::NonZeroU32;
use core::str::FromStr;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::Offset;
use serde::{Deserializer, Serializer};

use crate::decode::{Decode, Encode, Reader, Unreadable};

/// A point in time: UTC, with the offset understood and kept (1.6 edition 2, 3.14 and 3.15; 1.6 errata 3.10).
///
/// What is built from a clock is cut to milliseconds and written as `2025-01-31T08:15:30.250Z`, which every back-end reads. What
/// was decoded is written again as it came: its offset, its digits and its spelling are part of the value, though not of
/// comparisons, which are made between instants.
///
/// All forms of RFC 3339 are read: any offset, up to nine fractional digits, a leap second (which is the instant one second
/// after `:59`). The near misses that chargers send are read too (`+0100`, `+01`, no offset at all, which is taken as UTC, no
/// seconds, a comma, a space) and are findings: see [`DateTime::is_exact`].
///
/// ```
/// use ocpp_types::DateTime;
/// let time: DateTime = "2025-01-31T09:15:30+01:00".parse()?;
/// assert_eq!(time, "2025-01-31T08:15:30Z".parse()?);
/// assert_eq!(time.to_string(), "2025-01-31T09:15:30+01:00");
/// # Ok::<(), ocpp_types::DateTimeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct DateTime {
    second: i64,
    nanosecond: u32,
    style: Style,
}

/// The text is not a point in time in RFC 3339 nor one of the near misses that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time of RFC 3339, such as 2025-01-31T08:15:30.250Z")]
pub struct DateTimeError;

/// How a time was written, packed so that a time stays 16 bytes, also as an `Option`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style(NonZeroU32);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    UpperZ,
    LowerZ,
    Colon,
    Compact,
    HoursOnly,
    Absent,
}

impl Style {
    const PRESENT: u32 = 1 << 31;
    const LEAP: u32 = 1 << 30;
    const NO_SECONDS: u32 = 1 << 29;
    const COMMA: u32 = 1 << 28;
    const NEGATIVE_ZERO: u32 = 1 << 27;
    const LOWER_T: u32 = 1 << 26;
    const SPACE: u32 = 1 << 25;
    const ZONE_SHIFT: u32 = 16;
    const DIGITS_SHIFT: u32 = 12;
    /// Offset in minutes, from 0 to 2,878 with this for zero.
    const OFFSET_ZERO: i32 = 1_439;

    const fn new(zone: Zone, digits: u32, offset_minutes: i32, flags: u32) -> Self {
        let bits = Self::PRESENT
            | flags
            | ((zone as u32) << Self::ZONE_SHIFT)
            | (digits << Self::DIGITS_SHIFT)
            | (offset_minutes + Self::OFFSET_ZERO).cast_unsigned();
        match NonZeroU32::new(bits) {
            Some(bits) => Self(bits),
            None => unreachable!(), // PRESENT is set
        }
    }

    /// `2025-01-31T08:15:30.250Z`
    const MILLISECONDS: Self = Self::new(Zone::UpperZ, 3, 0, 0);

    fn has(self, flag: u32) -> bool {
        self.0.get() & flag != 0
    }

    fn zone(self) -> Zone {
        match (self.0.get() >> Self::ZONE_SHIFT) & 0xf {
            0 => Zone::UpperZ,
            1 => Zone::LowerZ,
            2 => Zone::Colon,
            3 => Zone::Compact,
            4 => Zone::HoursOnly,
            _ => Zone::Absent,
        }
    }

    fn digits(self) -> usize {
        ((self.0.get() >> Self::DIGITS_SHIFT) & 0xf) as usize
    }

    fn offset_minutes(self) -> i32 {
        (self.0.get() & 0xfff).cast_signed() - Self::OFFSET_ZERO
    }
}

/// Reads bytes of the text from the left.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        let mut value = 0;
        for byte in head {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u32::from(byte - b'0');
        }
        self.0 = tail;
        Some(value)
    }

    fn accept(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.accept(byte).then_some(())
    }
}

impl DateTime {
    /// Reads RFC 3339 and its near misses.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Self, DateTimeError> {
        Self::read(text).ok_or(DateTimeError)
    }

    fn read(text: &str) -> Option<Self> {
        let mut cursor = Cursor(text.as_bytes());
        let mut flags = 0;
        let year = cursor.number(4)?;
        cursor.expect(b'-')?;
        let month = cursor.number(2)?;
        cursor.expect(b'-')?;
        let day = cursor.number(2)?;
        if cursor.accept(b't') {
            flags |= Style::LOWER_T;
        } else if cursor.accept(b' ') {
            flags |= Style::SPACE;
        } else {
            cursor.expect(b'T')?;
        }
        let hour = cursor.number(2)?;
        cursor.expect(b':')?;
        let minute = cursor.number(2)?;
        let mut second = 0;
        let (mut nanosecond, mut digits) = (0, 0);
        if cursor.accept(b':') {
            second = cursor.number(2)?;
            let comma = cursor.accept(b',');
            if comma {
                flags |= Style::COMMA;
            }
            if comma || cursor.accept(b'.') {
                (nanosecond, digits) = Self::read_fraction(&mut cursor)?;
            }
        } else {
            flags |= Style::NO_SECONDS;
        }
        if second == 60 {
            flags |= Style::LEAP;
            second = 59;
        }
        let (zone, offset_minutes, zone_flags) = Self::read_zone(&mut cursor)?;
        if !cursor.0.is_empty() {
            return None;
        }
        let local = civil::DateTime::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
            i8::try_from(hour).ok()?,
            i8::try_from(minute).ok()?,
            i8::try_from(second).ok()?,
            0,
        )
        .ok()?;
        let timestamp = Offset::from_seconds(offset_minutes * 60).ok()?.to_timestamp(local).ok()?;
        let leap = i64::from(flags & Style::LEAP != 0);
        // RFC 3339, 5.7: leap seconds are inserted at the end of a UTC day.
        if leap == 1 && timestamp.as_second().rem_euclid(86_400) != 86_399 {
            return None;
        }
        let style = Style::new(zone, digits, offset_minutes, flags | zone_flags);
        Some(Self { second: timestamp.as_second() + leap, nanosecond, style })
    }

    /// Nanoseconds and the number of digits that were written; digits past the ninth are cut.
    fn read_fraction(cursor: &mut Cursor<'_>) -> Option<(u32, u32)> {
        let length = cursor.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let kept = length.min(9);
        let value = cursor.number(kept)?;
        cursor.0 = cursor.0.get(length - kept..)?;
        let digits = u32::try_from(kept).ok()?;
        Some((value * 10_u32.pow(9 - digits), digits))
    }

    fn read_zone(cursor: &mut Cursor<'_>) -> Option<(Zone, i32, u32)> {
        if cursor.accept(b'Z') {
            return Some((Zone::UpperZ, 0, 0));
        }
        if cursor.accept(b'z') {
            return Some((Zone::LowerZ, 0, 0));
        }
        if cursor.0.is_empty() {
            return Some((Zone::Absent, 0, 0));
        }
        let negative = cursor.accept(b'-');
        if !negative {
            cursor.expect(b'+')?;
        }
        let hours = cursor.number(2)?;
        let (zone, minutes) = if cursor.accept(b':') {
            (Zone::Colon, cursor.number(2)?)
        } else if cursor.0.is_empty() {
            (Zone::HoursOnly, 0)
        } else {
            (Zone::Compact, cursor.number(2)?)
        };
        if hours > 23 || minutes > 59 {
            return None;
        }
        let total = i32::try_from(hours * 60 + minutes).ok()?;
        let flags = if negative && total == 0 { Style::NEGATIVE_ZERO } else { 0 };
        Some((zone, if negative { -total } else { total }, flags))
    }

    /// The instant.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        // Only the last representable moments can fail, and they saturate.
        Timestamp::new(self.second, i32::try_from(self.nanosecond).unwrap_or(0)).unwrap_or(Timestamp::MAX)
    }

    /// Whether the text it came from is RFC 3339 to the letter, rather than one of the near misses.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.style.zone(), Zone::UpperZ | Zone::LowerZ | Zone::Colon)
            && !self.style.has(Style::NO_SECONDS | Style::COMMA | Style::SPACE)
    }

    /// The offset from UTC that it was written with, in minutes; east is positive.
    #[must_use]
    pub fn offset_minutes(&self) -> i32 {
        self.style.offset_minutes()
    }
}

impl From<Timestamp> for DateTime {
    fn from(timestamp: Timestamp) -> Self {
        let (mut second, mut nanosecond) = (timestamp.as_second(), timestamp.subsec_nanosecond());
        if nanosecond < 0 {
            second -= 1;
            nanosecond += 1_000_000_000;
        }
        let nanosecond = nanosecond.unsigned_abs();
        Self { second, nanosecond: nanosecond - nanosecond % 1_000_000, style: Style::MILLISECONDS }
    }
}

impl From<DateTime> for Timestamp {
    fn from(time: DateTime) -> Self {
        time.timestamp()
    }
}

impl FromStr for DateTime {
    type Err = DateTimeError;

    fn from_str(text: &str) -> Result<Self, DateTimeError> {
        Self::parse(text)
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        (self.second, self.nanosecond) == (other.second, other.nanosecond)
    }
}

impl Eq for DateTime {}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DateTime {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.second, self.nanosecond).cmp(&(other.second, other.nanosecond))
    }
}

impl Hash for DateTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.second, self.nanosecond).hash(state);
    }
}

/// The longest text: date, time, nine digits, offset.
const LONGEST: usize = 35;

/// A text on the stack: times are written often, and nine characters at a time.
struct Buffer {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Buffer {
    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }

    fn number(&mut self, value: u32, digits: u32) {
        for place in (0..digits).rev() {
            #[allow(clippy::cast_possible_truncation)] // a digit
            self.push(b'0' + (value / 10_u32.pow(place) % 10) as u8);
        }
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl DateTime {
    fn write(&self) -> Buffer {
        let style = self.style;
        let leap = style.has(Style::LEAP);
        let shown = Timestamp::from_second(self.second - i64::from(leap)).unwrap_or(Timestamp::MAX);
        let offset = Offset::from_seconds(style.offset_minutes() * 60).unwrap_or(Offset::UTC);
        let local = offset.to_datetime(shown);
        let mut buffer = Buffer { bytes: [0; LONGEST], length: 0 };
        let field = |value: i8| u32::from(value.unsigned_abs());
        buffer.number(u32::from(local.year().unsigned_abs()), 4);
        buffer.push(b'-');
        buffer.number(field(local.month()), 2);
        buffer.push(b'-');
        buffer.number(field(local.day()), 2);
        buffer.push(match () {
            () if style.has(Style::LOWER_T) => b't',
            () if style.has(Style::SPACE) => b' ',
            () => b'T',
        });
        buffer.number(field(local.hour()), 2);
        buffer.push(b':');
        buffer.number(field(local.minute()), 2);
        if !style.has(Style::NO_SECONDS) {
            buffer.push(b':');
            buffer.number(if leap { 60 } else { field(local.second()) }, 2);
            let digits = u32::try_from(style.digits()).unwrap_or(9).min(9);
            if digits > 0 {
                buffer.push(if style.has(Style::COMMA) { b',' } else { b'.' });
                buffer.number(self.nanosecond / 10_u32.pow(9 - digits), digits);
            }
        }
        Self::write_zone(style, &mut buffer);
        buffer
    }

    fn write_zone(style: Style, buffer: &mut Buffer) {
        let minutes = style.offset_minutes();
        let zone = style.zone();
        match zone {
            Zone::UpperZ => buffer.push(b'Z'),
            Zone::LowerZ => buffer.push(b'z'),
            Zone::Absent => {}
            Zone::Colon | Zone::Compact | Zone::HoursOnly => {
                buffer.push(if minutes < 0 || style.has(Style::NEGATIVE_ZERO) { b'-' } else { b'+' });
                buffer.number(minutes.unsigned_abs() / 60, 2);
                if zone == Zone::Colon {
                    buffer.push(b':');
                }
                if zone != Zone::HoursOnly {
                    buffer.number(minutes.unsigned_abs() % 60, 2);
                }
            }
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write().as_str())
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Decode for DateTime {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let time = reader.string(|_, text| Self::parse(&text).map_err(|_| Unreadable))?;
        if !time.is_exact() {
            reader.note();
        }
        Ok(time)
    }
}

impl Encode for DateTime {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write().as_str())
    }
}

impl serde::Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.encode(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Cow<'_, str> = serde::Deserialize::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const EXACT: [&str; 9] = [
        "2025-01-31T08:15:30Z",
        "2025-01-31t08:15:30.5z",
        "2025-01-31T08:15:30.123456789Z",
        "2025-01-31T08:15:30.000+01:00",
        "2025-01-31T08:15:30-11:30",
        "2025-01-31T08:15:30-00:00",
        "2016-12-31T23:59:60Z",
        "2017-01-01T00:59:60.250+01:00",
        "0000-01-01T00:00:00Z",
    ];

    const NEAR_MISSES: [&str; 8] = [
        "2025-01-31T08:15:30+0100",
        "2025-01-31T08:15:30+01",
        "2025-01-31T08:15:30",
        "2025-01-31T08:15:30.123",
        "2025-01-31T08:15Z",
        "2025-01-31T08:15",
        "2025-01-31T08:15:30,5Z",
        "2025-01-31 08:15:30Z",
    ];

    // 1.6 edition 2, 3.14 and 3.15; 1.6 errata 3.10
    #[test]
    fn every_form_of_rfc_3339_is_exact_and_written_as_it_came() {
        for text in EXACT {
            let time = DateTime::parse(text).unwrap();
            assert!(time.is_exact(), "{text}");
            assert_eq!(time.to_string(), text);
        }
    }

    #[test]
    fn near_misses_are_understood_and_told_apart() {
        for text in NEAR_MISSES {
            let time = DateTime::parse(text).unwrap();
            assert!(!time.is_exact(), "{text}");
            assert_eq!(time.to_string(), text);
        }
        assert_eq!(
            DateTime::parse("2025-01-31T09:15:30+0100").unwrap(),
            DateTime::parse("2025-01-31T08:15:30Z").unwrap()
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2025",
            "2025-13-01T00:00:00Z",
            "2025-02-30T00:00:00Z",
            "2025-01-31T24:00:00Z",
            "2025-01-31T08:60:00Z",
            "2025-01-31T08:15:61Z",
            "2025-01-31T08:15:60Z",
            "2025-01-31T08:15:30.Z",
            "2025-01-31T08:15:30+24:00",
            "2025-01-31T08:15:30Zx",
            "31.01.2025 08:15",
            "25-01-31T08:15:30Z",
            "2025-01-31T08:15:30 +01:00",
            "é025-01-31T08:15:30Z",
        ] {
            assert_eq!(DateTime::parse(text), Err(DateTimeError), "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_the_second_after_the_last() {
        assert_eq!(DateTime::parse("2016-12-31T23:59:60Z").unwrap(), DateTime::parse("2017-01-01T00:00:00Z").unwrap());
    }

    #[test]
    fn a_clock_reading_is_written_in_utc_with_milliseconds() {
        let timestamp: Timestamp = "2025-01-31T09:15:30.123987654+01:00".parse().unwrap();
        assert_eq!(DateTime::from(timestamp).to_string(), "2025-01-31T08:15:30.123Z");
        let before_epoch: Timestamp = "1969-12-31T23:59:59.9995Z".parse().unwrap();
        assert_eq!(DateTime::from(before_epoch).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(DateTime::from(before_epoch).timestamp().as_millisecond(), -1);
    }

    #[test]
    fn a_time_takes_sixteen_bytes_also_when_optional() {
        assert_eq!(size_of::<DateTime>(), 16);
        assert_eq!(size_of::<Option<DateTime>>(), 16);
    }
}
