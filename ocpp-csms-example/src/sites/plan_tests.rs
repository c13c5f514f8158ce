//! Sites that live through anything: stations come and go, refuse, answer late or never, limits fall. In virtual time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::held::Held;
use super::plan::{HORIZON, Need, Place, PriceStep, Rule, Scene, Session, Target, plan};
use super::schedule::Schedule;
use super::shares::{Load, PHASES};
use super::steps::{Step, Traffic, What, steps};

const NOW: i64 = 1_000_000;
const RATING: u32 = 320;
/// A station cannot draw with two places at once what each of them can.
const STATION: u32 = 480;

/// A place as a station has it, and as it is known.
#[derive(Debug, Clone, Default)]
struct Truth {
    /// What its default profile allows.
    default: Option<u32>,
    transaction: Option<(String, Schedule)>,
    /// The session, the phases and the most that it uses.
    session: Option<(String, [bool; PHASES], u32)>,
    known: Held,
}

/// A profile on its way: before it was sent, this was known.
#[derive(Debug, Clone)]
struct Flight {
    place: usize,
    what: What,
    transaction: Option<String>,
    before: Held,
}

#[derive(Debug, Clone)]
struct World {
    limit: u32,
    later: u32,
    group: u32,
    places: Vec<Truth>,
    online: Vec<bool>,
    /// Stations that did not do what they were told, and are left alone for a while.
    resting: BTreeSet<usize>,
    flights: BTreeMap<usize, Flight>,
    sessions: u32,
}

/// Stations have two places each; the first station hangs on a fuse.
fn station(place: usize) -> usize {
    place / 2
}

#[derive(Debug, Clone)]
enum Happens {
    Connection(usize, bool),
    Starts(usize, [bool; PHASES], u32),
    Stops(usize),
    Limits(u32, u32),
    Plans,
    Answers(usize, Answer),
    Rests,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Accepted,
    Refused,
    /// The call did not arrive.
    Lost,
    /// The call arrived, its answer did not.
    Unheard,
}

impl World {
    fn new(places: usize, limit: u32, later: u32, group: u32) -> Self {
        Self {
            limit,
            later: later.min(limit),
            group,
            places: vec![Truth::default(); places],
            online: vec![true; places.div_ceil(2)],
            resting: BTreeSet::new(),
            flights: BTreeMap::new(),
            sessions: 0,
        }
    }

    fn scene(&self) -> Scene {
        let place = |index: usize, truth: &Truth| {
            let of_station = station(index);
            let pools = if of_station == 0 { vec![0, 1, 2] } else { vec![0, 2 + of_station] };
            let session = truth.session.as_ref().map(|(id, phases, most)| {
                let held = truth.known.transaction.as_ref().filter(|held| held.id == *id);
                Session {
                    transaction: id.clone(),
                    since: id.parse().unwrap(),
                    phases: *phases,
                    most: *most,
                    suspended: false,
                    priority: 0,
                    held: held.map(|held| held.most.clone()),
                    last: held.and_then(|held| held.last.clone()),
                    need: None,
                }
            });
            Place {
                name: (format!("CS-{of_station}"), i64::try_from(index % 2).unwrap() + 1),
                station: of_station,
                pools,
                phases: [true; PHASES],
                least: 60,
                most: RATING,
                offline: 60,
                priority: 0,
                weight: 1,
                default_most: truth.known.default.most.unwrap_or(RATING),
                default_last: truth.known.default.last,
                obeys: self.online[of_station] && !self.resting.contains(&of_station),
                defies: false,
                measured: [0; PHASES],
                session,
            }
        };
        let mut pools =
            vec![Schedule::new(vec![(NOW, self.limit), (NOW + 3_600, self.later)]), Schedule::constant(self.group)];
        pools.resize(2 + self.online.len(), Schedule::constant(STATION));
        Scene {
            now: NOW,
            pools,
            stations: vec![STATION; self.online.len()],
            places: self.places.iter().enumerate().map(|(index, truth)| place(index, truth)).collect(),
            volts: 230,
            ..Scene::default()
        }
    }

