//! When stations are used: by the hour of the week, and hour after hour.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::days::known;
use super::range::{Range, ReportError};
use super::spread::HourTotal;
use crate::server::Csms;

/// Days of a chart by hours at most.
const MAX_DAYS: i64 = 62;

/// How much was used in an hour of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotUse {
    /// The day of the week: 0 is Monday.
    pub weekday: i64,
    /// The hour of the day, 0 to 23.
    pub hour: i64,
    /// The time of all sessions together, in ms.
    pub occupied: i64,
    /// What was charged, in mWh, spread evenly over each session.
    pub energy_mwh: i64,
    /// The part of the time in which an EVSE was used: 1 is all EVSEs, all the time. `None` as long as no station told of its EVSEs.
    pub share: Option<Decimal>,
}

/// The use of each hour of the week, all 168 from Monday, 0 o'clock on.
///
/// # Errors
/// When there is no such station.
pub async fn utilisation(csms: &Csms, range: Range, station: Option<&str>) -> Result<Vec<SlotUse>, ReportError> {
    let zone = calendar(csms, station).await?;
    let (from, until) = range.moments(&zone);
    let evses = csms.store().evse_count(station).await?;
    let mut slots = vec![HourTotal::default(); 168];
    for (slot, total) in csms.store().report_slots(station, from, until).await? {
        if let Some(place) = usize::try_from(slot).ok().and_then(|slot| slots.get_mut(slot)) {
            *place = total;
        }
    }
    // Of each day of the week there are so many in the range.
    let mut days = [0_i64; 7];
    let first = i64::from(range.from.weekday().to_monday_zero_offset());
    for day in 0..range.days() {
        if let Some(count) = usize::try_from((first + day) % 7).ok().and_then(|day| days.get_mut(day)) {
            *count += 1;
        }
    }
    let slots = (0_i64..).zip(slots).map(|(slot, total)| {
        let (weekday, hour) = (slot / 24, slot % 24);
        let weeks = usize::try_from(weekday).ok().and_then(|day| days.get(day)).copied().unwrap_or(0);
        let possible = Decimal::from(evses) * Decimal::from(weeks) * Decimal::from(3_600_000);
        SlotUse {
            weekday,
            hour,
            occupied: total.occupied,
            energy_mwh: total.energy,
            share: Decimal::from(total.occupied).checked_div(possible).map(|share| share.round_dp(4)),
        }
    });
    Ok(slots.collect())
}

/// The average power of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerPoint {
    /// When the hour begins.
    pub at: Timestamp,
    /// In W: the energy of each session spread evenly over its time.
    pub power_w: Decimal,
}

/// The average power of each hour, also of those in which nobody charged.
///
/// # Errors
/// When there is no such station, or the range is too long.
pub async fn power(csms: &Csms, range: Range, station: Option<&str>) -> Result<Vec<PowerPoint>, ReportError> {
    range.at_most(MAX_DAYS, " hour by hour: choose a shorter range, or the energy by day")?;
    let zone = calendar(csms, station).await?;
    let (from, until) = range.moments(&zone);
    let rows = csms.store().report_hours(station, from, until).await?;
    let mut totals: std::collections::BTreeMap<i64, i64> =
        rows.into_iter().map(|(hour, total)| (hour, total.energy)).collect();
    let mut hour = from.as_millisecond();
    while hour < until.min(Timestamp::now()).as_millisecond() {
        totals.entry(hour).or_default();
        hour += 3_600_000;
    }
    let points = totals.into_iter().filter_map(|(hour, energy)| {
        // mWh in an hour are mW.
        Some(PowerPoint { at: Timestamp::from_millisecond(hour).ok()?, power_w: Decimal::new(energy, 3) })
    });
    Ok(points.collect())
}

/// The calendar of a station, or of the installation.
pub(super) async fn calendar(csms: &Csms, station: Option<&str>) -> Result<jiff::tz::TimeZone, ReportError> {
    let Some(station) = station else { return Ok(csms.config().time_zone.clone()) };
    known(csms, station).await?;
    let own = csms.store().station_zones().await?.remove(station);
    Ok(own.unwrap_or_else(|| csms.config().time_zone.clone()))
}
