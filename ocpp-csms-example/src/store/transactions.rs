//! The transactions: their start, their meter values and their stop, each kept once.

use jiff::Timestamp;
use rust_decimal::Decimal;

use iso_currency::Currency;

use super::{Row, Store, StoreError, Unit, insert, sql};
use crate::sessions::Course;
use crate::tariffs::TariffVersion;

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
    /// The version of the tariff when it started, which holds for all of it.
    pub tariff: TariffVersion,
    /// The currency of that.
    pub currency: Currency,
    /// What the price depends on, beside the registers.
    pub course: Course,
    /// Who pays: an account of the ledger, or `free`. `None` where it's on nobody's account.
    pub payer: Option<String>,
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
    unit: Unit,
    station: String,
}

impl Store {
    /// Begins to keep what a message of this station changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn batch(&self, station: &str) -> Result<Batch, StoreError> {
        Ok(Batch { unit: self.unit().await?, station: station.to_owned() })
    }

    /// The state of a station's conversation, as it was last kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_state(&self, station: &str) -> Result<Option<String>, StoreError> {
        let statement = sql("SELECT session_state FROM stations WHERE id = $1").bind(station);
        match self.fetch_optional(statement).await? {
            Some(row) => row.optional_text("session_state"),
            None => Ok(None),
        }
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
        let statement = sql(
            "SELECT * FROM transactions WHERE station = $1 AND started_at < $2 ORDER BY started_at DESC, id DESC LIMIT $3",
        )
        .bind(station)
        .bind(before.map_or(i64::MAX, Timestamp::as_millisecond))
        .bind(limit);
        self.fetch_all(statement).await?.iter().rev().map(read).collect()
    }

    /// One transaction of a station.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transaction(&self, station: &str, id: &str) -> Result<Option<Transaction>, StoreError> {
        let statement = sql("SELECT * FROM transactions WHERE station = $1 AND id = $2").bind(station).bind(id);
        self.fetch_optional(statement).await?.map(|row| read(&row)).transpose()
    }

    /// The transactions that run, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn running_transactions(&self, limit: u32) -> Result<Vec<Transaction>, StoreError> {
        let statement =
            sql("SELECT * FROM transactions WHERE stopped_at IS NULL ORDER BY started_at DESC, station LIMIT $1");
        self.fetch_all(statement.bind(limit)).await?.iter().map(read).collect()
    }

    /// The transactions that stopped, the newest first, at most `limit`: the latest bills.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stopped_transactions(&self, limit: u32) -> Result<Vec<Transaction>, StoreError> {
        let statement =
            sql("SELECT * FROM transactions WHERE stopped_at IS NOT NULL ORDER BY stopped_at DESC, station LIMIT $1");
        self.fetch_all(statement.bind(limit)).await?.iter().map(read).collect()
    }

    /// The meter values of a transaction as JSON, in the order in which they were taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meter_values(&self, station: &str, transaction: &str) -> Result<Vec<String>, StoreError> {
        let statement = sql(
            "SELECT sampled FROM meter_values WHERE station = $1 AND transaction_id = $2 ORDER BY taken_at, sampled",
        )
        .bind(station)
        .bind(transaction);
        self.fetch_all(statement).await?.iter().map(|row| row.text("sampled")).collect()
    }
}

