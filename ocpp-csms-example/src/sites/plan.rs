//! The plan of a site: from how it stands to what each EVSE may draw over the next hours. No clock, no database.
//!
//! Currents are in tenths of an ampere on each phase, moments in seconds since 1970.
//!
//! 1. What is out of control (stations that are offline, take no profiles, do not obey or have not answered) keeps what it may draw.
//! 2. Sessions share the rest, in each stretch of time in which nothing changes; prices say how much they want then.
//! 3. What nobody uses at any time is given to EVSEs for sessions that begin while their station is offline: their default profiles.

use super::choose;
use super::schedule::Schedule;
use super::shares::{Demand, Load, PHASES, shares};

/// How far a plan looks ahead, in seconds.
pub(crate) const HORIZON: i64 = 24 * 3_600;
/// Stretches of time at most.
const MOST_STRETCHES: usize = 400;

/// How a site stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    pub(crate) now: i64,
    /// What may be drawn: first the site, then groups and stations. The last step of each is the least that will hold at any later time.
    pub(crate) pools: Vec<Schedule>,
    /// The most that each station can draw by its construction.
    pub(crate) stations: Vec<u32>,
    pub(crate) places: Vec<Place>,
    /// From when which price holds, for how long.
    pub(crate) prices: Vec<PriceStep>,
    pub(crate) rule: Option<Rule>,
    pub(crate) volts: u32,
}

/// A price for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PriceStep {
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) price: rust_decimal::Decimal,
}

/// What prices mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Charge in the cheapest stretches that suffice.
    Cheapest,
    /// Charge fully up to one price, with the least from another, with half between.
    Thresholds { full_below: rust_decimal::Decimal, minimum_above: rust_decimal::Decimal },
}

/// An EVSE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its station and its number: what orders places, however they are given.
    pub(crate) name: (String, i64),
    /// Which of the stations.
    pub(crate) station: usize,
    /// From which pools it draws.
    pub(crate) pools: Vec<usize>,
    /// The phases that a session may use.
    pub(crate) phases: [bool; PHASES],
    pub(crate) least: u32,
    /// The most that it can draw by its construction.
    pub(crate) most: u32,
    /// What its default profile is to allow, where that is to spare.
    pub(crate) offline: u32,
    pub(crate) priority: u8,
    pub(crate) weight: u32,
    /// What its default profile allows at most.
    pub(crate) default_most: u32,
    /// Which default profile it is known to hold.
    pub(crate) default_last: Option<u32>,
    /// Whether it does what it is told: otherwise it keeps what it may draw.
    pub(crate) obeys: bool,
    /// Whether it draws more than it was told: it is told to draw the least, and keeps what it draws.
    pub(crate) defies: bool,
    /// What it was seen to draw beyond what it may.
    pub(crate) measured: Load,
    pub(crate) session: Option<Session>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) transaction: String,
    /// Who has waited longest is served first.
    pub(crate) since: i64,
    /// The phases that it uses; all that it may use, where that is not known.
    pub(crate) phases: [bool; PHASES],
    /// The most that it can use.
    pub(crate) most: u32,
    /// The vehicle takes nothing at present.
    pub(crate) suspended: bool,
    pub(crate) priority: u8,
    /// What its profile allows at most, where there is one.
    pub(crate) held: Option<Schedule>,
    /// The profile that it is known to have.
    pub(crate) last: Option<Schedule>,
    /// What it is to reach.
    pub(crate) need: Option<Need>,
}

/// What a session is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// Until when.
    pub(crate) until: i64,
    /// How much is missing, in Wh.
    pub(crate) energy_wh: u64,
}

/// What is to hold at a place that obeys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// What its default profile allows.
    pub(crate) default: u32,
    /// What its session may draw; none where there is no session.
    pub(crate) session: Option<Schedule>,
}

impl Place {
    /// What it may draw at a moment, whatever happens: the session may end and another begin.
    pub(crate) fn bound(&self, moment: i64) -> Load {
        let held = self.session.as_ref().and_then(|session| session.held.as_ref());
        self.load(self.default_most, held, moment)
    }

