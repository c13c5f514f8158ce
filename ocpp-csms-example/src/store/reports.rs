//! What reports read.

use iso_currency::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::report_spans::{Kept, STATES};
use super::report_totals::{day_total, hour_total};
use super::{Row, Statement, Store, StoreError, report_spans, sql};
use crate::reports::{Day, DayTotal, Grouping, HourTotal, StationState};

/// Totals of a row of a report: of a station, a day, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TotalRow {
    pub(crate) station: Option<String>,
    pub(crate) day: Option<Day>,
    pub(crate) currency: Currency,
    pub(crate) total: DayTotal,
}

/// The time in each state of a row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateRow {
    pub(crate) station: Option<String>,
    pub(crate) day: Option<Day>,
    /// In ms.
    pub(crate) times: Vec<(StationState, i64)>,
    /// How often it became faulted.
    pub(crate) faults: i64,
}

/// A session in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The station.
    pub station: String,
    /// Its name.
    pub id: String,
    /// The EVSE.
    pub evse: Option<i64>,
    /// Who charged.
    pub token: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub stopped_at: Timestamp,
    /// What was charged, in Wh.
    pub energy_wh: Decimal,
    /// What it costs, in minor units.
    pub fees: i64,
    /// The currency.
    pub currency: Currency,
}

const SUMS: &str = "CAST(SUM(sessions) AS BIGINT) AS sessions, CAST(SUM(energy) AS BIGINT) AS energy, \
     CAST(SUM(fees) AS BIGINT) AS fees, CAST(SUM(occupied) AS BIGINT) AS occupied";

const STATE_SUMS: &str = "CAST(SUM(offline) AS BIGINT) AS offline, CAST(SUM(available) AS BIGINT) AS available, \
     CAST(SUM(occupied) AS BIGINT) AS occupied, CAST(SUM(unavailable) AS BIGINT) AS unavailable, \
     CAST(SUM(faulted) AS BIGINT) AS faulted, CAST(SUM(faults) AS BIGINT) AS faults";

/// Stations from one identity to another, both included; `None` are all of them.
pub(crate) type Stations<'a> = Option<(&'a str, &'a str)>;

impl Store {
    /// Totals of the days from `first` to `last`.
    pub(crate) async fn report_totals(
        &self,
        grouping: Grouping,
        stations: Stations<'_>,
        first: Day,
        last: Day,
    ) -> Result<Vec<TotalRow>, StoreError> {
        let statement = match (grouping, stations) {
            (Grouping::Day, None) => {
                let text = format!(
                    "SELECT day, currency, {SUMS} FROM report_fleet_days WHERE day BETWEEN $1 AND $2 \
                     GROUP BY day, currency ORDER BY day, currency"
                );
                bounds(text, None, first, last)
            }
            (Grouping::Day | Grouping::StationDay, stations) => {
                let which = which(stations);
                let text = format!(
                    "SELECT station, day, currency, sessions, energy, fees, occupied FROM report_days \
                     WHERE {which}day BETWEEN $1 AND $2 ORDER BY station, day, currency"
                );
                bounds(text, stations, first, last)
            }
            (Grouping::Station, stations) => {
                report_spans::over(Kept::Totals, "station, currency", SUMS, stations, (first, last))
            }
        };
        let rows = self.fetch_all(statement).await?;
        rows.iter()
            .map(|row| {
                Ok(TotalRow {
                    station: (grouping != Grouping::Day).then(|| row.text("station")).transpose()?,
                    day: (grouping != Grouping::Station).then(|| row.integer("day")).transpose()?,
                    currency: row.parsed("currency")?,
                    total: day_total(row)?,
                })
            })
            .collect()
    }

    /// The time in each state on the days from `first` to `last`.
    pub(crate) async fn report_states(
        &self,
        grouping: Grouping,
        stations: Stations<'_>,
        first: Day,
        last: Day,
    ) -> Result<Vec<StateRow>, StoreError> {
        let statement = match (grouping, stations) {
            (Grouping::Day, None) => {
                let text = "SELECT day, state, CAST(SUM(duration) AS BIGINT) AS duration, CAST(SUM(entered) AS BIGINT) AS entered \
                     FROM report_fleet_states WHERE day BETWEEN $1 AND $2 GROUP BY day, state";
                let rows = self.fetch_all(bounds(text.to_owned(), None, first, last)).await?;
                return rows.iter().map(state_of_fleet).collect();
            }
            (Grouping::Day | Grouping::StationDay, stations) => {
                let which = which(stations);
                let text = format!(
                    "SELECT station, span AS day, offline, available, occupied, unavailable, faulted, faults \
                     FROM report_state_spans WHERE {which}size = 1 AND span BETWEEN $1 AND $2"
                );
                bounds(text, stations, first, last)
            }
            (Grouping::Station, stations) => {
                report_spans::over(Kept::States, "station", STATE_SUMS, stations, (first, last))
            }
        };
        let rows = self.fetch_all(statement).await?;
        rows.iter()
            .map(|row| {
                let times = STATES.into_iter().map(|state| Ok((state, row.integer(state.as_str())?)));
                Ok(StateRow {
                    station: (grouping != Grouping::Day).then(|| row.text("station")).transpose()?,
                    day: (grouping != Grouping::Station).then(|| row.integer("day")).transpose()?,
                    times: times.collect::<Result<_, StoreError>>()?,
                    faults: row.integer("faults")?,
                })
            })
            .collect()
    }

