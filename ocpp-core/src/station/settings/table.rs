//! Every setting there is: its names, its type, its range and what it is worth at first.

mod authorization;
mod communication;
mod general;
mod metering;
mod reservations;
mod security;
mod smart_charging;
mod transactions;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::tz::Offset;
use ocpp_types::Version;
use rust_decimal::Decimal;

use super::super::reading::{Measurand, Phase};
pub(in crate::station) use super::key::Key;

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Kind {
    Boolean,
    Integer {
        minimum: i64,
        maximum: i64,
    },
    /// At most this many characters.
    Text {
        maximum: usize,
    },
    /// Measurands, each with a phase if wanted, separated by commas; at most [`MEASURANDS`] of them.
    Measurands,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Points of a transaction, separated by commas.
    Points,
    /// How the phases of connectors are wired, such as `1.RST,2.RTS` (1.6 edition 2, 9.1.7).
    PhaseRotations,
    /// Any of these words, separated by commas.
    Members(&'static [&'static str]),
    DateTime,
    /// A number from 0 to this one.
    Decimal {
        maximum: i64,
    },
    /// How far local time is ahead of UTC, such as `+01:00` (RFC 3339, `time-numoffset`).
    TimeOffset,
}

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) enum Access {
    ReadWrite,
    ReadOnly,
    WriteOnly,
}

/// Name of a variable in 2.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::station) struct Variable {
    pub(in crate::station) component: &'static str,
    pub(in crate::station) variable: &'static str,
    pub(in crate::station) instance: Option<&'static str>,
}

/// One row of the table.
#[derive(Debug)]
pub(in crate::station) struct Definition {
    pub(in crate::station) key: Key,
    pub(in crate::station) v1_6: Option<&'static str>,
    pub(in crate::station) v2: Option<Variable>,
    /// Whether 2.0.1 doesn't know the variable.
    pub(in crate::station) since_2_1: bool,
    /// Whether a station has it only if its configuration gives it a value.
    pub(in crate::station) optional: bool,
    pub(in crate::station) kind: Kind,
    pub(in crate::station) access: Access,
    pub(in crate::station) unit: Option<&'static str>,
    pub(in crate::station) default: &'static str,
}

/// The points of a transaction that a station without signing meter can tell (2.1 part 2, 2.7.6.1).
pub(super) const POINTS: &[&str] =
    &["ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"];

/// Most measurands of a list. The longest names with their phases fit into the 500 characters of a 1.6 value.
const MEASURANDS: usize = 13;
const MEASURANDS_TEXT: &str = "13";

const SECONDS: Kind = Kind::Integer { minimum: 0, maximum: i32::MAX as i64 };
const DAY: Kind = Kind::Integer { minimum: 0, maximum: 86_400 };
/// Most tokens of a local list (1.6 edition 2, 9.2.2; D01.FR.12).
const LOCAL_LIST_LENGTH: i64 = 1_000;
const COUNT: Kind = Kind::Integer { minimum: 0, maximum: 1_000 };

const fn row(
    key: Key,
    v1_6: Option<&'static str>,
    v2: Option<Variable>,
    kind: Kind,
    default: &'static str,
) -> Definition {
    Definition {
        key,
        v1_6,
        v2,
        since_2_1: false,
        optional: false,
        kind,
        access: Access::ReadWrite,
        unit: None,
        default,
    }
}

const fn variable(component: &'static str, variable: &'static str) -> Option<Variable> {
    Some(Variable { component, variable, instance: None })
}

const fn instance(component: &'static str, variable: &'static str, instance: &'static str) -> Option<Variable> {
    Some(Variable { component, variable, instance: Some(instance) })
}

impl Definition {
    const fn read_only(self) -> Self {
        Self { access: Access::ReadOnly, ..self }
    }