    /// What it may draw with these profiles.
    pub(crate) fn load(&self, default: u32, held: Option<&Schedule>, moment: i64) -> Load {
        let mut load = self.measured;
        let of_session = self.session.as_ref().map(|session| session.phases).zip(held.map(|held| held.at(moment)));
        for (phase, load) in load.iter_mut().enumerate() {
            if self.phases[phase] {
                *load = (*load).max(default.min(self.most));
            }
            if let Some((phases, tenths)) = of_session
                && phases[phase]
            {
                *load = (*load).max(tenths.min(self.most));
            }
        }
        load
    }
}

impl Scene {
    /// What the places draw from a pool together; no station draws more than it can.
    pub(crate) fn drawn(&self, pool: usize, load: impl Fn(usize, &Place) -> Option<Load>) -> Load {
        let mut of_stations = vec![[0_u32; PHASES]; self.stations.len()];
        for (index, place) in self.places.iter().enumerate().filter(|(_, place)| place.pools.contains(&pool)) {
            let (Some(load), Some(sum)) = (load(index, place), of_stations.get_mut(place.station)) else { continue };
            for (sum, load) in sum.iter_mut().zip(load) {
                *sum = sum.saturating_add(load);
            }
        }
        let mut total = [0_u32; PHASES];
        for (sum, most) in of_stations.iter().zip(&self.stations) {
            for (total, sum) in total.iter_mut().zip(sum) {
                *total = total.saturating_add((*sum).min(*most));
            }
        }
        total
    }

    /// The moments from now on at which something may change.
    pub(crate) fn moments(&self) -> Vec<i64> {
        let mut moments = vec![self.now];
        for pool in &self.pools {
            moments.extend(pool.changes_after(self.now));
        }
        for session in self.places.iter().filter_map(|place| place.session.as_ref()) {
            moments.extend(session.held.iter().flat_map(|held| held.changes_after(self.now)));
        }
        if self.rule.is_some() {
            let until = self.now + HORIZON;
            moments.extend(self.prices.iter().flat_map(|step| [step.from, step.until]).filter(|at| *at < until));
            let needs = self.places.iter().filter_map(|place| place.session.as_ref()?.need);
            moments.extend(needs.map(|need| need.until).filter(|at| *at < until));
            moments.push(until);
        }
        moments.retain(|at| *at >= self.now);
        moments.sort_unstable();
        moments.dedup();
        moments.truncate(MOST_STRETCHES);
        moments
    }
}

