//! All profiles at one moment.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::limit::{Bound, Limit, Supply, smallest};
use super::profile::{Place, Profile, Purpose, RateUnit};
use super::timeline::{Circumstances, Segment, chance_of, earlier, segment_at};

/// A place that charges one vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlet {
    /// Which EVSE.
    pub evse: u32,
    /// Which of its connectors is used.
    pub connector: u32,
    /// What it is fed with.
    pub supply: Supply,
    /// Most power that the hardware gives, in W: what stands where no profile says anything. `None` says that it doesn't matter.
    pub max_power: Option<Decimal>,
    /// The running transaction: the station's own id of it.
    pub transaction: Option<String>,
    /// When the transaction began; without one, when it is thought to begin (K08.FR.06).
    pub began: Timestamp,
    /// Whether the transaction has priority (2.1, K21.FR.04).
    pub has_priority: bool,
    /// How full the battery of the vehicle is, in percent, if it is known (2.1, K01.FR.100).
    pub state_of_charge: Option<Decimal>,
}

impl Outlet {
    /// An outlet without a transaction, asked about as if one began at this moment.
    #[must_use]
    pub fn new(evse: u32, connector: u32, supply: Supply, began: Timestamp) -> Self {
        Self {
            evse,
            connector,
            supply,
            max_power: None,
            transaction: None,
            began,
            has_priority: false,
            state_of_charge: None,
        }
    }

    /// The same with a running transaction.
    #[must_use]
    pub fn charging(self, transaction: impl Into<String>, began: Timestamp) -> Self {
        Self { transaction: Some(transaction.into()), began, ..self }
    }

    fn hardware_limit(&self) -> Option<Limit> {
        self.max_power.map(|power| Limit::new(power, RateUnit::Watts, self.supply, self.supply.phases.get()))
    }

    fn circumstances(&self) -> Circumstances {
        Circumstances {
            began: self.began,
            chance: self.transaction.as_deref().map(chance_of),
            state_of_charge: self.state_of_charge,
        }
    }

    fn is_at(&self, place: Place) -> bool {
        match place {
            Place::Station => false,
            Place::Evse { evse, connector } => {
                evse == self.evse && connector.is_none_or(|connector| connector == self.connector)
            }
        }
    }
}

/// Says what profiles come to. See the [module](super) for the rules.
#[derive(Debug, Clone, Copy)]
pub struct Solver<'a> {
    profiles: &'a [Profile],
    zone: &'a TimeZone,
}

impl<'a> Solver<'a> {
    /// A solver of these profiles. The time zone is that of the station; it matters to schedules that follow the local clock.
    #[must_use]
    pub fn new(profiles: &'a [Profile], zone: &'a TimeZone) -> Self {
        Self { profiles, zone }
    }

    /// The limit of an outlet at a moment; `None` where nothing limits it.
    #[must_use]
    pub fn limit_at(&self, outlet: &Outlet, at: Timestamp) -> Option<Limit> {
        self.walk_outlet(outlet, at).limit()
    }

    /// A moment after `at` before which [`limit_at`](Self::limit_at) doesn't change; `None` if it never changes again. At
    /// that moment it mostly changes, but need not.
    #[must_use]
    pub fn next_change_after(&self, outlet: &Outlet, at: Timestamp) -> Option<Timestamp> {
        self.walk_outlet(outlet, at).until()
    }

    /// The limit of an outlet at a moment, the profiles of the whole station apart.
    pub(super) fn own_limit_at(&self, outlet: &Outlet, at: Timestamp) -> Option<Limit> {
        self.walk_outlet(outlet, at).own_limit()
    }

    /// What profiles for the whole station leave to all outlets together at a moment.
    pub(super) fn station_limit_at(&self, supply: Supply, at: Timestamp) -> Option<(Limit, RateUnit)> {
        let station = self.layers_of_station(at, at);
        let unit = station.bounds().next()?.unit;
        // K04.FR.05
        let generated = station.generated(supply);
        let limit = smallest(station.bounds(), supply)?;
        Some((generated.map_or(limit, |generated| limit.plus(generated)), unit))
    }

