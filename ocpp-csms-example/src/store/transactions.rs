//! The transactions: their start, their meter values and their stop, each kept once.

use jiff::Timestamp;
use rust_decimal::Decimal;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row};

use super::group::Turn;
use super::{Store, StoreError, from_millis, parse, to_millis};
use crate::tariffs::Price;

/// A transaction as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The station's identity.
    pub station: String,
    /// Its name, unique for the station.
    pub id: String,
    /// The EVSE, as soon as the station has said which.
    pub evse: Option<i64>,
    /// The connector of the EVSE.
    pub connector: Option<i64>,
    /// The token that started it.
    pub token: Option<String>,
    /// When it started, by the station's clock.
    pub started_at: Timestamp,
    /// When it stopped, by the station's clock.
    pub stopped_at: Option<Timestamp>,
    /// Why it stopped, in the standard's words.
    pub stop_reason: Option<String>,
    /// The energy register when it started, in Wh.
    pub meter_start: Option<Decimal>,
    /// When that reading was taken, if it is only the oldest that was received; `None` when the start itself brought it.
    pub meter_start_at: Option<Timestamp>,
    /// The newest reading of the energy register, in Wh.
    pub meter_last: Option<Decimal>,
    /// When that reading was taken.
    pub meter_last_at: Option<Timestamp>,
    /// The newest power that the station reported, in W.
    pub power: Option<Decimal>,
    /// The price when it started, which holds for all of it.
    pub price: Price,
    /// What it costs so far, or in the end: in minor units of the currency.
    pub cost: i64,
}

impl Transaction {
    /// What has been charged, in Wh: the difference of the two readings, never below zero.
    #[must_use]
    pub fn energy_wh(&self) -> Decimal {
        match (self.meter_start, self.meter_last) {
            (Some(start), Some(last)) => last.checked_sub(start).unwrap_or_default().max(Decimal::ZERO),
            _ => Decimal::ZERO,
        }
    }
}

/// Everything that one message of a station changes: all of it is kept or nothing. What several stations change at the same moment goes
/// to the disk together.
#[derive(Debug)]
pub struct Batch {
    turn: Turn,
    station: String,
}

impl Store {
    /// Begins to keep what a message of this station changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn batch(&self, station: &str) -> Result<Batch, StoreError> {
        Ok(Batch { turn: self.group.unit().await?, station: station.to_owned() })
    }

    /// The state of a station's conversation, as it was last kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_state(&self, station: &str) -> Result<Option<String>, StoreError> {
        let state = sqlx::query_scalar("SELECT session_state FROM stations WHERE id = $1")
            .bind(station)
            .fetch_optional(&self.read)
            .await?;
        Ok(state.flatten())
    }

    /// The latest transactions of a station that started before `before`, at most `limit`, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transactions(
        &self,
        station: &str,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Transaction>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM transactions WHERE station = $1 AND started_at < $2 ORDER BY started_at DESC, id DESC LIMIT $3",
        )
        .bind(station)
        .bind(before.map_or(i64::MAX, to_millis))
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        rows.iter().rev().map(read).collect()
    }

    /// One transaction of a station.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transaction(&self, station: &str, id: &str) -> Result<Option<Transaction>, StoreError> {
        sqlx::query("SELECT * FROM transactions WHERE station = $1 AND id = $2")
            .bind(station)
            .bind(id)
            .fetch_optional(&self.read)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// The transactions that run, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn running_transactions(&self, limit: u32) -> Result<Vec<Transaction>, StoreError> {
        sqlx::query("SELECT * FROM transactions WHERE stopped_at IS NULL ORDER BY started_at DESC, station LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// The transactions that stopped, the newest first, at most `limit`: the latest bills.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stopped_transactions(&self, limit: u32) -> Result<Vec<Transaction>, StoreError> {
        sqlx::query(
            "SELECT * FROM transactions WHERE stopped_at IS NOT NULL ORDER BY stopped_at DESC, station LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// The meter values of a transaction as JSON, in the order in which they were taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meter_values(&self, station: &str, transaction: &str) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT sampled FROM meter_values WHERE station = $1 AND transaction_id = $2 ORDER BY taken_at, sampled",
        )
        .bind(station)
        .bind(transaction)
        .fetch_all(&self.read)
        .await?)
    }
}

