//! One EVSE: its connectors, the car that stands before it, and its meter.

use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Energy, Ev};

/// Nominal voltage between a phase and neutral, in volts.
const VOLTAGE: u32 = 230;
/// Phases that every simulated EVSE has.
const PHASES: u32 = 3;

/// Whether energy flows, and if not, who holds it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// No cable is in.
    Unplugged,
    /// The station holds energy back: not permitted, limited to nothing, or faulted.
    HeldByStation,
    /// The car takes none: not ready, suspended, or full.
    HeldByEv,
    /// It flows.
    Flowing,
}

/// What the meter reads at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Energy since the meter was made, in whole watt-hours.
    pub energy_wh: u64,
    /// Power now, in watts.
    pub power_w: Decimal,
    /// Current now in each phase, in amperes.
    pub current_a: Decimal,
    /// Voltage between a phase and neutral, in volts.
    pub voltage_v: Decimal,
    /// Phases in use.
    pub phases: u32,
    /// State of charge of the car in percent, when one is plugged in.
    pub soc: Option<Decimal>,
}

/// A lock that did not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lock of the connector did not move")]
pub struct LockFailure;

/// One EVSE. Serialised, it is what a power cut leaves of it: everything but what the station told the contactor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evse {
    locked: Vec<bool>,
    plugged: Option<u32>,
    ev: Ev,
    register: Energy,
    max_power_w: u32,
    #[serde(skip)]
    permitted: bool,
    #[serde(skip)]
    limit_w: Option<Decimal>,
    fault: Option<String>,
    lock_fails: bool,
    bay_occupied: bool,
}

impl Evse {
    /// An idle EVSE with this many connectors (at least one) and a meter that has counted nothing.
    #[must_use]
    pub fn new(connectors: u32, max_power_w: u32) -> Self {
        Self {
            locked: vec![false; connectors.max(1) as usize],
            plugged: None,
            ev: Ev::default(),
            register: Energy::ZERO,
            max_power_w,
            permitted: false,
            limit_w: None,
            fault: None,
            lock_fails: false,
            bay_occupied: false,
        }
    }

    /// Takes over what was saved of it, as far as it fits.
    pub(super) fn put_back(&mut self, saved: Self) {
        if saved.locked.len() == self.locked.len() {
            *self = Self { max_power_w: self.max_power_w, ..saved };
        } else {
            self.register = saved.register;
            self.ev = saved.ev;
        }
    }

    /// How many connectors it has; they are numbered from 1.
    #[must_use]
    pub fn connectors(&self) -> u32 {
        u32::try_from(self.locked.len()).unwrap_or(u32::MAX)
    }

    /// The connector whose cable is in.
    #[must_use]
    pub fn plugged(&self) -> Option<u32> {
        self.plugged
    }

    /// The car before it, plugged in or not.
    #[must_use]
    pub fn ev(&self) -> &Ev {
        &self.ev
    }

    /// The same car, to change.
    pub fn ev_mut(&mut self) -> &mut Ev {
        &mut self.ev
    }

    /// What the hardware says is broken, by the code it was reported under.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Breaks it, or with `None` repairs it.
    pub fn set_fault(&mut self, fault: Option<String>) {
        self.fault = fault;
    }

    /// Whether the contactor may close.
    #[must_use]
    pub fn permitted(&self) -> bool {
        self.permitted
    }

    /// Lets energy through, or not.
    pub fn permit(&mut self, permitted: bool) {
        self.permitted = permitted;
    }

    /// The limit in force, in watts.
    #[must_use]
    pub fn limit_w(&self) -> Option<Decimal> {
        self.limit_w
    }

    /// Limits the power, in watts; `None` leaves what the hardware can do.
    pub fn set_limit(&mut self, limit_w: Option<Decimal>) {
        self.limit_w = limit_w;
    }

    /// Limits the current of each phase, in amperes.
    pub fn set_limit_amperes(&mut self, amperes: Decimal, phases: Option<u32>) {
        self.limit_w = Some(amperes * Decimal::from(VOLTAGE) * Decimal::from(phases.unwrap_or(PHASES)));
    }

    /// Whether the parking bay is taken.
    #[must_use]
    pub fn bay_occupied(&self) -> bool {
        self.bay_occupied
    }

    /// A car drives into the bay, or away.
    pub fn set_bay(&mut self, occupied: bool) {
        self.bay_occupied = occupied;
    }

