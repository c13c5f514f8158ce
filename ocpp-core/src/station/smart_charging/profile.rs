//! What a charging profile says, in words that belong to no version.

use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A charging profile: limits over time, with a purpose, at a place (1.6 edition 2, 7.8; 2.1 part 2, `ChargingProfileType`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Profile {
    /// Its number, unique in a station.
    pub id: i64,
    /// Higher levels prevail over lower ones of the same purpose.
    pub stack_level: i64,
    /// What it is for.
    pub purpose: Purpose,
    /// Where it was installed.
    pub place: Place,
    /// It doesn't count before this moment.
    #[serde(with = "crate::station::serial::optional_time", default)]
    pub valid_from: Option<Timestamp>,
    /// It doesn't count at this moment and later.
    #[serde(with = "crate::station::serial::optional_time", default)]
    pub valid_to: Option<Timestamp>,
    /// The limits.
    pub schedule: Schedule,
    /// The number of its schedule, where whoever made it gave it one (2.x).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<i64>,
    /// Who set it, if that was not the operator of the CSMS: `EMS`, `SO`, `Other` or another word (2.1 part 2 appendices,
    /// `ChargingLimitSourceEnumStringType`). At most 20 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// That its only limit changes from time to time, and how (2.1, K28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic: Option<Dynamic>,
    /// How long it counts without a connection; for ever unless told otherwise (2.1, K01.FR.103).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<OfflineRule>,
}

/// What makes a profile a dynamic one (2.1, K28). Its schedule has one period, which others change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dynamic {
    /// After how many seconds the CSMS is asked for new values; `None` for never (K28.FR.10).
    pub interval: Option<u32>,
    /// When the values were set last (K28.FR.05, K28.FR.09).
    #[serde(with = "crate::station::serial::time")]
    pub updated: Timestamp,
}

/// What becomes of a profile while there is no connection (2.1, K01.FR.101, K01.FR.102).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineRule {
    /// After how many seconds it no longer counts.
    pub seconds: u32,
    /// Whether it is over then, and doesn't count again when the connection is back.
    pub ends: bool,
}

impl Profile {
    /// A profile that is always valid.
    #[must_use]
    pub fn new(id: i64, stack_level: i64, purpose: Purpose, place: Place, schedule: Schedule) -> Self {
        Self {
            id,
            stack_level,
            purpose,
            place,
            valid_from: None,
            valid_to: None,
            schedule,
            schedule_id: None,
            source: None,
            dynamic: None,
            offline: None,
        }
    }

    /// Whether somebody else than the CSMS has set it.
    pub(in crate::station) fn is_external(&self) -> bool {
        self.source.is_some()
    }

    /// Whether there is a moment at which both are valid.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let begins_in_time = |one: &Self, other: &Self| match (one.valid_from, other.valid_to) {
            (Some(from), Some(to)) => from < to,
            _ => true,
        };
        begins_in_time(self, other) && begins_in_time(other, self)
    }
}

/// What a profile is for (1.6 edition 2, 3.13.1; 2.1 part 2, K, 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Purpose {
    /// Limits the whole station: 1.6's `ChargePointMaxProfile`, 2.x's `ChargingStationMaxProfile`.
    StationMax,
    /// Limits every transaction that has no profile of its own: `TxDefaultProfile`.
    TransactionDefault,
    /// Limits the transaction with this id (the station's own): `TxProfile`.
    Transaction(String),
    /// Stands in for the two before while a transaction has priority: `PriorityCharging` (2.1, K21, K22).
    Priority,
    /// What somebody else than the CSMS allows, such as an energy management system: `ChargingStationExternalConstraints` (K11).
    ExternalConstraints,
    /// What is generated on the spot, on top of what the others allow: `LocalGeneration` (2.1, K27).
    LocalGeneration,
}

/// Where a profile is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// At the whole station: connector or EVSE 0.
    Station,
    /// At one EVSE.
    Evse {
        /// Which EVSE.
        evse: u32,
        /// Only while this connector of it is used; 1.6, which knows no EVSE, names connectors.
        connector: Option<u32>,
    },
}

/// In what a limit is expressed (1.6 edition 2, 7.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RateUnit {
    /// Current of each phase, in A.
    Amperes,
    /// Power of all phases together, in W.
    Watts,
}

/// How often a schedule begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recurrence {
    /// Every 24 hours.
    Daily,
    /// Every 7 days.
    Weekly,
}

impl Recurrence {
    pub(super) const fn seconds(self) -> i64 {
        match self {
            Self::Daily => 86_400,
            Self::Weekly => 7 * 86_400,
        }
    }
}