    /// What profiles say to somebody that none of them is about: the smallest limit of all.
    pub(super) fn alone_at(&self, supply: Supply, at: Timestamp) -> Option<Limit> {
        smallest(self.layer(Circumstances::at(at), at, |_| true).all(), supply)
    }

    /// What is generated on the spot for the whole station at a moment (2.1, K27).
    pub(super) fn generated_at(&self, supply: Supply, at: Timestamp) -> Option<Limit> {
        self.layers_of_station(at, at).generated(supply)
    }

    /// Below which rate the vehicle at an outlet charges inefficiently.
    pub(super) fn min_charging_rate_at(&self, outlet: &Outlet, at: Timestamp) -> Option<Limit> {
        let walk = self.walk_outlet(outlet, at);
        let track = walk.track()?;
        let (period, schedule) = (track.segment.period?, &track.profile.schedule);
        let phases = period.phases.unwrap_or(3);
        schedule.min_charging_rate().map(|rate| Limit::new(rate, schedule.unit(), outlet.supply, phases))
    }

    /// The profiles of one purpose, those that prevail first.
    fn layer(&self, circumstances: Circumstances, at: Timestamp, belongs: impl Fn(&Profile) -> bool) -> Layer<'a> {
        let profiles = self.profiles.iter().filter(|profile| belongs(profile));
        let mut tracks: Vec<_> = profiles
            .map(|profile| Track { profile, segment: segment_at(profile, circumstances, self.zone, at) })
            .collect();
        tracks.sort_by_key(|track| Reverse(track.profile.stack_level));
        Layer { tracks, circumstances }
    }

    /// What is about the whole station.
    fn layers_of_station(&self, began: Timestamp, at: Timestamp) -> StationLayers<'a> {
        let layer = |purpose: Purpose| {
            self.layer(Circumstances::at(began), at, |known| known.purpose == purpose && known.place == Place::Station)
        };
        StationLayers {
            most: layer(Purpose::StationMax),
            external: layer(Purpose::ExternalConstraints),
            generation: layer(Purpose::LocalGeneration),
        }
    }

    pub(super) fn walk_outlet<'o>(&self, outlet: &'o Outlet, at: Timestamp) -> OutletWalk<'a, 'o> {
        let circumstances = outlet.circumstances();
        let is_own_default =
            |profile: &Profile| profile.purpose == Purpose::TransactionDefault && outlet.is_at(profile.place);
        // A default profile of the station is replaced for an outlet that has one of its own at that stack level
        // (1.6 edition 2, 3.13.1).
        let is_replaced = |profile: &Profile| {
            self.profiles.iter().any(|own| own.stack_level == profile.stack_level && is_own_default(own))
        };
        let is_default = |profile: &Profile| {
            is_own_default(profile)
                || (profile.purpose == Purpose::TransactionDefault
                    && profile.place == Place::Station
                    && !is_replaced(profile))
        };
        let is_of_transaction = |profile: &Profile| match (&profile.purpose, &outlet.transaction) {
            (Purpose::Transaction(meant), Some(running)) => meant == running,
            _ => false,
        };
        // K21.FR.01: one of the station is for all EVSEs.
        let is_priority = |profile: &Profile| {
            outlet.has_priority
                && profile.purpose == Purpose::Priority
                && (profile.place == Place::Station || outlet.is_at(profile.place))
        };
        let of_outlet = |purpose: Purpose| {
            self.layer(circumstances, at, |known| known.purpose == purpose && outlet.is_at(known.place))
        };
        OutletWalk {
            zone: self.zone,
            outlet,
            station: self.layers_of_station(outlet.began, at),
            external: of_outlet(Purpose::ExternalConstraints),
            generation: of_outlet(Purpose::LocalGeneration),
            priority: self.layer(circumstances, at, is_priority),
            transaction: self.layer(circumstances, at, is_of_transaction),
            default: self.layer(circumstances, at, is_default),
        }
    }

    pub(super) fn walk_station<'o>(&self, outlets: &'o [Outlet], supply: Supply, at: Timestamp) -> StationWalk<'a, 'o> {
        StationWalk {
            supply,
            station: self.layers_of_station(at, at),
            zone: self.zone,
            outlets: outlets.iter().map(|outlet| self.walk_outlet(outlet, at)).collect(),
        }
    }
}