    /// Whether a lock that is told to move stays where it is.
    #[must_use]
    pub fn lock_fails(&self) -> bool {
        self.lock_fails
    }

    /// Jams the lock, or frees it.
    pub fn set_lock_fails(&mut self, fails: bool) {
        self.lock_fails = fails;
    }

    /// Whether the lock of a connector is closed; `None` for a connector it hasn't.
    #[must_use]
    pub fn locked(&self, connector: u32) -> Option<bool> {
        self.locked.get(index(connector)?).copied()
    }

    /// Moves the lock of a connector.
    ///
    /// # Errors
    /// The lock is jammed, or there is no such connector. It stays as it was.
    pub fn set_locked(&mut self, connector: u32, locked: bool) -> Result<(), LockFailure> {
        let fails = self.lock_fails;
        let lock = index(connector).and_then(|index| self.locked.get_mut(index)).ok_or(LockFailure)?;
        if *lock != locked && fails {
            return Err(LockFailure);
        }
        *lock = locked;
        Ok(())
    }

    /// Puts the cable in. False when one is in already, or there is no such connector.
    #[must_use]
    pub fn plug(&mut self, connector: u32) -> bool {
        if self.plugged.is_some() || self.locked(connector).is_none() {
            return false;
        }
        self.plugged = Some(connector);
        true
    }

    /// Pulls the cable out on the car's side, where the station's lock doesn't hold it. Gives the connector it was in.
    pub fn unplug(&mut self) -> Option<u32> {
        self.plugged.take()
    }

    /// Whether energy flows, and who holds it back.
    #[must_use]
    pub fn flow(&self) -> Flow {
        if self.plugged.is_none() {
            Flow::Unplugged
        } else if !self.permitted || self.fault.is_some() || self.available_milliwatts() == 0 {
            Flow::HeldByStation
        } else if !self.ev.wants_energy() || self.ev.max_power_w == 0 {
            Flow::HeldByEv
        } else {
            Flow::Flowing
        }
    }

    /// What the station's side offers, whatever the car takes.
    fn available_milliwatts(&self) -> u64 {
        let hardware = u64::from(self.max_power_w) * 1_000;
        match self.limit_w {
            None => hardware,
            Some(limit) => {
                let limit = (limit.max(Decimal::ZERO) * Decimal::ONE_THOUSAND).trunc();
                u64::try_from(limit).unwrap_or(u64::MAX).min(hardware)
            }
        }
    }

    /// Power now, in milliwatts.
    #[must_use]
    pub fn milliwatts(&self) -> u64 {
        match self.flow() {
            Flow::Flowing => self.available_milliwatts().min(u64::from(self.ev.max_power_w) * 1_000),
            Flow::Unplugged | Flow::HeldByStation | Flow::HeldByEv => 0,
        }
    }

    /// Lets time pass: the meter counts what the battery takes, and nothing else.
    pub fn advance(&mut self, elapsed: Duration) {
        let energy = Energy::delivered(self.milliwatts(), elapsed).min(self.ev.room());
        self.ev.charge(energy);
        self.register += energy;
    }

    /// How long until the car is full at the power of now.
    #[must_use]
    pub fn time_to_full(&self) -> Option<Duration> {
        self.ev.room().duration_at(self.milliwatts())
    }

    /// Everything the meter has counted.
    #[must_use]
    pub fn register(&self) -> Energy {
        self.register
    }

    /// What the meter reads now.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let power_w = Decimal::new(i64::try_from(self.milliwatts()).unwrap_or(i64::MAX), 3);
        Reading {
            energy_wh: self.register.whole_watt_hours(),
            power_w: power_w.normalize(),
            current_a: (power_w / Decimal::from(VOLTAGE * PHASES)).round_dp(2).normalize(),
            voltage_v: Decimal::from(VOLTAGE),
            phases: PHASES,
            soc: self.plugged.map(|_| self.ev.soc().normalize()),
        }
    }
}

