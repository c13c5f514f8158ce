//! The bills of sessions: each made once, and adjusted by what is found out later.

use iso_currency::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::conditions::Conditions;
use super::{Row, Store, StoreError, Unit, sql};
use crate::tariffs::{Bill, TariffVersion};

/// The bill of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct BillRecord {
    /// The station.
    pub station: String,
    /// The transaction.
    pub transaction: String,
    /// Who pays: an account of the ledger, or `free`. `None` where it's on nobody's account.
    pub payer: Option<String>,
    /// By which version of which tariff.
    pub tariff: TariffVersion,
    /// The currency.
    pub currency: Currency,
    /// What it came to when the session ended.
    pub bill: Bill,
    /// What was charged, in Wh.
    pub energy_wh: Decimal,
    /// Whether the end of the session was known.
    pub is_final: bool,
    /// When it was made.
    pub billed_at: Timestamp,
    /// The invoice that it is on.
    pub invoice: Option<i64>,
    /// What was found out later: the sum of net and of tax, which are added to the bill.
    pub adjusted: (i64, i64),
    /// What was given back of it: the sum of net and of tax.
    pub refunded: (i64, i64),
}

impl BillRecord {
    /// What is to be paid after all: the bill, what was found out later, less what was given back.
    #[must_use]
    pub fn due(&self) -> i64 {
        self.bill.total + self.adjusted.0 + self.adjusted.1 - self.refunded.0 - self.refunded.1
    }
}

/// Which bills.
#[derive(Debug, Clone, Default)]
pub struct BillFilter {
    /// Of this payer only.
    pub payer: Option<String>,
    /// Of this station only.
    pub station: Option<String>,
    /// Made at this moment or later.
    pub from: Option<Timestamp>,
    /// Made before this moment.
    pub before: Option<Timestamp>,
}

const SELECT: &str = "SELECT b.*, \
     (SELECT CAST(COALESCE(SUM(a.net), 0) AS BIGINT) FROM bill_adjustments a WHERE a.station = b.station AND a.transaction_id = b.transaction_id) AS adjusted_net, \
     (SELECT CAST(COALESCE(SUM(a.tax), 0) AS BIGINT) FROM bill_adjustments a WHERE a.station = b.station AND a.transaction_id = b.transaction_id) AS adjusted_tax, \
     (SELECT CAST(COALESCE(SUM(r.net), 0) AS BIGINT) FROM bill_refunds r WHERE r.station = b.station AND r.transaction_id = b.transaction_id) AS refunded_net, \
     (SELECT CAST(COALESCE(SUM(r.tax), 0) AS BIGINT) FROM bill_refunds r WHERE r.station = b.station AND r.transaction_id = b.transaction_id) AS refunded_tax \
     FROM bills b";

/// The bill of a session, with what this unit has changed.
pub(crate) async fn bill(unit: &mut Unit, station: &str, transaction: &str) -> Result<Option<BillRecord>, StoreError> {
    let select = sql(format!("{SELECT} WHERE b.station = $1 AND b.transaction_id = $2"));
    unit.fetch_optional(select.bind(station).bind(transaction)).await?.as_ref().map(read).transpose()
}

/// Makes the bill of a session. False, and nothing made, where there is one.
pub(crate) async fn put_bill(unit: &mut Unit, record: &BillRecord) -> Result<bool, StoreError> {
    let lines = serde_json::to_string(&record.bill.lines)
        .map_err(|error| StoreError::Content { what: "the lines of a bill", value: error.to_string() })?;
    let insert = "INSERT INTO bills (station, transaction_id, payer, tariff, tariff_version, currency, net, tax, total, lines, \
         energy_wh, is_final, billed_at, invoice) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL) \
         ON CONFLICT DO NOTHING";
    let insert = sql(insert)
        .bind(&record.station)
        .bind(&record.transaction)
        .bind(&record.payer)
        .bind(&record.tariff.tariff)
        .bind(record.tariff.version)
        .bind(record.currency.code())
        .bind(record.bill.net)
        .bind(record.bill.tax)
        .bind(record.bill.total)
        .bind(lines)
        .bind(record.energy_wh)
        .bind(record.is_final)
        .bind(record.billed_at);
    Ok(unit.execute(insert).await? > 0)
}

