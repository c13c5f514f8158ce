//! The solver against an oracle that looks at each second by itself, knows nothing of the solver's way and asks the local
//! clock instead of counting elapsed time.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ocpp_core::station::smart_charging::{
    Limit, Outlet, Period, Place, Profile, Purpose, RateUnit, Recurrence, Schedule, Solver, Start, Supply, Window,
};
use ocpp_core::types::Decimal;
use proptest::prelude::*;

const TRANSACTION: &str = "T";
/// Two hours before daylight saving begins in Berlin, and two hours before it ends.
const MOMENTS: [&str; 3] = ["2026-03-28T23:00:00Z", "2026-10-24T23:00:00Z", "2026-06-01T10:00:00Z"];

fn zone() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

fn plus(moment: Timestamp, seconds: i64) -> Timestamp {
    moment + SignedDuration::from_secs(seconds)
}

fn seconds(clock: DateTime) -> i64 {
    TimeZone::UTC.to_timestamp(clock).unwrap().as_second()
}

/// What a profile says at a second: its limit and number of phases.
fn oracle_of_profile(profile: &Profile, began: Timestamp, at: Timestamp) -> Option<(Decimal, u32)> {
    if profile.valid_from.is_some_and(|from| from > at) || profile.valid_to.is_some_and(|to| to <= at) {
        return None;
    }
    let schedule = &profile.schedule;
    let (clock, mut start) = match schedule.start() {
        Start::At(start) => (at.as_second(), start.as_second()),
        Start::Transaction => (at.as_second(), began.as_second()),
        Start::LocalTime(start) => (seconds(zone().to_datetime(at)), seconds(start)),
    };
    // One recurrence after the other.
    let length = match schedule.recurrence() {
        Some(Recurrence::Daily) => 24 * 60 * 60,
        Some(Recurrence::Weekly) => 7 * 24 * 60 * 60,
        None => i64::MAX,
    };
    while length != i64::MAX && start + length <= clock {
        start += length;
    }
    let duration = schedule.duration().map_or(i64::MAX, i64::from);
    if clock < start || clock - start >= duration {
        return None;
    }
    let begun = schedule.periods().iter().rev().find(|period| start + i64::from(period.start) <= clock)?;
    Some((begun.limit, begun.phases.unwrap_or(3)))
}

/// What prevails of some profiles at a second.
fn oracle_of_purpose<'a>(
    profiles: impl Iterator<Item = &'a Profile>,
    began: Timestamp,
    at: Timestamp,
) -> Option<(Decimal, u32, RateUnit)> {
    let speaking = profiles.filter_map(|profile| {
        let (limit, phases) = oracle_of_profile(profile, began, at)?;
        Some((profile.stack_level, limit, phases, profile.schedule.unit()))
    });
    speaking.max_by_key(|(level, ..)| *level).map(|(_, limit, phases, unit)| (limit, phases, unit))
}

/// Most power and current of an outlet at a second.
fn oracle(profiles: &[Profile], outlet: &Outlet, at: Timestamp) -> Option<(Decimal, Decimal, u32)> {
    let of = |keep: &dyn Fn(&Profile) -> bool| {
        oracle_of_purpose(profiles.iter().filter(|profile| keep(profile)), outlet.began, at)
    };
    let here = Place::Evse { evse: outlet.evse, connector: None };
    let station = of(&|profile| profile.purpose == Purpose::StationMax);
    let own =
        of(&|profile| outlet.transaction.is_some() && profile.purpose == Purpose::Transaction(TRANSACTION.to_owned()));
    let levels: Vec<i64> = profiles
        .iter()
        .filter(|profile| profile.purpose == Purpose::TransactionDefault && profile.place == here)
        .map(|profile| profile.stack_level)
        .collect();
    let default = of(&|profile| {
        profile.purpose == Purpose::TransactionDefault
            && (profile.place == here || (profile.place == Place::Station && !levels.contains(&profile.stack_level)))
    });
    let limits: Vec<_> = [station, if own.is_some() { own } else { default }].into_iter().flatten().collect();
    let phases = limits.iter().map(|(_, phases, _)| *phases).min()?.min(outlet.supply.phases.get());
    let volts = Decimal::from(outlet.supply.line_voltage.get()) * Decimal::from(phases);
    let powers = limits.iter().map(|(limit, _, unit)| if *unit == RateUnit::Watts { *limit } else { *limit * volts });
    let currents = limits.iter().map(|(limit, _, unit)| if *unit == RateUnit::Watts { *limit / volts } else { *limit });
    Some((powers.min()?, currents.min()?, phases))
}