/// Where the seconds of a schedule are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// This point in time.
    At(#[serde(with = "crate::station::serial::time")] Timestamp),
    /// This time on the local clock, whatever the time zone (2.1, K01.FR.90).
    LocalTime(#[serde(with = "local_time")] DateTime),
    /// The start of the transaction (1.6 edition 2, 7.9 and 7.13; K01.FR.42).
    Transaction,
}

/// Limits over time. Its periods are in order and begin at second 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredSchedule", into = "StoredSchedule")]
pub struct Schedule {
    start: Start,
    recurrence: Option<Recurrence>,
    duration: Option<u32>,
    unit: RateUnit,
    min_charging_rate: Option<Decimal>,
    randomized_delay: Option<u32>,
    limit_at_soc: Option<SocLimit>,
    periods: Vec<Period>,
}

/// A limit for vehicles whose battery is nearly full (2.1, K01.FR.100).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocLimit {
    /// From which state of charge on, in percent.
    pub soc: u32,
    /// The limit, in the unit of the schedule.
    #[serde(with = "crate::station::serial::decimal")]
    pub limit: Decimal,
}

/// A period of a schedule. It lasts until the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Period {
    /// When it begins, in seconds from the start of the schedule.
    pub start: u32,
    /// The limit in the unit of the schedule, not negative.
    #[serde(with = "crate::station::serial::decimal")]
    pub limit: Decimal,
    /// Over how many phases, 1 to 3; without it 3 (1.6 edition 2, 7.14; K01.FR.49).
    pub phases: Option<u32>,
}

impl Period {
    /// A period without a number of phases.
    #[must_use]
    pub fn new(start: u32, limit: Decimal) -> Self {
        Self { start, limit, phases: None }
    }

    /// The same over this many phases.
    #[must_use]
    pub fn over_phases(self, phases: u32) -> Self {
        Self { phases: Some(phases), ..self }
    }
}

/// What is wrong with a schedule. Whoever made it is to blame; the profile has to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There is no period.
    #[error("a schedule needs a period")]
    Empty,
    /// The first period begins later than the schedule (1.6 edition 2, 5.16.4, errata 3.45, 3.70; K01.FR.31).
    #[error("the first period must begin at second 0")]
    LateFirstPeriod,
    /// A period begins no later than the one before it (K01.FR.35).
    #[error("each period must begin later than the one before it")]
    Unordered,
    /// A limit or a minimum is negative.
    #[error("a limit must not be negative")]
    NegativeLimit,
    /// A number of phases is not 1, 2 or 3.
    #[error("a number of phases must be 1, 2 or 3")]
    Phases,
}

impl Place {
    /// Whether it is the station, or somewhere at the same EVSE.
    pub(super) fn touches(self, other: Self) -> bool {
        match (self, other) {
            (Self::Station, Self::Station) => true,
            (Self::Evse { evse, connector }, Self::Evse { evse: other, connector: others }) => {
                evse == other && connector.zip(others).is_none_or(|(one, other)| one == other)
            }
            _ => false,
        }
    }
}

impl Schedule {
    /// A schedule that happens once and goes on with its last period for ever.
    ///
    /// # Errors
    /// The periods don't make a schedule, see [`ScheduleError`].
    pub fn new(start: Start, unit: RateUnit, periods: Vec<Period>) -> Result<Self, ScheduleError> {
        match periods.first() {
            None => return Err(ScheduleError::Empty),
            Some(first) if first.start != 0 => return Err(ScheduleError::LateFirstPeriod),
            Some(_) => {}
        }
        if !periods.is_sorted_by(|one, next| one.start < next.start) {
            return Err(ScheduleError::Unordered);
        }
        if periods.iter().any(|period| period.limit < Decimal::ZERO) {
            return Err(ScheduleError::NegativeLimit);
        }
        if periods.iter().any(|period| period.phases.is_some_and(|phases| !(1..=3).contains(&phases))) {
            return Err(ScheduleError::Phases);
        }
        Ok(Self {
            start,
            recurrence: None,
            duration: None,
            unit,
            min_charging_rate: None,
            randomized_delay: None,
            limit_at_soc: None,
            periods,
        })
    }

    /// The same, beginning anew again and again. What is longer than the recurrence is cut off (1.6 errata 3.44).
    #[must_use]
    pub fn recurring(self, recurrence: Recurrence) -> Self {
        Self { recurrence: Some(recurrence), ..self }
    }

    /// The same, ending after this many seconds (each time, if it recurs).
    #[must_use]
    pub fn lasting(self, seconds: u32) -> Self {
        Self { duration: Some(seconds), ..self }
    }