    fn happens(&mut self, what: &Happens) -> Result<(), TestCaseError> {
        match what {
            Happens::Connection(station, online) => {
                let count = self.online.len();
                self.online[station % count] = *online;
            }
            Happens::Starts(place, phases, most) => {
                let count = self.places.len();
                self.sessions += 1;
                let truth = &mut self.places[place % count];
                truth.session = Some((self.sessions.to_string(), *phases, *most));
                truth.transaction = None;
            }
            Happens::Stops(place) => {
                let count = self.places.len();
                let truth = &mut self.places[place % count];
                truth.session = None;
                truth.transaction = None;
            }
            Happens::Limits(limit, later) => (self.limit, self.later) = (*limit, (*later).min(*limit)),
            Happens::Plans => {
                self.plans()?;
            }
            Happens::Answers(which, answer) => {
                let station = self.flights.keys().nth(which % self.flights.len().max(1)).copied();
                if let Some(station) = station {
                    self.answers(station, *answer);
                }
            }
            Happens::Rests => self.resting.clear(),
        }
        for truth in &mut self.places {
            truth.known.only(truth.session.as_ref().map(|(id, _, _)| id.as_str()));
        }
        self.nothing_is_forgotten()
    }

    /// Whatever a station may draw is known of.
    fn nothing_is_forgotten(&self) -> Result<(), TestCaseError> {
        let scene = self.scene();
        for (truth, place) in self.places.iter().zip(&scene.places) {
            for at in [NOW, NOW + 1_800, NOW + 3_600, NOW + HORIZON, NOW + 3 * HORIZON] {
                let held = truth.transaction.as_ref().map(|(_, schedule)| schedule);
                let may = place.load(truth.default.unwrap_or(RATING), held, at);
                let known = place.bound(at);
                prop_assert!(
                    (0..PHASES).all(|phase| may[phase] <= known[phase]),
                    "{truth:?} may draw {may:?}, {known:?} is known"
                );
            }
        }
        Ok(())
    }

    fn bounds(scene: &Scene) -> Vec<(i64, usize, Load)> {
        let mut moments = scene.moments();
        moments.push(NOW + 2 * HORIZON);
        let pools = 0..scene.pools.len();
        let of =
            |at: i64| pools.clone().map(move |pool| (at, pool, scene.drawn(pool, |_, place| Some(place.bound(at)))));
        moments.into_iter().flat_map(of).collect()
    }

    /// Plans, and sends; how much was sent. No more may be drawn than there is, or than might have been before.
    fn plans(&mut self) -> Result<usize, TestCaseError> {
        let scene = self.scene();
        let targets = plan(&scene);
        let before = Self::bounds(&scene);
        let busy = self.flights.keys().copied().collect();
        let sent = steps(&scene, &targets, &Traffic { busy, calm: BTreeSet::new() });
        for Step { place, what } in &sent {
            let truth = &mut self.places[*place];
            let before = truth.known.clone();
            let transaction = truth.session.as_ref().map(|(id, _, _)| id.clone());
            match what {
                What::Default(tenths) => truth.known.sending_default(*tenths),
                What::Session(schedule) => truth.known.sending(transaction.as_ref().unwrap(), schedule),
            }
            let flight = Flight { place: *place, what: what.clone(), transaction, before };
            prop_assert!(self.flights.insert(station(*place), flight).is_none(), "two calls to one station");
        }
        let after = self.scene();
        for (at, pool, before) in before {
            let drawn = after.drawn(pool, |_, place| Some(place.bound(at)));
            let capacity = after.pools[pool].at(at);
            for phase in 0..PHASES {
                prop_assert!(
                    drawn[phase] <= before[phase].max(capacity),
                    "{drawn:?} of {capacity} may be drawn from {pool} at {}, before {before:?}",
                    at - NOW
                );
            }
        }
        Ok(sent.len())
    }

