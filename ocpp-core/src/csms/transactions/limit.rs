//! Limits of a transaction in cost, energy, time and state of charge (2.1 part 2, E16).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::csms::mirrors::{DeviceModel, VariableKey};

/// Where a transaction is to stop giving energy (2.1 part 2, TransactionLimitType).
///
/// A limit that was set can be changed but not removed: set it so high that it does not matter (E16.FR.17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransactionLimit {
    /// The greatest cost, in the currency of the station.
    #[serde(with = "crate::csms::stored::decimal")]
    pub max_cost: Option<Decimal>,
    /// The greatest energy, in Wh.
    #[serde(with = "crate::csms::stored::decimal")]
    pub max_energy: Option<Decimal>,
    /// The greatest duration since the start of the transaction, in s (E16.FR.09).
    pub max_time: Option<i64>,
    /// The greatest state of charge, in percent.
    pub max_soc: Option<i64>,
}

impl TransactionLimit {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which limits a station supports (2.1 part 2, `TxCtrlr.SupportedLimits`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::csms) struct SupportedLimits {
    cost: bool,
    energy: bool,
    time: bool,
    soc: bool,
}

impl SupportedLimits {
    /// What the station says of them. One that has not said so is taken to support none (E16.FR.12).
    pub(in crate::csms) fn of(device_model: &DeviceModel) -> Self {
        device_model.value(&Self::variable()).map(Self::parse).unwrap_or_default()
    }

    /// The variable that tells of them.
    pub(in crate::csms) fn variable() -> VariableKey {
        VariableKey::new("TxCtrlr", "SupportedLimits")
    }

    /// Reads the value of the variable: a list of words separated by commas.
    fn parse(value: &str) -> Self {
        let names = |limit: &str| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(limit));
        Self { cost: names("maxCost"), energy: names("maxEnergy"), time: names("maxTime"), soc: names("maxSoC") }
    }
}

/// What was said about the limits of one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Limits {
    /// What the station was told last.
    told: TransactionLimit,
    /// What the station has set by itself, such as a driver's wish.
    own: TransactionLimit,
}

impl Limits {
    /// The station says which limits hold. What it was told is only confirmed by this (E16.FR.03); anything else is its own.
    pub(super) fn reported(&mut self, limit: &TransactionLimit) {
        let Self { told, own } = self;
        note(limit.max_cost, told.max_cost, &mut own.max_cost);
        note(limit.max_energy, told.max_energy, &mut own.max_energy);
        note(limit.max_time, told.max_time, &mut own.max_time);
        note(limit.max_soc, told.max_soc, &mut own.max_soc);
    }

    /// What the station is to be told now, if anything.
    pub(super) fn tell(&mut self, wanted: &TransactionLimit, supported: SupportedLimits) -> Option<TransactionLimit> {
        let Self { told, own } = self;
        let news = TransactionLimit {
            max_cost: news(wanted.max_cost, supported.cost, &mut told.max_cost, &mut own.max_cost),
            max_energy: news(wanted.max_energy, supported.energy, &mut told.max_energy, &mut own.max_energy),
            max_time: news(wanted.max_time, supported.time, &mut told.max_time, &mut own.max_time),
            max_soc: news(wanted.max_soc, supported.soc, &mut told.max_soc, &mut own.max_soc),
        };
        (!news.is_empty()).then_some(news)
    }
}

fn note<T: PartialEq + Copy>(reported: Option<T>, told: Option<T>, own: &mut Option<T>) {
    if let Some(reported) = reported {
        *own = (told != Some(reported)).then_some(reported);
    }
}

/// A limit to tell (C17.FR.03, C24.FR.02, C25.FR.24, F07.FR.02). That it was told counts without a confirmation, which need not come for
/// what is told about the past (E16.FR.18).
///
/// It is wanted, supported (E16.FR.12), not as loose as the station's own (E16.FR.08), and not told yet (E16.FR.02).
fn news<T: PartialOrd + Copy>(
    wanted: Option<T>,
    supported: bool,
    told: &mut Option<T>,
    own: &mut Option<T>,
) -> Option<T> {
    let wanted = wanted.filter(|_| supported)?;
    let stricter = own.is_some_and(|own| own <= wanted);
    // A limit of the station's own that is looser than ours has taken its place: it is told again (E16.FR.07).
    let replaced = own.is_some_and(|own| own > wanted);
    if stricter || (*told == Some(wanted) && !replaced) {
        return None;
    }
    *own = None;
    *told = Some(wanted);
    Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn energy(wh: i64) -> TransactionLimit {
        TransactionLimit { max_energy: Some(Decimal::from(wh)), ..TransactionLimit::default() }
    }

    fn all() -> SupportedLimits {
        SupportedLimits::parse("maxCost,maxEnergy,maxTime,maxSoC")
    }

    /// E16.FR.02, E16.FR.17
    #[test]
    fn a_limit_is_told_once_and_again_when_it_changes() {
        let mut limits = Limits::default();
        assert_eq!(limits.tell(&energy(100), all()), Some(energy(100)));
        assert_eq!(limits.tell(&energy(100), all()), None);
        limits.reported(&energy(100));
        assert_eq!(limits.tell(&energy(100), all()), None, "E16.FR.03: only confirmed");
        assert_eq!(limits.tell(&energy(200), all()), Some(energy(200)), "raised, although 100 was confirmed");
        assert_eq!(limits.tell(&TransactionLimit::default(), all()), None, "it can't be taken back");
    }

    /// E16.FR.07, E16.FR.08
    #[test]
    fn a_limit_is_not_told_where_the_station_has_a_stricter_one_itself() {
        let mut limits = Limits::default();
        limits.reported(&energy(50));
        assert_eq!(limits.tell(&energy(100), all()), None);
        assert_eq!(limits.tell(&energy(50), all()), None);
        assert_eq!(limits.tell(&energy(40), all()), Some(energy(40)));
        limits.reported(&energy(60));
        assert_eq!(limits.tell(&energy(40), all()), Some(energy(40)), "the station has loosened it");
    }

    /// E16.FR.12
    #[test]
    fn what_the_station_does_not_support_is_not_told() {
        let mut limits = Limits::default();
        let mut wanted = energy(100);
        wanted.max_time = Some(3600);
        assert_eq!(limits.tell(&wanted, SupportedLimits::default()), None);
        assert_eq!(limits.tell(&wanted, SupportedLimits::parse("MaxEnergy , maxSoC")), Some(energy(100)));
    }
}
