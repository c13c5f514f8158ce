//! What stations tell that matters to sites and is kept nowhere else: what flows, whether a vehicle takes anything, what it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ocpp_core::csms::flows::ChargingNeeds;
use ocpp_core::csms::{Event, MeterReading, SampleValue, TransactionEvent};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use tokio::sync::Notify;

use crate::stations::power;

/// EVSEs that are remembered at most.
const MOST: usize = 100_000;

/// What was seen of an EVSE.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// The transaction that it belongs to.
    pub(crate) transaction: Option<String>,
    /// The power in W, and when it was read here.
    pub(crate) watts: Option<(Decimal, Timestamp)>,
    /// The current on L1, L2 and L3, in tenths of an ampere.
    pub(crate) currents: Option<[u32; 3]>,
    /// The vehicle takes nothing.
    pub(crate) suspended: bool,
    /// The driver has priority (2.1, K21).
    pub(crate) urgent: bool,
    /// When the vehicle leaves.
    pub(crate) departure: Option<Timestamp>,
    /// What it needs in all, in Wh.
    pub(crate) energy_wh: Option<u64>,
    /// The most that it can take, in tenths of an ampere.
    pub(crate) most: Option<u32>,
}

/// What was seen. Clones share the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    touched: Notify,
}

#[derive(Debug, Default)]
struct State {
    seen: BTreeMap<(Arc<str>, i64), Seen>,
    touched: BTreeSet<Arc<str>>,
    everything: bool,
}

impl Watch {
    /// Something changed at a station that its site has to be planned anew for.
    pub(crate) fn touch(&self, station: &str) {
        self.state().touched.insert(station.into());
        self.inner.touched.notify_one();
    }

    /// All sites have to be planned anew.
    pub(crate) fn touch_all(&self) {
        self.state().everything = true;
        self.inner.touched.notify_one();
    }

    /// Waits until something was touched.
    pub(crate) async fn touched(&self) {
        self.inner.touched.notified().await;
    }

    /// What was touched since the last time; nothing is everything.
    pub(crate) fn take(&self) -> Option<BTreeSet<Arc<str>>> {
        let mut state = self.state();
        let touched = std::mem::take(&mut state.touched);
        (!std::mem::take(&mut state.everything)).then_some(touched)
    }

    /// What was seen of an EVSE.
    pub(crate) fn seen(&self, station: &str, evse: i64) -> Seen {
        self.state().seen.get(&(station.into(), evse)).cloned().unwrap_or_default()
    }

    /// Takes in what a station reported.
    pub(crate) fn observe(&self, station: &Arc<str>, event: &Event) {
        let touches = match event {
            Event::TransactionStarted(event) | Event::TransactionUpdated(event) => self.transaction(station, event),
            Event::TransactionEnded(event) => {
                let mut state = self.state();
                state.seen.retain(|(of, _), seen| {
                    of != station || seen.transaction.as_deref() != Some(event.transaction.as_str())
                });
                true
            }
            Event::MeterValues { place: Some(place), readings } => {
                self.update(station, place.evse, |seen| meter(seen, readings));
                false
            }
            Event::ConnectorStatus(status) => match (status.place, status.status.as_str()) {
                (Some(place), "SuspendedEV") => self.update(station, place.evse, |seen| set(&mut seen.suspended, true)),
                (Some(place), "Charging") => self.update(station, place.evse, |seen| set(&mut seen.suspended, false)),
                (Some(place), "Available") => {
                    self.state().seen.remove(&(Arc::clone(station), place.evse));
                    true
                }
                _ => false,
            },
            // K21.FR.09, K22.FR.06
            Event::PriorityCharging { transaction, activated } => {
                let mut state = self.state();
                let of_station = state.seen.iter_mut().filter(|((of, _), _)| of == station);
                let mut of_transaction =
                    of_station.filter(|(_, seen)| seen.transaction.as_deref() == Some(transaction.as_str()));
                of_transaction.next().is_some_and(|(_, seen)| set(&mut seen.urgent, *activated))
            }
            _ => false,
        };
        if touches {
            self.touch(station);
        }
    }

    /// A vehicle tells what it needs (K15.FR.05).
    pub(crate) fn needs(&self, station: &Arc<str>, needs: &ChargingNeeds) {
        let told = &needs.needs;
        let (ac, dc) = (told.ac_charging_parameters.as_deref(), told.dc_charging_parameters.as_deref());
        let energy = ac.map(|ac| ac.energy_amount).or_else(|| dc.and_then(|dc| dc.energy_amount));
        self.update(station, needs.evse, |seen| {
            seen.departure = told.departure_time.map(|departure| departure.timestamp());
            seen.energy_wh = energy.and_then(|energy| energy.max(Decimal::ZERO).to_u64());
            seen.most = ac.and_then(|ac| tenths(ac.ev_max_current)).filter(|most| *most > 0);
            true
        });
        self.touch(station);
    }

    fn transaction(&self, station: &Arc<str>, event: &TransactionEvent) -> bool {
        let Some(place) = event.place else { return false };
        self.update(station, place.evse, |seen| {
            let id = event.transaction.as_str();
            let mut touches = false;
            if seen.transaction.as_deref() != Some(id) {
                *seen = Seen { transaction: Some(id.to_owned()), ..Seen::default() };
                touches = true;
            }
            meter(seen, &event.readings);
            match event.charging_state.as_deref() {
                Some("SuspendedEV") => touches | set(&mut seen.suspended, true),
                Some("Charging") => touches | set(&mut seen.suspended, false),
                _ => touches,
            }
        })
    }

    fn update(&self, station: &Arc<str>, evse: i64, change: impl FnOnce(&mut Seen) -> bool) -> bool {
        let mut state = self.state();
        let key = (Arc::clone(station), evse);
        if state.seen.len() >= MOST && !state.seen.contains_key(&key) {
            return false;
        }
        change(state.seen.entry(key).or_default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(value: &mut bool, to: bool) -> bool {
    std::mem::replace(value, to) != to
}

fn tenths(amperes: Decimal) -> Option<u32> {
    amperes.checked_mul(Decimal::TEN)?.ceil().max(Decimal::ZERO).to_u32()
}

/// Takes over what flows; nothing has to be planned for that.
fn meter(seen: &mut Seen, readings: &[MeterReading]) -> bool {
    for reading in readings {
        if let Some(watts) = power(reading) {
            seen.watts = Some((watts, Timestamp::now()));
        }
        if let Some(currents) = currents(reading) {
            seen.currents = Some(currents);
        }
    }
    false
}

/// The currents on each phase, where the station measures them.
fn currents(reading: &MeterReading) -> Option<[u32; 3]> {
    let mut currents = None;
    for sample in &reading.samples {
        if sample.measurand != "Current.Import" || sample.location != "Outlet" {
            continue;
        }
        let phase = match sample.phase.as_deref() {
            Some("L1" | "L1-N") => 0,
            Some("L2" | "L2-N") => 1,
            Some("L3" | "L3-N") => 2,
            _ => continue,
        };
        let SampleValue::Number(value) = sample.value else { continue };
        if let Some(value) = tenths(value) {
            currents.get_or_insert([0; 3])[phase] = value;
        }
    }
    currents
}
