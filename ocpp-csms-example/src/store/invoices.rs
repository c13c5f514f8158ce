//! Invoices: numbered without gaps, and never changed.

use iso_currency::Currency;
use jiff::Timestamp;

use super::conditions::Conditions;
use super::{Row, Store, StoreError, Unit, sql};
use crate::ledger::Payer;
use crate::payments::InvoiceLine;

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its number: they are counted from 1 without gaps.
    pub number: i64,
    /// Who pays.
    pub payer: Payer,
    /// The currency.
    pub currency: Currency,
    /// What is on it was billed at this moment or later.
    pub from: Timestamp,
    /// And before this one.
    pub to: Timestamp,
    /// Without tax, in minor units.
    pub net: i64,
    /// The tax.
    pub tax: i64,
    /// What is to be paid, or was.
    pub total: i64,
    /// What for.
    pub lines: Vec<InvoiceLine>,
    /// When it was made.
    pub issued_at: Timestamp,
}

/// What of a payer is on no invoice yet.
pub(crate) async fn open_lines(
    unit: &mut Unit,
    payer: &Payer,
    currency: Currency,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<InvoiceLine>, StoreError> {
    let mut lines = Vec::new();
    let select = "SELECT station, transaction_id, billed_at, energy_wh, net, tax FROM bills \
         WHERE payer = $1 AND currency = $2 AND billed_at >= $3 AND billed_at < $4 AND invoice IS NULL AND total > 0 ORDER BY billed_at, station";
    let bound = |text: &'static str| sql(text).bind(payer.to_string()).bind(currency.code()).bind(from).bind(to);
    for row in unit.fetch_all(bound(select)).await? {
        lines.push(InvoiceLine {
            kind: "session".to_owned(),
            about: format!("{}/{}", row.text("station")?, row.text("transaction_id")?),
            at: row.moment("billed_at")?,
            energy_wh: Some(row.parsed("energy_wh")?),
            net: row.integer("net")?,
            tax: row.integer("tax")?,
        });
    }
    let select = "SELECT a.station AS station, a.transaction_id AS transaction_id, a.number AS number, a.adjusted_at AS adjusted_at, \
         a.net AS net, a.tax AS tax FROM bill_adjustments a \
         JOIN bills b ON b.station = a.station AND b.transaction_id = a.transaction_id \
         WHERE b.payer = $1 AND b.currency = $2 AND a.adjusted_at >= $3 AND a.adjusted_at < $4 AND a.invoice IS NULL \
         ORDER BY a.adjusted_at, a.station, a.number";
    for row in unit.fetch_all(bound(select)).await? {
        let (station, transaction) = (row.text("station")?, row.text("transaction_id")?);
        lines.push(InvoiceLine {
            kind: "adjustment".to_owned(),
            about: format!("{station}/{transaction}/{}", row.integer("number")?),
            at: row.moment("adjusted_at")?,
            energy_wh: None,
            net: row.integer("net")?,
            tax: row.integer("tax")?,
        });
    }
    let Some(driver) = payer.driver() else { return Ok(lines) };
    let select = "SELECT m.subscription AS subscription, m.number AS number, m.from_at AS from_at, m.net AS net, m.tax AS tax \
         FROM subscription_months m JOIN plan_subscriptions s ON s.id = m.subscription JOIN plans p ON p.id = s.plan \
         WHERE s.driver = $1 AND p.currency = $2 AND m.from_at >= $3 AND m.from_at < $4 AND m.invoice IS NULL ORDER BY m.from_at";
    for row in unit.fetch_all(sql(select).bind(driver).bind(currency.code()).bind(from).bind(to)).await? {
        lines.push(InvoiceLine {
            kind: "subscription".to_owned(),
            about: format!("{}/{}", row.text("subscription")?, row.integer("number")?),
            at: row.moment("from_at")?,
            energy_wh: None,
            net: row.integer("net")?,
            tax: row.integer("tax")?,
        });
    }
    Ok(lines)
}

/// The number of the next invoice. Whoever asks keeps one in the same unit.
pub(crate) async fn next_number(unit: &mut Unit) -> Result<i64, StoreError> {
    let row = unit.fetch_optional(sql("SELECT COALESCE(MAX(number), 0) + 1 AS number FROM invoices")).await?;
    row.map_or(Ok(1), |row| row.integer("number"))
}

/// Keeps an invoice, and notes it on everything that is on it.
pub(crate) async fn put_invoice(unit: &mut Unit, invoice: &Invoice) -> Result<(), StoreError> {
    let lines = serde_json::to_string(&invoice.lines)
        .map_err(|error| StoreError::Content { what: "the lines of an invoice", value: error.to_string() })?;
    let insert = "INSERT INTO invoices (number, payer, currency, from_at, to_at, net, tax, total, lines, issued_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let insert = sql(insert)
        .bind(invoice.number)
        .bind(invoice.payer.to_string())
        .bind(invoice.currency.code())
        .bind(invoice.from)
        .bind(invoice.to)
        .bind(invoice.net)
        .bind(invoice.tax)
        .bind(invoice.total)
        .bind(lines)
        .bind(invoice.issued_at);
    unit.execute(insert).await?;
    for line in &invoice.lines {
        let update = match line.kind.as_str() {
            "session" => {
                "UPDATE bills SET invoice = $1 WHERE station || '/' || transaction_id = $2 AND invoice IS NULL"
            }
            "adjustment" => {
                "UPDATE bill_adjustments SET invoice = $1 \
                 WHERE station || '/' || transaction_id || '/' || CAST(number AS TEXT) = $2 AND invoice IS NULL"
            }
            _ => {
                "UPDATE subscription_months SET invoice = $1 \
                 WHERE subscription || '/' || CAST(number AS TEXT) = $2 AND invoice IS NULL"
            }
        };
        unit.execute(sql(update).bind(invoice.number).bind(&line.about)).await?;
    }
    Ok(())
}

impl Store {
    /// One invoice.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invoice(&self, number: i64) -> Result<Option<Invoice>, StoreError> {
        let select = sql("SELECT * FROM invoices WHERE number = $1").bind(number);
        self.fetch_optional(select).await?.as_ref().map(read).transpose()
    }

    /// Invoices with smaller numbers than `before`, the newest first; those of one payer, or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invoices(
        &self,
        payer: Option<&Payer>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Invoice>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.with("payer =", payer.map(Payer::to_string));
        conditions.with("number <", before);
        let select = conditions.select("SELECT * FROM invoices", "number DESC", limit);
        self.fetch_all(select).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Invoice, StoreError> {
    let lines = row.text("lines")?;
    let lines = serde_json::from_str(&lines)
        .map_err(|_| StoreError::Content { what: "the lines of an invoice", value: lines })?;
    Ok(Invoice {
        number: row.integer("number")?,
        payer: row.parsed("payer")?,
        currency: row.parsed("currency")?,
        from: row.moment("from_at")?,
        to: row.moment("to_at")?,
        net: row.integer("net")?,
        tax: row.integer("tax")?,
        total: row.integer("total")?,
        lines,
        issued_at: row.moment("issued_at")?,
    })
}
