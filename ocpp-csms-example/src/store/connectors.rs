//! The states of connectors: a station tells them when they change, and not again because the server restarted.

use jiff::Timestamp;

use super::{Row, Rows, Store, StoreError, Target, Unit, sql};

const CONNECTORS: Target = Target {
    into: "INSERT INTO connectors (station, evse, connector, status, error, since)",
    columns: 6,
    otherwise: "ON CONFLICT (station, evse, connector) DO UPDATE SET status = excluded.status, error = excluded.error, \
                since = excluded.since",
};

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
        self.fetch_all(sql("SELECT * FROM connectors")).await?.iter().map(read).collect()
    }
}

/// Keeps the state of a connector in place of the one before.
pub(crate) fn put_connector(unit: &mut Unit, connector: &Connector) {
    let mut rows = Rows::new(CONNECTORS);
    rows.push([
        (&connector.station).into(),
        connector.evse.into(),
        connector.connector.into(),
        (&connector.status).into(),
        (&connector.error).into(),
        connector.since.into(),
    ]);
    unit.keep(rows);
}

fn read(row: &Row) -> Result<Connector, StoreError> {
    Ok(Connector {
        station: row.text("station")?,
        evse: row.integer("evse")?,
        connector: row.integer("connector")?,
        status: row.text("status")?,
        error: row.optional_text("error")?,
        since: row.moment("since")?,
    })
}
