//! Demand response: what those who run the grid ask for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::current::{Current, Limit, Supply};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SignalLimit {
    /// Amperes on each phase.
    #[schema(value_type = f64)]
    Amperes(Current),
    /// Watts on all phases together.
    Watts(u64),
    /// So many percent of each site's own limit: 0 to 100.
    Percent(u8),
}

impl SignalLimit {
    /// The current on each phase at a site of that limit.
    #[must_use]
    pub fn current(self, limit: Current, supply: Supply) -> Current {
        match self {
            Self::Amperes(current) => current,
            Self::Watts(watts) => Limit::Watts(watts).current(supply),
            Self::Percent(percent) => {
                let part = u64::from(limit.get()) * u64::from(percent.min(100)) / 100;
                Current::tenths(u32::try_from(part).unwrap_or(limit.get()))
            }
        }
    }
}

/// A signal. It takes effect at once, and ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// The sites it is for.
    pub sites: Vec<String>,
    /// What they may draw meanwhile; where that is more than what holds anyway, it changes nothing.
    pub limit: SignalLimit,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}

impl Signal {
    /// Everything that is wrong with it, each with what to do.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.sites.is_empty() {
            problems.push("a signal is for one site at least: name it in `sites`".to_owned());
        }
        if self.until <= self.from {
            problems.push(format!("the signal ends at {}, before it begins: let it end later", self.until));
        }
        if let SignalLimit::Percent(percent) = self.limit
            && percent > 100
        {
            problems.push(format!("{percent} percent: 0 to 100 of what a site may draw"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_may_be_a_part_of_what_the_site_has() {
        let supply = Supply { phases: 3, voltage: 230 };
        let of = |limit: SignalLimit| limit.current(Current::amperes(63), supply);
        assert_eq!(of(SignalLimit::Percent(50)), Current::tenths(315));
        assert_eq!(of(SignalLimit::Percent(0)), Current::default());
        assert_eq!(of(SignalLimit::Watts(6_900)), Current::amperes(10));
        assert_eq!(of(SignalLimit::Amperes(Current::amperes(20))), Current::amperes(20));
    }
}