/// A profile and what it says now.
#[derive(Debug)]
struct Track<'a> {
    profile: &'a Profile,
    segment: Segment<'a>,
}

/// The profiles of one purpose, those that prevail first.
#[derive(Debug)]
struct Layer<'a> {
    tracks: Vec<Track<'a>>,
    circumstances: Circumstances,
}

impl Track<'_> {
    /// What the profile says now.
    fn bound(&self, circumstances: Circumstances) -> Option<Bound> {
        let (period, schedule) = (self.segment.period?, &self.profile.schedule);
        // K01.FR.100
        let capped = schedule
            .limit_at_soc()
            .filter(|capped| circumstances.state_of_charge.is_some_and(|charge| charge >= Decimal::from(capped.soc)));
        let limit = capped.map_or(period.limit, |capped| capped.limit.min(period.limit));
        Some(Bound { limit, phases: period.phases.unwrap_or(3), unit: schedule.unit() })
    }
}

impl<'a> Layer<'a> {
    /// The profile that prevails.
    fn track(&self) -> Option<&Track<'a>> {
        self.tracks.iter().find(|track| track.segment.period.is_some())
    }

    fn prevailing(&self) -> Option<Bound> {
        self.track()?.bound(self.circumstances)
    }

    /// What all of them say: what one gives, another doesn't take back (K11.FR.01).
    fn all(&self) -> impl Iterator<Item = Bound> + Clone {
        self.tracks.iter().filter_map(|track| track.bound(self.circumstances))
    }

    fn until(&self) -> Option<Timestamp> {
        self.tracks.iter().filter_map(|track| track.segment.until).min()
    }

    fn advance(&mut self, zone: &TimeZone, at: Timestamp) {
        for track in &mut self.tracks {
            if track.segment.until.is_some_and(|until| until <= at) {
                track.segment = segment_at(track.profile, self.circumstances, zone, at);
            }
        }
    }
}

/// Something that has a limit at every moment and is looked at from one moment to the next.
pub(super) trait Walk {
    /// The limit now; `None` where nothing limits.
    fn limit(&self) -> Option<Limit>;
    /// How long that holds at least.
    fn until(&self) -> Option<Timestamp>;
    /// Goes on to a later moment.
    fn advance(&mut self, at: Timestamp);
    /// What it is fed with.
    fn supply(&self) -> Supply;
}

/// What is about the whole station.
#[derive(Debug)]
struct StationLayers<'a> {
    most: Layer<'a>,
    external: Layer<'a>,
    generation: Layer<'a>,
}

impl StationLayers<'_> {
    /// Whatever bounds what comes from outside.
    fn bounds(&self) -> impl Iterator<Item = Bound> + Clone {
        self.most.prevailing().into_iter().chain(self.external.all())
    }

    /// What comes on top of it.
    fn generated(&self, supply: Supply) -> Option<Limit> {
        smallest(self.generation.prevailing().into_iter(), supply)
    }

    fn until(&self) -> Option<Timestamp> {
        [&self.most, &self.external, &self.generation].into_iter().filter_map(Layer::until).min()
    }

    fn advance(&mut self, zone: &TimeZone, at: Timestamp) {
        for layer in [&mut self.most, &mut self.external, &mut self.generation] {
            layer.advance(zone, at);
        }
    }
}

/// An outlet from one moment to the next.
#[derive(Debug)]
pub(super) struct OutletWalk<'a, 'o> {
    zone: &'a TimeZone,
    outlet: &'o Outlet,
    station: StationLayers<'a>,
    external: Layer<'a>,
    generation: Layer<'a>,
    priority: Layer<'a>,
    transaction: Layer<'a>,
    default: Layer<'a>,
}

