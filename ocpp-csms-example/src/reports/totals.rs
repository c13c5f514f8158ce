//! The totals that reports are made of: kept up to date with every session, and made anew from all of them.

use jiff::tz::TimeZone;

use super::spread::{Session, Totals};
use crate::store::{
    Store, StoreError, Transaction, Unit, add_to_totals, count_sessions, tidy_totals, totals_of, zone_of,
};

impl Session {
    /// A transaction as reports see it; `None` as long as it runs.
    #[must_use]
    pub fn of(transaction: &Transaction) -> Option<Self> {
        Some(Self {
            started_at: transaction.started_at,
            stopped_at: transaction.stopped_at?,
            energy_wh: transaction.energy_wh(),
            fees: transaction.cost,
            currency: transaction.currency.code(),
        })
    }
}

/// Takes a change of a session into the totals: its end, or what became known of it after that. To be called last in the unit that keeps
/// the change; `zone` is the calendar of the installation. Called again with the same session on both sides, it changes nothing.
///
/// # Errors
/// When the database fails.
pub(crate) async fn session_changed(
    unit: &mut Unit,
    station: &str,
    zone: &TimeZone,
    before: Option<&Session>,
    after: Option<&Session>,
) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    let own = zone_of(unit, station).await?;
    let zone = own.as_ref().unwrap_or(zone);
    let (mut was, mut is) = (Totals::default(), Totals::default());
    if let Some(before) = before {
        was.count(before, zone, 1);
    }
    if let Some(after) = after {
        is.count(after, zone, 1);
    }
    add_to_totals(unit, station, &is.since(&was)).await
}

/// Makes the totals of a station anew from its sessions; how many of them were wrong.
///
/// # Errors
/// When the database fails; nothing was changed then.
pub async fn rebuild(store: &Store, station: &str, zone: &TimeZone) -> Result<usize, StoreError> {
    let mut unit = store.serial_unit().await?;
    let wrong = rebuild_in(&mut unit, station, zone).await?;
    unit.commit().await?;
    Ok(wrong)
}

