//! What reports add up: totals of days and hours, of each station and of all of them, and the calendars of the stations.

use std::collections::BTreeMap;

use iso_currency::Currency;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::{Row, Store, StoreError, Unit, report_spans, sql};
use crate::reports::{DayTotal, Hour, HourTotal, Session, Totals};

/// Parts in which the totals of all stations are kept.
const PARTS: u32 = 4;
/// Sessions that are read at once.
const PAGE: i64 = 1_000;

/// The part of the fleet that a station belongs to: the same for ever, so it does not depend on the hash of any library (FNV-1a).
pub(super) fn part(station: &str) -> i64 {
    let hash = station.bytes().fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i64::from(hash % PARTS)
}

/// Adds to the totals of a station and of the fleet. To be written last in its unit, so that nobody waits for others while holding what
/// many write.
pub(crate) async fn add_to_totals(unit: &mut Unit, station: &str, totals: &Totals) -> Result<(), StoreError> {
    let part = part(station);
    for ((day, currency), total) in &totals.days {
        let DayTotal { sessions, energy, fees, occupied } = *total;
        let statement = sql("INSERT INTO report_days (station, day, currency, sessions, energy, fees, occupied) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (station, day, currency) DO UPDATE SET \
             sessions = report_days.sessions + excluded.sessions, energy = report_days.energy + excluded.energy, \
             fees = report_days.fees + excluded.fees, occupied = report_days.occupied + excluded.occupied");
        let statement = statement.bind(station).bind(*day).bind(currency);
        unit.execute(statement.bind(sessions).bind(energy).bind(fees).bind(occupied)).await?;
        report_spans::add_day(unit, station, *day, currency, *total).await?;
    }
    for (hour, total) in &totals.hours {
        let statement =
            sql("INSERT INTO report_hours (station, hour, slot, energy, occupied) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (station, hour, slot) DO UPDATE SET energy = report_hours.energy + excluded.energy, \
             occupied = report_hours.occupied + excluded.occupied");
        unit.execute(statement.bind(station).bind(hour.begins).bind(hour.slot).bind(total.energy).bind(total.occupied))
            .await?;
    }
    for ((day, currency), total) in &totals.days {
        let DayTotal { sessions, energy, fees, occupied } = *total;
        let statement = sql("INSERT INTO report_fleet_days (part, day, currency, sessions, energy, fees, occupied) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (day, currency, part) DO UPDATE SET \
             sessions = report_fleet_days.sessions + excluded.sessions, energy = report_fleet_days.energy + excluded.energy, \
             fees = report_fleet_days.fees + excluded.fees, occupied = report_fleet_days.occupied + excluded.occupied");
        let statement = statement.bind(part).bind(*day).bind(currency);
        unit.execute(statement.bind(sessions).bind(energy).bind(fees).bind(occupied)).await?;
    }
    for (hour, total) in &totals.hours {
        let statement =
            sql("INSERT INTO report_fleet_hours (part, hour, slot, energy, occupied) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (hour, slot, part) DO UPDATE SET energy = report_fleet_hours.energy + excluded.energy, \
             occupied = report_fleet_hours.occupied + excluded.occupied");
        unit.execute(statement.bind(part).bind(hour.begins).bind(hour.slot).bind(total.energy).bind(total.occupied))
            .await?;
    }
    Ok(())
}

/// The calendar of a station, if it has one of its own.
pub(crate) async fn zone_of(unit: &mut Unit, station: &str) -> Result<Option<TimeZone>, StoreError> {
    let row = unit.fetch_optional(sql("SELECT zone FROM station_zones WHERE station = $1").bind(station)).await?;
    row.map(|row| zone(&row)).transpose()
}

fn zone(row: &Row) -> Result<TimeZone, StoreError> {
    let name = row.text("zone")?;
    TimeZone::get(&name).map_err(|_| StoreError::Content { what: "a time zone", value: name })
}

