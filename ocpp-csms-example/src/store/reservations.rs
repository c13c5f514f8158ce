//! The reservations that stations have accepted, and what became of them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use ocpp_core::csms;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Row, Statement, Store, StoreError, Unit, sql};

/// How a reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationState {
    /// The place is kept.
    Active,
    /// A transaction has used it up.
    Used,
    /// Its time is over.
    Expired,
    /// It was given up.
    Cancelled,
    /// The station cannot keep it any more.
    Removed,
    /// Its token came, but no transaction did.
    NoTransaction,
}

impl ReservationState {
    const ALL: [Self; 6] =
        [Self::Active, Self::Used, Self::Expired, Self::Cancelled, Self::Removed, Self::NoTransaction];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Removed => "removed",
            Self::NoTransaction => "no_transaction",
        }
    }

    /// What a station means by the word with which it ends a reservation (ReservationUpdateStatusEnumType).
    #[must_use]
    pub fn of_update(status: &str) -> Self {
        match status {
            "Expired" => Self::Expired,
            "NoTransaction" => Self::NoTransaction,
            _ => Self::Removed,
        }
    }
}

impl fmt::Display for ReservationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReservationState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// A reservation as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// What the station calls it.
    pub id: i64,
    /// For whom.
    pub token: String,
    /// The group whose other tokens may use it as well.
    pub group: Option<String>,
    /// Where; `None` leaves it to the station.
    pub evse: Option<i64>,
    /// The kind of connector.
    pub connector_type: Option<String>,
    /// How it stands.
    pub state: ReservationState,
    /// When it is over.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// The transaction that has used it up.
    pub transaction: Option<String>,
}

impl Store {
    /// The reservations of a station as they stand at this moment, the latest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reservations(
        &self,
        station: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Reservation>, StoreError> {
        let statement = sql("SELECT * FROM reservations WHERE station = $1 ORDER BY created_at DESC, id DESC LIMIT $2")
            .bind(station)
            .bind(limit);
        self.fetch_all(statement).await?.iter().map(|row| read(row, now)).collect()
    }
}

/// Keeps a reservation that a station has accepted. It takes the place of one with the same number, as at the station.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put_reservation(
    unit: &mut Unit,
    station: &str,
    reservation: &csms::Reservation,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement =
        sql("INSERT INTO reservations (station, id, token, token_group, evse, connector_type, state, expires_at, \
         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $8) \
         ON CONFLICT (station, id) DO UPDATE SET token = excluded.token, token_group = excluded.token_group, \
         evse = excluded.evse, connector_type = excluded.connector_type, state = excluded.state, \
         expires_at = excluded.expires_at, created_at = excluded.created_at, updated_at = excluded.updated_at, \
         transaction_id = NULL")
        .bind(station)
        .bind(reservation.id)
        .bind(&reservation.token.id)
        .bind(reservation.group.as_ref().map(|group| group.id.as_str()))
        .bind(reservation.evse)
        .bind(&reservation.connector_type)
        .bind(reservation.expires_at)
        .bind(now);
    unit.execute(statement).await?;
    Ok(())
}

/// Ends a reservation; one that has ended stays as it ended.
///
/// # Errors
/// When the database fails.
pub(crate) async fn end_reservation(
    unit: &mut Unit,
    station: &str,
    id: i64,
    state: ReservationState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement =
        sql("UPDATE reservations SET state = $3, updated_at = $4 WHERE station = $1 AND id = $2 AND state = 'active'")
            .bind(station)
            .bind(id)
            .bind(state.as_str())
            .bind(now);
    unit.execute(statement).await?;
    Ok(())
}

/// A transaction uses up a reservation, however late the station tells so.
pub(super) fn use_up(station: &str, id: i64, transaction: &str, now: Timestamp) -> Statement {
    sql("UPDATE reservations SET state = 'used', transaction_id = $3, updated_at = $4 \
         WHERE station = $1 AND id = $2 AND transaction_id IS NULL")
    .bind(station)
    .bind(id)
    .bind(transaction)
    .bind(now)
}

fn read(row: &Row, now: Timestamp) -> Result<Reservation, StoreError> {
    let state = row.parsed("state")?;
    let expires_at = row.moment("expires_at")?;
    Ok(Reservation {
        id: row.integer("id")?,
        token: row.text("token")?,
        group: row.optional_text("token_group")?,
        evse: row.optional_integer("evse")?,
        connector_type: row.optional_text("connector_type")?,
        state: match state {
            // 1.6 stations never tell that the time of a reservation is over.
            ReservationState::Active if expires_at <= now => ReservationState::Expired,
            state => state,
        },
        expires_at,
        created_at: row.moment("created_at")?,
        transaction: row.optional_text("transaction_id")?,
    })
}