/// Connectors are numbered from 1.
fn index(connector: u32) -> Option<usize> {
    usize::try_from(connector.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::EvChange;
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn charging() -> Evse {
        let mut evse = Evse::new(2, 22_000);
        assert!(evse.plug(1));
        evse.permit(true);
        evse
    }

    #[test]
    fn energy_flows_only_where_cable_permission_and_a_willing_car_meet() {
        let mut evse = Evse::new(1, 22_000);
        evse.permit(true);
        assert_eq!(evse.flow(), Flow::Unplugged);
        assert!(evse.plug(1));
        assert_eq!(evse.flow(), Flow::Flowing);
        evse.permit(false);
        assert_eq!(evse.flow(), Flow::HeldByStation);
        evse.permit(true);
        evse.ev_mut().change(EvChange { suspended: Some(true), ..EvChange::default() });
        assert_eq!(evse.flow(), Flow::HeldByEv);
        evse.ev_mut().change(EvChange { suspended: Some(false), ready: Some(false), ..EvChange::default() });
        assert_eq!(evse.flow(), Flow::HeldByEv);
        evse.ev_mut().change(EvChange { ready: Some(true), ..EvChange::default() });
        evse.set_fault(Some("GroundFailure".to_owned()));
        assert_eq!(evse.flow(), Flow::HeldByStation);
        evse.advance(HOUR);
        assert_eq!(evse.reading().energy_wh, 0);
    }

    #[test]
    fn the_smallest_of_car_hardware_and_limit_decides_the_power() {
        let mut evse = charging();
        assert_eq!(evse.reading().power_w, Decimal::from(11_000));
        evse.ev_mut().change(EvChange { max_power_w: Some(50_000), ..EvChange::default() });
        assert_eq!(evse.reading().power_w, Decimal::from(22_000));
        evse.set_limit(Some(Decimal::from(6_900)));
        let reading = evse.reading();
        assert_eq!((reading.power_w, reading.current_a), (Decimal::from(6_900), Decimal::from(10)));
        evse.set_limit_amperes(Decimal::from(6), Some(1));
        assert_eq!(evse.reading().power_w, Decimal::from(1_380));
        evse.set_limit(Some(Decimal::ZERO));
        assert_eq!(evse.flow(), Flow::HeldByStation);
    }

    #[test]
    fn the_meter_counts_what_the_battery_takes_and_stops_when_it_is_full() {
        let mut evse = charging();
        evse.advance(HOUR);
        assert_eq!(evse.reading().energy_wh, 11_000);
        let to_full = evse.time_to_full().unwrap();
        evse.advance(to_full);
        assert_eq!(evse.flow(), Flow::HeldByEv);
        assert_eq!(evse.reading().energy_wh, 48_000);
        evse.advance(HOUR);
        assert_eq!(evse.reading().energy_wh, 48_000);
        assert_eq!(evse.time_to_full(), None);
    }

    #[test]
    fn a_jammed_lock_stays_where_it_is() {
        let mut evse = charging();
        assert_eq!(evse.set_locked(1, true), Ok(()));
        evse.set_lock_fails(true);
        assert_eq!(evse.set_locked(1, false), Err(LockFailure));
        assert_eq!(evse.locked(1), Some(true));
        assert_eq!(evse.set_locked(1, true), Ok(()), "it is where it should be");
        assert_eq!(evse.set_locked(3, true), Err(LockFailure));
    }

    #[test]
    fn what_is_saved_comes_back_without_the_permission_to_charge() {
        let mut evse = charging();
        evse.advance(Duration::from_nanos(123_456_789));
        evse.set_limit(Some(Decimal::from(1)));
        assert_eq!(evse.set_locked(1, true), Ok(()));
        let saved: Evse = serde_json::from_str(&serde_json::to_string(&evse).unwrap()).unwrap();
        let mut again = Evse::new(2, 22_000);
        again.put_back(saved.clone());
        assert_eq!((again.register(), again.plugged(), again.locked(1)), (evse.register(), Some(1), Some(true)));
        assert_eq!((again.flow(), again.limit_w()), (Flow::HeldByStation, None));
        let mut other = Evse::new(1, 22_000);
        other.put_back(saved);
        assert_eq!((other.register(), other.plugged(), other.connectors()), (evse.register(), None, 1));
    }

    #[test]
    fn one_cable_at_a_time() {
        let mut evse = Evse::new(2, 22_000);
        assert!(!evse.plug(0));
        assert!(!evse.plug(3));
        assert!(evse.plug(2));
        assert!(!evse.plug(1));
        assert_eq!(evse.unplug(), Some(2));
        assert_eq!(evse.unplug(), None);
    }
}
