//! What to send now, on the way from what stations hold to what is planned: decreases first, and raises only as far as all that may be
//! drawn by then fits, whatever is not answered yet.

use std::collections::BTreeSet;

use super::plan::{Place, Scene, Target};
use super::schedule::Schedule;
use super::shares::{Load, PHASES};

/// A difference that is not worth a message, in tenths of an ampere.
const TRIFLE: u32 = 10;
/// How far a schedule is compared with the one that is planned, in seconds: their ends differ always.
const NEAR: i64 = 12 * 3_600;

/// Something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Which place.
    pub(crate) place: usize,
    /// What it is to hold.
    pub(crate) what: What,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// For sessions without one of their own.
    Default(u32),
    /// For the session that runs.
    Session(Schedule),
}

/// Who may be sent what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic {
    /// Stations that have not answered yet.
    pub(crate) busy: BTreeSet<usize>,
    /// Stations that were sent something a moment ago: only decreases go there.
    pub(crate) calm: BTreeSet<usize>,
}

/// What to send now: one profile a station at most.
pub(crate) fn steps(scene: &Scene, targets: &[Option<Target>], traffic: &Traffic) -> Vec<Step> {
    let mut work = Work {
        scene,
        moments: scene.moments(),
        defaults: scene.places.iter().map(|place| place.default_most).collect(),
        held: scene
            .places
            .iter()
            .map(|place| place.session.as_ref().and_then(|session| session.held.clone()))
            .collect(),
        busy: traffic.busy.clone(),
        steps: Vec::new(),
    };
    for target in targets.iter().flatten() {
        work.moments.extend(target.session.iter().flat_map(|schedule| schedule.changes_after(scene.now)));
    }
    work.moments.sort_unstable();
    work.moments.dedup();
    let mut order: Vec<(usize, &Place, &Target)> = scene
        .places
        .iter()
        .zip(targets)
        .enumerate()
        .filter_map(|(index, (place, target))| Some((index, place, target.as_ref()?)))
        .collect();
    order.sort_by_key(|(_, place, _)| {
        let session = place.session.as_ref();
        let priority = session.map_or(place.priority, |session| session.priority);
        (std::cmp::Reverse(priority), session.is_none(), session.map(|session| session.since), &place.name)
    });
    for (index, place, target) in &order {
        if !work.busy.contains(&place.station)
            && let Some(what) = work.decrease(*index, place, target)
        {
            work.send(*index, what);
        }
    }
    for (index, place, target) in &order {
        if !work.busy.contains(&place.station)
            && !traffic.calm.contains(&place.station)
            && let Some(what) = work.raise(*index, place, target)
        {
            work.send(*index, what);
        }
    }
    work.steps
}

struct Work<'a> {
    scene: &'a Scene,
    moments: Vec<i64>,
    /// What places may hold, with what is about to be sent.
    defaults: Vec<u32>,
    held: Vec<Option<Schedule>>,
    busy: BTreeSet<usize>,
    steps: Vec<Step>,
}

impl Work<'_> {
    fn decrease(&self, index: usize, place: &Place, target: &Target) -> Option<What> {
        if let (Some(session), Some(planned)) = (&place.session, &target.session) {
            match &session.held {
                Some(held) => {
                    let too_much: Vec<i64> =
                        self.moments.iter().copied().filter(|at| held.at(*at) > planned.at(*at)).collect();
                    let by = too_much.iter().map(|at| held.at(*at) - planned.at(*at)).max().unwrap_or(0);
                    let stops = too_much.iter().any(|at| planned.at(*at) < place.least);
                    if by >= TRIFLE || stops && by > 0 || by > 0 && too_much.iter().any(|at| !self.fits_as_it_is(*at)) {
                        return Some(What::Session(planned.lowest(held)));
                    }
                }
                None => {
                    // Before its default is lowered, so that it goes on with what is planned for it.
                    let most = self.moments.iter().map(|at| planned.at(*at)).max().unwrap_or(0);
                    let differs = self.moments.iter().any(|at| planned.at(*at) != target.default);
                    if most <= self.defaults[index] && differs {
                        return Some(What::Session(planned.clone()));
                    }
                }
            }
        }
        (self.defaults[index] > target.default).then_some(What::Default(target.default))
    }

    fn raise(&self, index: usize, place: &Place, target: &Target) -> Option<What> {
        if let (Some(session), Some(planned)) = (&place.session, &target.session) {
            let default = Schedule::constant(self.defaults[index]);
            let present = session.held.as_ref().unwrap_or(&default);
            let is_worth = |at: i64| {
                let (now, then) = (present.at(at), planned.at(at));
                then > now && (then - now >= TRIFLE || now < place.least || then == session.most.min(place.most))
            };
            let near = self.scene.now + NEAR;
            let wanted = self.moments.iter().any(|at| *at < near && is_worth(*at));
            let uncertain = session.held.is_some() && session.last.is_none();
            if wanted || uncertain {
                let then = session.held.as_ref().map_or_else(|| planned.clone(), |held| held.highest(planned));
                if self.fits(index, place, self.defaults[index], Some(&then)) {
                    return Some(What::Session(planned.clone()));
                }
            }
        }
        let default = target.default.max(self.defaults[index]);
        let wanted = target.default > self.defaults[index];
        let uncertain = place.default_last.is_none();
        let fits = || self.fits(index, place, default, self.held[index].as_ref());
        ((wanted || uncertain) && fits()).then_some(What::Default(target.default))
    }

    /// What counts from now on: what is held, and what is about to be sent.
    fn send(&mut self, index: usize, what: What) {
        match &what {
            What::Default(tenths) => self.defaults[index] = self.defaults[index].max(*tenths),
            What::Session(schedule) => {
                let held = self.held[index].take();
                self.held[index] = Some(held.map_or_else(|| schedule.clone(), |held| held.highest(schedule)));
            }
        }
        self.busy.insert(self.scene.places[index].station);
        self.steps.push(Step { place: index, what });
    }

    fn load(&self, index: usize, place: &Place, moment: i64) -> Load {
        place.load(self.defaults[index], self.held[index].as_ref(), moment)
    }

    fn fits_as_it_is(&self, moment: i64) -> bool {
        self.scene.pools.iter().enumerate().all(|(pool, capacity)| {
            let drawn = self.scene.drawn(pool, |index, place| Some(self.load(index, place, moment)));
            drawn.iter().all(|drawn| *drawn <= capacity.at(moment))
        })
    }

    /// Whether a place can be allowed this: wherever it may draw more than before, all together stay within what there is.
    fn fits(&self, index: usize, place: &Place, default: u32, held: Option<&Schedule>) -> bool {
        self.moments.iter().all(|moment| {
            let before = self.load(index, place, *moment);
            let after = place.load(default, held, *moment);
            if (0..PHASES).all(|phase| after[phase] <= before[phase]) {
                return true;
            }
            place.pools.iter().all(|pool| {
                let Some(capacity) = self.scene.pools.get(*pool) else { return true };
                let drawn = self.scene.drawn(*pool, |other, of_other| {
                    Some(if other == index { after } else { self.load(other, of_other, *moment) })
                });
                (0..PHASES).all(|phase| after[phase] <= before[phase] || drawn[phase] <= capacity.at(*moment))
            })
        })
    }
}
