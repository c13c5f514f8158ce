//! What a vehicle needs, and what it is offered: ISO 15118 on the side of the station (K15 to K17).
//!
//! The integrator speaks ISO 15118 with the vehicle. He reports what the vehicle says, as [`VehicleNeeds`] and [`VehiclePlan`], and
//! hands it what [`Output::OfferSchedule`] says.

use core::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::composite::{CompositeSchedule, Window};
use super::profile::{Place, Profile, Purpose, Schedule, Start};
use crate::station::calls::Call;
use crate::station::outbox::Called;
use crate::station::settings::Key;
use crate::station::transactions::Trigger;
use crate::station::{Event, Output, Station};
use crate::time::Instant;

/// How long a vehicle waits for a schedule (ISO 15118-2, `ChargeParameterDiscoveryReq`; K15.FR.08).
const PATIENCE: Duration = Duration::from_secs(60);
/// How far a schedule looks ahead where the vehicle doesn't say when it leaves, in seconds.
const DAY: u32 = 86_400;

/// What a vehicle asks for (2.1 part 2, `ChargingNeedsType`, as far as ISO 15118-2 goes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VehicleNeeds {
    /// What it wants to be charged with.
    pub transfer: EnergyTransfer,
    /// When it leaves, if it says so.
    #[serde(with = "crate::station::serial::optional_time", default)]
    pub departure: Option<Timestamp>,
    /// How many periods of a schedule it can take, if it says so.
    pub max_periods: Option<u32>,
}

/// What a vehicle wants to be charged with. Energies are in Wh, currents in A, voltages in V, powers in W.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnergyTransfer {
    /// Alternating current.
    Ac {
        /// Over how many phases, 1 to 3.
        phases: u32,
        /// How much energy.
        #[serde(with = "crate::station::serial::decimal")]
        energy: Decimal,
        /// The least current that it can use, of each phase.
        #[serde(with = "crate::station::serial::decimal")]
        min_current: Decimal,
        /// The most current that it can use, of each phase.
        #[serde(with = "crate::station::serial::decimal")]
        max_current: Decimal,
        /// The most voltage that it bears.
        #[serde(with = "crate::station::serial::decimal")]
        max_voltage: Decimal,
    },
    /// Direct current.
    Dc {
        /// The most current that it can use.
        #[serde(with = "crate::station::serial::decimal")]
        max_current: Decimal,
        /// The most voltage that it bears.
        #[serde(with = "crate::station::serial::decimal")]
        max_voltage: Decimal,
        /// The most power that it can use.
        #[serde(with = "crate::station::serial::optional_decimal", default)]
        max_power: Option<Decimal>,
        /// How much energy.
        #[serde(with = "crate::station::serial::optional_decimal", default)]
        energy: Option<Decimal>,
        /// How full its battery is, in percent.
        state_of_charge: Option<u32>,
    },
}

/// What a vehicle is going to take (`ChargingProfile` of ISO 15118-2, `PowerDeliveryReq`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VehiclePlan {
    /// How much when, counted from now.
    pub schedule: Schedule,
    /// Which schedule it has chosen, by the number it was offered under.
    pub selected: Option<i64>,
}

/// A schedule to hand to a vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferedSchedule {
    /// Its number.
    pub id: i64,
    /// How much when.
    pub schedule: CompositeSchedule,
    /// Whether the vehicle has to be asked to negotiate again, because it has got a schedule before (K16.FR.02).
    pub is_renegotiation: bool,
}

/// Where the negotiation with a vehicle stands.
#[derive(Debug, Default)]
pub(in crate::station) struct Negotiation {
    /// Needs that the CSMS is still to be told, and since when.
    untold: Option<(VehicleNeeds, Timestamp)>,
    /// The needs that were reported last; without any the vehicle doesn't speak ISO 15118.
    known: Option<VehicleNeeds>,
    /// Until when a schedule of the CSMS is awaited.
    awaiting: Option<Instant>,
    /// Whether the vehicle has got a schedule.
    offered: bool,
    /// Whether it has told a plan in this transaction.
    has_planned: bool,
    /// Whether it was asked to negotiate again, so that it says again what it needs (K16.FR.09).
    renegotiating: bool,
    /// What it is going to take.
    plan: Option<(Schedule, Timestamp)>,
}

impl Negotiation {
    /// Whether the vehicle speaks ISO 15118, so that profiles have to be handed on to it.
    fn is_under_way(&self) -> bool {
        self.known.is_some()
    }
}