    fn answers(&mut self, station: usize, answer: Answer) {
        let Some(flight) = self.flights.remove(&station) else { return };
        let arrives = self.online[station];
        let answer = match answer {
            Answer::Accepted if !arrives => Answer::Unheard,
            Answer::Refused if !arrives => Answer::Lost,
            other => other,
        };
        let truth = &mut self.places[flight.place];
        let goes_on = truth.session.as_ref().map(|(id, _, _)| id) == flight.transaction.as_ref();
        // A profile for a transaction that is over is refused (K01.FR.33).
        let answer = match (&flight.what, answer) {
            (What::Session(_), Answer::Accepted) if !goes_on => Answer::Refused,
            (What::Session(_), Answer::Unheard) if !goes_on => Answer::Lost,
            (_, answer) => answer,
        };
        if matches!(answer, Answer::Accepted | Answer::Unheard) {
            match &flight.what {
                What::Default(tenths) => truth.default = Some(*tenths),
                What::Session(schedule) => {
                    truth.transaction = flight.transaction.clone().map(|id| (id, schedule.clone()))
                }
            }
        }
        match answer {
            Answer::Accepted => match &flight.what {
                What::Default(tenths) => truth.known.accepted_default(*tenths),
                What::Session(schedule) => truth.known.accepted(flight.transaction.as_ref().unwrap(), schedule),
            },
            Answer::Refused => {
                truth.known = flight.before;
                self.resting.insert(station);
            }
            Answer::Lost | Answer::Unheard => {
                self.resting.insert(station);
            }
        }
    }

    /// Everybody is there, answers and obeys until there is nothing left to say.
    fn comes_to_rest(&mut self) -> Result<(), TestCaseError> {
        self.online.fill(true);
        for _ in 0..100 {
            self.resting.clear();
            while let Some(station) = self.flights.keys().next().copied() {
                self.answers(station, Answer::Accepted);
            }
            self.happens(&Happens::Rests)?;
            if self.plans()? == 0 {
                return Ok(());
            }
        }
        Err(TestCaseError::fail("it never comes to rest"))
    }
}

fn happens() -> impl Strategy<Value = Happens> {
    let phases = prop_oneof![
        Just([true; PHASES]),
        (0..PHASES).prop_map(|phase| {
            let mut phases = [false; PHASES];
            phases[phase] = true;
            phases
        })
    ];
    let answer = prop_oneof![Just(Answer::Accepted), Just(Answer::Refused), Just(Answer::Lost), Just(Answer::Unheard)];
    prop_oneof![
        2 => (0..8_usize, any::<bool>()).prop_map(|(station, online)| Happens::Connection(station, online)),
        3 => (0..8_usize, phases, 60..400_u32).prop_map(|(place, phases, most)| Happens::Starts(place, phases, most)),
        2 => (0..8_usize).prop_map(Happens::Stops),
        1 => (0..1_500_u32, 0..1_500_u32).prop_map(|(limit, later)| Happens::Limits(limit, later)),
        6 => Just(Happens::Plans),
        6 => (0..4_usize, answer).prop_map(|(which, answer)| Happens::Answers(which, answer)),
        1 => Just(Happens::Rests),
    ]
}

