//! The transactions: their start, their meter values and their stop, each kept once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use iso_currency::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use super::{Row, Rows, Statement, Store, StoreError, Target, Unit, Value, sql};
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

const TRANSACTIONS: Target = Target {
    into: "INSERT INTO transactions (station, id, evse, connector, token, started_at, stopped_at, stop_reason, meter_start, \
           meter_start_at, meter_last, meter_last_at, power, tariff, currency, cost, tariff_version, course, payer)",
    columns: 19,
    otherwise: "ON CONFLICT (station, id) DO UPDATE SET evse = excluded.evse, connector = excluded.connector, \
                token = excluded.token, started_at = excluded.started_at, stopped_at = excluded.stopped_at, \
                stop_reason = excluded.stop_reason, meter_start = excluded.meter_start, \
                meter_start_at = excluded.meter_start_at, meter_last = excluded.meter_last, \
                meter_last_at = excluded.meter_last_at, power = excluded.power, cost = excluded.cost, \
                course = excluded.course, payer = excluded.payer",
};
const METER_VALUES: Target = Target {
    into: "INSERT INTO meter_values (station, transaction_id, taken_at, digest, sampled)",
    columns: 5,
    otherwise: "ON CONFLICT DO NOTHING",
};

/// The running transactions of a station as they were last kept, so that they need not be read again for each of its messages. Nobody
/// else changes the transaction of a station that is served.
#[derive(Debug, Default)]
pub struct Known {
    transactions: Mutex<BTreeMap<String, Transaction>>,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Transaction>> {
        self.transactions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Transactions of one station that are remembered.
const MAX_KNOWN: usize = 64;

/// Everything that one message of a station changes: all of it is kept or nothing. What several stations change at the same moment goes
/// to the disk together.
#[derive(Debug)]
pub struct Batch<'a> {
    store: Store,
    unit: Unit,
    station: String,
    known: &'a Known,
    /// What this changed of them and is still to be written.
    changed: BTreeMap<String, Transaction>,
    /// What is written.
    written: BTreeMap<String, Transaction>,
}

impl Store {
    /// Begins to keep what a message of this station changes. `known` is what was kept of it by this before.
    #[must_use]
    pub fn batch<'a>(&self, station: &str, known: &'a Known) -> Batch<'a> {
        let (changed, written) = (BTreeMap::new(), BTreeMap::new());
        Batch { store: self.clone(), unit: self.later_unit(), station: station.to_owned(), known, changed, written }
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

impl Batch<'_> {
    /// The transaction as it is so far, with what this batch has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transaction(&mut self, id: &str) -> Result<Option<Transaction>, StoreError> {
        let of_this = self.changed.get(id).or_else(|| self.written.get(id)).cloned();
        if let Some(transaction) = of_this.or_else(|| self.known.lock().get(id).cloned()) {
            return Ok(Some(transaction));
        }
        let statement = sql("SELECT * FROM transactions WHERE station = $1 AND id = $2").bind(&self.station).bind(id);
        self.one(statement).await
    }

    /// The transaction that runs at an EVSE, the newest one.
    pub(crate) async fn running_at(&mut self, evse: i64) -> Result<Option<Transaction>, StoreError> {
        let is_there = |known: &&Transaction| known.evse == Some(evse) && known.stopped_at.is_none();
        let newest = self.known.lock().values().filter(is_there).max_by_key(|known| known.started_at).cloned();
        if newest.is_some() {
            return Ok(newest);
        }
        let select = "SELECT * FROM transactions WHERE station = $1 AND evse = $2 AND stopped_at IS NULL \
             ORDER BY started_at DESC LIMIT 1";
        self.one(sql(select).bind(&self.station).bind(evse)).await
    }

    async fn one(&mut self, statement: Statement) -> Result<Option<Transaction>, StoreError> {
        let row = if self.unit.is_later() {
            self.store.fetch_optional(statement).await?
        } else {
            self.unit.fetch_optional(statement).await?
        };
        row.map(|row| read(&row)).transpose()
    }

    /// The unit that it all is part of. As soon as it is given a statement it is a serial one; with none, it is written together with those
    /// of other stations.
    ///
    /// # Errors
    /// When a transaction cannot be written as it is.
    pub(crate) fn unit(&mut self) -> Result<&mut Unit, StoreError> {
        self.write_changed()?;
        Ok(&mut self.unit)
    }

    fn write_changed(&mut self) -> Result<(), StoreError> {
        let mut rows = Rows::new(TRANSACTIONS);
        for transaction in self.changed.values() {
            rows.push(row(transaction)?);
        }
        self.unit.keep(rows);
        self.written.append(&mut self.changed);
        Ok(())
    }

    /// Keeps the transaction, new or changed.
    pub fn put_transaction(&mut self, transaction: Transaction) {
        self.changed.insert(transaction.id.clone(), transaction);
    }

    /// Keeps meter values; those that are kept already change nothing.
    pub fn put_meter_values(&mut self, transaction: &str, values: &[(Timestamp, String)]) {
        let mut rows = Rows::new(METER_VALUES);
        for (taken_at, sampled) in values {
            let digest = digest(sampled);
            rows.push([(&self.station).into(), transaction.into(), (*taken_at).into(), digest.into(), sampled.into()]);
        }
        self.unit.keep(rows);
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
    pub fn put_session_state(&mut self, state: &str) {
        self.unit.keep(super::session_states::state(&self.station, state));
    }

    /// Keeps what is known of the station's own data.
    pub fn put_mirrors(&mut self, mirrors: &str) {
        self.unit.keep(super::session_states::mirrors(&self.station, mirrors));
    }

    /// Keeps everything for good.
    ///
    /// # Errors
    /// When the database fails; nothing of the batch is kept then.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.write_changed()?;
        // Whatever comes of it: what is known is what was kept.
        let mut transactions = std::mem::take(&mut *self.known.lock());
        self.unit.commit().await?;
        transactions.append(&mut self.written);
        transactions.retain(|_, transaction| transaction.stopped_at.is_none());
        if transactions.len() <= MAX_KNOWN {
            *self.known.lock() = transactions;
        }
        Ok(())
    }
}

/// What tells two meter values of the same moment apart.
fn digest(sampled: &str) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(sampled));
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn row(transaction: &Transaction) -> Result<[Value; 19], StoreError> {
    let course = serde_json::to_string(&transaction.course)
        .map_err(|error| StoreError::Content { what: "the course of a session", value: error.to_string() })?;
    Ok([
        (&transaction.station).into(),
        (&transaction.id).into(),
        transaction.evse.into(),
        transaction.connector.into(),
        (&transaction.token).into(),
        transaction.started_at.into(),
        transaction.stopped_at.into(),
        (&transaction.stop_reason).into(),
        transaction.meter_start.into(),
        transaction.meter_start_at.into(),
        transaction.meter_last.into(),
        transaction.meter_last_at.into(),
        transaction.power.into(),
        (&transaction.tariff.tariff).into(),
        transaction.currency.code().into(),
        transaction.cost.into(),
        transaction.tariff.version.into(),
        course.into(),
        (&transaction.payer).into(),
    ])
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
