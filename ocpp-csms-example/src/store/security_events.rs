//! Security events: what stations reported, and what was seen here. The newest ones are kept.

use jiff::Timestamp;
use utoipa::ToSchema;

use super::conditions::Conditions;
use super::{Row, Store, StoreError, Unit, sql};

/// Events that are kept.
const KEPT: i64 = 10_000;

/// Who saw a security event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The station reported it.
    Station,
    /// This server saw it.
    Csms,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Station => "station",
            Self::Csms => "csms",
        }
    }
}

impl std::str::FromStr for Source {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Station, Self::Csms].into_iter().find(|source| source.as_str() == text).ok_or(())
    }
}

/// A security event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// When it happened.
    pub at: Timestamp,
    /// Who saw it.
    pub source: Source,
    /// The station, as far as one was named.
    pub station: Option<String>,
    /// What happened, by its name in the standard.
    pub kind: String,
    /// The address of the peer.
    pub remote: Option<String>,
    /// What else is known.
    pub detail: Option<String>,
}

impl SecurityEvent {
    /// What a station reported.
    #[must_use]
    pub fn of_station(station: &str, kind: &str, at: Timestamp, detail: Option<&str>) -> Self {
        Self {
            at,
            source: Source::Station,
            station: Some(station.to_owned()),
            kind: kind.to_owned(),
            remote: None,
            detail: detail.map(str::to_owned),
        }
    }
}

impl Store {
    /// Keeps an event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_security_event(&self, event: &SecurityEvent) -> Result<(), StoreError> {
        let mut unit = self.serial_unit().await?;
        put_security_event(&mut unit, event).await?;
        unit.commit().await
    }

    /// At most `limit` events, the latest first; with a station, only those about it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn security_events(&self, station: Option<&str>, limit: u32) -> Result<Vec<SecurityEvent>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.with("station =", station);
        let statement = conditions.select("SELECT * FROM security_events", "number DESC", limit);
        self.fetch_all(statement).await?.iter().map(read).collect()
    }
}

/// Keeps an event. One at a time, because its number is that of the last one and one more: the unit is a serial one.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put_security_event(unit: &mut Unit, event: &SecurityEvent) -> Result<(), StoreError> {
    let statement = sql("INSERT INTO security_events (number, at, source, station, kind, remote, detail) \
         SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3, $4, $5, $6 FROM security_events RETURNING number")
    .bind(event.at)
    .bind(event.source.as_str())
    .bind(&event.station)
    .bind(&event.kind)
    .bind(&event.remote)
    .bind(&event.detail);
    let number = match unit.fetch_optional(statement).await? {
        Some(row) => row.integer("number")?,
        None => 0,
    };
    // Not for each of them: it costs another write.
    if number % 100 == 0 {
        unit.execute(sql("DELETE FROM security_events WHERE number <= $1").bind(number - KEPT)).await?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<SecurityEvent, StoreError> {
    Ok(SecurityEvent {
        at: row.moment("at")?,
        source: row.parsed("source")?,
        station: row.optional_text("station")?,
        kind: row.text("kind")?,
        remote: row.optional_text("remote")?,
        detail: row.optional_text("detail")?,
    })
}