    /// The same for a vehicle that charges inefficiently below this rate, in the unit of the schedule.
    ///
    /// # Errors
    /// The rate is negative.
    pub fn with_min_charging_rate(self, rate: Decimal) -> Result<Self, ScheduleError> {
        if rate < Decimal::ZERO {
            return Err(ScheduleError::NegativeLimit);
        }
        Ok(Self { min_charging_rate: Some(rate), ..self })
    }

    /// The same with all periods but the first one beginning up to this many seconds later, at random (2.1, K01.FR.92).
    #[must_use]
    pub fn with_randomized_delay(self, seconds: u32) -> Self {
        Self { randomized_delay: Some(seconds), ..self }
    }

    /// The same with a limit for vehicles whose battery is nearly full.
    ///
    /// # Errors
    /// The limit is negative.
    pub fn with_limit_at_soc(self, limit: SocLimit) -> Result<Self, ScheduleError> {
        if limit.limit < Decimal::ZERO {
            return Err(ScheduleError::NegativeLimit);
        }
        Ok(Self { limit_at_soc: Some(limit), ..self })
    }

    /// The same with another limit in its first period.
    ///
    /// # Errors
    /// The limit is negative.
    pub fn with_limit(mut self, limit: Decimal) -> Result<Self, ScheduleError> {
        if limit < Decimal::ZERO {
            return Err(ScheduleError::NegativeLimit);
        }
        if let Some(first) = self.periods.first_mut() {
            first.limit = limit;
        }
        Ok(self)
    }

    /// The same with its seconds counted from somewhere else.
    #[must_use]
    pub fn starting(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// Where its seconds are counted from.
    #[must_use]
    pub fn start(&self) -> Start {
        self.start
    }

    /// How often it begins anew.
    #[must_use]
    pub fn recurrence(&self) -> Option<Recurrence> {
        self.recurrence
    }

    /// After how many seconds it ends.
    #[must_use]
    pub fn duration(&self) -> Option<u32> {
        self.duration
    }

    /// The unit of its limits.
    #[must_use]
    pub fn unit(&self) -> RateUnit {
        self.unit
    }

    /// Below which rate the vehicle charges inefficiently, in the unit of the schedule.
    #[must_use]
    pub fn min_charging_rate(&self) -> Option<Decimal> {
        self.min_charging_rate
    }

    /// Up to how many seconds later its periods begin, the first one excepted.
    #[must_use]
    pub fn randomized_delay(&self) -> Option<u32> {
        self.randomized_delay
    }

    /// The limit for vehicles whose battery is nearly full.
    #[must_use]
    pub fn limit_at_soc(&self) -> Option<SocLimit> {
        self.limit_at_soc
    }

    /// Its periods, at least one.
    #[must_use]
    pub fn periods(&self) -> &[Period] {
        &self.periods
    }
}

/// What is kept of a schedule; what comes back from there is checked like anything else.
#[derive(Serialize, Deserialize)]
struct StoredSchedule {
    start: Start,
    recurrence: Option<Recurrence>,
    duration: Option<u32>,
    unit: RateUnit,
    #[serde(with = "crate::station::serial::optional_decimal", default)]
    min_charging_rate: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    randomized_delay: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit_at_soc: Option<SocLimit>,
    periods: Vec<Period>,
}

impl From<Schedule> for StoredSchedule {
    fn from(schedule: Schedule) -> Self {
        let Schedule { start, recurrence, duration, unit, min_charging_rate, randomized_delay, limit_at_soc, periods } =
            schedule;
        Self { start, recurrence, duration, unit, min_charging_rate, randomized_delay, limit_at_soc, periods }
    }
}

impl TryFrom<StoredSchedule> for Schedule {
    type Error = ScheduleError;

    fn try_from(stored: StoredSchedule) -> Result<Self, ScheduleError> {
        let StoredSchedule {
            start,
            recurrence,
            duration,
            unit,
            min_charging_rate,
            randomized_delay,
            limit_at_soc,
            periods,
        } = stored;
        let schedule = Self::new(start, unit, periods)?;
        let schedule = Self { recurrence, duration, randomized_delay, ..schedule };
        let schedule = match limit_at_soc {
            Some(limit) => schedule.with_limit_at_soc(limit)?,
            None => schedule,
        };
        match min_charging_rate {
            Some(rate) => schedule.with_min_charging_rate(rate),
            None => Ok(schedule),
        }
    }
}

/// A time on a local clock as an ISO 8601 text.
mod local_time {
    use alloc::string::String;

    use jiff::civil::DateTime;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(value: &DateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
