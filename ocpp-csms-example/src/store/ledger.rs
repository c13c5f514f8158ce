//! The ledger: entries are only added, each once, and balances are kept beside them.

use iso_currency::Currency;
use jiff::Timestamp;

use super::{Store, StoreError, Unit, sql};
use crate::ledger::{Account, Entry};

/// An entry as an account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// What makes it happen once: its kind, and what it is about.
    pub reference: String,
    /// When.
    pub at: Timestamp,
    /// What it added to the account, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

/// What is wrong with the ledger: nothing, ever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerFaults {
    /// Entries whose amounts don't add up to zero.
    pub unbalanced: Vec<String>,
    /// Accounts whose balance is not what their postings come to.
    pub wrong_balances: Vec<String>,
    /// Money that is set aside for a session that is over, or not set aside for one that is not.
    pub forgotten_holds: Vec<String>,
}

impl LedgerFaults {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Adds an entry. False, and nothing added, where it was before.
///
/// # Errors
/// When it doesn't balance, or the database fails.
pub(crate) async fn post(unit: &mut Unit, entry: &Entry, at: Timestamp) -> Result<bool, StoreError> {
    let sum: i128 = entry.postings().iter().map(|posting| i128::from(posting.amount)).sum();
    if sum != 0 {
        return Err(StoreError::Content { what: "an entry that balances", value: entry.reference().to_owned() });
    }
    let insert = sql("INSERT INTO ledger_entries (reference, currency, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
    let currency = entry.currency().code();
    if unit.execute(insert.bind(entry.reference()).bind(currency).bind(at)).await? == 0 {
        return Ok(false);
    }
    for posting in entry.postings() {
        let account = posting.account.to_string();
        let insert = sql("INSERT INTO ledger_postings (reference, account, amount) VALUES ($1, $2, $3)");
        unit.execute(insert.bind(entry.reference()).bind(&account).bind(posting.amount)).await?;
        let add = "INSERT INTO ledger_balances (account, currency, amount) VALUES ($1, $2, $3) \
             ON CONFLICT (account, currency) DO UPDATE SET amount = ledger_balances.amount + excluded.amount";
        unit.execute(sql(add).bind(account).bind(currency).bind(posting.amount)).await?;
    }
    Ok(true)
}

/// What is on an account, with what this unit has changed. Nobody else changes it before the unit is over.
///
/// # Errors
/// When the database fails.
pub(crate) async fn balance(unit: &mut Unit, account: &Account, currency: Currency) -> Result<i64, StoreError> {
    // The row is written for nothing, so that it is this unit's: a balance decides what is posted.
    let lock = sql("UPDATE ledger_balances SET amount = amount WHERE account = $1 AND currency = $2");
    unit.execute(lock.bind(account.to_string()).bind(currency.code())).await?;
    let select = sql("SELECT amount FROM ledger_balances WHERE account = $1 AND currency = $2");
    let row = unit.fetch_optional(select.bind(account.to_string()).bind(currency.code())).await?;
    row.map_or(Ok(0), |row| row.integer("amount"))
}

impl Store {
    /// What is on an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn balance(&self, account: &Account, currency: Currency) -> Result<i64, StoreError> {
        let select = sql("SELECT amount FROM ledger_balances WHERE account = $1 AND currency = $2");
        let row = self.fetch_optional(select.bind(account.to_string()).bind(currency.code())).await?;
        row.map_or(Ok(0), |row| row.integer("amount"))
    }

    /// What is on all accounts whose names begin so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn balances(&self, prefix: &str) -> Result<Vec<(Account, Currency, i64)>, StoreError> {
        let select = "SELECT account, currency, amount FROM ledger_balances \
             WHERE substr(account, 1, length(CAST($1 AS TEXT))) = $1 ORDER BY account, currency";
        let rows = self.fetch_all(sql(select).bind(prefix)).await?;
        rows.iter().map(|row| Ok((row.parsed("account")?, row.parsed("currency")?, row.integer("amount")?))).collect()
    }

    /// What is on an account in each currency.
    pub(crate) async fn balances_of(&self, account: &Account) -> Result<Vec<(Account, Currency, i64)>, StoreError> {
        let select = sql("SELECT account, currency, amount FROM ledger_balances WHERE account = $1 ORDER BY currency");
        let rows = self.fetch_all(select.bind(account.to_string())).await?;
        rows.iter().map(|row| Ok((row.parsed("account")?, row.parsed("currency")?, row.integer("amount")?))).collect()
    }

    /// What is on the accounts of all drivers together, in each currency.
    pub(crate) async fn balance_of_drivers(&self) -> Result<Vec<(Currency, i64)>, StoreError> {
        let select = "SELECT currency, CAST(SUM(amount) AS BIGINT) AS amount FROM ledger_balances \
             WHERE substr(account, 1, 7) = 'driver:' GROUP BY currency ORDER BY currency";
        let rows = self.fetch_all(sql(select)).await?;
        rows.iter().map(|row| Ok((row.parsed("currency")?, row.integer("amount")?))).collect()
    }

    /// The entries of an account, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_lines(
        &self,
        account: &Account,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<AccountLine>, StoreError> {
        let select = "SELECT e.reference, e.at, e.currency, p.amount FROM ledger_postings p \
             JOIN ledger_entries e ON e.reference = p.reference \
             WHERE p.account = $1 AND e.at < $2 ORDER BY e.at DESC, e.reference DESC LIMIT $3";
        let select = sql(select).bind(account.to_string());
        let select = select.bind(before.map_or(i64::MAX, Timestamp::as_millisecond)).bind(limit);
        let read = |row: &super::Row| {
            Ok(AccountLine {
                reference: row.text("reference")?,
                at: row.moment("at")?,
                amount: row.integer("amount")?,
                currency: row.parsed("currency")?,
            })
        };
        self.fetch_all(select).await?.iter().map(read).collect()
    }

    /// Counts everything anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_ledger(&self) -> Result<LedgerFaults, StoreError> {
        let mut unit = self.serial_unit().await?;
        let unbalanced = "SELECT reference FROM ledger_postings GROUP BY reference HAVING SUM(amount) <> 0";
        let wrong = "SELECT b.account AS account FROM ledger_balances b WHERE b.amount <> \
             (SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM ledger_postings p \
             JOIN ledger_entries e ON e.reference = p.reference WHERE p.account = b.account AND e.currency = b.currency)";
        let forgotten = "SELECT b.account AS account FROM ledger_balances b \
             WHERE substr(b.account, 1, 5) = 'hold:' AND b.amount <> 0 AND NOT EXISTS \
             (SELECT 1 FROM prepaid_sessions s WHERE 'hold:' || s.id = b.account AND s.stage IN ('held', 'running'))";
        let texts = |rows: Vec<super::Row>, column: &'static str| {
            rows.iter().map(|row| row.text(column)).collect::<Result<Vec<_>, _>>()
        };
        Ok(LedgerFaults {
            unbalanced: texts(unit.fetch_all(sql(unbalanced)).await?, "reference")?,
            wrong_balances: texts(unit.fetch_all(sql(wrong)).await?, "account")?,
            forgotten_holds: texts(unit.fetch_all(sql(forgotten)).await?, "account")?,
        })
    }
}