impl Station {
    /// A vehicle says what it needs.
    pub(in crate::station) fn vehicle_needs(&mut self, at: usize, needs: VehicleNeeds) {
        if self.evses[at].transaction.is_none() {
            return self.ignore("no transaction runs there");
        }
        let now = self.utc();
        let negotiation = &mut self.evses[at].negotiation;
        negotiation.known = Some(needs.clone());
        // It waits for a schedule from now on, and what it has planned before is over.
        negotiation.offered = false;
        negotiation.plan = None;
        if core::mem::take(&mut negotiation.renegotiating) {
            // K16.FR.09: that is only the echo of what the CSMS has started.
            self.offer_schedule(at);
            return;
        }
        negotiation.untold = Some((needs, now));
        if !self.is_connected() {
            // K15.FR.15, K17.FR.15
            self.offer_schedule(at);
        }
        self.tell_needs();
    }

    /// Tells the CSMS what vehicles need, as soon as it can be told (K15.FR.01, K17.FR.01).
    pub(super) fn tell_needs(&mut self) {
        for at in 0..self.evses.len() {
            if self.evses[at].transaction.is_none() {
                self.evses[at].negotiation = Negotiation::default();
                continue;
            }
            if self.evses[at].negotiation.untold.is_none() || !self.may_send() {
                continue;
            }
            let Some((needs, since)) = self.evses[at].negotiation.untold.take() else { continue };
            let evse = self.evses[at].id;
            // K15.FR.20, K17.FR.17
            let call = Call::VehicleNeeds { evse, needs: needs.clone(), since };
            match self.request(call) {
                Called::Yes if !self.evses[at].negotiation.offered => {
                    self.evses[at].negotiation.awaiting = Some(self.now.instant + PATIENCE);
                }
                Called::Yes => {}
                Called::NotNow => self.evses[at].negotiation.untold = Some((needs, since)),
                // 1.6 has no words for it.
                Called::NotInThisVersion => self.offer_schedule(at),
            }
        }
    }

    /// The CSMS has answered: whether it is going to send a schedule at once.
    pub(in crate::station) fn needs_answered(&mut self, evse: u32, sends_schedule: bool) {
        let Some(at) = self.position(evse).filter(|at| self.evses[*at].transaction.is_some()) else { return };
        let negotiation = &self.evses[at].negotiation;
        if !sends_schedule && (negotiation.awaiting.is_some() || !negotiation.offered) {
            // K15.FR.04, K15.FR.05: what there is has to do.
            self.offer_schedule(at);
        }
    }

    /// The connection was lost before the CSMS heard what a vehicle needs.
    pub(in crate::station) fn needs_not_told(&mut self, evse: u32, needs: VehicleNeeds, since: Timestamp) {
        let Some(at) = self.position(evse).filter(|at| self.evses[*at].transaction.is_some()) else { return };
        self.evses[at].negotiation.untold.get_or_insert((needs, since));
        if self.evses[at].negotiation.awaiting.is_some() {
            self.offer_schedule(at);
        }
    }

    /// When a vehicle has waited long enough.
    pub(in crate::station) fn offer_deadline(&self) -> Option<Instant> {
        self.evses.iter().filter_map(|evse| evse.negotiation.awaiting).min()
    }

    /// Offers what there is to vehicles that have waited long enough (K15, error handling).
    pub(in crate::station) fn offer_overdue(&mut self) {
        for at in 0..self.evses.len() {
            if self.evses[at].negotiation.awaiting.is_some_and(|until| until <= self.now.instant) {
                self.offer_schedule(at);
            }
        }
    }

    /// The CSMS has set a profile: vehicles get what follows from it (K15.FR.07, K16.FR.02, K16.FR.03). One that waits for its
    /// first schedule goes on waiting for that of its transaction.
    pub(super) fn hand_on_profile(&mut self, profile: &Profile) {
        for at in 0..self.evses.len() {
            let evse = &self.evses[at];
            let is_of_transaction = match (&profile.purpose, &evse.transaction) {
                (Purpose::Transaction(meant), Some(running)) => *meant == running.id,
                _ => false,
            };
            let is_there = match profile.place {
                Place::Station => true,
                Place::Evse { evse: meant, .. } => meant == evse.id,
            };
            let is_about_all =
                !matches!(profile.purpose, Purpose::Transaction(_)) && is_there && evse.negotiation.offered;
            if evse.negotiation.is_under_way() && (is_of_transaction || is_about_all) {
                self.evses[at].negotiation.plan = None;
                self.offer_schedule(at);
            }
        }
    }

