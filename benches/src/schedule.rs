//! Twenty charging profiles of all purposes, kinds and units, for a composite schedule of a day.

use ocpp_core::station::smart_charging::{
    Outlet, Period, Place, Profile, Purpose, RateUnit, Recurrence, Schedule, Start, Supply, Window,
};
use ocpp_core::types::Decimal;

/// From when on the schedule is asked for.
pub const FROM: &str = "2026-11-20T08:00:00Z";

/// Twenty profiles at EVSE 1: four of the station, twelve default ones on six levels, four of the transaction, in amperes and watts,
/// absolute, daily, weekly and relative. Those of the station and of the transaction have a period for each hour, as from
/// day-ahead prices, the others one to six.
///
/// # Panics
///
/// Never; a test shows it.
#[must_use]
pub fn profiles() -> Vec<Profile> {
    let start = FROM.parse().expect("a time");
    let evse = Place::Evse { evse: 1, connector: None };
    (0..20)
        .map(|number| {
            let level = i64::from(number) % 6;
            let (purpose, place) = match number % 5 {
                0 => (Purpose::StationMax, Place::Station),
                1 => (Purpose::Transaction("t".into()), evse),
                2 | 3 => (Purpose::TransactionDefault, evse),
                _ => (Purpose::TransactionDefault, Place::Station),
            };
            let (start, recurrence) = match number % 4 {
                0 => (Start::At(start), Some(Recurrence::Daily)),
                1 => (Start::Transaction, None),
                2 => (Start::At(start), Some(Recurrence::Weekly)),
                _ => (Start::At(start), None),
            };
            let (unit, least) = if number % 2 == 0 { (RateUnit::Amperes, 6) } else { (RateUnit::Watts, 4_140) };
            let steps = if number % 5 < 2 { 24 } else { 1 + number % 6 };
            let periods = (0..steps)
                .map(|at| Period::new(at * 3_600, Decimal::from(least * (1 + (number + at * 7) % 5))))
                .collect();
            let schedule =
                Schedule::new(start, unit, periods).expect("periods in order").lasting(6 * 3_600 * (1 + number % 4));
            let schedule = match recurrence {
                Some(recurrence) => schedule.recurring(recurrence),
                None => schedule,
            };
            Profile::new(i64::from(number), level, purpose, place, schedule)
        })
        .collect()
}

/// Where it is asked for: a running transaction.
///
/// # Panics
///
/// Never; a test shows it.
#[must_use]
pub fn outlet() -> Outlet {
    let began = FROM.parse().expect("a time");
    Outlet::new(1, 1, Supply::new(230, 3), began).charging("t", began)
}

/// 24 hours.
///
/// # Panics
///
/// Never; a test shows it.
#[must_use]
pub fn window() -> Window {
    Window {
        from: FROM.parse().expect("a time"),
        seconds: 86_400,
        unit: RateUnit::Watts,
        decimal_places: 1,
        max_periods: usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use ocpp_core::station::smart_charging::Solver;

    use super::*;

    #[test]
    fn the_schedule_of_twenty_profiles_has_something_to_say_all_day() {
        let profiles = profiles();
        let schedule = Solver::new(&profiles, &jiff::tz::TimeZone::UTC).composite(&outlet(), &window());
        assert_eq!((profiles.len(), schedule.seconds), (20, 86_400));
        assert!(schedule.periods.len() >= 10, "{schedule:?}");
    }
}
