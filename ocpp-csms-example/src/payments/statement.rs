//! What came to a driver's balance, and what went from it.

use std::collections::HashMap;

use iso_currency::Currency;
use jiff::Timestamp;

use crate::ledger::Payer;
use crate::reports::{Range, ReportError};
use crate::server::Csms;
use crate::store::{AccountLine, Driver};

/// Lines of a statement at most.
const MAX_LINES: u32 = 5_000;

/// What came to a balance and went from it in a range of days, of the calendar of the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whose, for people.
    pub name: String,
    /// The days.
    pub range: Range,
    /// One for each currency, in the order of their codes.
    pub accounts: Vec<AccountStatement>,
}

/// A statement in one currency. Amounts are in minor units; below zero is what the driver owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatement {
    /// The currency.
    pub currency: Currency,
    /// The balance before the first day.
    pub opening: i64,
    /// What happened, in the order of time.
    pub lines: Vec<StatementLine>,
    /// The balance after the last day.
    pub closing: i64,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// When.
    pub at: Timestamp,
    /// What it was.
    pub kind: Movement,
    /// What it was about: a payment, a station, a month of a subscription.
    pub about: String,
    /// What came to the balance, or went from it.
    pub amount: i64,
    /// The balance after that.
    pub balance: i64,
}

/// Why a balance changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// It was filled up.
    TopUp,
    /// Money was paid back by a provider.
    PayOut,
    /// An amount was set aside for a session.
    SetAside,
    /// A session is over: what is left of that came back, and what it did not cover was charged.
    Session,
    /// A session or a month of a subscription was charged.
    Charge,
    /// A bill turned out to be another one.
    Adjustment,
    /// Part of what a session cost was given back.
    Refund,
    /// Something else.
    Other,
}

impl Movement {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopUp => "top_up",
            Self::PayOut => "pay_out",
            Self::SetAside => "set_aside",
            Self::Session => "session",
            Self::Charge => "charge",
            Self::Adjustment => "adjustment",
            Self::Refund => "refund",
            Self::Other => "other",
        }
    }

    /// What an entry of the ledger is for the account, and what it is about.
    fn of(reference: &str) -> (Self, &str) {
        let (kind, about) = reference.split_once(':').unwrap_or((reference, ""));
        let kind = match kind {
            "top-up" => Self::TopUp,
            "pay-out" | "release" => Self::PayOut,
            "hold" => Self::SetAside,
            "settle" => Self::Session,
            "charge" => Self::Charge,
            "adjust" => Self::Adjustment,
            "refund" => Self::Refund,
            _ => Self::Other,
        };
        (kind, about)
    }
}

/// The statement of a driver.
///
/// # Errors
/// When there is more than anybody reads, or the database fails.
pub async fn statement(csms: &Csms, driver: &Driver, range: Range) -> Result<Statement, ReportError> {
    let payer = Payer::Driver(driver.id.clone());
    let account = payer.account();
    let (from, until) = range.moments(&csms.config().time_zone);
    let store = csms.store();
    let lines = store.account_lines_between(&account, from, until, MAX_LINES + 1).await?;
    if lines.len() > MAX_LINES as usize {
        let text = format!("there are more than {MAX_LINES} lines in this range: choose a shorter one");
        return Err(ReportError::Invalid(text));
    }
    let sessions = store.prepaid_sessions_of(&payer, MAX_LINES).await?;
    let places = sessions.into_iter().map(|session| (session.id, session.station)).collect();
    let mut accounts: Vec<AccountStatement> = store
        .balances_before(&account, from)
        .await?
        .into_iter()
        .map(|(currency, owed)| AccountStatement { currency, opening: -owed, lines: Vec::new(), closing: -owed })
        .collect();
    for line in lines {
        let index = accounts.iter().position(|known| known.currency == line.currency);
        let index = index.unwrap_or_else(|| {
            accounts.push(AccountStatement { currency: line.currency, opening: 0, lines: Vec::new(), closing: 0 });
            accounts.len() - 1
        });
        if let Some(account) = accounts.get_mut(index) {
            account.add(&line, &places);
        }
    }
    accounts.sort_by_key(|account| account.currency.code());
    Ok(Statement { name: driver.name.clone(), range, accounts })
}

impl AccountStatement {
    fn add(&mut self, line: &AccountLine, places: &HashMap<String, String>) {
        let (kind, about) = Movement::of(&line.reference);
        // More than one amount may be set aside for a session, and a session be settled late.
        let session = about.rsplit_once('/').map_or(about, |(session, _)| session);
        let about = match (kind, places.get(about).or_else(|| places.get(session))) {
            (Movement::SetAside | Movement::Session, Some(station)) => station.clone(),
            _ => about.to_owned(),
        };
        self.closing -= line.amount;
        self.lines.push(StatementLine { at: line.at, kind, about, amount: -line.amount, balance: self.closing });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_the_balance_is_after_it_and_where_a_session_was() {
        let mut account = AccountStatement { currency: Currency::EUR, opening: 100, lines: Vec::new(), closing: 100 };
        let places = HashMap::from([("s1".to_owned(), "CS-1".to_owned())]);
        for (reference, amount) in
            [("top-up:p1", -5_000), ("hold:s1", 2_000), ("hold:s1/3", 500), ("settle:s1", -1_700)]
        {
            let at = Timestamp::UNIX_EPOCH;
            account.add(&AccountLine { reference: reference.to_owned(), at, amount, currency: Currency::EUR }, &places);
        }
        let lines: Vec<_> =
            account.lines.iter().map(|line| (line.kind, line.about.as_str(), line.amount, line.balance)).collect();
        assert_eq!(
            lines,
            [
                (Movement::TopUp, "p1", 5_000, 5_100),
                (Movement::SetAside, "CS-1", -2_000, 3_100),
                (Movement::SetAside, "CS-1", -500, 2_600),
                (Movement::Session, "CS-1", 1_700, 4_300),
            ]
        );
        assert_eq!(account.closing, 4_300);
    }
}