    /// The states that stations are in now.
    pub(crate) async fn present_states(
        &self,
        stations: Stations<'_>,
    ) -> Result<Vec<(String, StationState, Timestamp)>, StoreError> {
        let select = "SELECT station, state, since FROM station_states";
        let statement = match stations {
            Some((from, until)) => sql(format!("{select} WHERE station BETWEEN $1 AND $2")).bind(from).bind(until),
            None => sql(select),
        };
        let rows = self.fetch_all(statement).await?;
        rows.iter().map(|row| Ok((row.text("station")?, row.parsed("state")?, row.moment("since")?))).collect()
    }

    /// Totals by the hour of the week of what begins between two moments.
    pub(crate) async fn report_slots(
        &self,
        station: Option<&str>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(i64, HourTotal)>, StoreError> {
        self.hours("slot", station, from, until).await
    }

    /// Totals of each hour that begins between two moments, in epoch milliseconds.
    pub(crate) async fn report_hours(
        &self,
        station: Option<&str>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(i64, HourTotal)>, StoreError> {
        self.hours("hour", station, from, until).await
    }

    async fn hours(
        &self,
        key: &'static str,
        station: Option<&str>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(i64, HourTotal)>, StoreError> {
        let source = match station {
            Some(_) => "report_hours WHERE station BETWEEN $3 AND $4 AND",
            None => "report_fleet_hours WHERE",
        };
        let text = format!(
            "SELECT {key}, CAST(SUM(energy) AS BIGINT) AS energy, CAST(SUM(occupied) AS BIGINT) AS occupied FROM {source} \
             hour >= $1 AND hour < $2 GROUP BY {key} ORDER BY {key}"
        );
        let stations = station.map(|station| (station, station));
        let rows = self.fetch_all(bounds(text, stations, from.as_millisecond(), until.as_millisecond())).await?;
        rows.iter().map(|row| Ok((row.integer(key)?, hour_total(row)?))).collect()
    }

    /// How many EVSEs there are, as far as stations told of them: of one station, or of all.
    pub(crate) async fn evse_count(&self, station: Option<&str>) -> Result<i64, StoreError> {
        let statement = sql("SELECT COUNT(*) AS number FROM (SELECT DISTINCT station, evse FROM connectors \
             WHERE evse > 0 AND (CAST($1 AS TEXT) IS NULL OR station = $1)) AS evses");
        self.fetch_one(statement.bind(station)).await?.integer("number")
    }

    /// The sessions of some tokens that ended between two moments, in the order of their ends; at most `limit`.
    pub(crate) async fn sessions_of_tokens(
        &self,
        tokens: &[String],
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let mut sessions = Vec::new();
        for token in tokens {
            let statement = sql(
                "SELECT station, id, evse, token, started_at, stopped_at, meter_start, meter_last, currency, cost \
                 FROM transactions WHERE lower(token) = lower($1) AND stopped_at >= $2 AND stopped_at < $3 \
                 ORDER BY stopped_at LIMIT $4",
            );
            let rows = self.fetch_all(statement.bind(token).bind(from).bind(until).bind(limit)).await?;
            for row in &rows {
                sessions.push(session(row)?);
            }
        }
        sessions.sort_by(|one, other| {
            (one.stopped_at, &one.station, &one.id).cmp(&(other.stopped_at, &other.station, &other.id))
        });
        sessions.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(sessions)
    }
}

/// The condition that goes with [`bounds`].
fn which(stations: Stations<'_>) -> &'static str {
    if stations.is_some() { "station BETWEEN $3 AND $4 AND " } else { "" }
}

fn bounds(text: String, stations: Stations<'_>, first: i64, last: i64) -> Statement {
    let statement = sql(text).bind(first).bind(last);
    match stations {
        Some((from, until)) => statement.bind(from).bind(until),
        None => statement,
    }
}

fn state_of_fleet(row: &Row) -> Result<StateRow, StoreError> {
    let (state, entered) = (row.parsed("state")?, row.integer("entered")?);
    let faults = if state == StationState::Faulted { entered } else { 0 };
    let times = vec![(state, row.integer("duration")?)];
    Ok(StateRow { station: None, day: Some(row.integer("day")?), times, faults })
}

fn session(row: &Row) -> Result<SessionRow, StoreError> {
    let (start, last) = (row.optional_parsed::<Decimal>("meter_start")?, row.optional_parsed::<Decimal>("meter_last")?);
    let energy = start.zip(last).and_then(|(start, last)| last.checked_sub(start)).unwrap_or_default();
    Ok(SessionRow {
        station: row.text("station")?,
        id: row.text("id")?,
        evse: row.optional_integer("evse")?,
        token: row.optional_text("token")?,
        started_at: row.moment("started_at")?,
        stopped_at: row.moment("stopped_at")?,
        energy_wh: energy.max(Decimal::ZERO),
        fees: row.integer("cost")?,
        currency: row.parsed("currency")?,
    })
}