/// Notes what a bill turned out to be wrong by; which adjustment of it this is, from 1.
pub(crate) async fn put_adjustment(
    unit: &mut Unit,
    record: &BillRecord,
    (net, tax): (i64, i64),
    reason: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let select =
        "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM bill_adjustments WHERE station = $1 AND transaction_id = $2";
    let row = unit.fetch_optional(sql(select).bind(&record.station).bind(&record.transaction)).await?;
    let number = row.map_or(Ok(0), |row| row.integer("number"))? + 1;
    let insert = "INSERT INTO bill_adjustments (station, transaction_id, number, net, tax, total, reason, adjusted_at, invoice) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)";
    let insert = sql(insert).bind(&record.station).bind(&record.transaction).bind(number).bind(net).bind(tax);
    unit.execute(insert.bind(net + tax).bind(reason).bind(now)).await?;
    Ok(number)
}

/// Who pays for what a token starts: an account of the ledger, or `free`.
pub(crate) async fn payer_of_token(unit: &mut Unit, token: &str) -> Result<Option<String>, StoreError> {
    let select = "SELECT t.driver AS driver, COALESCE(t.payment, d.payment) AS payment FROM token_terms t \
         LEFT JOIN drivers d ON d.id = t.driver WHERE t.token_key = $1";
    let Some(row) = unit.fetch_optional(sql(select).bind(token.to_lowercase())).await? else { return Ok(None) };
    Ok(match (row.optional_text("payment")?.as_deref(), row.optional_text("driver")?) {
        (Some("free"), _) => Some("free".to_owned()),
        (Some("balance"), Some(driver)) => Some(format!("driver:{driver}")),
        _ => None,
    })
}

/// Notes what is given back of a bill.
pub(crate) async fn put_bill_refund(
    unit: &mut Unit,
    id: &str,
    record: &BillRecord,
    (net, tax): (i64, i64),
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO bill_refunds (id, station, transaction_id, net, tax, reason, refunded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let insert = sql(insert).bind(id).bind(&record.station).bind(&record.transaction).bind(net).bind(tax);
    unit.execute(insert.bind(reason).bind(now)).await?;
    Ok(())
}

impl Store {
    /// The bill of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bill(&self, station: &str, transaction: &str) -> Result<Option<BillRecord>, StoreError> {
        let select = sql(format!("{SELECT} WHERE b.station = $1 AND b.transaction_id = $2"));
        self.fetch_optional(select.bind(station).bind(transaction)).await?.as_ref().map(read).transpose()
    }

    /// Bills, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bills(&self, filter: &BillFilter, limit: u32) -> Result<Vec<BillRecord>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.with("b.payer =", filter.payer.as_ref());
        conditions.with("b.station =", filter.station.as_ref());
        conditions.with("b.billed_at >=", filter.from);
        conditions.with("b.billed_at <", filter.before);
        let select = conditions.select(SELECT, "b.billed_at DESC, b.station DESC, b.transaction_id DESC", limit);
        self.fetch_all(select).await?.iter().map(read).collect()
    }
}

pub(super) fn read(row: &Row) -> Result<BillRecord, StoreError> {
    let lines = row.text("lines")?;
    let lines =
        serde_json::from_str(&lines).map_err(|_| StoreError::Content { what: "the lines of a bill", value: lines })?;
    Ok(BillRecord {
        station: row.text("station")?,
        transaction: row.text("transaction_id")?,
        payer: row.optional_text("payer")?,
        tariff: TariffVersion { tariff: row.text("tariff")?, version: row.integer("tariff_version")? },
        currency: row.parsed("currency")?,
        bill: Bill { lines, net: row.integer("net")?, tax: row.integer("tax")?, total: row.integer("total")? },
        energy_wh: row.parsed("energy_wh")?,
        is_final: row.flag("is_final")?,
        billed_at: row.moment("billed_at")?,
        invoice: row.optional_integer("invoice")?,
        adjusted: (row.integer("adjusted_net")?, row.integer("adjusted_tax")?),
        refunded: (row.integer("refunded_net")?, row.integer("refunded_tax")?),
    })
}
