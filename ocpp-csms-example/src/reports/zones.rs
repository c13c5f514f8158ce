//! The calendars of stations.

use super::days::known;
use super::range::{ReportError, zone};
use super::rebuild_in;
use super::utilisation::calendar;
use crate::access::Actor;
use crate::server::Csms;

/// The calendar of a station, or of the installation, by its IANA name.
///
/// # Errors
/// When there is no such station.
pub async fn calendar_name(csms: &Csms, station: Option<&str>) -> Result<String, ReportError> {
    Ok(calendar(csms, station).await?.iana_name().unwrap_or("UTC").to_owned())
}

/// Gives a station a calendar of its own, or that of the installation, and counts its sessions anew by it. How long it was in which
/// state stays with the days to which it was counted.
///
/// # Errors
/// When there is no such station or time zone.
pub async fn set_zone(csms: &Csms, actor: &Actor, station: &str, name: Option<&str>) -> Result<(), ReportError> {
    known(csms, station).await?;
    if let Some(name) = name {
        zone(name)?;
    }
    let mut unit = csms.store().serial_unit().await?;
    csms.store().set_station_zone(&mut unit, station, name).await?;
    rebuild_in(&mut unit, station, &csms.config().time_zone).await?;
    unit.commit().await?;
    let detail = name.unwrap_or("that of the installation").to_owned();
    csms.audit(actor, "station.time_zone_set", station, detail).await;
    Ok(())
}
