//! Totals of longer stretches of days: what a report reads of each station is a few rows, whether it is about a day or a year.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Rows, Statement, StoreError, Target, Unit, Value, sql};
use crate::reports::{Day, DayTotal, StationState};

/// Days of the stretches that are kept besides single days, the longest first.
const SIZES: [i64; 2] = [64, 8];

/// Stretches of one size, from the first to the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// How many days.
    size: i64,
    first: i64,
    last: i64,
}

/// The fewest stretches that days from `first` to `last` are made of.
pub(super) fn stretches(first: Day, last: Day) -> Vec<Stretch> {
    let mut found = Vec::new();
    cover(&SIZES, first, last.saturating_add(1), &mut found);
    found
}

fn cover(sizes: &[i64], from: Day, until: Day, found: &mut Vec<Stretch>) {
    if from >= until {
        return;
    }
    let Some((&size, smaller)) = sizes.split_first() else {
        return found.push(Stretch { size: 1, first: from, last: until - 1 });
    };
    let (begin, end) = (from.saturating_add(size - 1).div_euclid(size), until.div_euclid(size));
    if begin >= end {
        return cover(smaller, from, until, found);
    }
    cover(smaller, from, begin * size, found);
    found.push(Stretch { size, first: begin, last: end - 1 });
    cover(smaller, end * size, until, found);
}

/// What is read of the stretches of a range of days.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// Sessions, energy, fees, occupied time.
    Totals,
    /// The time in each state.
    States,
}

/// A statement that reads `sums` of all stretches of a range together, grouped and ordered by `keys`: of the stations from one identity to
/// another, or of all.
pub(super) fn over(
    kept: Kept,
    keys: &'static str,
    sums: &'static str,
    stations: Option<(&str, &str)>,
    (first, last): (Day, Day),
) -> Statement {
    let (columns, days) = match kept {
        Kept::Totals => ("station, currency, sessions, energy, fees, occupied", "report_days WHERE day"),
        Kept::States => (
            "station, offline, available, occupied, unavailable, faulted, faults",
            "report_state_spans WHERE size = 1 AND span",
        ),
    };
    let table = match kept {
        Kept::Totals => "report_spans",
        Kept::States => "report_state_spans",
    };
    let (mut parts, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
    for Stretch { size, first, last } in stretches(first, last) {
        let mut part = format!("SELECT {columns} FROM ");
        let next = values.len() + 1;
        // Writing to a text cannot fail.
        let _ = match size {
            1 => write!(part, "{days} BETWEEN ${next} AND ${}", next + 1),
            size => write!(part, "{table} WHERE size = {size} AND span BETWEEN ${next} AND ${}", next + 1),
        };
        values.extend([first.into(), last.into()]);
        if let Some((from, until)) = stations {
            let _ = write!(part, " AND station BETWEEN ${} AND ${}", next + 2, next + 3);
            values.extend([from.into(), until.into()]);
        }
        parts.push(part);
    }
    let parts = parts.join(" UNION ALL ");
    let text = format!("SELECT {keys}, {sums} FROM ({parts}) AS parts GROUP BY {keys} ORDER BY {keys}");
    values.into_iter().fold(sql(text), Statement::bind)
}

/// Adds to the stretches that a day is part of.
pub(super) async fn add_day(
    unit: &mut Unit,
    station: &str,
    day: Day,
    currency: &str,
    total: DayTotal,
) -> Result<(), StoreError> {
    let text = "INSERT INTO report_spans (station, size, span, currency, sessions, energy, fees, occupied) \
         VALUES ($1, $2, $3, $6, $7, $8, $9, $10), ($1, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (station, size, span, currency) DO UPDATE SET \
         sessions = report_spans.sessions + excluded.sessions, energy = report_spans.energy + excluded.energy, \
         fees = report_spans.fees + excluded.fees, occupied = report_spans.occupied + excluded.occupied";
    let mut statement = sql(text).bind(station);
    for size in SIZES {
        statement = statement.bind(size).bind(day.div_euclid(size));
    }
    let DayTotal { sessions, energy, fees, occupied } = total;
    unit.execute(statement.bind(currency).bind(sessions).bind(energy).bind(fees).bind(occupied)).await?;
    Ok(())
}

/// Makes the stretches of a station anew from its days.
pub(super) async fn rebuild(unit: &mut Unit, station: &str) -> Result<(), StoreError> {
    unit.execute(sql("DELETE FROM report_spans WHERE station = $1").bind(station)).await?;
    for size in SIZES {
        // Division rounds towards zero, and days before 1970 have negative numbers.
        let span = format!("(day + {size} * 1000000) / {size} - 1000000");
        let text = format!(
            "INSERT INTO report_spans (station, size, span, currency, sessions, energy, fees, occupied) \
             SELECT station, {size}, {span}, currency, CAST(SUM(sessions) AS BIGINT), CAST(SUM(energy) AS BIGINT), \
             CAST(SUM(fees) AS BIGINT), CAST(SUM(occupied) AS BIGINT) FROM report_days WHERE station = $1 \
             GROUP BY station, {span}, currency"
        );
        unit.execute(sql(text).bind(station)).await?;
    }
    Ok(())
}

const STATE_SPANS: Target = Target {
    into: "INSERT INTO report_state_spans (station, size, span, offline, available, occupied, unavailable, faulted, faults)",
    columns: 9,
    otherwise: "ON CONFLICT (station, size, span) DO UPDATE SET \
                offline = report_state_spans.offline + excluded.offline, \
                available = report_state_spans.available + excluded.available, \
                occupied = report_state_spans.occupied + excluded.occupied, \
                unavailable = report_state_spans.unavailable + excluded.unavailable, \
                faulted = report_state_spans.faulted + excluded.faulted, \
                faults = report_state_spans.faults + excluded.faults",
};

/// The time in each state, and how often there was a new fault.
type Added = (BTreeMap<StationState, i64>, i64);

/// What is to be added to days and stretches of stations: the time in each state, and how often they became faulted.
#[derive(Debug, Default)]
pub(super) struct StateTotals<'a>(BTreeMap<(&'a str, i64, i64), Added>);

