//! Currents in tenths of an ampere, and limits in amperes or watts.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// The largest current that is understood, in A.
const MOST_AMPERES: f64 = 10_000.0;

/// A current in tenths of an ampere. As JSON it is a number of amperes with one decimal at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Current(u32);

impl Current {
    /// So many tenths of an ampere.
    #[must_use]
    pub const fn tenths(tenths: u32) -> Self {
        Self(tenths)
    }

    /// So many amperes.
    #[must_use]
    pub const fn amperes(amperes: u32) -> Self {
        Self(amperes.saturating_mul(10))
    }

    /// In tenths of an ampere.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{} A", self.0 / 10),
            tenth => write!(f, "{}.{tenth} A", self.0 / 10),
        }
    }
}

impl Serialize for Current {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 10 {
            0 => serializer.serialize_u32(self.0 / 10),
            _ => serializer.serialize_f64(f64::from(self.0) / 10.0),
        }
    }
}

impl<'de> Deserialize<'de> for Current {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amperes = f64::deserialize(deserializer)?;
        if !(0.0..=MOST_AMPERES).contains(&amperes) {
            return Err(D::Error::custom(format!("{amperes} is no current: 0 to {MOST_AMPERES} amperes")));
        }
        let tenths = (amperes * 10.0).round();
        if (amperes * 10.0 - tenths).abs() > 1e-6 {
            return Err(D::Error::custom(format!("{amperes} amperes have more than one decimal")));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a whole number, and in range"
        )]
        Ok(Self(tenths as u32))
    }
}

/// How much may be drawn: a current on each phase, or a power on all phases together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Limit {
    /// Amperes on each phase, with one decimal at most.
    #[schema(value_type = f64)]
    Amperes(Current),
    /// Watts on all phases together.
    Watts(u64),
}

impl Limit {
    /// The current on each phase.
    #[must_use]
    pub fn current(self, supply: Supply) -> Current {
        match self {
            Self::Amperes(current) => current,
            Self::Watts(watts) => {
                let volts = u64::from(supply.voltage.max(1)) * u64::from(supply.phases.max(1));
                Current(u32::try_from(watts.saturating_mul(10) / volts).unwrap_or(u32::MAX))
            }
        }
    }
}

/// What a site is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// Phases: 1 or 3.
    pub phases: u8,
    /// Volts between a phase and neutral.
    pub voltage: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_current_is_written_and_read_as_amperes() {
        for (text, tenths) in [("32", 320), ("6.5", 65), ("0", 0)] {
            assert_eq!(serde_json::from_str::<Current>(text).unwrap(), Current::tenths(tenths));
            assert_eq!(serde_json::to_string(&Current::tenths(tenths)).unwrap(), text);
        }
        for wrong in ["-1", "6.55", "10001", "\"6\""] {
            assert!(serde_json::from_str::<Current>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn watts_become_amperes_of_each_phase_rounded_down() {
        let three = Supply { phases: 3, voltage: 230 };
        assert_eq!(Limit::Watts(11_040).current(three), Current::amperes(16));
        assert_eq!(Limit::Watts(11_039).current(three), Current::tenths(159));
        assert_eq!(Limit::Watts(7_360).current(Supply { phases: 1, voltage: 230 }), Current::amperes(32));
    }
}
