//! How a site stands: what is kept, what is live and what was told, put together for the plan.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ocpp_core::types::Version;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use tokio::time::Instant;

use super::capacity::capacity;
use super::current::Current;
use super::definition::{Definition, PriceRule, SiteEvse, SiteStation};
use super::held::{Control, Held};
use super::plan::{HORIZON, Need, Place, PriceStep, Rule, Scene, Session, Target};
use super::schedule::Schedule;
use super::service::{Inner, Site};
use super::shares::{Load, PHASES};
use super::view::{self, LiveGroup, LivePlace, LiveSite, Obedience};
use super::watch::Seen;
use super::{Signal, Target as Wanted};
use crate::stations::LiveStation;
use crate::store::{RunningSession, StoreError};

/// How long a measurement counts.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// How long a station and a vehicle have to follow a profile.
const GRACE: Duration = Duration::from_secs(30);
/// The priority of a driver who has it by the standard's own means (2.1, K21).
const URGENT: u8 = 9;

/// What is known of a site at a moment.
#[derive(Debug)]
pub(super) struct Facts {
    now: Timestamp,
    /// By station and EVSE.
    sessions: BTreeMap<(String, i64), RunningSession>,
    /// By station and transaction.
    wanted: BTreeMap<(String, String), Wanted>,
    signals: Vec<(String, Signal)>,
    prices: Vec<PriceStep>,
    live: BTreeMap<String, LiveStation>,
}

impl Facts {
    pub(super) async fn gather(inner: &Inner, site: &Site) -> Result<Self, StoreError> {
        let now = Timestamp::now();
        let stations = &site.definition.stations;
        let live: BTreeMap<String, LiveStation> =
            stations.iter().map(|station| (station.id.clone(), inner.stations.live(&station.id))).collect();
        let mut sessions = BTreeMap::new();
        // The oldest first: where an end was lost, the one that began later is the one that runs.
        for session in inner.store.site_transactions(&site.id).await? {
            let station = stations.iter().find(|station| station.id == session.station);
            let only = station
                .filter(|station| station.evses.len() <= 1)
                .map(|station| station.evses.first().map_or(1, |evse| evse.id));
            if let Some(evse) = session.evse.or(only) {
                sessions.insert((session.station.clone(), evse), session);
            }
        }
        let until = now.saturating_add(SignedDuration::from_secs(HORIZON)).unwrap_or(Timestamp::MAX);
        let prices = match &site.definition.prices {
            None => Vec::new(),
            Some(policy) => inner.store.prices(&policy.zone, now, until).await?,
        };
        let step = |slot: &super::PriceSlot| PriceStep {
            from: slot.from.as_second(),
            until: slot.until.as_second(),
            price: slot.price,
        };
        let mut signals = inner.store.signals(now).await?;
        signals.retain(|(_, signal)| signal.sites.contains(&site.id));
        Ok(Self {
            now,
            sessions,
            wanted: inner.store.targets(&site.id).await?.into_iter().collect(),
            signals,
            prices: prices.iter().map(|(slot, _)| step(slot)).collect(),
            live,
        })
    }

    /// The session that runs at an EVSE.
    pub(super) fn session(&self, station: &str, evse: i64) -> Option<&RunningSession> {
        self.sessions.get(&(station.to_owned(), evse))
    }

    /// The version of a station that is connected.
    pub(super) fn version(&self, station: &str) -> Option<Version> {
        Some(self.live.get(station)?.connection?.version)
    }

    /// The EVSEs of a station: those that the operator entered, or those that it told of.
    fn evses(&self, station: &SiteStation, phases: u8) -> Vec<SiteEvse> {
        if !station.evses.is_empty() {
            return station.evses.clone();
        }
        let told =
            self.live.get(&station.id).map(|live| live.connectors.keys().map(|(evse, _)| *evse).collect::<Vec<_>>());
        let running = self.sessions.keys().filter(|(of, _)| *of == station.id).map(|(_, evse)| *evse);
        let mut ids: Vec<i64> =
            told.unwrap_or_default().into_iter().chain(running).chain([1]).filter(|id| *id > 0).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| SiteEvse { id, maximum_a: None, phases, rotation: None }).collect()
    }
}

/// A scene, and what it leaves out.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) scene: Scene,
    /// For each place whether it is under control.
    pub(super) obedience: Vec<Obedience>,
}