/// What is to hold at each place, in the order in which they are given; nothing for those that do not obey.
pub(crate) fn plan(scene: &Scene) -> Vec<Option<Target>> {
    let moments = scene.moments();
    // What those who obey can share, in each stretch.
    let mut left: Vec<Vec<Load>> = moments.iter().map(|at| left_over(scene, *at)).collect();
    let mut sessions: Vec<(usize, &Place, &Session)> = scene
        .places
        .iter()
        .enumerate()
        .filter(|(_, place)| place.obeys)
        .filter_map(|(index, place)| Some((index, place, place.session.as_ref()?)))
        .collect();
    sessions.sort_by(|(_, one, of_one), (_, other, of_other)| {
        // A vehicle that takes nothing has enough with the least, which lets it begin again.
        (of_one.suspended, of_one.since, &one.name).cmp(&(of_other.suspended, of_other.since, &other.name))
    });
    let demand = |(_, place, session): &(usize, &Place, &Session), wanted: u32| Demand {
        pools: place.pools.clone(),
        phases: session.phases,
        least: place.least,
        most: wanted.min(place.most),
        priority: session.priority,
        weight: place.weight,
    };
    let most = |place: &Place, session: &Session| match session.suspended {
        true => session.most.min(place.least),
        false => session.most.min(place.most),
    };
    let wishes: Vec<choose::Wish> = sessions
        .iter()
        .map(|(_, place, session)| choose::Wish {
            least: place.least,
            most: most(place, session),
            watts: u64::from(scene.volts) * session.phases.iter().filter(|used| **used).count() as u64,
            need: session.need,
        })
        .collect();
    let mut given: Vec<Vec<u32>> = Vec::new();
    choose::settle(scene, &moments, &wishes, |wanted| {
        let mut pools = left.clone();
        given = pools
            .iter_mut()
            .enumerate()
            .map(|(stretch, pools)| {
                let demands: Vec<Demand> =
                    sessions.iter().zip(wanted).map(|(session, wanted)| demand(session, wanted[stretch])).collect();
                shares(pools, &demands)
            })
            .collect();
        given.clone()
    });
    for (stretch, given) in given.iter().enumerate() {
        for (session, share) in sessions.iter().zip(given) {
            let (_, place, of_session) = session;
            take(&mut left[stretch], &place.pools, of_session.phases, *share);
        }
    }
    let mut targets: Vec<Option<Target>> = scene.places.iter().map(|place| place.obeys.then(Target::default)).collect();
    for (position, (index, _, _)) in sessions.iter().enumerate() {
        let steps = moments.iter().zip(&given).map(|(at, given)| (*at, given[position])).collect();
        targets[*index] = Some(Target { default: 0, session: Some(Schedule::new(steps)) });
    }
    spare(scene, &moments, &mut left, &mut targets);
    for (target, place) in targets.iter_mut().zip(&scene.places).filter(|(_, place)| place.defies) {
        let session = place.session.as_ref().map(|_| Schedule::constant(place.least));
        *target = Some(Target { default: place.default_most.min(place.offline), session });
    }
    targets
}

/// Gives default profiles what nobody uses at any time.
fn spare(scene: &Scene, moments: &[i64], left: &mut [Vec<Load>], targets: &mut [Option<Target>]) {
    let mut order: Vec<usize> = (0..scene.places.len()).filter(|index| targets[*index].is_some()).collect();
    order.sort_by_key(|index| {
        let place = &scene.places[*index];
        (place.session.is_none(), std::cmp::Reverse(place.priority), &place.name)
    });
    for index in order {
        let place = &scene.places[index];
        let Some(target) = &mut targets[index] else { continue };
        let wanted = place.offline.min(place.most);
        // What the session has already on its phases is not taken twice: only one of both flows.
        let missing = |moment: i64, phase: usize| {
            let has = match (&place.session, &target.session) {
                (Some(session), Some(schedule)) if session.phases[phase] => schedule.at(moment),
                _ => 0,
            };
            if place.phases[phase] { wanted.saturating_sub(has) } else { 0 }
        };
        let fits = moments.iter().zip(left.iter()).all(|(moment, left)| {
            let mut pools = place.pools.iter().filter_map(|pool| left.get(*pool));
            pools.all(|left| (0..PHASES).all(|phase| missing(*moment, phase) <= left[phase]))
        });
        if !fits {
            continue;
        }
        for (moment, left) in moments.iter().zip(left.iter_mut()) {
            for pool in &place.pools {
                let Some(left) = left.get_mut(*pool) else { continue };
                for (phase, left) in left.iter_mut().enumerate() {
                    *left = left.saturating_sub(missing(*moment, phase));
                }
            }
        }
        target.default = wanted;
    }
}

fn take(left: &mut [Load], pools: &[usize], phases: [bool; PHASES], amount: u32) {
    for pool in pools {
        let Some(left) = left.get_mut(*pool) else { continue };
        for (left, _) in left.iter_mut().zip(phases).filter(|(_, used)| *used) {
            *left = left.saturating_sub(amount);
        }
    }
}

/// What those who do not obey leave of each pool at a moment.
fn left_over(scene: &Scene, moment: i64) -> Vec<Load> {
    let reserved = |_: usize, place: &Place| (!place.obeys).then(|| place.bound(moment));
    let pools = scene.pools.iter().enumerate();
    pools
        .map(|(pool, capacity)| {
            let drawn = scene.drawn(pool, reserved);
            drawn.map(|drawn| capacity.at(moment).saturating_sub(drawn))
        })
        .collect()
}
