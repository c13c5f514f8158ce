//! How long stations were in which state, for the reports.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::report_spans::{StateTotals, add_states};
use super::report_totals::part;
use super::{Rows, Store, StoreError, Target, Unit, sql};
use crate::reports::{Day, StationState};

/// How long, in ms, and how often entered.
pub(crate) type StateTime = (i64, i64);

const FLEET: Target = Target {
    into: "INSERT INTO report_fleet_states (part, day, state, duration, entered)",
    columns: 5,
    otherwise: "ON CONFLICT (day, state, part) DO UPDATE SET duration = report_fleet_states.duration + excluded.duration, \
                entered = report_fleet_states.entered + excluded.entered",
};
const PRESENT: Target = Target {
    into: "INSERT INTO station_states (station, state, since)",
    columns: 3,
    otherwise: "ON CONFLICT (station) DO UPDATE SET state = excluded.state, since = excluded.since",
};

/// A station came into a state.
#[derive(Debug, Clone)]
pub(crate) struct StateChange {
    pub(crate) station: String,
    pub(crate) state: StationState,
    pub(crate) since: Timestamp,
    /// What is added up: the time in the state before, and that this one was entered.
    pub(crate) times: BTreeMap<(Day, StationState), StateTime>,
}

/// Keeps new states of stations, and adds up what goes before. Those of one station are in the order of time, and all in one call of a unit.
pub(crate) fn put_states(unit: &mut Unit, changes: &[StateChange]) {
    let mut fleet = BTreeMap::<(i64, Day, &str), StateTime>::new();
    let mut totals = StateTotals::default();
    let mut last = BTreeMap::<&str, (StationState, Timestamp)>::new();
    for StateChange { station, state, since, times } in changes {
        for ((day, state), (duration, entered)) in times {
            let sum = fleet.entry((part(station), *day, state.as_str())).or_default();
            *sum = (sum.0 + duration, sum.1 + entered);
            add_states(&mut totals, station, *day, *state, (*duration, *entered));
        }
        last.insert(station, (*state, *since));
    }
    let mut present = Rows::new(PRESENT);
    for (station, (state, since)) in last {
        present.push([station.into(), state.as_str().into(), since.into()]);
    }
    let mut rows = Rows::new(FLEET);
    for ((part, day, state), (duration, entered)) in fleet {
        rows.push([part.into(), day.into(), state.into(), duration.into(), entered.into()]);
    }
    unit.keep(totals.rows());
    unit.keep(rows);
    unit.keep(present);
}

impl Store {
    /// The stations that are in a state other than offline, and since when.
    pub(crate) async fn open_states(&self) -> Result<Vec<(String, (StationState, Timestamp))>, StoreError> {
        let rows =
            self.fetch_all(sql("SELECT station, state, since FROM station_states WHERE state <> 'offline'")).await?;
        rows.iter().map(|row| Ok((row.text("station")?, (row.parsed("state")?, row.moment("since")?)))).collect()
    }
}
