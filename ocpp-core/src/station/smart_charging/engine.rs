//! Smart charging of a station: profiles are checked, kept and carried to the hardware.
//!
//! What is installed outlives restarts and counts offline as online (1.6 edition 2, 3.13.6; 1.6 errata 3.37).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ocpp_types::Version;

use super::composite::{CompositeSchedule, Window};
use super::external::LimitNotice;
use super::installed::{Installed, Rival};
use super::limit::{Limit, Supply};
use super::profile::{Place, Profile, Purpose, RateUnit};
use super::sharing::{Wish, share};
use super::solver::{Outlet, Solver};
use crate::station::reading::Measurand;
use crate::station::settings::{Key, offset_of};
use crate::station::transactions::Trigger;
use crate::station::{Output, Station};
use crate::time::Instant;

/// What a station knows about smart charging.
#[derive(Debug, Default)]
pub(in crate::station) struct Charging {
    pub(super) installed: Installed,
    /// Profiles that came with a remote start and wait for its transaction, by EVSE.
    pub(super) awaiting_transaction: BTreeMap<u32, Profile>,
    /// Since when there is no connection.
    pub(super) offline_since: Option<Instant>,
    /// What the CSMS is to be told about limits from outside.
    pub(super) notices: Vec<LimitNotice>,
    /// Which of them it was told.
    pub(super) told: Vec<LimitNotice>,
    /// Whether a limit from outside has changed with the input at hand.
    pub(super) changed_from_outside: bool,
    /// When the CSMS is to be asked for the values of dynamic profiles, by their ids.
    pub(super) pulls: BTreeMap<i64, Instant>,
    /// When the limit of a running transaction may change.
    pub(in crate::station) next_change: Option<Instant>,
}

impl Station {
    /// Keeps a profile that came with a remote start until its transaction begins (1.6 edition 2, 5.16.2; K05.FR.03).
    pub(in crate::station) fn await_transaction(&mut self, evse: u32, profile: Profile) {
        self.charging.awaiting_transaction.insert(evse, profile);
    }

    fn supply(&self, at: usize) -> Supply {
        let phases = self.config.evses.get(at).map_or(3, |evse| evse.supply_phases);
        Supply::new(self.config.line_voltage, phases)
    }

    /// What feeds all EVSEs together.
    pub(super) fn station_supply(&self) -> Supply {
        let phases = self.config.evses.iter().map(|evse| evse.supply_phases).max().unwrap_or(3);
        Supply::new(self.config.line_voltage, phases)
    }

    /// An EVSE as the solver sees it. `connector` is the one that is meant where none is in use.
    fn outlet(&self, at: usize, connector: u32, now: Timestamp) -> Outlet {
        let evse = &self.evses[at];
        let running = evse.transaction.as_ref();
        let connector = evse.plugged.filter(|_| running.is_some()).unwrap_or(connector);
        let outlet = Outlet::new(evse.id, connector, self.supply(at), now);
        match running {
            // K01.FR.42: as long as energy can't flow, it is as if it could from now on.
            Some(transaction) => {
                let mut outlet = outlet.charging(transaction.id.clone(), transaction.ready_at.unwrap_or(now));
                outlet.has_priority = transaction.has_priority;
                outlet.state_of_charge = evse.reading.value(Measurand::StateOfCharge);
                outlet
            }
            None => outlet,
        }
    }

    /// The same with what the hardware gives at most.
    fn limited_outlet(&self, at: usize, connector: u32, now: Timestamp) -> Outlet {
        let mut outlet = self.outlet(at, connector, now);
        outlet.max_power = self.config.evses.get(at).and_then(|evse| evse.max_power);
        outlet
    }

    /// The composite schedule of a connector, or of the station. `None` if there is no such connector. A vehicle that has said that
    /// it takes less is believed (SC.04).
    pub(in crate::station) fn composite_schedule(&self, place: Place, window: &Window) -> Option<CompositeSchedule> {
        let mut profiles = self.counting_profiles().into_owned();
        profiles.extend(self.planned_profiles());
        self.schedule_of(&profiles, place, window)
    }