/// Puts it together.
pub(super) fn build(inner: &Inner, site: &Site, facts: &Facts, controls: &BTreeMap<String, Control>) -> Setting {
    let definition = &site.definition;
    let supply = definition.supply();
    let signals: Vec<Signal> = facts.signals.iter().map(|(_, signal)| signal.clone()).collect();
    let mut pools = vec![capacity(&site.id, definition, &signals, facts.now)];
    pools.extend(definition.groups.iter().map(|group| Schedule::constant(group.limit.current(supply).get())));
    let first_station = pools.len();
    pools.extend(definition.stations.iter().map(|station| Schedule::constant(station.maximum_a.get())));
    let mut setting = Setting {
        scene: Scene {
            now: facts.now.as_second(),
            pools,
            stations: definition.stations.iter().map(|station| station.maximum_a.get()).collect(),
            places: Vec::new(),
            prices: facts.prices.clone(),
            rule: definition.prices.as_ref().map(|policy| match policy.rule {
                PriceRule::Cheapest { .. } => Rule::Cheapest,
                PriceRule::Thresholds { full_below, minimum_above } => Rule::Thresholds { full_below, minimum_above },
            }),
            volts: definition.voltage,
        },
        obedience: Vec::new(),
    };
    for (index, station) in definition.stations.iter().enumerate() {
        let group = definition.groups.iter().position(|group| Some(&group.id) == station.group.as_ref());
        let control = controls.get(&station.id).cloned().unwrap_or_default();
        for evse in facts.evses(station, definition.phases) {
            let mut place = place(
                definition,
                station,
                &evse,
                facts,
                control.evses.get(&evse.id).unwrap_or(&Held::default()),
                inner,
            );
            place.station = index;
            place.pools =
                [Some(0), group.map(|group| group + 1), Some(first_station + index)].into_iter().flatten().collect();
            let seen = inner.watch.seen(&station.id, evse.id);
            let excess = excess(inner, definition, station, &evse, &place, &seen, facts);
            let obedience = match () {
                () if facts.version(&station.id).is_none() => Obedience::Offline,
                () if control.unsupported.is_some() => Obedience::Unsupported,
                () if inner.lines().get(&station.id).is_some_and(|line| line.is_resting(Instant::now())) => {
                    Obedience::Waiting
                }
                () if !control.prepared => Obedience::Preparing,
                () if excess.is_some() => Obedience::Defies,
                () => Obedience::Obeys,
            };
            place.measured = excess.unwrap_or_default();
            // Who is about to obey is planned for; what it may draw until then counts all the same.
            place.obeys = matches!(obedience, Obedience::Obeys | Obedience::Preparing);
            place.defies = obedience == Obedience::Defies;
            setting.scene.places.push(place);
            setting.obedience.push(obedience);
        }
    }
    setting
}

fn place(
    definition: &Definition,
    station: &SiteStation,
    evse: &SiteEvse,
    facts: &Facts,
    held: &Held,
    inner: &Inner,
) -> Place {
    let phases = phases(definition.phases, evse);
    let most = evse.maximum_a.unwrap_or(station.maximum_a).get();
    let session = facts.session(&station.id, evse.id).map(|running| {
        let seen = inner.watch.seen(&station.id, evse.id);
        let seen = if seen.transaction.as_ref() == Some(&running.transaction) { seen } else { Seen::default() };
        let wanted = facts.wanted.get(&(station.id.clone(), running.transaction.clone())).copied().unwrap_or_default();
        let own = held.transaction.as_ref().filter(|own| own.id == running.transaction);
        Session {
            transaction: running.transaction.clone(),
            since: running.started_at.as_second(),
            // Whatever it uses at present: a vehicle may come back to all of them.
            phases,
            most: most.min(seen.most.unwrap_or(u32::MAX)),
            suspended: seen.suspended,
            priority: wanted.priority.unwrap_or(if seen.urgent { URGENT } else { station.priority }),
            held: own.map(|own| own.most.clone()),
            last: own.and_then(|own| own.last.clone()),
            need: need(definition, running, &wanted, &seen),
        }
    });
    Place {
        name: (station.id.clone(), evse.id),
        station: 0,
        pools: Vec::new(),
        phases,
        least: station.minimum_a.get(),
        most,
        offline: station.offline_a.get(),
        priority: station.priority,
        weight: u32::from(station.weight),
        default_most: held.default.most.unwrap_or(most).min(most),
        default_last: held.default.last,
        obeys: false,
        defies: false,
        measured: [0; PHASES],
        session,
    }
}

/// The phases of the site that an EVSE may draw from.
fn phases(site: u8, evse: &SiteEvse) -> [bool; PHASES] {
    match (site, evse.phases, evse.rotation) {
        (1, _, _) => [true, false, false],
        (_, 1, Some(rotation)) => {
            let [first, ..] = rotation.phases();
            std::array::from_fn(|phase| phase == first)
        }
        // One phase, and nobody knows which: it counts on each.
        _ => [true; PHASES],
    }
}

/// What a session is to reach, where that matters.
fn need(definition: &Definition, running: &RunningSession, wanted: &Wanted, seen: &Seen) -> Option<Need> {
    let PriceRule::Cheapest { departure, energy_wh } = &definition.prices.as_ref()?.rule else { return None };
    let zone = definition.zone().ok()?;
    let until = wanted.departure.or(seen.departure).or_else(|| departure.next_after(running.started_at, &zone))?;
    let energy = wanted.energy_wh.map(u64::from).or(seen.energy_wh).unwrap_or(*energy_wh);
    let charged = running.energy_wh.max(Decimal::ZERO).to_u64().unwrap_or(u64::MAX);
    Some(Need { until: until.as_second(), energy_wh: energy.saturating_sub(charged) })
}

