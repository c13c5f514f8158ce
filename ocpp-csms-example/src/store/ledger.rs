//! The ledger: entries are only added, each once, and balances are kept beside them.

use iso_currency::Currency;
use jiff::Timestamp;

use super::{Row, Store, StoreError, Unit, sql};
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
    /// What was earned, taxed or given back, where it is not what the bills say.
    pub not_as_billed: Vec<String>,
    /// Bills of payers that were charged by no entry, and payments that were confirmed or paid back without one.
    pub unposted: Vec<String>,
    /// Payments whose money a provider keeps ready although the session is over.
    pub untaken: Vec<String>,
}

impl LedgerFaults {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong, each with the names of what it is wrong with.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, &[String])> {
        let all = [
            ("entries whose amounts do not add up to zero", &*self.unbalanced),
            ("accounts whose balance is not what their entries come to", &*self.wrong_balances),
            ("money set aside for a session that is over, or not for one that is not", &*self.forgotten_holds),
            ("accounts that are not what the bills come to", &*self.not_as_billed),
            ("bills and payments without their entry", &*self.unposted),
            ("payments kept ready for a session that is over", &*self.untaken),
        ];
        all.into_iter().filter(|(_, names)| !names.is_empty()).collect()
    }
}

/// Entries whose amounts don't add up to zero.
const UNBALANCED: &str =
    "SELECT reference AS name FROM ledger_postings GROUP BY reference HAVING SUM(amount) <> 0 ORDER BY reference";
/// Balances that are not the sum of their postings, and sums of postings without a balance.
const WRONG_BALANCES: &str = "SELECT DISTINCT account AS name FROM (\
     SELECT account, currency, amount FROM ledger_balances UNION ALL \
     SELECT p.account AS account, e.currency AS currency, -p.amount AS amount FROM ledger_postings p \
     JOIN ledger_entries e ON e.reference = p.reference) AS sums \
     GROUP BY account, currency HAVING SUM(amount) <> 0 ORDER BY account";
/// What was earned, and what bills, their adjustments, months of subscriptions and refunds say of that.
const NOT_AS_BILLED: &str = "SELECT DISTINCT account AS name FROM (\
     SELECT account, currency, amount FROM ledger_balances WHERE account IN ('revenue', 'tax', 'refunds') \
     UNION ALL SELECT 'revenue' AS account, currency, net AS amount FROM bills WHERE substr(payer, 1, 7) = 'driver:' OR substr(payer, 1, 6) = 'guest:' \
     UNION ALL SELECT 'tax' AS account, currency, tax AS amount FROM bills WHERE substr(payer, 1, 7) = 'driver:' OR substr(payer, 1, 6) = 'guest:' \
     UNION ALL SELECT 'revenue' AS account, b.currency AS currency, a.net AS amount FROM bill_adjustments a \
     JOIN bills b ON b.station = a.station AND b.transaction_id = a.transaction_id \
     WHERE substr(b.payer, 1, 7) = 'driver:' OR substr(b.payer, 1, 6) = 'guest:' \
     UNION ALL SELECT 'tax' AS account, b.currency AS currency, a.tax AS amount FROM bill_adjustments a \
     JOIN bills b ON b.station = a.station AND b.transaction_id = a.transaction_id \
     WHERE substr(b.payer, 1, 7) = 'driver:' OR substr(b.payer, 1, 6) = 'guest:' \
     UNION ALL SELECT 'revenue' AS account, p.currency AS currency, m.net AS amount FROM subscription_months m \
     JOIN plan_subscriptions s ON s.id = m.subscription JOIN plans p ON p.id = s.plan \
     UNION ALL SELECT 'tax' AS account, p.currency AS currency, m.tax AS amount FROM subscription_months m \
     JOIN plan_subscriptions s ON s.id = m.subscription JOIN plans p ON p.id = s.plan \
     UNION ALL SELECT 'refunds' AS account, b.currency AS currency, -r.net AS amount FROM bill_refunds r \
     JOIN bills b ON b.station = r.station AND b.transaction_id = r.transaction_id \
     UNION ALL SELECT 'tax' AS account, b.currency AS currency, -r.tax AS amount FROM bill_refunds r \
     JOIN bills b ON b.station = r.station AND b.transaction_id = r.transaction_id) AS books \
     GROUP BY account, currency HAVING SUM(amount) <> 0 ORDER BY account";