    /// The same without what vehicles have said.
    pub(super) fn allowed_schedule(&self, place: Place, window: &Window) -> Option<CompositeSchedule> {
        self.schedule_of(&self.counting_profiles(), place, window)
    }

    fn schedule_of(&self, profiles: &[Profile], place: Place, window: &Window) -> Option<CompositeSchedule> {
        let zone = self.time_zone();
        let solver = Solver::new(profiles, &zone);
        match place {
            Place::Station => {
                let outlets: Vec<Outlet> =
                    (0..self.evses.len()).map(|at| self.limited_outlet(at, 1, window.from)).collect();
                Some(solver.composite_of_station(&outlets, self.station_supply(), window))
            }
            Place::Evse { evse, connector } => {
                let at = self.position(evse)?;
                let mut outlet = self.limited_outlet(at, connector.unwrap_or(1), window.from);
                if connector.is_some_and(|connector| connector != outlet.connector) {
                    // Another connector of the EVSE charges: this one is asked about as if it did (K08.FR.06).
                    outlet = Outlet { transaction: None, began: window.from, ..outlet };
                    outlet.connector = connector.unwrap_or(1);
                }
                Some(solver.composite(&outlet, window))
            }
        }
    }

    /// The unit that most profiles are in, for a schedule that is asked for in no unit.
    pub(in crate::station) fn usual_rate_unit(&self) -> RateUnit {
        let profiles = self.charging.installed.profiles();
        let in_watts = profiles.iter().filter(|profile| profile.schedule.unit() == RateUnit::Watts).count();
        let watts =
            if profiles.is_empty() { !self.takes_unit(RateUnit::Amperes) } else { in_watts * 2 > profiles.len() };
        if watts { RateUnit::Watts } else { RateUnit::Amperes }
    }

    /// Draws the conclusions from an input: profiles begin and end with their transactions, and the hardware is told what
    /// may flow from now on.
    /// 1.6 edition 2, 5.16.1; 1.6 errata 3.8
    pub(in crate::station) fn settle_charging(&mut self) {
        self.mind_connection();
        self.install_awaited_profiles();
        self.drop_profiles_of_ended_transactions();
        let limits = self.limits();
        let from_outside = core::mem::take(&mut self.charging.changed_from_outside);
        for (at, limit) in limits.into_iter().enumerate() {
            let evse = &mut self.evses[at];
            let before = core::mem::replace(&mut evse.limit, limit);
            if before != limit {
                let id = evse.id;
                self.effect(Output::SetLimit { evse: id, limit });
                // A limit of nothing suspends charging (SuspendedEVSE in 1.6 edition 2, 4.9, with errata 3.64).
                self.charging_state_changed(at);
                // K11.FR.04, K13.FR.03
                if from_outside && self.version() != Version::V1_6 && self.is_significant(before, limit) {
                    self.update_transaction(at, Trigger::ChargingRateChanged, None);
                }
            }
        }
        self.pull_values();
        self.tell_limits();
        self.tell_priorities();
        self.tell_needs();
    }

    /// The station's local time (`ClockCtrlr.TimeOffset`): between two changes of the offset, a fixed one.
    pub(super) fn time_zone(&self) -> TimeZone {
        let offset = offset_of(self.settings.text(Key::TimeOffset));
        offset.map_or(TimeZone::UTC, TimeZone::fixed)
    }

    fn install_awaited_profiles(&mut self) {
        let waiting: Vec<u32> = self.charging.awaiting_transaction.keys().copied().collect();
        for id in waiting {
            let Some(evse) = self.evses.iter().find(|evse| evse.id == id) else { continue };
            let transaction = evse.transaction.as_ref().map(|transaction| transaction.id.clone());
            if transaction.is_none() && (evse.authorization.is_some() || evse.authorizing.is_some()) {
                continue;
            }
            let Some(profile) = self.charging.awaiting_transaction.remove(&id) else { continue };
            if let Some(transaction) = transaction {
                self.keep_profile(Profile { purpose: Purpose::Transaction(transaction), ..profile }, Rival::Replaced);
            }
        }
    }