/// What an EVSE draws, where that is more than it may although it had the time to follow.
fn excess(
    inner: &Inner,
    definition: &Definition,
    station: &SiteStation,
    evse: &SiteEvse,
    place: &Place,
    seen: &Seen,
    facts: &Facts,
) -> Option<Load> {
    let (watts, at) = seen.watts?;
    let age = facts.now.duration_since(at);
    if age > FRESH {
        return None;
    }
    let had_time = inner
        .lines()
        .get(&station.id)
        .and_then(|line| line.sent)
        .is_none_or(|sent| sent.elapsed() > GRACE + Duration::try_from(age).unwrap_or_default());
    if !had_time {
        return None;
    }
    let used = u32::from(evse.phases.min(definition.phases)).max(1);
    let tenths =
        (watts * Decimal::TEN / Decimal::from(definition.voltage.saturating_mul(used).max(1))).ceil().to_u32()?;
    let load: Load = match (seen.currents, evse.rotation) {
        (Some(currents), Some(rotation)) if definition.phases == 3 => {
            let mut load = [0; PHASES];
            rotation.phases().iter().zip(currents).for_each(|(phase, current)| load[*phase] = current);
            load
        }
        (Some(currents), _) => {
            let most = currents.into_iter().max().unwrap_or(0);
            place.phases.map(|used| if used { most } else { 0 })
        }
        (None, _) => place.phases.map(|used| if used { tenths } else { 0 }),
    };
    let may = place.bound(facts.now.as_second());
    // A tenth above, and half an ampere, is how meters and vehicles are.
    let exceeds = load.iter().zip(may).any(|(load, may)| *load > may + may / 10 + 5);
    exceeds.then_some(load)
}

/// How it stands, for people.
pub(super) fn view(
    site: &Site,
    facts: &Facts,
    setting: &Setting,
    targets: &[Option<Target>],
    controls: &BTreeMap<String, Control>,
    reasons: &BTreeMap<String, String>,
) -> LiveSite {
    let (scene, definition) = (&setting.scene, &site.definition);
    let limit = Current::tenths(scene.pools.first().map_or(0, |pool| pool.at(scene.now)));
    let measured = |station: &str, evse: i64| {
        let watts = facts.live.get(station).and_then(|live| live.power.get(&evse))?;
        watts.max(&Decimal::ZERO).round().to_u64()
    };
    let places: Vec<LivePlace> = scene
        .places
        .iter()
        .enumerate()
        .map(|(index, place)| {
            let (station, evse) = &place.name;
            let control = controls.get(station);
            let held = control.and_then(|control| control.evses.get(evse));
            let target = targets.get(index).and_then(Option::as_ref);
            let planned = target.and_then(|target| target.session.as_ref());
            LivePlace {
                station: station.clone(),
                evse: *evse,
                obedience: setting.obedience.get(index).copied().unwrap_or(Obedience::Offline),
                reason: control
                    .and_then(|control| control.unsupported.clone())
                    .or_else(|| reasons.get(station).cloned()),
                session: place.session.as_ref().map(|session| session.transaction.clone()),
                suspended: place.session.as_ref().is_some_and(|session| session.suspended),
                may_draw_a: Current::tenths(place.bound(scene.now).into_iter().max().unwrap_or(0)),
                default_a: held.and_then(|held| held.default.most).map(Current::tenths),
                planned_a: target
                    .map(|target| Current::tenths(planned.map_or(target.default, |planned| planned.at(scene.now)))),
                plan: planned.map(|planned| view::steps(scene, place, planned)).unwrap_or_default(),
                measured_w: measured(station, *evse),
            }
        })
        .collect();
    let groups = definition.groups.iter().enumerate().map(|(index, group)| LiveGroup {
        id: group.id.clone(),
        limit_a: group.limit.current(definition.supply()),
        allotted_a: view::drawn(scene, index + 1, None),
    });
    let holds = |signal: &Signal| signal.from <= facts.now && facts.now < signal.until;
    LiveSite {
        id: site.id.clone(),
        at: facts.now,
        limit_a: limit,
        connection_a: definition.limit.current(definition.supply()),
        phases: definition.phases,
        voltage: definition.voltage,
        used_w: places.iter().filter_map(|place| place.measured_w).sum(),
        allotted_a: view::drawn(scene, 0, Some(true)),
        reserved_a: view::drawn(scene, 0, Some(false)),
        overcommitted: view::drawn(scene, 0, None) > limit,
        signals: facts.signals.iter().filter(|(_, signal)| holds(signal)).map(|(id, _)| id.clone()).collect(),
        price: view::price(scene, scene.now),
        groups: groups.collect(),
        places,
        plan: view::outlook(scene, targets),
    }
}