fn limit() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        Just(Decimal::ZERO),
        (1..400i64).prop_map(|tenths| Decimal::new(tenths, 1)),
        (1..22i64).prop_map(|kw| Decimal::from(kw * 1000))
    ]
}

fn periods() -> impl Strategy<Value = Vec<Period>> {
    let period = (1..30_000u32, limit(), prop::option::of(1..=3u32));
    prop::collection::vec(period, 1..5).prop_map(|periods| {
        let mut start = 0;
        let mut made = Vec::new();
        for (length, limit, phases) in periods {
            let period = Period::new(start, limit);
            made.push(phases.into_iter().fold(period, Period::over_phases));
            start += length;
        }
        made
    })
}

/// A profile around a moment, up to ten days away from it.
fn profile(moment: Timestamp) -> impl Strategy<Value = Profile> {
    let offset = || -900_000..40_000i64;
    let start = prop_oneof![
        offset().prop_map(move |offset| Start::At(plus(moment, offset))),
        offset().prop_map(move |offset| Start::LocalTime(zone().to_datetime(plus(moment, offset)))),
        Just(Start::Transaction),
    ];
    let purpose = prop_oneof![
        Just((Purpose::StationMax, Place::Station)),
        Just((Purpose::TransactionDefault, Place::Station)),
        Just((Purpose::TransactionDefault, Place::Evse { evse: 1, connector: None })),
        Just((Purpose::TransactionDefault, Place::Evse { evse: 2, connector: None })),
        Just((Purpose::Transaction(TRANSACTION.to_owned()), Place::Evse { evse: 1, connector: None })),
    ];
    let recurrence = prop::option::of(prop_oneof![Just(Recurrence::Daily), Just(Recurrence::Weekly)]);
    let validity = (prop::option::of(-40_000..40_000i64), prop::option::of(-10_000..60_000i64));
    let unit = prop_oneof![Just(RateUnit::Amperes), Just(RateUnit::Watts)];
    (purpose, start, recurrence, prop::option::of(1..200_000u32), unit, periods(), validity, 0..4i64).prop_map(
        move |((purpose, place), start, recurrence, duration, unit, periods, (from, to), level)| {
            let mut schedule = Schedule::new(start, unit, periods).unwrap();
            schedule = recurrence.into_iter().fold(schedule, Schedule::recurring);
            schedule = duration.into_iter().fold(schedule, Schedule::lasting);
            let mut profile = Profile::new(0, level, purpose, place, schedule);
            profile.valid_from = from.map(|offset| plus(moment, offset));
            profile.valid_to = to.map(|offset| plus(moment, offset));
            profile
        },
    )
}

/// Profiles as a station has them: one for each stack level of a purpose at a place.
fn profiles(moment: Timestamp) -> impl Strategy<Value = Vec<Profile>> {
    prop::collection::vec(profile(moment), 0..8).prop_map(|profiles| {
        let mut kept: Vec<Profile> = Vec::new();
        for mut profile in profiles {
            kept.retain(|known| {
                (known.stack_level, &known.purpose, known.place)
                    != (profile.stack_level, &profile.purpose, profile.place)
            });
            profile.id = i64::try_from(kept.len()).unwrap();
            kept.push(profile);
        }
        kept
    })
}