fn world() -> impl Strategy<Value = World> {
    (1..7_usize, 0..1_500_u32, 0..1_500_u32, 0..700_u32)
        .prop_map(|(places, limit, later, group)| World::new(places, limit, later, group))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// K02.FR.01
    #[test]
    fn a_site_never_allows_more_than_there_is_whatever_is_lost_refused_or_lowered(
        mut world in world(),
        story in prop::collection::vec(happens(), 0..60),
    ) {
        for what in &story {
            world.happens(what)?;
        }
    }

    #[test]
    fn a_site_that_comes_to_rest_keeps_its_limits_and_uses_all_there_is(
        mut world in world(),
        story in prop::collection::vec(happens(), 0..40),
    ) {
        for what in &story {
            world.happens(what)?;
        }
        world.comes_to_rest()?;
        let scene = world.scene();
        for (at, pool, drawn) in World::bounds(&scene) {
            let capacity = scene.pools[pool].at(at);
            prop_assert!(drawn.iter().all(|drawn| *drawn <= capacity), "{drawn:?} of {capacity}");
        }
        // What a session has, and what it could have beside the others.
        let has = |truth: &Truth| match (&truth.session, &truth.transaction) {
            (Some(_), Some((_, schedule))) => schedule.at(NOW),
            (Some(_), None) => truth.default.unwrap_or(RATING),
            (None, _) => 0,
        };
        let used = |index: usize, _: &Place| {
            let truth = &world.places[index];
            let phases = truth.session.as_ref().map_or([false; PHASES], |(_, phases, _)| *phases);
            Some(phases.map(|used| if used { has(truth) } else { 0 }))
        };
        for (truth, place) in world.places.iter().zip(&scene.places) {
            let Some((_, phases, most)) = &truth.session else { continue };
            let (has, most) = (has(truth), (*most).min(RATING));
            let room = place.pools.iter().flat_map(|pool| {
                let drawn = scene.drawn(*pool, used);
                let capacity = scene.pools[*pool].at(NOW);
                (0..PHASES).filter(|phase| phases[*phase]).map(move |phase| capacity.saturating_sub(drawn[phase])).collect::<Vec<_>>()
            });
            let room = room.min().unwrap_or(0);
            // Less than an ampere for each place is not worth a message.
            let trifles = 10 * u32::try_from(world.places.len()).unwrap();
            let missing = if has < 60 { 60 + trifles } else { 10 + trifles };
            prop_assert!(has + 10 > most || room < missing, "{truth:?} has {has} of {most}, and could have {room} more");
        }
    }

    #[test]
    fn the_order_in_which_places_are_given_makes_no_difference(
        mut world in world(),
        story in prop::collection::vec(happens(), 0..40),
        seed in any::<u64>(),
    ) {
        for what in &story {
            world.happens(what)?;
        }
        let scene = world.scene();
        let mut shuffled = scene.clone();
        let by = |place: &Place| (place.name.1.unsigned_abs().wrapping_mul(seed | 1), place.name.0.len() as u64 ^ seed, place.name.0.clone());
        shuffled.places.sort_by_key(|place| std::cmp::Reverse(by(place)));
        let named = |scene: &Scene| -> BTreeMap<_, Option<Target>> {
            scene.places.iter().map(|place| place.name.clone()).zip(plan(scene)).collect()
        };
        prop_assert_eq!(named(&scene), named(&shuffled));
    }
}

fn place(name: &str, default_most: u32, session: Option<Session>) -> Place {
    Place {
        name: (name.to_owned(), 1),
        station: 0,
        pools: vec![0],
        phases: [true; PHASES],
        least: 60,
        most: RATING,
        offline: 60,
        priority: 0,
        weight: 1,
        default_most,
        default_last: Some(default_most),
        obeys: true,
        defies: false,
        measured: [0; PHASES],
        session,
    }
}

fn session(id: &str) -> Session {
    Session {
        transaction: id.to_owned(),
        since: NOW,
        phases: [true; PHASES],
        most: RATING,
        suspended: false,
        priority: 0,
        held: None,
        last: None,
        need: None,
    }
}

fn scene(limit: u32, places: Vec<Place>) -> Scene {
    let places: Vec<Place> =
        places.into_iter().enumerate().map(|(station, place)| Place { station, ..place }).collect();
    Scene {
        now: NOW,
        pools: vec![Schedule::constant(limit)],
        stations: vec![RATING; places.len()],
        places,
        volts: 230,
        ..Scene::default()
    }
}

fn shares(scene: &Scene) -> Vec<Option<u32>> {
    plan(scene).into_iter().map(|target| Some(target?.session?.at(NOW))).collect()
}

#[test]
fn what_an_offline_station_may_draw_is_kept_in_reserve() {
    let held = Session { held: Some(Schedule::constant(200)), ..session("A") };
    let offline = Place { obeys: false, ..place("A", 60, Some(held)) };
    let online = place("B", 60, Some(session("B")));
    assert_eq!(shares(&scene(320, vec![offline.clone(), online.clone()])), [None, Some(120)]);
    // Of one that nothing is known of, all that it can.
    let unknown = Place { session: None, default_most: RATING, ..offline };
    assert_eq!(shares(&scene(400, vec![unknown, online])), [None, Some(80)]);
}

#[test]
fn who_draws_more_than_it_may_is_counted_at_that() {
    let held = Session { held: Some(Schedule::constant(100)), ..session("A") };
    let wild = Place { obeys: false, measured: [250; PHASES], ..place("A", 60, Some(held)) };
    assert_eq!(shares(&scene(320, vec![wild, place("B", 60, Some(session("B")))])), [None, Some(70)]);
}

