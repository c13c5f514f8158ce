//! Hours, energy and fees: of each station, of each day, of each station and day.

use std::collections::{BTreeMap, HashMap};

use iso_currency::Currency;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::presence::StationState;
use super::range::{Range, ReportError};
use super::spread::{Day, by_day, date};
use crate::server::Csms;
use crate::store::text_enum;

/// Days of a report on every day of every station at most.
const MAX_STATION_DAYS: i64 = 31;

text_enum! {
    /// What a line of a report is about.
    Grouping {
        /// A day of a station.
        StationDay = "station_day",
        /// A station.
        Station = "station",
        /// A day.
        Day = "day",
    }
}

/// Energy, fees and time of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Sessions that ended.
    pub sessions: i64,
    /// What was charged in them, in mWh.
    pub energy_mwh: i64,
    /// What they cost, in minor units of each currency.
    pub fees: BTreeMap<&'static str, i64>,
    /// The time of all sessions together, in ms.
    pub occupied: i64,
    /// The time of the stations in each state, in ms.
    pub states: BTreeMap<StationState, i64>,
    /// How often a station became faulted.
    pub faults: i64,
}

impl Figures {
    /// What was charged, in kWh.
    #[must_use]
    pub fn energy_kwh(&self) -> Decimal {
        Decimal::new(self.energy_mwh, 6)
    }

    /// The time in a state, in ms.
    #[must_use]
    pub fn time(&self, state: StationState) -> i64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// The time with a connection, in ms: the working hours.
    #[must_use]
    pub fn connected(&self) -> i64 {
        self.states.iter().filter(|(state, _)| **state != StationState::Offline).map(|(_, time)| time).sum()
    }

    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.energy_mwh += other.energy_mwh;
        for (currency, fees) in &other.fees {
            *self.fees.entry(currency).or_default() += fees;
        }
        self.occupied += other.occupied;
        for (state, time) in &other.states {
            *self.states.entry(*state).or_default() += time;
        }
        self.faults += other.faults;
    }
}

/// A line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The station, unless it is about all of them.
    pub station: Option<String>,
    /// The day, unless it is about all of them.
    pub day: Option<Date>,
    /// What is told.
    pub figures: Figures,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayReport {
    /// The days.
    pub range: Range,
    /// Their calendar, where a station has none of its own.
    pub zone: String,
    /// What a line is about.
    pub grouping: Grouping,
    /// The station, if it is about one.
    pub station: Option<String>,
    /// The lines, in the order of stations and days.
    pub lines: Vec<Line>,
    /// All lines together.
    pub total: Figures,
}

/// The report on one station or on all.
///
/// # Errors
/// When there is no such station, or the range is too long.
pub async fn days(
    csms: &Csms,
    range: Range,
    station: Option<&str>,
    grouping: Grouping,
) -> Result<DayReport, ReportError> {
    if let Some(station) = station {
        known(csms, station).await?;
    } else if grouping == Grouping::StationDay {
        range
            .at_most(MAX_STATION_DAYS, " on every day of every station: name a station, or group by station or day")?;
    }
    let mut lines = figures(csms, range, station.map(|station| (station, station)), grouping).await?;
    if grouping == Grouping::Day {
        // A chart has a place for every day.
        for day in range.first()..=range.last() {
            lines.entry((None, Some(day))).or_default();
        }
    }
    let mut total = Figures::default();
    lines.values().for_each(|figures| total.add(figures));
    let zone = csms.config().time_zone.iana_name().unwrap_or("UTC").to_owned();
    Ok(DayReport { range, zone, grouping, station: station.map(str::to_owned), lines: in_order(lines), total })
}

/// Every day of the stations from one identity to another, both included.
///
/// # Errors
/// When the database fails.
pub async fn station_days(csms: &Csms, range: Range, from: &str, until: &str) -> Result<Vec<Line>, ReportError> {
    Ok(in_order(figures(csms, range, Some((from, until)), Grouping::StationDay).await?))
}

/// What a line is about: a station, a day, or both.
type Key = (Option<String>, Option<Day>);

fn in_order(lines: BTreeMap<Key, Figures>) -> Vec<Line> {
    let line = |((station, day), figures): (Key, Figures)| Line { station, day: day.and_then(date), figures };
    lines.into_iter().map(line).collect()
}

/// The figures of each line, of the stations from one identity to another, or of all.
async fn figures(
    csms: &Csms,
    range: Range,
    stations: Option<(&str, &str)>,
    grouping: Grouping,
) -> Result<BTreeMap<Key, Figures>, ReportError> {
    let store = csms.store();
    let (first, last) = (range.first(), range.last());
    let mut lines = BTreeMap::<Key, Figures>::new();
    for row in store.report_totals(grouping, stations, first, last).await? {
        let figures = lines.entry((row.station, row.day)).or_default();
        figures.sessions += row.total.sessions;
        figures.energy_mwh += row.total.energy;
        if row.total.sessions != 0 || row.total.fees != 0 {
            *figures.fees.entry(row.currency.code()).or_default() += row.total.fees;
        }
        figures.occupied += row.total.occupied;
    }
    for row in store.report_states(grouping, stations, first, last).await? {
        let figures = lines.entry((row.station, row.day)).or_default();
        for (state, time) in row.times.into_iter().filter(|(_, time)| *time != 0) {
            *figures.states.entry(state).or_default() += time;
        }
        figures.faults += row.faults;
    }
    let zones: HashMap<String, TimeZone> = store.station_zones().await?.into_iter().collect();
    let (now, installation) = (Timestamp::now(), &csms.config().time_zone);
    let usual = range.moments(installation);
    for (id, state, since) in store.present_states(stations).await? {
        let own = zones.get(&id);
        let (begin, end) = own.map_or(usual, |own| range.moments(own));
        let (from, until) = (since.max(begin), now.min(end));
        if grouping == Grouping::Station {
            let time = until.as_millisecond() - from.as_millisecond();
            if time > 0 {
                *lines.entry((Some(id), None)).or_default().states.entry(state).or_default() += time;
            }
            continue;
        }
        for (day, time) in by_day(from, until, own.unwrap_or(installation)) {
            let station = (grouping == Grouping::StationDay).then(|| id.clone());
            *lines.entry((station, Some(day))).or_default().states.entry(state).or_default() += time;
        }
    }
    Ok(lines)
}

/// All that was charged, paid and worked in a range: of one station or of all.
///
/// # Errors
/// When the database fails, or there is no such station.
pub async fn total(csms: &Csms, range: Range, station: Option<&str>) -> Result<Figures, ReportError> {
    Ok(days(csms, range, station, Grouping::Day).await?.total)
}

/// An amount as it is written in a report.
#[must_use]
pub fn written_fees(fees: &BTreeMap<&'static str, i64>) -> String {
    let parts: Vec<String> = fees
        .iter()
        .filter_map(|(code, minor)| {
            let currency = code.parse::<Currency>().ok()?;
            Some(crate::tariffs::written(*minor, currency))
        })
        .collect();
    parts.join(", ")
}

pub(super) async fn known(csms: &Csms, station: &str) -> Result<(), ReportError> {
    let known = csms.store().station(station).await?;
    known.map(drop).ok_or_else(|| ReportError::Unknown { what: "station", id: station.to_owned() })
}
