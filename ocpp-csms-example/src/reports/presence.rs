//! How long stations are connected, available, occupied, faulted: noted as they change.
//!
//! A task listens to what happens and looks at the live state of the stations concerned, so missing something is made good by looking
//! again. When the program ends or is killed, the time until the last sign of life counts; what came after it counts as offline.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::spread::by_day;
use crate::server::Csms;
use crate::stations::{ConnectorView, LiveStation};
use crate::store::{StateChange, StoreError, put_states, text_enum};

/// How often it is noted that the program lives.
const LIFE: Duration = Duration::from_secs(60);
/// The setting that holds the last sign of life.
const LAST_SEEN: &str = "reports_last_seen";
/// Stations whose change is written at once.
const TOGETHER: usize = 200;

text_enum! {
    /// The state of a station as a whole.
    StationState {
        /// It is not connected.
        Offline = "offline",
        /// It is connected, and somebody could charge.
        Available = "available",
        /// A vehicle is there.
        Occupied = "occupied",
        /// It is connected, and out of service or reserved.
        Unavailable = "unavailable",
        /// It is connected, and it or all of its connectors are faulted.
        Faulted = "faulted",
    }
}

impl StationState {
    /// The state that connection and connectors make.
    fn of(live: &LiveStation) -> Self {
        if live.connection.is_none() {
            return Self::Offline;
        }
        let whole = live.connectors.get(&(0, 0)).map(|view| view.status.as_str());
        let single = || live.connectors.iter().filter(|((evse, _), _)| *evse > 0).map(|(_, view)| view);
        if single().any(is_occupied) {
            return Self::Occupied;
        }
        if whole == Some("Faulted") {
            return Self::Faulted;
        }
        if whole == Some("Unavailable") {
            return Self::Unavailable;
        }
        let mut statuses: BTreeSet<&str> = single().map(|view| view.status.as_str()).collect();
        if statuses.is_empty() || statuses.contains("Available") {
            return Self::Available;
        }
        statuses.remove("Faulted");
        if statuses.is_empty() { Self::Faulted } else { Self::Unavailable }
    }
}

/// In the words of all versions.
fn is_occupied(view: &ConnectorView) -> bool {
    matches!(
        view.status.as_str(),
        "Occupied" | "Preparing" | "Charging" | "SuspendedEV" | "SuspendedEVSE" | "Finishing"
    )
}

/// Closes what was open when the program ended: from its last sign of life on, every station was offline.
pub(crate) async fn resume(csms: &Csms) -> Result<(), StoreError> {
    let store = csms.store();
    let seen = store.setting(LAST_SEEN).await?.and_then(|text| text.parse::<Timestamp>().ok());
    let Some(seen) = seen else { return Ok(()) };
    let zones = store.station_zones().await?;
    let open = store.open_states().await?;
    for stations in open.chunks(TOGETHER) {
        let changes = stations.iter().map(|(station, before)| {
            let zone = zones.get(station).unwrap_or(&csms.config().time_zone);
            change(station, zone, Some(*before), StationState::Offline, seen)
        });
        let mut unit = store.later_unit();
        put_states(&mut unit, &changes.collect::<Vec<_>>());
        unit.commit().await?;
    }
    Ok(())
}

/// The state that each station is in, as it was last kept: nobody else changes it while the server runs.
type Known = HashMap<Arc<str>, (StationState, Timestamp)>;

async fn known(csms: &Csms) -> Result<Known, StoreError> {
    let kept = csms.store().present_states(None).await?;
    Ok(kept.into_iter().map(|(station, state, since)| (station.into(), (state, since))).collect())
}