    /// 1.6 edition 2, 3.13.1 and errata 3.67; K02.FR.05
    fn drop_profiles_of_ended_transactions(&mut self) {
        let running: Vec<&str> =
            self.evses.iter().filter_map(|evse| evse.transaction.as_ref()).map(|known| known.id.as_str()).collect();
        let is_over = |profile: &Profile| match &profile.purpose {
            Purpose::Transaction(transaction) => !running.contains(&transaction.as_str()),
            _ => false,
        };
        let over = self.charging.installed.remove(is_over);
        self.forget_profiles(over);
    }

    /// What may flow now at each EVSE with a transaction, and from when on that may be different.
    fn limits(&mut self) -> Vec<Option<Limit>> {
        self.charging.next_change = None;
        let mut limits = alloc::vec![None; self.evses.len()];
        if self.charging.installed.profiles().is_empty() || !self.charges_smartly() {
            return limits;
        }
        let now = self.utc();
        let (zone, profiles) = (self.time_zone(), self.counting_profiles());
        let solver = Solver::new(&profiles, &zone);
        // In the order of their beginning: who began last, waits first.
        let mut charging: Vec<(usize, Outlet)> = (0..self.evses.len())
            .filter(|at| self.evses[*at].transaction.is_some())
            .map(|at| (at, self.outlet(at, 1, now)))
            .collect();
        charging.sort_by_key(|(_, outlet)| outlet.began);
        // What is generated on the spot is shared out evenly.
        let generated = solver.generated_at(self.station_supply(), now).zip(u32::try_from(charging.len()).ok());
        let generated = generated.map(|(generated, parts)| generated.shared(parts));
        for (at, outlet) in &charging {
            let limit = solver.own_limit_at(outlet, now);
            limits[*at] = limit.map(|limit| generated.map_or(limit, |generated| limit.plus(generated)));
        }
        if let Some((station, unit)) = solver.station_limit_at(self.station_supply(), now) {
            let capacity = station.in_unit(unit);
            let wishes: Vec<Wish> = charging
                .iter()
                .map(|(at, outlet)| Wish {
                    most: limits[*at].map(|limit| limit.in_unit(unit)),
                    least: solver.min_charging_rate_at(outlet, now).map(|limit| limit.in_unit(unit)),
                })
                .collect();
            for ((at, outlet), share) in charging.iter().zip(share(capacity, &wishes)) {
                let phases = limits[*at].map_or(outlet.supply.phases.get(), |limit| limit.phases);
                let share = Limit::new(share, unit, outlet.supply, phases.min(station.phases));
                limits[*at] = Some(limits[*at].map_or(share, |limit| limit.min(share)));
            }
        }
        if !self.settings.boolean(Key::PhaseSwitching) {
            for (at, outlet) in &charging {
                limits[*at] = limits[*at].map(|limit| spread(limit, outlet.supply));
            }
        }
        let next = charging.iter().filter_map(|(_, outlet)| solver.next_change_after(outlet, now)).min();
        let next = next.map(|next| {
            let wait = Duration::try_from(next.duration_since(now)).unwrap_or_default();
            self.now.instant + wait
        });
        let offline = profiles.iter().filter_map(|profile| self.offline_deadline(profile));
        self.charging.next_change = offline.chain(next).min();
        limits
    }
}

/// A limit for fewer phases, at a station that can't switch any off: its power is spread over all of them, so that neither
/// the power nor the current is exceeded (1.6 edition 2, 9.4.4).
fn spread(limit: Limit, supply: Supply) -> Limit {
    limit.min(Limit::new(limit.power, RateUnit::Watts, supply, supply.phases.get())).over(supply.phases.get())
}