impl OutletWalk<'_, '_> {
    /// The profile that prevails among those that are about a transaction (K02.FR.04, K02.FR.08, K21.FR.04).
    fn track(&self) -> Option<&Track<'_>> {
        [&self.priority, &self.transaction, &self.default].into_iter().find_map(Layer::track)
    }

    /// What bounds the outlet, the station apart.
    fn own(&self) -> impl Iterator<Item = Bound> + Clone {
        let of_transaction = self.track().and_then(|track| track.bound(self.outlet.circumstances()));
        of_transaction.into_iter().chain(self.external.all())
    }

    /// What bounds the outlet, the station apart, with what is generated for it.
    fn own_limit(&self) -> Option<Limit> {
        let generated = smallest(self.generation.prevailing().into_iter(), self.outlet.supply);
        let limit = smallest(self.own(), self.outlet.supply)?;
        Some(generated.map_or(limit, |generated| limit.plus(generated)))
    }
}

impl Walk for OutletWalk<'_, '_> {
    /// SC.01: what is generated comes on top of the smallest of the others (K08.FR.04).
    fn limit(&self) -> Option<Limit> {
        let supply = self.outlet.supply;
        let Some(limit) = smallest(self.station.bounds().chain(self.own()), supply) else {
            return self.outlet.hardware_limit();
        };
        let of_outlet = smallest(self.generation.prevailing().into_iter(), supply);
        let generated = self.station.generated(supply).into_iter().chain(of_outlet);
        Some(generated.fold(limit, Limit::plus))
    }

    fn until(&self) -> Option<Timestamp> {
        let layers = [&self.external, &self.generation, &self.priority, &self.transaction, &self.default];
        earlier(self.station.until(), layers.into_iter().filter_map(Layer::until).min())
    }

    fn advance(&mut self, at: Timestamp) {
        self.station.advance(self.zone, at);
        let layers =
            [&mut self.external, &mut self.generation, &mut self.priority, &mut self.transaction, &mut self.default];
        for layer in layers {
            layer.advance(self.zone, at);
        }
    }

    fn supply(&self) -> Supply {
        self.outlet.supply
    }
}

/// The whole station from one moment to the next.
#[derive(Debug)]
pub(super) struct StationWalk<'a, 'o> {
    zone: &'a TimeZone,
    supply: Supply,
    station: StationLayers<'a>,
    outlets: Vec<OutletWalk<'a, 'o>>,
}

impl Walk for StationWalk<'_, '_> {
    /// What all outlets together may draw (1.6 edition 2, 5.7 and errata 3.30; K08.FR.03).
    fn limit(&self) -> Option<Limit> {
        let of_profiles = |walk: &OutletWalk<'_, '_>| walk.own_limit();
        // One outlet without a limit makes the sum of all of them unlimited.
        let together = |limit_of: &dyn Fn(&OutletWalk<'_, '_>) -> Option<Limit>| {
            let limits: Option<Vec<Limit>> = self.outlets.iter().map(limit_of).collect();
            limits.and_then(|limits| limits.into_iter().reduce(Limit::plus))
        };
        let station = smallest(self.station.bounds(), self.supply);
        let bound = together(&of_profiles).into_iter().chain(station).reduce(Limit::min);
        let bound = bound.map(|limit| self.station.generated(self.supply).map_or(limit, |more| limit.plus(more)));
        bound.or_else(|| together(&|walk| of_profiles(walk).or_else(|| walk.outlet.hardware_limit())))
    }

    fn until(&self) -> Option<Timestamp> {
        self.outlets.iter().fold(self.station.until(), |until, outlet| earlier(until, outlet.until()))
    }

    fn advance(&mut self, at: Timestamp) {
        self.station.advance(self.zone, at);
        for outlet in &mut self.outlets {
            outlet.advance(at);
        }
    }

    fn supply(&self) -> Supply {
        self.supply
    }
}
