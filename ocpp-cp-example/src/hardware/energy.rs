//! Energy without rounding.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One watt-hour in milliwatt-nanoseconds.
const PER_WATT_HOUR: u128 = 3_600 * 1_000 * 1_000_000_000;

/// An amount of energy, counted in milliwatt-nanoseconds, so that power times time is exact and no sum ever rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Energy(u128);

impl Energy {
    /// None.
    pub const ZERO: Self = Self(0);

    /// A whole number of watt-hours.
    #[must_use]
    pub const fn from_watt_hours(watt_hours: u64) -> Self {
        Self(watt_hours as u128 * PER_WATT_HOUR)
    }

    /// What `milliwatts` deliver in `duration`.
    #[must_use]
    pub fn delivered(milliwatts: u64, duration: Duration) -> Self {
        Self(u128::from(milliwatts).saturating_mul(duration.as_nanos()))
    }

    /// The whole watt-hours in it: what the register of a meter shows.
    #[must_use]
    pub fn whole_watt_hours(self) -> u64 {
        u64::try_from(self.0 / PER_WATT_HOUR).unwrap_or(u64::MAX)
    }

    /// How long `milliwatts` take to deliver it, rounded up to the nanosecond; nothing when there is no power.
    #[must_use]
    pub fn duration_at(self, milliwatts: u64) -> Option<Duration> {
        let milliwatts = u128::from(milliwatts);
        if milliwatts == 0 {
            return None;
        }
        u64::try_from(self.0.div_ceil(milliwatts)).ok().map(Duration::from_nanos)
    }

    /// This share of it, in percent with one decimal, rounded down: 100 only when it is all of `whole`.
    #[must_use]
    pub fn percent_of(self, whole: Self) -> Decimal {
        if whole.0 == 0 {
            return Decimal::ZERO;
        }
        let permille = self.0.saturating_mul(1_000) / whole.0;
        Decimal::new(i64::try_from(permille).unwrap_or(1_000).min(1_000), 1)
    }

    /// `percent` of it; a percentage outside 0 to 100 counts as the nearer end.
    #[must_use]
    pub fn percent(self, percent: Decimal) -> Self {
        let thousandths = (percent.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED) * Decimal::ONE_THOUSAND).trunc();
        let thousandths = u128::try_from(thousandths).unwrap_or(0);
        Self(self.0 / 100_000 * thousandths)
    }

    /// The smaller of both.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }
}

impl Serialize for Energy {
    /// The count as a decimal text: JSON numbers are too short for it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Energy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

impl Add for Energy {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Energy {
    type Output = Self;

    /// The difference, none if `other` is more.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_a_kilowatt_is_a_thousand_watt_hours() {
        let energy = Energy::delivered(1_000_000, Duration::from_secs(3_600));
        assert_eq!(energy, Energy::from_watt_hours(1_000));
        assert_eq!(energy.whole_watt_hours(), 1_000);
    }

    #[test]
    fn many_small_steps_add_up_to_the_one_large_step() {
        let mut sum = Energy::ZERO;
        for _ in 0..10_007 {
            sum += Energy::delivered(7_360_123, Duration::from_nanos(13_331));
        }
        assert_eq!(sum, Energy::delivered(7_360_123, Duration::from_nanos(13_331 * 10_007)));
    }

    #[test]
    fn the_time_to_deliver_is_long_enough_and_not_longer() {
        let energy = Energy::from_watt_hours(1);
        let duration = energy.duration_at(7_000).unwrap();
        assert!(Energy::delivered(7_000, duration) >= energy);
        assert!(Energy::delivered(7_000, duration - Duration::from_nanos(1)) < energy);
        assert_eq!(energy.duration_at(0), None);
    }

    #[test]
    fn a_percentage_goes_both_ways() {
        let battery = Energy::from_watt_hours(60_000);
        assert_eq!(battery.percent(Decimal::new(425, 1)).percent_of(battery), Decimal::new(425, 1));
        assert_eq!(battery.percent(Decimal::from(250)).percent_of(battery), Decimal::ONE_HUNDRED);
        let nearly = battery - Energy::from_watt_hours(1);
        assert!(nearly.percent_of(battery) < Decimal::ONE_HUNDRED);
    }
}