impl Batch {
    /// The transaction as it is so far, with what this batch has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transaction(&mut self, id: &str) -> Result<Option<Transaction>, StoreError> {
        sqlx::query("SELECT * FROM transactions WHERE station = $1 AND id = $2")
            .bind(&self.station)
            .bind(id)
            .fetch_optional(self.turn.connection()?)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// Keeps the transaction, new or changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_transaction(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO transactions (station, id, evse, connector, token, started_at, stopped_at, stop_reason, \
             meter_start, meter_start_at, meter_last, meter_last_at, power, price_per_kwh, currency, cost) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
             ON CONFLICT (station, id) DO UPDATE SET evse = excluded.evse, connector = excluded.connector, \
             token = excluded.token, started_at = excluded.started_at, stopped_at = excluded.stopped_at, \
             stop_reason = excluded.stop_reason, meter_start = excluded.meter_start, \
             meter_start_at = excluded.meter_start_at, meter_last = excluded.meter_last, meter_last_at = excluded.meter_last_at, power = excluded.power, \
             cost = excluded.cost",
        )
        .bind(&self.station)
        .bind(&transaction.id)
        .bind(transaction.evse)
        .bind(transaction.connector)
        .bind(&transaction.token)
        .bind(to_millis(transaction.started_at))
        .bind(transaction.stopped_at.map(to_millis))
        .bind(&transaction.stop_reason)
        .bind(transaction.meter_start.map(|value| value.to_string()))
        .bind(transaction.meter_start_at.map(to_millis))
        .bind(transaction.meter_last.map(|value| value.to_string()))
        .bind(transaction.meter_last_at.map(to_millis))
        .bind(transaction.power.map(|value| value.to_string()))
        .bind(transaction.price.per_kwh.to_string())
        .bind(transaction.price.currency.code())
        .bind(transaction.cost)
        .execute(self.turn.connection()?)
        .await?;
        Ok(())
    }

    /// Keeps meter values; those that are kept already change nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_meter_values(
        &mut self,
        transaction: &str,
        values: &[(Timestamp, String)],
    ) -> Result<(), StoreError> {
        // Four columns a row stay far below the number of parameters that a statement may have.
        for values in values.chunks(500) {
            let mut query =
                QueryBuilder::<Sqlite>::new("INSERT INTO meter_values (station, transaction_id, taken_at, sampled) ");
            query.push_values(values, |mut row, (taken_at, sampled)| {
                row.push_bind(self.station.clone())
                    .push_bind(transaction.to_owned())
                    .push_bind(to_millis(*taken_at))
                    .push_bind(sampled.clone());
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(self.turn.connection()?).await?;
        }
        Ok(())
    }

    /// The transaction has used up a reservation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_up_reservation(
        &mut self,
        reservation: i64,
        transaction: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let station = self.station.clone();
        super::reservations::use_up(self.turn.connection()?, &station, reservation, transaction, now).await
    }

    /// Keeps the state of the station's conversation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_session_state(&mut self, state: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE stations SET session_state = $2 WHERE id = $1")
            .bind(&self.station)
            .bind(state)
            .execute(self.turn.connection()?)
            .await?;
        Ok(())
    }

    /// Keeps everything for good.
    ///
    /// # Errors
    /// When the database fails; nothing of the batch is kept then.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.turn.commit().await
    }
}

fn read(row: &SqliteRow) -> Result<Transaction, StoreError> {
    let moment = |column: &str| {
        row.try_get::<Option<i64>, _>(column)?.map(|value| from_millis("a moment of a transaction", value)).transpose()
    };
    let decimal = |column: &str| {
        row.try_get::<Option<String>, _>(column)?
            .map(|value| parse::<Decimal>("a number of a transaction", &value))
            .transpose()
    };
    Ok::<_, StoreError>(Transaction {
        station: row.try_get("station")?,
        id: row.try_get("id")?,
        evse: row.try_get("evse")?,
        connector: row.try_get("connector")?,
        token: row.try_get("token")?,
        started_at: from_millis("the start of a transaction", row.try_get("started_at")?)?,
        stopped_at: moment("stopped_at")?,
        stop_reason: row.try_get("stop_reason")?,
        meter_start: decimal("meter_start")?,
        meter_start_at: moment("meter_start_at")?,
        meter_last: decimal("meter_last")?,
        meter_last_at: moment("meter_last_at")?,
        power: decimal("power")?,
        price: Price {
            per_kwh: parse("a price", row.try_get("price_per_kwh")?)?,
            currency: parse("a currency", row.try_get("currency")?)?,
        },
        cost: row.try_get("cost")?,
    })
}
