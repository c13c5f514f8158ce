//! Sites, prices, signals, targets, and what stations hold.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Row, Store, StoreError, sql};
use crate::sites::{Definition, PriceFile, PriceSlot, Signal, Site, Target};

/// Why a site was not kept.
#[derive(Debug)]
pub(crate) enum NotPut {
    /// A station is in another site.
    Taken {
        station: String,
        site: String,
    },
    /// There is no such station.
    UnknownStation(String),
    Store(StoreError),
}

impl From<StoreError> for NotPut {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Content { what, value: error.to_string() })
}

fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Content { what, value: text.to_owned() })
}

fn read(row: &Row) -> Result<Site, StoreError> {
    Ok(Site {
        id: row.text("id")?,
        definition: from_json("a site", &row.text("definition")?)?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}

impl Store {
    /// All sites, by their names.
    pub(crate) async fn sites(&self) -> Result<Vec<Site>, StoreError> {
        self.fetch_all(sql("SELECT * FROM sites ORDER BY id")).await?.iter().map(read).collect()
    }

    /// One site.
    pub(crate) async fn site(&self, id: &str) -> Result<Option<Site>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM sites WHERE id = $1").bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// Keeps a site, new or changed. True when it is new.
    pub(crate) async fn put_site(&self, id: &str, definition: &Definition, now: Timestamp) -> Result<bool, NotPut> {
        let json = to_json("a site", definition)?;
        let mut unit = self.serial_unit().await?;
        let known = unit.fetch_optional(sql("SELECT id FROM sites WHERE id = $1").bind(id)).await?.is_some();
        unit.execute(
            sql("INSERT INTO sites (id, definition, created_at, updated_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at")
            .bind(id)
            .bind(json)
            .bind(now)
            .bind(now),
        )
        .await?;
        unit.execute(sql("DELETE FROM site_stations WHERE site = $1").bind(id)).await?;
        for station in &definition.stations {
            let known = unit.fetch_optional(sql("SELECT id FROM stations WHERE id = $1").bind(&station.id)).await?;
            if known.is_none() {
                return Err(NotPut::UnknownStation(station.id.clone()));
            }
            let other = sql("SELECT site FROM site_stations WHERE station = $1").bind(&station.id);
            if let Some(other) = unit.fetch_optional(other).await? {
                return Err(NotPut::Taken { station: station.id.clone(), site: other.text("site")? });
            }
            let put = sql("INSERT INTO site_stations (station, site) VALUES ($1, $2)").bind(&station.id).bind(id);
            unit.execute(put).await?;
        }
        unit.commit().await?;
        Ok(!known)
    }

    /// Removes a site. False when there was none.
    pub(crate) async fn delete_site(&self, id: &str) -> Result<bool, StoreError> {
        let mut unit = self.unit().await?;
        unit.execute(sql("DELETE FROM site_stations WHERE site = $1").bind(id)).await?;
        let found = unit.execute(sql("DELETE FROM sites WHERE id = $1").bind(id)).await? > 0;
        unit.commit().await?;
        Ok(found)
    }

    /// Whether a station belongs to a site.
    pub(crate) async fn is_in_site(&self, station: &str) -> Result<bool, StoreError> {
        let statement = sql("SELECT site FROM site_stations WHERE station = $1").bind(station);
        Ok(self.fetch_optional(statement).await?.is_some())
    }

    /// The running transactions at the stations of a site, the oldest first.
    pub(crate) async fn site_transactions(&self, site: &str) -> Result<Vec<RunningSession>, StoreError> {
        let rows = self
            .fetch_all(
                sql("SELECT t.station, t.id, t.evse, t.started_at, t.meter_start, t.meter_last FROM transactions t \
                     JOIN site_stations s ON s.station = t.station WHERE s.site = $1 AND t.stopped_at IS NULL \
                     ORDER BY t.started_at, t.station, t.id")
                .bind(site),
            )
            .await?;
        rows.iter().map(RunningSession::read).collect()
    }

    /// What stations are known to hold, as JSON by station.
    pub(crate) async fn site_controls(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.fetch_all(sql("SELECT station, state FROM site_controls")).await?;
        rows.iter().map(|row| Ok((row.text("station")?, row.text("state")?))).collect()
    }

    /// Keeps what a station is known to hold.
    pub(crate) async fn put_site_control(&self, station: &str, state: &str, now: Timestamp) -> Result<(), StoreError> {
        let put = sql("INSERT INTO site_controls (station, state, updated_at) VALUES ($1, $2, $3) \
                       ON CONFLICT (station) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at");
        self.execute(put.bind(station).bind(state).bind(now)).await?;
        Ok(())
    }

    /// Keeps prices in place of those of the same time: all of the file or nothing.
    pub(crate) async fn put_prices(&self, zone: &str, file: &PriceFile) -> Result<(), StoreError> {
        let (Some(from), Some(until)) = (file.from(), file.until()) else { return Ok(()) };
        let mut unit = self.unit().await?;
        let overlapping = sql("DELETE FROM energy_prices WHERE zone = $1 AND starts_at < $2 AND ends_at > $3");
        unit.execute(overlapping.bind(zone).bind(until).bind(from)).await?;
        for slot in &file.slots {
            let put = sql(
                "INSERT INTO energy_prices (zone, starts_at, ends_at, price, currency) VALUES ($1, $2, $3, $4, $5)",
            );
            let put = put.bind(zone).bind(slot.from).bind(slot.until).bind(slot.price).bind(file.currency.code());
            unit.execute(put).await?;
        }
        unit.commit().await
    }

    /// The prices of a zone between two moments, and their currency.
    pub(crate) async fn prices(
        &self,
        zone: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(PriceSlot, String)>, StoreError> {
        let rows = self
            .fetch_all(
                sql("SELECT * FROM energy_prices WHERE zone = $1 AND ends_at > $2 AND starts_at < $3 ORDER BY starts_at")
                    .bind(zone)
                    .bind(from)
                    .bind(until),
            )
            .await?;
        rows.iter()
            .map(|row| {
                let slot = PriceSlot {
                    from: row.moment("starts_at")?,
                    until: row.moment("ends_at")?,
                    price: row.parsed("price")?,
                };
                Ok((slot, row.text("currency")?))
            })
            .collect()
    }

    /// The signals that are not over, by their ids.
    pub(crate) async fn signals(&self, now: Timestamp) -> Result<Vec<(String, Signal)>, StoreError> {
        let rows = self
            .fetch_all(sql("SELECT id, definition FROM demand_signals WHERE until_at > $1 ORDER BY id").bind(now))
            .await?;
        rows.iter().map(|row| Ok((row.text("id")?, from_json("a signal", &row.text("definition")?)?))).collect()
    }

    /// One signal.
    pub(crate) async fn signal(&self, id: &str) -> Result<Option<Signal>, StoreError> {
        let row = self.fetch_optional(sql("SELECT definition FROM demand_signals WHERE id = $1").bind(id)).await?;
        row.map(|row| from_json("a signal", &row.text("definition")?)).transpose()
    }

    /// Keeps a signal, new or changed. True when it is new.
    pub(crate) async fn put_signal(&self, id: &str, signal: &Signal, now: Timestamp) -> Result<bool, StoreError> {
        let json = to_json("a signal", signal)?;
        let mut unit = self.serial_unit().await?;
        let known = unit.fetch_optional(sql("SELECT id FROM demand_signals WHERE id = $1").bind(id)).await?.is_some();
        unit.execute(
            sql("INSERT INTO demand_signals (id, definition, from_at, until_at, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, \
                 from_at = excluded.from_at, until_at = excluded.until_at, updated_at = excluded.updated_at")
            .bind(id)
            .bind(json)
            .bind(signal.from)
            .bind(signal.until)
            .bind(now)
            .bind(now),
        )
        .await?;
        unit.commit().await?;
        Ok(!known)
    }

    /// Removes a signal. False when there was none.
    pub(crate) async fn delete_signal(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.execute(sql("DELETE FROM demand_signals WHERE id = $1").bind(id)).await? > 0)
    }

    /// Keeps what a session is to reach.
    pub(crate) async fn put_target(
        &self,
        station: &str,
        transaction: &str,
        target: &Target,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let put = sql(
            "INSERT INTO charging_targets (station, transaction_id, departure_at, energy_wh, priority, updated_at) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (station, transaction_id) DO UPDATE SET \
                       departure_at = excluded.departure_at, energy_wh = excluded.energy_wh, priority = excluded.priority, \
                       updated_at = excluded.updated_at",
        );
        let put = put.bind(station).bind(transaction).bind(target.departure).bind(target.energy_wh);
        self.execute(put.bind(target.priority.map(u32::from)).bind(now)).await?;
        Ok(())
    }

    /// What the running sessions of a site are to reach, by station and transaction.
    pub(crate) async fn targets(&self, site: &str) -> Result<Vec<((String, String), Target)>, StoreError> {
        let rows = self
            .fetch_all(
                sql("SELECT g.* FROM charging_targets g JOIN site_stations s ON s.station = g.station \
                     JOIN transactions t ON t.station = g.station AND t.id = g.transaction_id \
                     WHERE s.site = $1 AND t.stopped_at IS NULL")
                .bind(site),
            )
            .await?;
        rows.iter()
            .map(|row| {
                let number = |column| row.optional_integer(column);
                let target = Target {
                    departure: row.optional_moment("departure_at")?,
                    energy_wh: number("energy_wh")?.and_then(|value| u32::try_from(value).ok()),
                    priority: number("priority")?.and_then(|value| u8::try_from(value).ok()),
                };
                Ok(((row.text("station")?, row.text("transaction_id")?), target))
            })
            .collect()
    }
}

/// A session that runs at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunningSession {
    pub(crate) station: String,
    pub(crate) transaction: String,
    pub(crate) evse: Option<i64>,
    pub(crate) started_at: Timestamp,
    pub(crate) energy_wh: Decimal,
}

impl RunningSession {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let register = |column| row.optional_parsed::<Decimal>(column);
        let energy = register("meter_last")?.zip(register("meter_start")?).map(|(last, start)| last - start);
        Ok(Self {
            station: row.text("station")?,
            transaction: row.text("id")?,
            evse: row.optional_integer("evse")?,
            started_at: row.moment("started_at")?,
            energy_wh: energy.unwrap_or_default().max(Decimal::ZERO),
        })
    }
}
