//! What a charging station is made of, simulated: EVSEs, cables, cars, meters and locks.
//!
//! Nothing in here knows OCPP or reads a clock. Time is let in with [`Hardware::advance`]; between two calls the power is
//! constant, so the energy is exact whatever the length of the steps.

mod energy;
mod ev;
mod evse;

use std::time::Duration;

use ocpp_core::time::Instant;

pub use energy::Energy;
pub use ev::{Ev, EvChange};
pub use evse::{Evse, Flow, LockFailure, Reading};

/// The most an EVSE delivers, in watts.
pub const MAX_POWER_W: u32 = 22_000;

/// All EVSEs of a station.
#[derive(Debug, Clone, PartialEq)]
pub struct Hardware {
    evses: Vec<Evse>,
    advanced: Instant,
    speed: u32,
}

impl Hardware {
    /// Idle hardware of at least one EVSE with at least one connector. `speed` is how many seconds of charging one second
    /// counts for.
    #[must_use]
    pub fn new(evses: u32, connectors: u32, speed: u32, now: Instant) -> Self {
        Self {
            evses: (0..evses.max(1)).map(|_| Evse::new(connectors, MAX_POWER_W)).collect(),
            advanced: now,
            speed: speed.max(1),
        }
    }

    /// Puts an EVSE back as it was saved. One that has another number of connectors now keeps its meter and its car, and
    /// finds its cable pulled out.
    pub fn put_back(&mut self, evse: u32, saved: Evse) {
        if let Some(evse) = self.evse_mut(evse) {
            evse.put_back(saved);
        }
    }

    /// Lets the time pass up to `now`. To be called before anything is changed or read.
    pub fn advance(&mut self, now: Instant) {
        let elapsed = now.saturating_since(self.advanced).saturating_mul(self.speed);
        self.advanced = self.advanced.max(now);
        for evse in &mut self.evses {
            evse.advance(elapsed);
        }
    }

    /// When a car will be full, if nothing else happens: the moment to look again.
    #[must_use]
    pub fn next_change(&self) -> Option<Instant> {
        let soonest = self.evses.iter().filter_map(Evse::time_to_full).min()?;
        // Rounded up, so that the car is full when the moment has come.
        let real = Duration::from_nanos_u128(soonest.as_nanos().div_ceil(u128::from(self.speed)));
        Some(self.advanced + real)
    }

    /// The EVSEs with their numbers, from 1.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Evse)> {
        (1..).zip(&self.evses)
    }

    /// How many EVSEs there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.evses.len()).unwrap_or(u32::MAX)
    }

    /// Never: a station has at least one EVSE.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.evses.is_empty()
    }

    /// One EVSE, numbered from 1.
    #[must_use]
    pub fn evse(&self, evse: u32) -> Option<&Evse> {
        self.evses.get(usize::try_from(evse.checked_sub(1)?).ok()?)
    }

    /// One EVSE, numbered from 1, to change.
    pub fn evse_mut(&mut self, evse: u32) -> Option<&mut Evse> {
        self.evses.get_mut(usize::try_from(evse.checked_sub(1)?).ok()?)
    }

    /// The power fails: contactors open and what was told to the hardware is forgotten. Cars, cables and jammed locks stay, and so
    /// do the meters.
    pub fn power_cut(&mut self) {
        for evse in &mut self.evses {
            evse.permit(false);
            evse.set_limit(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_faster_when_asked_to_and_energy_stays_exact() {
        let start = Instant::ORIGIN;
        let mut hardware = Hardware::new(2, 1, 600, start);
        let evse = hardware.evse_mut(1).unwrap();
        assert!(evse.plug(1));
        evse.permit(true);
        for second in 1..=6 {
            hardware.advance(start + Duration::from_secs(second));
        }
        assert_eq!(hardware.evse(1).unwrap().reading().energy_wh, 11_000);
        assert_eq!(hardware.evse(2).unwrap().reading().energy_wh, 0);
        assert!(hardware.evse(0).is_none() && hardware.evse(3).is_none());
    }

    #[test]
    fn the_next_change_is_when_a_car_is_full() {
        let mut hardware = Hardware::new(1, 1, 7, Instant::ORIGIN);
        assert_eq!(hardware.next_change(), None);
        let evse = hardware.evse_mut(1).unwrap();
        assert!(evse.plug(1));
        evse.permit(true);
        let full = hardware.next_change().unwrap();
        hardware.advance(full - Duration::from_nanos(1));
        assert_eq!(hardware.evse(1).unwrap().flow(), Flow::Flowing);
        hardware.advance(full);
        assert_eq!(hardware.evse(1).unwrap().flow(), Flow::HeldByEv);
        assert_eq!(hardware.next_change(), None);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_moves_no_meter() {
        let start = Instant::ORIGIN + Duration::from_secs(100);
        let mut hardware = Hardware::new(1, 1, 1, start);
        let evse = hardware.evse_mut(1).unwrap();
        assert!(evse.plug(1));
        evse.permit(true);
        hardware.advance(Instant::ORIGIN);
        hardware.advance(start);
        assert_eq!(hardware.evse(1).unwrap().register(), Energy::ZERO);
    }

    #[test]
    fn a_power_cut_opens_the_contactors_and_leaves_the_cars() {
        let mut hardware = Hardware::new(1, 1, 1, Instant::ORIGIN);
        let evse = hardware.evse_mut(1).unwrap();
        assert!(evse.plug(1));
        evse.permit(true);
        hardware.advance(Instant::ORIGIN + Duration::from_secs(3_600));
        hardware.power_cut();
        let evse = hardware.evse(1).unwrap();
        assert_eq!((evse.plugged(), evse.flow()), (Some(1), Flow::HeldByStation));
        assert_eq!(evse.register(), Energy::from_watt_hours(11_000));
    }
}