/// Adds the time in a state, in ms, and how often it was entered, to a day and to the stretches that it is part of.
pub(super) fn add_states<'a>(
    totals: &mut StateTotals<'a>,
    station: &'a str,
    day: Day,
    state: StationState,
    (duration, entered): (i64, i64),
) {
    for size in SIZES.into_iter().chain([1]) {
        let (times, faults) = totals.0.entry((station, size, day.div_euclid(size))).or_default();
        *times.entry(state).or_default() += duration;
        if state == StationState::Faulted {
            *faults += entered;
        }
    }
}

impl StateTotals<'_> {
    /// The rows that add them.
    pub(super) fn rows(self) -> Rows {
        let mut rows = Rows::new(STATE_SPANS);
        for ((station, size, span), (times, faults)) in self.0 {
            let [offline, available, occupied, unavailable, faulted] =
                STATES.map(|state| times.get(&state).copied().unwrap_or(0).into());
            let (size, span) = (size.into(), span.into());
            rows.push([station.into(), size, span, offline, available, occupied, unavailable, faulted, faults.into()]);
        }
        rows
    }
}

/// The states in the order of their columns, which have their names.
pub(super) const STATES: [StationState; 5] = [
    StationState::Offline,
    StationState::Available,
    StationState::Occupied,
    StationState::Unavailable,
    StationState::Faulted,
];

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::{StateChange, Store, put_states};
    use super::*;
    use crate::reports::Grouping;

    #[test]
    fn a_year_is_a_few_stretches() {
        let found = stretches(20_000, 20_364);
        let rows: i64 = found.iter().map(|stretch| stretch.last - stretch.first + 1).sum();
        assert!(found.len() <= 5 && rows <= 32, "{found:?}");
        assert_eq!(stretches(7, 7), [Stretch { size: 1, first: 7, last: 7 }]);
        assert_eq!(stretches(64, 127), [Stretch { size: 64, first: 1, last: 1 }]);
        assert_eq!(stretches(8, 7), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// However states follow each other, a report on each station says how long it was in each of them.
        #[test]
        fn the_time_in_each_state_is_the_sum_of_its_days(
            changes in prop::collection::vec((0..2_usize, -70_i64..200, 0..5_usize, 0_i64..1_000, 0_i64..3), 1..20),
            first in -80_i64..100, days in 0_i64..200,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let file = std::env::temp_dir().join(format!("ocpp-csms-spans-{}.sqlite", uuid::Uuid::new_v4().simple()));
            runtime.block_on(async {
                let store = Store::open(&file).await.unwrap();
                let (stations, last) = (["CS-1", "CS-2"], first + days);
                let mut expected = BTreeMap::<(&str, StationState), i64>::new();
                let mut faults = BTreeMap::<&str, i64>::new();
                for &(station, day, state, duration, entered) in &changes {
                    let (station, state) = (stations[station], STATES[state]);
                    let times = BTreeMap::from([((day, state), (duration, entered))]);
                    let since = Timestamp::UNIX_EPOCH;
                    let change = StateChange { station: station.to_owned(), state, since, times };
                    let other = StateChange { station: "CS-3".to_owned(), ..change.clone() };
                    let mut unit = store.later_unit();
                    put_states(&mut unit, &[change, other]);
                    unit.commit().await.unwrap();
                    if (first..=last).contains(&day) {
                        *expected.entry((station, state)).or_default() += duration;
                        if state == StationState::Faulted {
                            *faults.entry(station).or_default() += entered;
                        }
                    }
                }
                for range in [None, Some(("CS-1", "CS-1")), Some(("CS-1", "CS-2"))] {
                    for grouping in [Grouping::Station, Grouping::StationDay] {
                        let (mut said, mut told) = (BTreeMap::new(), BTreeMap::new());
                        let rows = store.report_states(grouping, range, first, last).await.unwrap();
                        for row in rows.into_iter().filter(|row| row.station.as_deref() != Some("CS-3")) {
                            let station = stations[usize::from(row.station.unwrap() == stations[1])];
                            for (state, time) in row.times {
                                *said.entry((station, state)).or_default() += time;
                            }
                            *told.entry(station).or_default() += row.faults;
                        }
                        let is_meant = |station: &str| range.is_none_or(|(_, last)| station <= last);
                        said.retain(|_, time| *time != 0);
                        told.retain(|_, number| *number != 0);
                        let mut meant = expected.clone();
                        meant.retain(|(station, _), time| is_meant(station) && *time != 0);
                        let mut became = faults.clone();
                        became.retain(|station, number| is_meant(station) && *number != 0);
                        assert_eq!((said, told), (meant, became), "{grouping} {range:?}");
                    }
                }
                store.close().await;
            });
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
            }
        }

        #[test]
        fn stretches_have_each_day_once_and_in_order(first in -500_i64..30_000, days in 1_i64..500) {
            let mut next = first;
            for stretch in stretches(first, first + days - 1) {
                prop_assert_eq!(stretch.first * stretch.size, next);
                prop_assert!(stretch.last >= stretch.first);
                next = (stretch.last + 1) * stretch.size;
            }
            prop_assert_eq!(next, first + days);
        }
    }
}
