//! The states of conversations: what must outlive them, and beside it what is good to remember of a station's own data.

use super::{Row, Rows, Store, StoreError, Target, sql};

const STATES: Target = Target {
    into: "INSERT INTO session_states (station, state)",
    columns: 2,
    otherwise: "ON CONFLICT (station) DO UPDATE SET state = excluded.state",
};
const MIRRORS: Target = Target {
    into: "INSERT INTO session_mirrors (station, mirrors)",
    columns: 2,
    otherwise: "ON CONFLICT (station) DO UPDATE SET mirrors = excluded.mirrors",
};

/// A conversation as it was last kept, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionState {
    /// What it needs to go on. Until an older program's is replaced, with the mirrors.
    pub state: Option<String>,
    /// What is known of the station's own data.
    pub mirrors: Option<String>,
    /// Whether operations run at the station.
    pub has_operations: bool,
}

/// The columns of it, for a query of stations that joins [`TABLES`].
pub(super) const COLUMNS: &str = "session_states.state AS session_state, session_mirrors.mirrors AS session_mirrors, \
    CASE WHEN EXISTS (SELECT 1 FROM operations WHERE operations.station = stations.id AND operations.state = 'running') \
    THEN 1 ELSE 0 END AS has_operations";
/// Where they are.
pub(super) const TABLES: &str = "LEFT JOIN session_states ON session_states.station = stations.id \
    LEFT JOIN session_mirrors ON session_mirrors.station = stations.id";

impl SessionState {
    /// Of a row that has these [`COLUMNS`].
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            state: row.optional_text("session_state")?,
            mirrors: row.optional_text("session_mirrors")?,
            has_operations: row.flag("has_operations")?,
        })
    }
}

/// The state of a station's conversation, to be kept in place of the one before.
pub(super) fn state(station: &str, state: &str) -> Rows {
    let mut rows = Rows::new(STATES);
    rows.push([station.into(), state.into()]);
    rows
}

/// The mirrors of a station, to be kept in place of those before.
pub(super) fn mirrors(station: &str, mirrors: &str) -> Rows {
    let mut rows = Rows::new(MIRRORS);
    rows.push([station.into(), mirrors.into()]);
    rows
}

impl Store {
    /// The state of a station's conversation, as it was last kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_state(&self, station: &str) -> Result<SessionState, StoreError> {
        let statement = sql(format!("SELECT {COLUMNS} FROM stations {TABLES} WHERE stations.id = $1"));
        match self.fetch_optional(statement.bind(station)).await? {
            Some(row) => SessionState::read(&row),
            None => Ok(SessionState::default()),
        }
    }

    /// Keeps what is known of a station's own data.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_mirrors(&self, station: &str, text: &str) -> Result<(), StoreError> {
        self.keep(mirrors(station, text)).await
    }
}