impl Batch {
    /// The transaction as it is so far, with what this batch has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transaction(&mut self, id: &str) -> Result<Option<Transaction>, StoreError> {
        let statement = sql("SELECT * FROM transactions WHERE station = $1 AND id = $2").bind(&self.station).bind(id);
        self.unit.fetch_optional(statement).await?.map(|row| read(&row)).transpose()
    }

    /// The transaction that runs at an EVSE, the newest one.
    pub(crate) async fn running_at(&mut self, evse: i64) -> Result<Option<Transaction>, StoreError> {
        let select = "SELECT * FROM transactions WHERE station = $1 AND evse = $2 AND stopped_at IS NULL \
             ORDER BY started_at DESC LIMIT 1";
        let statement = sql(select).bind(&self.station).bind(evse);
        self.unit.fetch_optional(statement).await?.map(|row| read(&row)).transpose()
    }

    /// The unit that it all is part of.
    pub(crate) fn unit(&mut self) -> &mut Unit {
        &mut self.unit
    }

    /// Keeps the transaction, new or changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_transaction(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        let course = serde_json::to_string(&transaction.course)
            .map_err(|error| StoreError::Content { what: "the course of a session", value: error.to_string() })?;
        let statement = sql(
            "INSERT INTO transactions (station, id, evse, connector, token, started_at, stopped_at, stop_reason, \
             meter_start, meter_start_at, meter_last, meter_last_at, power, tariff, currency, cost, tariff_version, course, payer) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
             ON CONFLICT (station, id) DO UPDATE SET evse = excluded.evse, connector = excluded.connector, \
             token = excluded.token, started_at = excluded.started_at, stopped_at = excluded.stopped_at, \
             stop_reason = excluded.stop_reason, meter_start = excluded.meter_start, \
             meter_start_at = excluded.meter_start_at, meter_last = excluded.meter_last, meter_last_at = excluded.meter_last_at, power = excluded.power, \
             cost = excluded.cost, course = excluded.course, payer = excluded.payer",
        )
        .bind(&self.station)
        .bind(&transaction.id)
        .bind(transaction.evse)
        .bind(transaction.connector)
        .bind(&transaction.token)
        .bind(transaction.started_at)
        .bind(transaction.stopped_at)
        .bind(&transaction.stop_reason)
        .bind(transaction.meter_start)
        .bind(transaction.meter_start_at)
        .bind(transaction.meter_last)
        .bind(transaction.meter_last_at)
        .bind(transaction.power)
        .bind(&transaction.tariff.tariff)
        .bind(transaction.currency.code())
        .bind(transaction.cost)
        .bind(transaction.tariff.version)
        .bind(course)
        .bind(&transaction.payer);
        self.unit.execute(statement).await?;
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
        let rows = values.iter().map(|(taken_at, sampled)| {
            [(&self.station).into(), transaction.into(), (*taken_at).into(), sampled.into()]
        });
        let into = "INSERT INTO meter_values (station, transaction_id, taken_at, sampled)";
        for statement in insert(into, rows, "ON CONFLICT DO NOTHING") {
            self.unit.execute(statement).await?;
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
        self.unit.execute(super::reservations::use_up(&self.station, reservation, transaction, now)).await?;
        Ok(())
    }

    /// Keeps the state of the station's conversation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_session_state(&mut self, state: &str) -> Result<(), StoreError> {
        let statement = sql("UPDATE stations SET session_state = $2 WHERE id = $1").bind(&self.station).bind(state);
        self.unit.execute(statement).await?;
        Ok(())
    }

    /// Keeps everything for good.
    ///
    /// # Errors
    /// When the database fails; nothing of the batch is kept then.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.unit.commit().await
    }
}

fn course(text: Option<String>) -> Result<Course, StoreError> {
    let Some(text) = text else { return Ok(Course::default()) };
    serde_json::from_str(&text).map_err(|_| StoreError::Content { what: "the course of a session", value: text })
}

pub(super) fn read(row: &Row) -> Result<Transaction, StoreError> {
    Ok(Transaction {
        station: row.text("station")?,
        id: row.text("id")?,
        evse: row.optional_integer("evse")?,
        connector: row.optional_integer("connector")?,
        token: row.optional_text("token")?,
        started_at: row.moment("started_at")?,
        stopped_at: row.optional_moment("stopped_at")?,
        stop_reason: row.optional_text("stop_reason")?,
        meter_start: row.optional_parsed("meter_start")?,
        meter_start_at: row.optional_moment("meter_start_at")?,
        meter_last: row.optional_parsed("meter_last")?,
        meter_last_at: row.optional_moment("meter_last_at")?,
        power: row.optional_parsed("power")?,
        tariff: TariffVersion {
            tariff: row.optional_text("tariff")?.unwrap_or_default(),
            version: row.optional_integer("tariff_version")?.unwrap_or_default(),
        },
        currency: row.parsed("currency")?,
        course: course(row.optional_text("course")?)?,
        payer: row.optional_text("payer")?,
        cost: row.integer("cost")?,
    })
}