    const fn write_only(self) -> Self {
        Self { access: Access::WriteOnly, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    const fn since_2_1(self) -> Self {
        Self { since_2_1: true, ..self }
    }
}

/// The table, a theme a file: who adds a setting adds its key to `key.rs` and its row to the file of its theme. 1.6 names are from chapter 9 of edition 2, the others from part 2, "referenced components and variables".
const TABLE: &[&[Definition]] = &[
    general::ROWS,
    communication::ROWS,
    security::ROWS,
    authorization::ROWS,
    transactions::ROWS,
    metering::ROWS,
    reservations::ROWS,
    smart_charging::ROWS,
];

/// All rows, in the order in which they are reported.
pub(in crate::station) fn rows() -> impl Iterator<Item = &'static Definition> {
    TABLE.iter().copied().flatten()
}

impl Kind {
    /// A value as this kind writes it, or what is wrong with it.
    pub(super) fn normalize(self, value: &str) -> Result<String, String> {
        match self {
            Self::Boolean if value.eq_ignore_ascii_case("true") => Ok("true".to_owned()),
            Self::Boolean if value.eq_ignore_ascii_case("false") => Ok("false".to_owned()),
            Self::Boolean => Err("must be true or false".to_owned()),
            Self::Integer { minimum, maximum } => match value.parse::<i64>() {
                Ok(number) if (minimum..=maximum).contains(&number) => Ok(number.to_string()),
                _ => Err(format!("must be a whole number from {minimum} to {maximum}")),
            },
            Self::Text { maximum } if value.chars().count() <= maximum => Ok(value.to_owned()),
            Self::Text { maximum } => Err(format!("must have at most {maximum} characters")),
            Self::OneOf(words) => match words.iter().find(|word| word.eq_ignore_ascii_case(value)) {
                Some(word) => Ok((*word).to_owned()),
                None => Err(format!("must be one of {}", words.join(", "))),
            },
            // 1.6 edition 2, 9.1.16, 9.1.18, 9.1.26 and 9.1.28
            Self::Measurands if list(value).count() > MEASURANDS => {
                Err(format!("must have at most {MEASURANDS} measurands"))
            }
            Self::Measurands => match list(value).find(|item| measurand(item).is_none()) {
                Some(item) => Err(format!("`{item}` is no measurand of this station")),
                None => Ok(list(value).collect::<Vec<_>>().join(",")),
            },
            Self::Points => match list(value).find(|item| !POINTS.contains(item)) {
                Some(item) => Err(format!("`{item}` is no point that this station can tell")),
                None => Ok(list(value).collect::<Vec<_>>().join(",")),
            },
            Self::PhaseRotations => {
                let items: Vec<_> = list(value).map(phase_rotation).collect();
                let mut numbers: Vec<_> = items.iter().flatten().map(|(number, _)| *number).collect();
                numbers.sort_unstable();
                numbers.dedup();
                if numbers.len() < items.len() {
                    return Err("must name each connector once, with its phases, such as 1.RST,2.RTS".to_owned());
                }
                let items = items.into_iter().flatten().map(|(number, rotation)| format!("{number}.{rotation}"));
                Ok(items.collect::<Vec<_>>().join(","))
            }
            Self::Members(words) => list(value)
                .map(|item| words.iter().find(|word| word.eq_ignore_ascii_case(item)).copied())
                .collect::<Option<Vec<_>>>()
                .map(|items| items.join(","))
                .ok_or_else(|| format!("must be a list of {}", words.join(", "))),
            Self::DateTime => Ok(value.to_owned()),
            Self::Decimal { maximum } => match value.parse::<Decimal>() {
                Ok(number) if (Decimal::ZERO..=Decimal::from(maximum)).contains(&number) => {
                    Ok(number.normalize().to_string())
                }
                _ => Err(format!("must be a number from 0 to {maximum}")),
            },
            Self::TimeOffset if offset_of(value).is_some() => Ok(value.to_owned()),
            Self::TimeOffset => Err("must be an offset from UTC, such as +01:00".to_owned()),
        }
    }
}

/// An offset from UTC as RFC 3339 writes it.
pub(in crate::station) fn offset_of(value: &str) -> Option<Offset> {
    let (sign, rest) = match value.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').filter(|_| rest.len() == 5)?;
    let number = |text: &str, most: i32| text.parse::<u8>().ok().map(i32::from).filter(|number| *number <= most);
    let minutes = number(hours, 23)? * 60 + number(minutes, 59)?;
    Offset::from_seconds(sign * minutes * 60).ok()
}

/// The items of a list that are separated by commas.
pub(in crate::station) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A measurand, with a phase if one is appended (1.6 edition 2, 9.1.17: `Voltage.L1`).
pub(in crate::station) fn measurand(item: &str) -> Option<(Measurand, Option<Phase>)> {
    if let Some(measurand) = Measurand::from_name(item) {
        return Some((measurand, None));
    }
    let (name, phase) = item.rsplit_once('.')?;
    Some((Measurand::from_name(name)?, Some(Phase::from_name(phase)?)))
}

/// How a connector's phases can be wired (1.6 edition 2, 9.1.7).
const PHASE_ROTATIONS: &[&str] = &["NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR"];

/// The number of a connector, 0 for the main meter, and how its phases are wired.
pub(in crate::station) fn phase_rotation(item: &str) -> Option<(u32, &'static str)> {
    let (number, rotation) = item.split_once('.')?;
    let rotation = PHASE_ROTATIONS.iter().find(|known| known.eq_ignore_ascii_case(rotation))?;
    Some((number.parse().ok()?, rotation))
}

impl Definition {
    /// Whether this version of 2.x has the variable.
    pub(in crate::station) fn is_variable_of(&self, version: Version) -> bool {
        self.v2.is_some() && (version == Version::V2_1 || !self.since_2_1)
    }
}

impl Kind {
    /// The values that a list may have, separated by commas.
    pub(in crate::station) fn values(self) -> Option<String> {
        match self {
            Self::Measurands => Some(Measurand::names().collect::<Vec<_>>().join(",")),
            Self::Points => Some(POINTS.join(",")),
            Self::OneOf(words) | Self::Members(words) => Some(words.join(",")),
            _ => None,
        }
    }
}