/// The same, within a unit.
pub(crate) async fn rebuild_in(unit: &mut Unit, station: &str, zone: &TimeZone) -> Result<usize, StoreError> {
    let own = zone_of(unit, station).await?;
    let kept = totals_of(unit, station).await?;
    let counted = count_sessions(unit, station, own.as_ref().unwrap_or(zone)).await?;
    let change = counted.since(&kept);
    add_to_totals(unit, station, &change).await?;
    tidy_totals(unit, station).await?;
    Ok(change.days.len() + change.hours.len())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::reports::{DayTotal, Grouping};
    use crate::store::{StationChange, TotalRow, sql};

    const STATIONS: [&str; 2] = ["CS-1", "CS-2"];

    /// What a station tells of one of its sessions, perhaps not for the first time.
    #[derive(Debug, Clone)]
    struct Told {
        station: usize,
        session: u8,
        start: i64,
        length: i64,
        energy: i64,
        fees: i64,
        ended: bool,
    }

    fn told() -> impl Strategy<Value = Told> {
        let moments = (0_i64..200_000_000, -3_600_000_i64..90_000_000);
        (0..2_usize, 0..4_u8, moments, 0_i64..50_000, 0_i64..5_000, any::<bool>()).prop_map(
            |(station, session, (start, length), energy, fees, ended)| {
                let start = start + 1_792_000_000_000;
                Told { station, session, start, length, energy, fees, ended }
            },
        )
    }

    async fn read(unit: &mut Unit, station: &str, id: &str) -> Option<Session> {
        let statement = sql("SELECT * FROM transactions WHERE station = $1 AND id = $2").bind(station).bind(id);
        let row = unit.fetch_optional(statement).await.unwrap()?;
        Some(Session {
            started_at: row.moment("started_at").unwrap(),
            stopped_at: row.optional_moment("stopped_at").unwrap()?,
            energy_wh: row.parsed("meter_last").unwrap(),
            fees: row.integer("cost").unwrap(),
            currency: "EUR",
        })
    }

    async fn tell(store: &Store, zone: &TimeZone, told: &Told) {
        let (station, id) = (STATIONS[told.station], told.session.to_string());
        let mut unit = store.unit().await.unwrap();
        let before = read(&mut unit, station, &id).await;
        let statement = sql(
            "INSERT INTO transactions (station, id, started_at, stopped_at, meter_start, meter_last, currency, \
             cost) VALUES ($1, $2, $3, $4, '0', $5, 'EUR', $6) ON CONFLICT (station, id) DO UPDATE SET \
             started_at = excluded.started_at, stopped_at = excluded.stopped_at, meter_last = excluded.meter_last, cost = excluded.cost",
        );
        let stopped = told.ended.then_some(told.start + told.length).map(|at| Timestamp::from_millisecond(at).unwrap());
        let statement = statement.bind(station).bind(&id).bind(told.start).bind(stopped);
        unit.execute(statement.bind(told.energy.to_string()).bind(told.fees)).await.unwrap();
        let after = read(&mut unit, station, &id).await;
        session_changed(&mut unit, station, zone, before.as_ref(), after.as_ref()).await.unwrap();
        unit.commit().await.unwrap();
    }

    async fn fleet(store: &Store) -> (i64, i64, i64, i64) {
        let days = "SELECT CAST(COALESCE(SUM(sessions), 0) AS BIGINT) AS sessions, CAST(COALESCE(SUM(fees), 0) AS BIGINT) AS fees \
             FROM report_fleet_days";
        let hours = "SELECT CAST(COALESCE(SUM(energy), 0) AS BIGINT) AS energy, CAST(COALESCE(SUM(occupied), 0) AS BIGINT) AS occupied \
             FROM report_fleet_hours";
        let (days, hours) = (store.fetch_one(sql(days)).await.unwrap(), store.fetch_one(sql(hours)).await.unwrap());
        let (sessions, fees) = (days.integer("sessions").unwrap(), days.integer("fees").unwrap());
        (sessions, fees, hours.integer("energy").unwrap(), hours.integer("occupied").unwrap())
    }

    /// What a report on each station says, and what its sessions make.
    async fn agree(store: &Store, zones: &[TimeZone; 2], first: i64, last: i64) {
        let mut expected = Vec::new();
        let mut unit = store.unit().await.unwrap();
        for (station, zone) in STATIONS.into_iter().zip(zones) {
            let counted = count_sessions(&mut unit, station, zone).await.unwrap();
            let days: Vec<_> = counted.days.iter().filter(|((day, _), _)| (first..=last).contains(day)).collect();
            let sum = |of: fn(&DayTotal) -> i64| days.iter().map(|(_, total)| of(total)).sum::<i64>();
            let total = DayTotal {
                sessions: sum(|total| total.sessions),
                energy: sum(|total| total.energy),
                fees: sum(|total| total.fees),
                occupied: sum(|total| total.occupied),
            };
            expected.push((Some(station.to_owned()), total));
        }
        unit.commit().await.unwrap();
        expected.retain(|(_, total)| *total != DayTotal::default());
        let said = store.report_totals(Grouping::Station, None, first, last).await.unwrap();
        let of = |row: TotalRow| (row.station, row.total);
        let said: Vec<_> = said.into_iter().map(of).filter(|(_, total)| *total != DayTotal::default()).collect();
        assert_eq!(said, expected, "{first} to {last}");
        for station in STATIONS {
            let one = store.report_totals(Grouping::Station, Some((station, station)), first, last).await.unwrap();
            let one: Vec<_> = one.into_iter().map(of).filter(|(_, total)| *total != DayTotal::default()).collect();
            let alone: Vec<_> = expected.iter().filter(|(name, _)| name.as_deref() == Some(station)).cloned().collect();
            assert_eq!(one, alone, "{station}, {first} to {last}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Whatever is told in whatever order, again and again: what was added up is what the sessions make.
        #[test]
        fn totals_kept_are_totals_counted(
            all in prop::collection::vec(told(), 1..12), own in any::<bool>(), first in 20_600_i64..20_800, days in 0_i64..400,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let file = std::env::temp_dir().join(format!("ocpp-csms-totals-{}.sqlite", uuid::Uuid::new_v4().simple()));
            runtime.block_on(async {
                let store = Store::open(&file).await.unwrap();
                let zone = TimeZone::get("Europe/Berlin").unwrap();
                for station in STATIONS {
                    store.put_station(station, &StationChange::default(), Timestamp::UNIX_EPOCH).await.unwrap();
                }
                if own {
                    let mut unit = store.unit().await.unwrap();
                    store.set_station_zone(&mut unit, STATIONS[0], Some("Asia/Kolkata")).await.unwrap();
                    unit.commit().await.unwrap();
                }
                for told in &all {
                    tell(&store, &zone, told).await;
                }
                let own = if own { TimeZone::get("Asia/Kolkata").unwrap() } else { zone.clone() };
                let zones = [own, zone.clone()];
                let last = first + days;
                agree(&store, &zones, first, last).await;
                agree(&store, &zones, 20_600, 21_100).await;
                let before = fleet(&store).await;
                for station in STATIONS {
                    assert_eq!(rebuild(&store, station, &zone).await.unwrap(), 0, "{all:?}");
                }
                assert_eq!(fleet(&store).await, before);
                // What is lost or wrong comes back.
                let mut unit = store.unit().await.unwrap();
                let kept = totals_of(&mut unit, STATIONS[0]).await.unwrap();
                unit.execute(sql("UPDATE report_days SET fees = fees + 1 WHERE station = $1").bind(STATIONS[0])).await.unwrap();
                rebuild_in(&mut unit, STATIONS[0], &zone).await.unwrap();
                assert_eq!(totals_of(&mut unit, STATIONS[0]).await.unwrap(), Totals::default().since(&Totals::default().since(&kept)));
                unit.execute(sql("UPDATE report_spans SET fees = fees + 1 WHERE station = $1").bind(STATIONS[0])).await.unwrap();
                rebuild_in(&mut unit, STATIONS[0], &zone).await.unwrap();
                unit.commit().await.unwrap();
                agree(&store, &zones, first, last).await;
                agree(&store, &zones, 20_600, 21_100).await;
                store.close().await;
            });
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
            }
        }
    }
}
