//! The car at the other end of the cable.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Energy;

/// A car: a battery, and whether it wants to charge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ev {
    capacity: Energy,
    stored: Energy,
    /// The most it takes, in watts.
    pub max_power_w: u32,
    /// It has closed its contactor, or would: state C of IEC 61851-1. A car that isn't ready draws nothing.
    pub ready: bool,
    /// It has paused by itself, for example because its own timer says so. It draws nothing either.
    pub suspended: bool,
}

/// What changes about a car; what is absent stays as it is. The body of `POST /evses/{n}/ev`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvChange {
    /// State of charge in percent, 0 to 100.
    #[serde(default, with = "rust_decimal::serde::float_option", skip_serializing_if = "Option::is_none")]
    pub soc: Option<Decimal>,
    /// The most it takes, in watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_power_w: Option<u32>,
    /// Whether it wants energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// Whether it paused by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
}

impl Default for Ev {
    /// 60 kWh, 20 % full, 11 kW, ready.
    fn default() -> Self {
        let capacity = Energy::from_watt_hours(60_000);
        Self {
            capacity,
            stored: capacity.percent(Decimal::from(20)),
            max_power_w: 11_000,
            ready: true,
            suspended: false,
        }
    }
}

impl Ev {
    /// State of charge in percent, with one decimal.
    #[must_use]
    pub fn soc(&self) -> Decimal {
        self.stored.percent_of(self.capacity)
    }

    /// What it still takes until it is full.
    #[must_use]
    pub fn room(&self) -> Energy {
        self.capacity - self.stored
    }

    /// Whether it would draw power now, if power were there.
    #[must_use]
    pub fn wants_energy(&self) -> bool {
        self.ready && !self.suspended && self.room() > Energy::ZERO
    }

    /// Fills the battery by this much, at most to the brim.
    pub fn charge(&mut self, energy: Energy) {
        self.stored = (self.stored + energy).min(self.capacity);
    }

    /// Applies a change.
    pub fn change(&mut self, change: EvChange) {
        if let Some(soc) = change.soc {
            self.stored = self.capacity.percent(soc);
        }
        self.max_power_w = change.max_power_w.unwrap_or(self.max_power_w);
        self.ready = change.ready.unwrap_or(self.ready);
        self.suspended = change.suspended.unwrap_or(self.suspended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_battery_wants_nothing_and_takes_nothing() {
        let mut ev = Ev::default();
        ev.change(EvChange { soc: Some(Decimal::from(99)), ..EvChange::default() });
        assert!(ev.wants_energy());
        ev.charge(Energy::from_watt_hours(10_000));
        assert_eq!(ev.soc(), Decimal::ONE_HUNDRED);
        assert!(!ev.wants_energy());
        assert_eq!(ev.room(), Energy::ZERO);
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let mut ev = Ev::default();
        let change: EvChange = serde_json::from_str(r#"{"suspended":true}"#).unwrap();
        ev.change(change);
        assert_eq!(ev, Ev { suspended: true, ..Ev::default() });
        assert!(serde_json::from_str::<EvChange>(r#"{"suspendet":true}"#).is_err());
    }
}
