//! What reports read.

use iso_currency::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::report_totals::{day_total, hour_total};
use super::{Row, Statement, Store, StoreError, sql};
use crate::reports::{Day, DayTotal, Grouping, HourTotal, StationState};

/// Totals of a row of a report: of a station, a day, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TotalRow {
    pub(crate) station: Option<String>,
    pub(crate) day: Option<Day>,
    pub(crate) currency: Currency,
    pub(crate) total: DayTotal,
}

/// The time in a state of a row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateRow {
    pub(crate) station: Option<String>,
    pub(crate) day: Option<Day>,
    pub(crate) state: StationState,
    /// In ms.
    pub(crate) duration: i64,
    pub(crate) entered: i64,
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

impl Store {
    /// Totals of the days from `first` to `last`: of one station or of all.
    pub(crate) async fn report_totals(
        &self,
        grouping: Grouping,
        station: Option<&str>,
        first: Day,
        last: Day,
    ) -> Result<Vec<TotalRow>, StoreError> {
        let text = match (grouping, station) {
            (Grouping::Day, None) => format!(
                "SELECT day, currency, {SUMS} FROM report_fleet_days WHERE day BETWEEN $1 AND $2 GROUP BY day, currency \
                 ORDER BY day, currency"
            ),
            (Grouping::Day | Grouping::StationDay, Some(_)) => {
                "SELECT station, day, currency, sessions, energy, fees, occupied \
                 FROM report_days WHERE station = $3 AND day BETWEEN $1 AND $2 ORDER BY day, currency"
                    .to_owned()
            }
            (Grouping::StationDay, None) => {
                "SELECT station, day, currency, sessions, energy, fees, occupied FROM report_days \
                 WHERE day BETWEEN $1 AND $2 ORDER BY station, day, currency"
                    .to_owned()
            }
            (Grouping::Station, None) => format!(
                "SELECT station, currency, {SUMS} FROM report_days WHERE day BETWEEN $1 AND $2 GROUP BY station, currency \
                 ORDER BY station, currency"
            ),
            (Grouping::Station, Some(_)) => format!(
                "SELECT station, currency, {SUMS} FROM report_days WHERE station = $3 AND day BETWEEN $1 AND $2 \
                 GROUP BY station, currency ORDER BY station, currency"
            ),
        };
        let rows = self.fetch_all(bounds(text, station, first, last)).await?;
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

    /// The time in each state.
    pub(crate) async fn report_states(
        &self,
        grouping: Grouping,
        station: Option<&str>,
        first: Day,
        last: Day,
    ) -> Result<Vec<StateRow>, StoreError> {
        let keys = match grouping {
            Grouping::Day => "day",
            Grouping::Station => "station",
            Grouping::StationDay => "station, day",
        };
        let table = match (grouping, station) {
            (Grouping::Day, None) => "report_fleet_states",
            _ => "report_states",
        };
        let which = if station.is_some() { "station = $3 AND " } else { "" };
        let text = format!(
            "SELECT {keys}, state, CAST(SUM(duration) AS BIGINT) AS duration, CAST(SUM(entered) AS BIGINT) AS entered \
             FROM {table} WHERE {which}day BETWEEN $1 AND $2 GROUP BY {keys}, state"
        );
        let rows = self.fetch_all(bounds(text, station, first, last)).await?;
        rows.iter()
            .map(|row| {
                Ok(StateRow {
                    station: (grouping != Grouping::Day).then(|| row.text("station")).transpose()?,
                    day: (grouping != Grouping::Station).then(|| row.integer("day")).transpose()?,
                    state: row.parsed("state")?,
                    duration: row.integer("duration")?,
                    entered: row.integer("entered")?,
                })
            })
            .collect()
    }

    /// The states that stations are in now: of one, or of all.
    pub(crate) async fn present_states(
        &self,
        station: Option<&str>,
    ) -> Result<Vec<(String, StationState, Timestamp)>, StoreError> {
        let statement =
            sql("SELECT station, state, since FROM station_states WHERE CAST($1 AS TEXT) IS NULL OR station = $1");
        let rows = self.fetch_all(statement.bind(station)).await?;
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
            Some(_) => "report_hours WHERE station = $3 AND",
            None => "report_fleet_hours WHERE",
        };
        let text = format!(
            "SELECT {key}, CAST(SUM(energy) AS BIGINT) AS energy, CAST(SUM(occupied) AS BIGINT) AS occupied FROM {source} \
             hour >= $1 AND hour < $2 GROUP BY {key} ORDER BY {key}"
        );
        let rows = self.fetch_all(bounds(text, station, from.as_millisecond(), until.as_millisecond())).await?;
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

fn bounds(text: String, station: Option<&str>, first: i64, last: i64) -> Statement {
    let statement = sql(text).bind(first).bind(last);
    match station {
        Some(station) => statement.bind(station),
        None => statement,
    }
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
