//! Security events: what stations reported, and what was seen here. The newest ones are kept.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use utoipa::ToSchema;

use super::{Store, StoreError, from_millis, parse, to_millis};

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

impl Store {
    /// Keeps an event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_security_event(&self, event: &SecurityEvent) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO security_events (at, source, station, kind, remote, detail) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(to_millis(event.at))
        .bind(event.source.as_str())
        .bind(&event.station)
        .bind(&event.kind)
        .bind(&event.remote)
        .bind(&event.detail)
        .execute(&self.write)
        .await?;
        let number = done.last_insert_rowid();
        // Not for each of them: it costs another write.
        if number % 100 == 0 {
            sqlx::query("DELETE FROM security_events WHERE number <= $1")
                .bind(number - KEPT)
                .execute(&self.write)
                .await?;
        }
        Ok(())
    }

    /// At most `limit` events, the latest first; with a station, only those about it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn security_events(&self, station: Option<&str>, limit: u32) -> Result<Vec<SecurityEvent>, StoreError> {
        sqlx::query("SELECT * FROM security_events WHERE $1 IS NULL OR station = $1 ORDER BY number DESC LIMIT $2")
            .bind(station)
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(read)
            .collect()
    }
}

fn read(row: &SqliteRow) -> Result<SecurityEvent, StoreError> {
    Ok(SecurityEvent {
        at: from_millis("a security event", row.try_get("at")?)?,
        source: parse("the source of a security event", row.try_get("source")?)?,
        station: row.try_get("station")?,
        kind: row.try_get("kind")?,
        remote: row.try_get("remote")?,
        detail: row.try_get("detail")?,
    })
}
