//! The states of connectors: a station tells them when they change, and not again because the server restarted.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Store, StoreError, from_millis, to_millis};

/// The last state of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    /// The station's identity.
    pub station: String,
    /// The EVSE, from 1; 0 is the whole station.
    pub evse: i64,
    /// The connector of the EVSE, from 1; 0 is the whole station.
    pub connector: i64,
    /// The state in the standard's words.
    pub status: String,
    /// The error of 1.6, other than `NoError`.
    pub error: Option<String>,
    /// Since when, by the station's clock.
    pub since: Timestamp,
}

impl Store {
    /// All connectors of all stations.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn connectors(&self) -> Result<Vec<Connector>, StoreError> {
        sqlx::query("SELECT * FROM connectors").fetch_all(&self.read).await?.iter().map(read).collect()
    }

    /// Keeps the state of a connector in place of the one before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_connector(&self, connector: &Connector) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO connectors (station, evse, connector, status, error, since) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (station, evse, connector) DO UPDATE SET status = excluded.status, error = excluded.error, \
             since = excluded.since",
        )
        .bind(&connector.station)
        .bind(connector.evse)
        .bind(connector.connector)
        .bind(&connector.status)
        .bind(&connector.error)
        .bind(to_millis(connector.since));
        self.keep(query).await?;
        Ok(())
    }
}

fn read(row: &SqliteRow) -> Result<Connector, StoreError> {
    Ok(Connector {
        station: row.try_get("station")?,
        evse: row.try_get("evse")?,
        connector: row.try_get("connector")?,
        status: row.try_get("status")?,
        error: row.try_get("error")?,
        since: from_millis("the state of a connector", row.try_get("since")?)?,
    })
}