/// The totals of a station as they are kept.
pub(crate) async fn totals_of(unit: &mut Unit, station: &str) -> Result<Totals, StoreError> {
    let mut totals = Totals::default();
    let days = sql("SELECT day, currency, sessions, energy, fees, occupied FROM report_days WHERE station = $1");
    for row in unit.fetch_all(days.bind(station)).await? {
        totals.days.insert((row.integer("day")?, row.text("currency")?), day_total(&row)?);
    }
    let hours = sql("SELECT hour, slot, energy, occupied FROM report_hours WHERE station = $1");
    for row in unit.fetch_all(hours.bind(station)).await? {
        let hour = Hour { begins: row.integer("hour")?, slot: row.integer("slot")? };
        totals.hours.insert(hour, hour_total(&row)?);
    }
    Ok(totals)
}

pub(crate) fn day_total(row: &Row) -> Result<DayTotal, StoreError> {
    Ok(DayTotal {
        sessions: row.integer("sessions")?,
        energy: row.integer("energy")?,
        fees: row.integer("fees")?,
        occupied: row.integer("occupied")?,
    })
}

pub(crate) fn hour_total(row: &Row) -> Result<HourTotal, StoreError> {
    Ok(HourTotal { energy: row.integer("energy")?, occupied: row.integer("occupied")? })
}

/// Counts all sessions of a station that have ended.
pub(crate) async fn count_sessions(unit: &mut Unit, station: &str, zone: &TimeZone) -> Result<Totals, StoreError> {
    let mut totals = Totals::default();
    let mut after = String::new();
    loop {
        let statement =
            sql("SELECT id, started_at, stopped_at, meter_start, meter_last, currency, cost FROM transactions \
             WHERE station = $1 AND id > $2 AND stopped_at IS NOT NULL ORDER BY id LIMIT $3");
        let rows = unit.fetch_all(statement.bind(station).bind(&after).bind(PAGE)).await?;
        for row in &rows {
            totals.count(&session(row)?, zone, 1);
        }
        match rows.last() {
            Some(last) => after = last.text("id")?,
            None => return Ok(totals),
        }
    }
}

fn session(row: &Row) -> Result<Session, StoreError> {
    let (start, last) = (row.optional_parsed::<Decimal>("meter_start")?, row.optional_parsed::<Decimal>("meter_last")?);
    let energy = start.zip(last).and_then(|(start, last)| last.checked_sub(start)).unwrap_or_default();
    Ok(Session {
        started_at: row.moment("started_at")?,
        stopped_at: row.moment("stopped_at")?,
        energy_wh: energy.max(Decimal::ZERO),
        fees: row.integer("cost")?,
        currency: row.parsed::<Currency>("currency")?.code(),
    })
}

/// Removes what is left of totals that were taken away, and makes those of longer stretches anew.
pub(crate) async fn tidy_totals(unit: &mut Unit, station: &str) -> Result<(), StoreError> {
    for text in [
        "DELETE FROM report_days WHERE station = $1 AND sessions = 0 AND energy = 0 AND fees = 0 AND occupied = 0",
        "DELETE FROM report_hours WHERE station = $1 AND energy = 0 AND occupied = 0",
    ] {
        unit.execute(sql(text).bind(station)).await?;
    }
    report_spans::rebuild(unit, station).await
}

impl Store {
    /// The calendars of the stations that have one of their own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn station_zones(&self) -> Result<BTreeMap<String, TimeZone>, StoreError> {
        let rows = self.fetch_all(sql("SELECT station, zone FROM station_zones")).await?;
        rows.iter().map(|row| Ok((row.text("station")?, zone(row)?))).collect()
    }

    /// Gives a station a calendar of its own, or takes it away.
    pub(crate) async fn set_station_zone(
        &self,
        unit: &mut Unit,
        station: &str,
        zone: Option<&str>,
    ) -> Result<(), StoreError> {
        let statement = match zone {
            Some(zone) => sql("INSERT INTO station_zones (station, zone) VALUES ($1, $2) \
                 ON CONFLICT (station) DO UPDATE SET zone = excluded.zone")
            .bind(station)
            .bind(zone),
            None => sql("DELETE FROM station_zones WHERE station = $1").bind(station),
        };
        unit.execute(statement).await?;
        Ok(())
    }
}
