//! How long stations were in which state, for the reports.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::report_totals::part;
use super::{Store, StoreError, Unit, sql};
use crate::reports::{Day, StationState};

/// How long, in ms, and how often entered.
pub(crate) type StateTime = (i64, i64);

/// The state that a station is in, and since when.
pub(crate) async fn state_of(unit: &mut Unit, station: &str) -> Result<Option<(StationState, Timestamp)>, StoreError> {
    let row =
        unit.fetch_optional(sql("SELECT state, since FROM station_states WHERE station = $1").bind(station)).await?;
    row.map(|row| Ok((row.parsed("state")?, row.moment("since")?))).transpose()
}

/// A station is in a new state; what goes before is added up.
pub(crate) async fn put_state(
    unit: &mut Unit,
    station: &str,
    state: StationState,
    since: Timestamp,
    times: &BTreeMap<(Day, StationState), StateTime>,
) -> Result<(), StoreError> {
    for ((day, state), (duration, entered)) in times {
        let statement =
            sql("INSERT INTO report_states (station, day, state, duration, entered) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (station, day, state) DO UPDATE SET duration = report_states.duration + excluded.duration, \
             entered = report_states.entered + excluded.entered");
        unit.execute(statement.bind(station).bind(*day).bind(state.as_str()).bind(*duration).bind(*entered)).await?;
        let statement =
            sql("INSERT INTO report_fleet_states (part, day, state, duration, entered) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (day, state, part) DO UPDATE SET duration = report_fleet_states.duration + excluded.duration, \
             entered = report_fleet_states.entered + excluded.entered");
        let statement = statement.bind(part(station)).bind(*day).bind(state.as_str());
        unit.execute(statement.bind(*duration).bind(*entered)).await?;
    }
    let statement = sql("INSERT INTO station_states (station, state, since) VALUES ($1, $2, $3) \
         ON CONFLICT (station) DO UPDATE SET state = excluded.state, since = excluded.since");
    unit.execute(statement.bind(station).bind(state.as_str()).bind(since)).await?;
    Ok(())
}

impl Store {
    /// The stations that are in a state other than offline, and since when.
    pub(crate) async fn open_states(&self) -> Result<Vec<(String, (StationState, Timestamp))>, StoreError> {
        let rows =
            self.fetch_all(sql("SELECT station, state, since FROM station_states WHERE state <> 'offline'")).await?;
        rows.iter().map(|row| Ok((row.text("station")?, (row.parsed("state")?, row.moment("since")?)))).collect()
    }
}