fn scene() -> impl Strategy<Value = (Timestamp, Vec<Profile>, Outlet)> {
    let moment = prop::sample::select(MOMENTS.as_slice()).prop_map(|moment| moment.parse::<Timestamp>().unwrap());
    moment.prop_flat_map(|moment| {
        let outlet = (1..=3u32, prop::option::of(-20_000..0i64)).prop_map(move |(phases, began)| {
            let outlet = Outlet::new(1, 1, Supply::new(230, phases), moment);
            match began {
                Some(offset) => outlet.charging(TRANSACTION, plus(moment, offset)),
                None => outlet,
            }
        });
        (Just(moment), profiles(moment), outlet)
    })
}

fn parts(limit: Limit) -> (Decimal, Decimal, u32) {
    (limit.power, limit.current, limit.phases)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// 1.6 edition 2, 3.13; 2.1 part 2, K08.FR.04
    #[test]
    fn a_composite_schedule_is_what_holds_at_each_of_its_seconds((moment, profiles, outlet) in scene()) {
        let zone = zone();
        let solver = Solver::new(&profiles, &zone);
        let window =
            Window { from: moment, seconds: 14_400, unit: RateUnit::Watts, decimal_places: 28, max_periods: 10_000 };
        let composite = solver.composite(&outlet, &window);
        prop_assert_eq!(composite.seconds, 14_400);
        prop_assert_eq!(composite.periods[0].start, 0);
        let mut current = 0;
        for second in 0..14_400u32 {
            while composite.periods.get(current + 1).is_some_and(|next| next.start <= second) {
                current += 1;
            }
            let expected = oracle(&profiles, &outlet, plus(moment, second.into()));
            let period = &composite.periods[current];
            prop_assert_eq!(period.limit, expected.map(|(power, ..)| power), "second {}", second);
            if let Some((_, _, phases)) = expected {
                prop_assert_eq!(period.phases, phases);
            }
        }
        let differ = composite.periods.windows(2).all(|two| (two[0].limit, two[0].phases) != (two[1].limit, two[1].phases));
        prop_assert!(differ, "neighbours are merged");
    }

    #[test]
    fn limits_are_the_same_in_both_units_and_never_change_before_they_are_said_to(
        (moment, profiles, outlet) in scene(),
        offset in 0..700_000i64,
    ) {
        let zone = zone();
        let solver = Solver::new(&profiles, &zone);
        let at = plus(moment, offset);
        let limit = solver.limit_at(&outlet, at);
        prop_assert_eq!(limit.map(parts), oracle(&profiles, &outlet, at));
        let next = solver.next_change_after(&outlet, at);
        prop_assert!(next.is_none_or(|next| next > at));
        let end = next.unwrap_or(plus(at, 3_000_000)).min(plus(at, 3_000_000));
        let step = (end.as_second() - at.as_second() - 1).max(1) / 50 + 1;
        let mut moment = plus(at, step);
        while moment < end {
            prop_assert_eq!(oracle(&profiles, &outlet, moment), limit.map(parts));
            moment = plus(moment, step);
        }
        let last = plus(end, -1);
        if last > at {
            prop_assert_eq!(oracle(&profiles, &outlet, last), limit.map(parts), "the second before the change");
        }
    }

    /// 1.6 edition 2, 3.13.3
    #[test]
    fn a_station_never_draws_more_than_its_own_limit((moment, profiles, outlet) in scene()) {
        let zone = zone();
        let solver = Solver::new(&profiles, &zone);
        let window =
            Window { from: moment, seconds: 14_400, unit: RateUnit::Amperes, decimal_places: 1, max_periods: 10_000 };
        let other = Outlet::new(2, 1, outlet.supply, moment);
        let composite = solver.composite_of_station(&[outlet.clone(), other], outlet.supply, &window);
        for period in &composite.periods {
            let at = plus(moment, period.start.into());
            let station = profiles.iter().filter(|profile| profile.purpose == Purpose::StationMax);
            let station = oracle_of_purpose(station, at, at);
            let Some((most, _, RateUnit::Amperes)) = station.filter(|_| {
                // Where it depends on the transaction, there is no answer for the station as a whole.
                profiles.iter().all(|profile| {
                    profile.purpose != Purpose::StationMax || profile.schedule.start() != Start::Transaction
                })
            }) else {
                continue;
            };
            prop_assert!(period.limit.is_some_and(|limit| limit <= most));
        }
    }
}