const FORGOTTEN_HOLDS: &str = "SELECT b.account AS name FROM ledger_balances b \
     WHERE substr(b.account, 1, 5) = 'hold:' AND b.amount <> 0 AND NOT EXISTS \
     (SELECT 1 FROM prepaid_sessions s WHERE 'hold:' || s.id = b.account AND s.stage IN ('held', 'running')) \
     UNION ALL SELECT 'hold:' || s.id AS name FROM prepaid_sessions s WHERE s.stage = 'held' AND NOT EXISTS \
     (SELECT 1 FROM ledger_balances b WHERE b.account = 'hold:' || s.id AND b.amount < 0) ORDER BY name";
const UNPOSTED: &str = "SELECT 'bill:' || b.station || '/' || b.transaction_id AS name FROM bills b \
     WHERE b.total > 0 AND (substr(b.payer, 1, 7) = 'driver:' OR substr(b.payer, 1, 6) = 'guest:') \
     AND NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.reference = 'charge:' || b.station || '/' || b.transaction_id) \
     AND NOT EXISTS (SELECT 1 FROM prepaid_sessions s JOIN ledger_entries e \
     ON e.reference IN ('settle:' || s.id, 'settle:' || s.id || '/late') \
     WHERE s.station = b.station AND s.transaction_id = b.transaction_id) \
     UNION ALL SELECT 'top-up:' || p.id AS name FROM payments p WHERE p.state = 'confirmed' \
     AND NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.reference = 'top-up:' || p.id) \
     UNION ALL SELECT 'pay-out:' || r.id AS name FROM payment_refunds r WHERE r.state = 'done' \
     AND NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.reference = 'pay-out:' || r.id) ORDER BY name";
const UNTAKEN: &str = "SELECT p.id AS name FROM payments p LEFT JOIN prepaid_sessions s ON s.id = p.session \
     WHERE p.capture = 'open' AND (s.id IS NULL OR s.stage IN ('released', 'settled', 'abandoned')) ORDER BY p.id";

const LINES: &str = "SELECT p.reference, p.at, e.currency, p.amount FROM ledger_postings p \
     JOIN ledger_entries e ON e.reference = p.reference WHERE p.account = $1";

fn read_line(row: &Row) -> Result<AccountLine, StoreError> {
    Ok(AccountLine {
        reference: row.text("reference")?,
        at: row.moment("at")?,
        amount: row.integer("amount")?,
        currency: row.parsed("currency")?,
    })
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
        let insert = sql("INSERT INTO ledger_postings (reference, account, amount, at) VALUES ($1, $2, $3, $4)");
        unit.execute(insert.bind(entry.reference()).bind(&account).bind(posting.amount).bind(at)).await?;
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
        let select = format!("{LINES} AND p.at < $2 ORDER BY p.at DESC, p.reference DESC LIMIT $3");
        let select = sql(select).bind(account.to_string());
        let select = select.bind(before.map_or(i64::MAX, Timestamp::as_millisecond)).bind(limit);
        self.fetch_all(select).await?.iter().map(read_line).collect()
    }

    /// The entries of an account from one moment until before another, in the order of time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_lines_between(
        &self,
        account: &Account,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<AccountLine>, StoreError> {
        let select = format!("{LINES} AND p.at >= $2 AND p.at < $3 ORDER BY p.at, p.reference LIMIT $4");
        let select = sql(select).bind(account.to_string()).bind(from).bind(until).bind(limit);
        self.fetch_all(select).await?.iter().map(read_line).collect()
    }

    /// What was on an account before a moment, by currency.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn balances_before(
        &self,
        account: &Account,
        moment: Timestamp,
    ) -> Result<Vec<(Currency, i64)>, StoreError> {
        let select = "SELECT e.currency AS currency, CAST(SUM(p.amount) AS BIGINT) AS amount FROM ledger_postings p \
             JOIN ledger_entries e ON e.reference = p.reference WHERE p.account = $1 AND p.at < $2 \
             GROUP BY e.currency ORDER BY e.currency";
        let rows = self.fetch_all(sql(select).bind(account.to_string()).bind(moment)).await?;
        rows.iter().map(|row| Ok((row.parsed("currency")?, row.integer("amount")?))).collect()
    }

    /// Counts everything anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_ledger(&self) -> Result<LedgerFaults, StoreError> {
        // All of it at one instant.
        let mut unit = self.serial_unit().await?;
        let mut names = async |select: &'static str| -> Result<Vec<String>, StoreError> {
            unit.fetch_all(sql(select)).await?.iter().map(|row| row.text("name")).collect()
        };
        Ok(LedgerFaults {
            unbalanced: names(UNBALANCED).await?,
            wrong_balances: names(WRONG_BALANCES).await?,
            forgotten_holds: names(FORGOTTEN_HOLDS).await?,
            not_as_billed: names(NOT_AS_BILLED).await?,
            unposted: names(UNPOSTED).await?,
            untaken: names(UNTAKEN).await?,
        })
    }
}
