//! Limits in both units.

use core::num::NonZeroU32;

use rust_decimal::Decimal;
use serde::Serialize;

use super::profile::RateUnit;

/// What an EVSE, or the whole station, is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// Voltage between a phase and neutral that the area is set to, in V, not a measured one (1.6 edition 2, 7.12).
    pub line_voltage: NonZeroU32,
    /// Number of phases, 1 to 3.
    pub phases: NonZeroU32,
}

impl Supply {
    /// A supply; the number of phases is brought into the range of 1 to 3, and without a voltage it is 230 V.
    /// 1.6 errata 3.69: line voltage is the set one
    #[must_use]
    pub fn new(line_voltage: u32, phases: u32) -> Self {
        let line_voltage = NonZeroU32::new(line_voltage).or(NonZeroU32::new(230)).unwrap_or(NonZeroU32::MIN);
        let phases = NonZeroU32::new(phases.min(3)).unwrap_or(NonZeroU32::MIN);
        Self { line_voltage, phases }
    }

    /// Volts of this many phases together.
    fn volts(self, phases: u32) -> Decimal {
        Decimal::from(self.line_voltage.get()) * Decimal::from(phases)
    }
}

/// A limit, in both units. Neither may be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Most power of all phases together, in W.
    #[serde(with = "crate::station::serial::decimal")]
    pub power: Decimal,
    /// Most current of each phase, in A.
    #[serde(with = "crate::station::serial::decimal")]
    pub current: Decimal,
    /// How many phases that is over.
    pub phases: u32,
}

impl Limit {
    /// A limit given in one unit, over this many phases (1.6 edition 2, 7.12: power = current of a phase × line voltage × phases).
    #[must_use]
    pub fn new(value: Decimal, unit: RateUnit, supply: Supply, phases: u32) -> Self {
        let phases = phases.clamp(1, supply.phases.get());
        let volts = supply.volts(phases);
        match unit {
            RateUnit::Amperes => Self { power: value.saturating_mul(volts), current: value, phases },
            RateUnit::Watts => Self { power: value, current: value / volts, phases },
        }
    }

    /// The limit in one unit.
    #[must_use]
    pub fn in_unit(&self, unit: RateUnit) -> Decimal {
        match unit {
            RateUnit::Amperes => self.current,
            RateUnit::Watts => self.power,
        }
    }

    /// What respects both limits.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            power: self.power.min(other.power),
            current: self.current.min(other.current),
            phases: self.phases.min(other.phases),
        }
    }

    /// Both limits together, of two places on the same supply: in the worst case they load the same phases.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            power: self.power.saturating_add(other.power),
            current: self.current.saturating_add(other.current),
            phases: self.phases.max(other.phases),
        }
    }

    /// One of this many equal parts of it.
    pub(super) fn shared(self, parts: u32) -> Self {
        let parts = Decimal::from(parts.max(1));
        Self { power: self.power / parts, current: self.current / parts, phases: self.phases }
    }

    /// The same over another number of phases.
    pub(super) fn over(self, phases: u32) -> Self {
        Self { phases, ..self }
    }

    /// Whether nothing may flow.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.power.is_zero() || self.current.is_zero()
    }
}

/// What a profile says at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) limit: Decimal,
    /// Over how many phases; 3 where nothing is said.
    pub(super) phases: u32,
    pub(super) unit: RateUnit,
}

/// The smallest of several limits that hold at the same time at one place; `None` without any.
///
/// The fewest phases of them count (2.1 part 2, K, 3.8), at most those that there are: a limit for more phases is taken as it
/// is for these (1.6 errata 3.34).
pub(super) fn smallest(limits: impl Iterator<Item = Bound> + Clone, supply: Supply) -> Option<Limit> {
    let phases = limits.clone().map(|bound| bound.phases).min()?;
    limits.map(|bound| Limit::new(bound.limit, bound.unit, supply, phases)).reduce(Limit::min)
}