    /// Hands the vehicle the schedule that follows from all profiles.
    fn offer_schedule(&mut self, at: usize) {
        let now = self.utc();
        let evse = self.evses[at].id;
        let negotiation = &self.evses[at].negotiation;
        let (seconds, most) = negotiation.known.as_ref().map_or((DAY, None), |needs| {
            let stay =
                needs.departure.and_then(|departure| u32::try_from(departure.duration_since(now).as_secs()).ok());
            (stay.filter(|stay| *stay > 0).unwrap_or(DAY), needs.max_periods)
        });
        let periods = usize::try_from(self.settings.integer(Key::PeriodsPerSchedule)).unwrap_or(usize::MAX);
        let window = Window {
            from: now,
            seconds,
            unit: self.usual_rate_unit(),
            decimal_places: 1,
            max_periods: most.and_then(|most| usize::try_from(most).ok()).map_or(periods, |most| most.min(periods)),
        };
        let Some(schedule) = self.allowed_schedule(Place::Evse { evse, connector: None }, &window) else { return };
        let id = self.schedule_of_transaction(at).and_then(|profile| profile.schedule_id).unwrap_or(0);
        let negotiation = &mut self.evses[at].negotiation;
        negotiation.awaiting = None;
        let is_renegotiation = core::mem::replace(&mut negotiation.offered, true) && !negotiation.renegotiating;
        negotiation.renegotiating = is_renegotiation;
        let offered = OfferedSchedule { id, schedule, is_renegotiation };
        self.effect(Output::OfferSchedule { evse, offered });
    }

    /// The profile of the transaction of an EVSE that prevails by its level.
    fn schedule_of_transaction(&self, at: usize) -> Option<&Profile> {
        let id = &self.evses[at].transaction.as_ref()?.id;
        let own = self
            .charging
            .installed
            .profiles()
            .iter()
            .filter(|profile| matches!(&profile.purpose, Purpose::Transaction(transaction) if transaction == id));
        own.max_by_key(|profile| profile.stack_level)
    }

    /// A vehicle says what it is going to take. It has to stay within what it was offered (K15.FR.09, K16.FR.04, K17.FR.09).
    pub(in crate::station) fn vehicle_plans(&mut self, at: usize, plan: VehiclePlan) {
        let evse = self.evses[at].id;
        if self.evses[at].transaction.is_none() {
            return self.ignore("no transaction runs there");
        }
        let now = self.utc();
        let fits = self.plan_fits(at, &plan.schedule, now);
        self.effect(Output::Event(Event::VehiclePlanJudged { evse, accepted: fits }));
        if !fits {
            return;
        }
        let negotiation = &mut self.evses[at].negotiation;
        negotiation.plan = Some((plan.schedule.clone(), now));
        negotiation.renegotiating = false;
        let is_another = core::mem::replace(&mut negotiation.has_planned, true);
        // K15.FR.10, K15.FR.21, K16.FR.05, K17.FR.10
        self.request(Call::VehiclePlan { evse, plan, at: now });
        if is_another {
            self.update_transaction(at, Trigger::ChargingRateChanged, None);
        }
    }

    /// Whether a plan never takes more than is allowed.
    fn plan_fits(&self, at: usize, plan: &Schedule, now: Timestamp) -> bool {
        let evse = self.evses[at].id;
        let last = plan.periods().last().map_or(0, |period| period.start);
        let window = Window {
            from: now,
            seconds: plan.duration().unwrap_or(DAY).max(last.saturating_add(1)),
            unit: plan.unit(),
            decimal_places: 3,
            max_periods: usize::MAX,
        };
        let Some(allowed) = self.allowed_schedule(Place::Evse { evse, connector: None }, &window) else { return false };
        let end = plan.duration().unwrap_or(u32::MAX);
        plan.periods().iter().enumerate().all(|(number, period)| {
            let until = plan.periods().get(number + 1).map_or(end, |next| next.start.min(end));
            let holding = allowed.periods.iter().enumerate().filter(|(place, known)| {
                let over = allowed.periods.get(place + 1).map_or(u32::MAX, |next| next.start);
                known.start < until && over > period.start
            });
            holding.map(|(_, known)| known).all(|known| known.limit.is_none_or(|limit| period.limit <= limit))
        })
    }

    /// What vehicles are going to take, as profiles that a composite schedule takes into account (K15.FR.14, K16.FR.10, SC.04).
    pub(super) fn planned_profiles(&self) -> impl Iterator<Item = Profile> {
        self.evses.iter().filter_map(|evse| {
            let (plan, since) = evse.negotiation.plan.as_ref()?;
            let schedule = plan.clone().starting(Start::At(*since));
            let place = Place::Evse { evse: evse.id, connector: None };
            Some(Profile::new(0, 0, Purpose::ExternalConstraints, place, schedule))
        })
    }
}