/// Notes the states of the stations until the server stops.
pub(crate) async fn watch(csms: Csms, stop: CancellationToken) {
    let mut notices = csms.stations().notices();
    let mut kept = None;
    let mut life = tokio::time::interval(LIFE);
    // Who connected before this listened is looked at with the first that happens.
    let mut missed = true;
    loop {
        let mut changed = BTreeSet::new();
        tokio::select! {
            notice = notices.recv() => match notice {
                Ok(notice) => {
                    changed.insert(notice.station);
                }
                Err(RecvError::Lagged(_)) => missed = true,
                Err(RecvError::Closed) => return,
            },
            _ = life.tick() => {
                if let Err(error) = csms.store().put_setting(LAST_SEEN, &Timestamp::now().to_string()).await {
                    tracing::warn!(%error, "the sign of life for the reports cannot be kept");
                }
                continue;
            }
            () = stop.cancelled() => break,
        }
        // What waits already goes with it.
        while changed.len() < TOGETHER {
            match notices.try_recv() {
                Ok(notice) => {
                    changed.insert(notice.station);
                }
                Err(TryRecvError::Lagged(_)) => missed = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let kept = match &mut kept {
            Some(kept) => kept,
            None => match known(&csms).await {
                Ok(read) => kept.insert(read),
                Err(error) => {
                    tracing::warn!(%error, "the states of stations cannot be read for the reports");
                    missed = true;
                    continue;
                }
            },
        };
        let mut news = BTreeMap::new();
        let look = |station: &Arc<str>, live: &LiveStation| {
            let state = StationState::of(live);
            // One that was never there need not be said to be away.
            let before = kept.get(station).map_or(StationState::Offline, |(state, _)| *state);
            if before != state {
                news.insert(Arc::clone(station), state);
            }
        };
        if std::mem::take(&mut missed) {
            csms.stations().look_at_all(look);
        } else {
            csms.stations().look_at(&changed, look);
        }
        // The next change of the station makes good what fails.
        if let Err(error) = note(&csms, kept, &news).await {
            tracing::warn!(%error, "the states of stations cannot be kept for the reports");
        }
    }
    // The end of the server is the end of the connections.
    let Some(mut kept) = kept else { return };
    let open = kept.iter().filter(|(_, (state, _))| *state != StationState::Offline);
    let news = open.map(|(station, _)| (Arc::clone(station), StationState::Offline)).collect();
    if let Err(error) = note(&csms, &mut kept, &news).await {
        // The next start closes what is open.
        tracing::debug!(%error, "the states of stations were not kept for the reports");
    }
}

/// Keeps new states of stations.
async fn note(csms: &Csms, kept: &mut Known, news: &BTreeMap<Arc<str>, StationState>) -> Result<(), StoreError> {
    if news.is_empty() {
        return Ok(());
    }
    let now = Timestamp::now();
    let zones = csms.store().station_zones().await?;
    let changes = news.iter().map(|(station, state)| {
        let zone = zones.get(&**station).unwrap_or(&csms.config().time_zone);
        change(station, zone, kept.get(station).copied(), *state, now)
    });
    let mut unit = csms.store().later_unit();
    put_states(&mut unit, &changes.collect::<Vec<_>>());
    unit.commit().await?;
    kept.extend(news.iter().map(|(station, state)| (Arc::clone(station), (*state, now))));
    Ok(())
}

/// A station came into a state: the time in the one before is added up.
pub(crate) fn change(
    station: &str,
    zone: &TimeZone,
    before: Option<(StationState, Timestamp)>,
    state: StationState,
    now: Timestamp,
) -> StateChange {
    let mut times = BTreeMap::new();
    if let Some((before, since)) = before {
        for (day, duration) in by_day(since, now, zone) {
            times.insert((day, before), (duration, 0));
        }
    }
    times.entry((super::spread::day(now, zone), state)).or_insert((0, 0)).1 += 1;
    StateChange { station: station.to_owned(), state, since: now, times }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(connected: bool, connectors: &[((i64, i64), &str)]) -> StationState {
        let mut live = LiveStation::default();
        if connected {
            live.connection = Some(crate::stations::Connection {
                version: ocpp_core::types::Version::V2_1,
                profile: ocpp_core::transport::SecurityProfile::None,
                remote: "127.0.0.1:1".parse().unwrap(),
                since: Timestamp::UNIX_EPOCH,
            });
        }
        for (place, status) in connectors {
            let view = ConnectorView { status: (*status).to_owned(), error: None, since: Timestamp::UNIX_EPOCH };
            live.connectors.insert(*place, view);
        }
        StationState::of(&live)
    }

    #[test]
    fn the_state_of_a_station_is_what_its_connectors_make() {
        use StationState::{Available, Faulted, Occupied, Offline, Unavailable};
        for (connected, connectors, state) in [
            (false, &[((1, 1), "Charging")][..], Offline),
            (true, &[], Available),
            (true, &[((1, 1), "Available"), ((2, 1), "Faulted")], Available),
            (true, &[((1, 1), "Faulted"), ((2, 1), "Faulted")], Faulted),
            (true, &[((1, 1), "Faulted"), ((2, 1), "Occupied")], Occupied),
            (true, &[((1, 1), "Faulted"), ((2, 1), "Reserved")], Unavailable),
            (true, &[((0, 0), "Faulted"), ((1, 1), "Available")], Faulted),
            (true, &[((0, 0), "Unavailable"), ((1, 1), "Available")], Unavailable),
            (true, &[((0, 0), "Available"), ((1, 1), "SuspendedEV")], Occupied),
        ] {
            assert_eq!(live(connected, connectors), state, "{connectors:?}");
        }
    }
}
