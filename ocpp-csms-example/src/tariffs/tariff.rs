//! What a tariff is made of.

use iso_currency::Currency;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::timetable::Timetable;

/// The most that a price may be, in whole units: whoever writes more has taken the wrong unit.
const HIGHEST_PRICE: u32 = 1_000_000;

/// What charging costs. Every price is in whole units of the currency, and as exact as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Tariff {
    currency: Currency,
    zone: TimeZone,
    energy: Timetable,
    time: Timetable,
    idle: Timetable,
    grace_minutes: u32,
    start: Decimal,
    minimum: Decimal,
    charge_without_energy: bool,
    tax: Tax,
}

/// The tax on everything that a tariff charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// Such as 19 for 19 %.
    pub percent: Decimal,
    /// Whether the prices include it; else it is added to them.
    pub included: bool,
}

impl Default for Tax {
    fn default() -> Self {
        Self { percent: Decimal::ZERO, included: true }
    }
}

/// Why something is no tariff, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// No such currency.
    #[error("{0:?} is no currency; write its code of ISO 4217, such as EUR")]
    Currency(String),
    /// No such time zone.
    #[error("{0:?} is no time zone; write its name in the IANA database, such as Europe/Madrid")]
    Zone(String),
    /// A price that cannot be meant.
    #[error("{what} is {value}: it has to be from 0 to {HIGHEST_PRICE}, in whole units of the currency")]
    Price {
        /// Which price.
        what: &'static str,
        /// What was written.
        value: Decimal,
    },
    /// A tax that cannot be meant.
    #[error("a tax of {0} %: it has to be from 0 to 100")]
    Tax(Decimal),
}

impl Tariff {
    /// A tariff for energy alone, the same at all times, with no tax told.
    ///
    /// # Errors
    /// The price cannot be meant.
    pub fn of_energy(per_kwh: Decimal, currency: Currency) -> Result<Self, TariffError> {
        let unmeant = || TariffError::Price { what: "energy", value: per_kwh };
        Written {
            currency: currency.code().to_owned(),
            zone: utc(),
            energy: Some(Timetable::constant(per_kwh.normalize()).map_err(|_| unmeant())?),
            time: None,
            idle: None,
            grace_minutes: 0,
            start: Decimal::ZERO,
            minimum: Decimal::ZERO,
            charge_without_energy: false,
            tax: Tax::default(),
        }
        .try_into()
    }

    /// The currency of all prices.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Where the times of the prices are told.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What a kWh costs.
    #[must_use]
    pub fn energy(&self) -> &Timetable {
        &self.energy
    }

    /// What an hour of charging costs.
    #[must_use]
    pub fn time(&self) -> &Timetable {
        &self.time
    }

    /// What an hour costs in which the vehicle stays connected and takes no energy any more.
    #[must_use]
    pub fn idle(&self) -> &Timetable {
        &self.idle
    }

    /// How many minutes of being idle are free, each time.
    #[must_use]
    pub fn grace_minutes(&self) -> u32 {
        self.grace_minutes
    }

    /// What each session costs, whatever it takes.
    #[must_use]
    pub fn start(&self) -> Decimal {
        self.start
    }

    /// What a session costs at least.
    #[must_use]
    pub fn minimum(&self) -> Decimal {
        self.minimum
    }

    /// Whether a session that has taken no energy is charged for like any other.
    #[must_use]
    pub fn charges_without_energy(&self) -> bool {
        self.charge_without_energy
    }

    /// Whether the cost changes while nothing is taken.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        !self.time.is_free() || !self.idle.is_free()
    }

    /// The tax.
    #[must_use]
    pub fn tax(&self) -> Tax {
        self.tax
    }
}

/// A tariff as it is written in JSON. What is left out costs nothing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    currency: String,
    #[serde(default = "utc")]
    zone: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    energy: Option<Timetable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<Timetable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idle: Option<Timetable>,
    #[serde(default)]
    grace_minutes: u32,
    #[serde(default)]
    start: Decimal,
    #[serde(default)]
    minimum: Decimal,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    charge_without_energy: bool,
    #[serde(default)]
    tax: Tax,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl TryFrom<Written> for Tariff {
    type Error = TariffError;

    fn try_from(written: Written) -> Result<Self, TariffError> {
        let currency = Currency::from_code(&written.currency).ok_or(TariffError::Currency(written.currency))?;
        let zone = TimeZone::get(&written.zone).map_err(|_| TariffError::Zone(written.zone))?;
        let check = |what, value: Decimal| {
            let meant = value >= Decimal::ZERO && value <= Decimal::from(HIGHEST_PRICE);
            if meant { Ok(value) } else { Err(TariffError::Price { what, value }) }
        };
        let timetable = |what, timetable: Option<Timetable>| {
            let timetable = timetable.unwrap_or_default();
            for slot in timetable.slots() {
                check(what, slot.price)?;
            }
            Ok(timetable)
        };
        if written.tax.percent < Decimal::ZERO || written.tax.percent > Decimal::ONE_HUNDRED {
            return Err(TariffError::Tax(written.tax.percent));
        }
        Ok(Self {
            currency,
            zone,
            energy: timetable("energy", written.energy)?,
            time: timetable("time", written.time)?,
            idle: timetable("idle", written.idle)?,
            grace_minutes: written.grace_minutes,
            start: check("start", written.start)?,
            minimum: check("minimum", written.minimum)?,
            charge_without_energy: written.charge_without_energy,
            tax: written.tax,
        })
    }
}

impl From<Tariff> for Written {
    fn from(tariff: Tariff) -> Self {
        let written = |timetable: Timetable| (!timetable.is_free()).then_some(timetable);
        Self {
            currency: tariff.currency.code().to_owned(),
            zone: tariff.zone.iana_name().unwrap_or("UTC").to_owned(),
            energy: written(tariff.energy),
            time: written(tariff.time),
            idle: written(tariff.idle),
            grace_minutes: tariff.grace_minutes,
            start: tariff.start,
            minimum: tariff.minimum,
            charge_without_energy: tariff.charge_without_energy,
            tax: tariff.tax,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Tariff, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_tariff_is_written_as_it_was_read() {
        let json = r#"{"currency":"EUR","zone":"Europe/Madrid","energy":"0.39","idle":"6","grace_minutes":10,"start":"0.50","minimum":"1","tax":{"percent":"21","included":true}}"#;
        assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), json);
    }

    #[test]
    fn what_is_left_out_costs_nothing() {
        let tariff = read(r#"{"currency":"JPY"}"#).unwrap();
        assert!(tariff.energy().is_free() && tariff.time().is_free() && tariff.idle().is_free());
        assert_eq!((tariff.start(), tariff.minimum(), tariff.tax().percent), Default::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_do() {
        for (json, part) in [
            (r#"{"currency":"EURO"}"#, "ISO 4217"),
            (r#"{"currency":"EUR","zone":"Berlin"}"#, "IANA"),
            (r#"{"currency":"EUR","start":"-1"}"#, "start is -1"),
            (r#"{"currency":"EUR","energy":"39000000"}"#, "energy is 39000000"),
            (r#"{"currency":"EUR","tax":{"percent":"190","included":true}}"#, "from 0 to 100"),
            (r#"{"currency":"EUR","engery":"0.39"}"#, "unknown field"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