#[test]
fn default_profiles_have_what_nobody_uses() {
    let idle = |name: &str| place(name, 0, None);
    let targets = plan(&scene(130, vec![idle("A"), idle("B"), idle("C")]));
    let defaults: Vec<u32> = targets.iter().flatten().map(|target| target.default).collect();
    assert_eq!(defaults, [60, 60, 0]);
    let charging = place("D", 0, Some(session("D")));
    let targets = plan(&scene(320, vec![idle("A"), charging]));
    let found: Vec<u32> = targets.iter().flatten().map(|target| target.default).collect();
    assert_eq!(found, [0, 60], "the session uses all, and its own profile is no more than that");
}

#[test]
fn a_raise_waits_for_the_decrease_that_it_depends_on() {
    let first = Session { held: Some(Schedule::constant(320)), last: Some(Schedule::constant(320)), ..session("A") };
    let second = Session { held: Some(Schedule::constant(0)), last: Some(Schedule::constant(0)), ..session("B") };
    let mut scene = scene(320, vec![place("A", 0, Some(first)), place("B", 0, Some(second))]);
    let send = |scene: &Scene| steps(scene, &plan(scene), &Traffic::default());
    let decrease = Step { place: 0, what: What::Session(Schedule::constant(160)) };
    assert_eq!(send(&scene).iter().map(|step| step.place).collect::<Vec<_>>(), [0]);
    let What::Session(schedule) = &send(&scene)[0].what else { panic!("{decrease:?}") };
    assert_eq!(schedule.at(NOW), 160);
    scene.places[0].session.as_mut().unwrap().held = Some(Schedule::constant(160));
    assert_eq!(send(&scene).iter().map(|step| step.place).filter(|place| *place == 1).count(), 1);
}

fn hours(prices: &[i64]) -> Vec<PriceStep> {
    let step = |(hour, price): (usize, &i64)| {
        let from = NOW + 3_600 * i64::try_from(hour).unwrap();
        PriceStep { from, until: from + 3_600, price: (*price).into() }
    };
    prices.iter().enumerate().map(step).collect()
}

#[test]
fn a_session_charges_in_the_cheapest_hours_that_suffice() {
    // 32 A on three phases of 230 V are 22 kWh an hour.
    let need = Need { until: NOW + 5 * 3_600, energy_wh: 44_000 };
    let place = place("A", 0, Some(Session { need: Some(need), ..session("A") }));
    let mut scene = scene(320, vec![place]);
    (scene.prices, scene.rule) = (hours(&[30, 10, 40, 5, 20, 1]), Some(Rule::Cheapest));
    let target = plan(&scene)[0].clone().unwrap().session.unwrap();
    let found: Vec<u32> = (0..5).map(|hour| target.at(NOW + hour * 3_600)).collect();
    assert_eq!(found, [0, 320, 0, 320, 0]);
}

#[test]
fn where_the_cheapest_hours_are_shared_others_are_added() {
    let need = Need { until: NOW + 4 * 3_600, energy_wh: 20_000 };
    let of = |name: &str| place(name, 0, Some(Session { need: Some(need), ..session(name) }));
    let mut scene = scene(320, vec![of("A"), of("B")]);
    (scene.prices, scene.rule) = (hours(&[30, 10, 40, 20]), Some(Rule::Cheapest));
    for target in plan(&scene) {
        let target = target.unwrap().session.unwrap();
        let energy: u32 = (0..4).map(|hour| target.at(NOW + hour * 3_600) * 69).sum();
        assert!(energy >= 20_000, "{target:?}");
        assert_eq!(target.at(NOW + 2 * 3_600), 0, "the dearest hour is not needed");
    }
}

#[test]
fn prices_say_between_everything_and_the_least() {
    let mut scene = scene(320, vec![place("A", 0, Some(session("A")))]);
    scene.rule = Some(Rule::Thresholds { full_below: 10.into(), minimum_above: 30.into() });
    scene.prices = hours(&[5, 20, 30]);
    let target = plan(&scene)[0].clone().unwrap().session.unwrap();
    let found: Vec<u32> = (0..4).map(|hour| target.at(NOW + hour * 3_600)).collect();
    assert_eq!(found, [320, 190, 60, 320]);
}
