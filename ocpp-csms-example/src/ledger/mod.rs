//! Whose money is where: a ledger of double entries in minor units.
//!
//! Every entry takes from accounts exactly what it gives to others, so that the sum over all accounts is zero at every instant.
//! Entries are only ever added. Each has a reference of its own, `settle:CS-1/42`, so that what is repeated happens once.

use std::collections::BTreeMap;
use std::fmt;

use iso_currency::Currency;
use serde::{Deserialize, Serialize};

/// Where money can be. Amounts are positive where the operator has it, negative where the operator owes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// With a payment provider, which will pay it out to the operator.
    Provider(String),
    /// A driver's balance: the operator owes it to them. Negative for what they can spend.
    Driver(String),
    /// What is left of what somebody without an account paid for one session.
    Guest(String),
    /// Taken from a driver's balance for a session that isn't settled.
    Hold(String),
    /// Earned, without tax.
    Revenue,
    /// Owed to the state.
    Tax,
    /// Earned, and given back.
    Refunds,
}

/// Who pays: whose account is charged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// A driver, by the id of the account.
    Driver(String),
    /// Somebody without an account, by the session that is paid for.
    Guest(String),
}

impl Payer {
    /// The account of the ledger.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Driver(id) => Account::Driver(id.clone()),
            Self::Guest(id) => Account::Guest(id.clone()),
        }
    }

    /// The driver, if it is one.
    #[must_use]
    pub fn driver(&self) -> Option<&str> {
        match self {
            Self::Driver(id) => Some(id),
            Self::Guest(_) => None,
        }
    }
}

impl fmt::Display for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::str::FromStr for Payer {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse()? {
            Account::Driver(id) => Ok(Self::Driver(id)),
            Account::Guest(id) => Ok(Self::Guest(id)),
            _ => Err(()),
        }
    }
}

/// A movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    reference: String,
    currency: Currency,
    postings: Vec<Posting>,
}

/// What an entry adds to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// How much, in minor units.
    pub amount: i64,
}

/// An amount that cannot be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount of {0} minor units cannot be moved; it has to be above zero and below {HIGHEST}")]
pub struct AmountError(pub i64);

/// More than this is no payment of a driver but a mistake.
const HIGHEST: i64 = 1_000_000_000_000;

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(name) => write!(f, "provider:{name}"),
            Self::Driver(id) => write!(f, "driver:{id}"),
            Self::Guest(id) => write!(f, "guest:{id}"),
            Self::Hold(id) => write!(f, "hold:{id}"),
            Self::Revenue => f.write_str("revenue"),
            Self::Tax => f.write_str("tax"),
            Self::Refunds => f.write_str("refunds"),
        }
    }
}

impl std::str::FromStr for Account {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            None if text == "revenue" => Ok(Self::Revenue),
            None if text == "tax" => Ok(Self::Tax),
            None if text == "refunds" => Ok(Self::Refunds),
            Some(("provider", name)) => Ok(Self::Provider(name.to_owned())),
            Some(("driver", id)) => Ok(Self::Driver(id.to_owned())),
            Some(("guest", id)) => Ok(Self::Guest(id.to_owned())),
            Some(("hold", id)) => Ok(Self::Hold(id.to_owned())),
            _ => Err(()),
        }
    }
}

/// What a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Without tax.
    pub net: i64,
    /// The tax.
    pub tax: i64,
}

impl Entry {
    /// A provider has confirmed a driver's payment.
    ///
    /// # Errors
    /// The amount is nothing, or too much.
    pub fn top_up(
        payment: &str,
        provider: &str,
        payer: &Payer,
        amount: i64,
        currency: Currency,
    ) -> Result<Self, AmountError> {
        let amount = movable(amount)?;
        let postings = [(Account::Provider(provider.to_owned()), amount), (payer.account(), -amount)];
        Ok(Self::new(format!("top-up:{payment}"), currency, postings))
    }

    /// What a provider paid back to a driver.
    ///
    /// # Errors
    /// The amount is nothing, or too much.
    pub fn pay_out(
        payment: &str,
        provider: &str,
        payer: &Payer,
        amount: i64,
        currency: Currency,
    ) -> Result<Self, AmountError> {
        let amount = movable(amount)?;
        let postings = [(Account::Provider(provider.to_owned()), -amount), (payer.account(), amount)];
        Ok(Self::new(format!("pay-out:{payment}"), currency, postings))
    }

    /// A provider lets go of what it kept ready of a payment and was not used.
    ///
    /// # Errors
    /// The amount is nothing, or too much.
    pub fn release(
        payment: &str,
        provider: &str,
        payer: &Payer,
        amount: i64,
        currency: Currency,
    ) -> Result<Self, AmountError> {
        let entry = Self::pay_out(payment, provider, payer, amount, currency)?;
        Ok(Self { reference: format!("release:{payment}"), ..entry })
    }

    /// An amount is set aside for a session before it starts.
    ///
    /// # Errors
    /// The amount is nothing, or too much.
    pub fn hold(session: &str, payer: &Payer, amount: i64, currency: Currency) -> Result<Self, AmountError> {
        let amount = movable(amount)?;
        let postings = [(payer.account(), amount), (Account::Hold(session.to_owned()), -amount)];
        Ok(Self::new(format!("hold:{session}"), currency, postings))
    }

    /// A session is over: what it came to is earned, what is left of the hold goes back to the driver, and what the hold didn't
    /// cover the driver owes. A session that came to nothing gives everything back.
    ///
    /// The reference names what is settled: the session, unless it is settled anew.
    ///
    /// # Errors
    /// An amount is negative, or too much.
    pub fn settle(
        reference: &str,
        session: &str,
        payer: &Payer,
        held: i64,
        settlement: Settlement,
        currency: Currency,
    ) -> Result<Self, AmountError> {
        for amount in [held, settlement.net, settlement.tax] {
            if !(0..HIGHEST).contains(&amount) {
                return Err(AmountError(amount));
            }
        }
        let postings = [
            (Account::Hold(session.to_owned()), held),
            (Account::Revenue, -settlement.net),
            (Account::Tax, -settlement.tax),
            (payer.account(), settlement.net + settlement.tax - held),
        ];
        Ok(Self::new(format!("settle:{reference}"), currency, postings))
    }

    /// Part of what was earned goes back to the driver's balance.
    ///
    /// # Errors
    /// An amount is negative or too much, or both are nothing.
    pub fn refund(
        refund: &str,
        payer: &Payer,
        settlement: Settlement,
        currency: Currency,
    ) -> Result<Self, AmountError> {
        let amount = movable(settlement.net.max(0) + settlement.tax.max(0))?;
        if settlement.net < 0 || settlement.tax < 0 {
            return Err(AmountError(settlement.net.min(settlement.tax)));
        }
        let postings = [(Account::Refunds, settlement.net), (Account::Tax, settlement.tax), (payer.account(), -amount)];
        Ok(Self::new(format!("refund:{refund}"), currency, postings))
    }

    /// More is set aside for a session; `name` tells this time from others.
    ///
    /// # Errors
    /// The amount is nothing, or too much.
    pub fn hold_more(
        name: &str,
        session: &str,
        payer: &Payer,
        amount: i64,
        currency: Currency,
    ) -> Result<Self, AmountError> {
        let amount = movable(amount)?;
        let postings = [(payer.account(), amount), (Account::Hold(session.to_owned()), -amount)];
        Ok(Self::new(format!("hold:{session}/{name}"), currency, postings))
    }

    /// Something is charged that nothing was set aside for: a session without a hold, or a month of a subscription.
    ///
    /// # Errors
    /// An amount is negative, or too much.
    pub fn charge(what: &str, payer: &Payer, settlement: Settlement, currency: Currency) -> Result<Self, AmountError> {
        let mut entry = Self::settle(what, what, payer, 0, settlement, currency)?;
        entry.reference = format!("charge:{what}");
        Ok(entry)
    }

    /// A bill turned out to be another one: what it changed by is charged, or given back.
    ///
    /// # Errors
    /// An amount is too much.
    pub fn adjust(what: &str, payer: &Payer, change: Settlement, currency: Currency) -> Result<Self, AmountError> {
        for amount in [change.net, change.tax] {
            if !(-HIGHEST..HIGHEST).contains(&amount) {
                return Err(AmountError(amount));
            }
        }
        let postings =
            [(Account::Revenue, -change.net), (Account::Tax, -change.tax), (payer.account(), change.net + change.tax)];
        Ok(Self::new(format!("adjust:{what}"), currency, postings))
    }

    fn new<const N: usize>(reference: String, currency: Currency, postings: [(Account, i64); N]) -> Self {
        let postings = postings.into_iter().filter(|(_, amount)| *amount != 0);
        let postings: Vec<_> = postings.map(|(account, amount)| Posting { account, amount }).collect();
        debug_assert_eq!(postings.iter().map(|posting| posting.amount).sum::<i64>(), 0, "an entry balances");
        Self { reference, currency, postings }
    }

    /// What makes it happen once.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The currency of its amounts.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// What it adds to which account; the amounts add up to zero.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

fn movable(amount: i64) -> Result<i64, AmountError> {
    if (1..HIGHEST).contains(&amount) { Ok(amount) } else { Err(AmountError(amount)) }
}

/// Balances, as the entries so far make them. The database keeps the same; this one is for tests and for reports.
#[derive(Debug, Clone, Default)]
pub struct Balances(BTreeMap<(Account, &'static str), i64>);

impl Balances {
    /// Adds an entry.
    pub fn add(&mut self, entry: &Entry) {
        for posting in &entry.postings {
            *self.0.entry((posting.account.clone(), entry.currency.code())).or_default() += posting.amount;
        }
    }

    /// What is on an account.
    #[must_use]
    pub fn of(&self, account: &Account, currency: Currency) -> i64 {
        self.0.get(&(account.clone(), currency.code())).copied().unwrap_or_default()
    }

    /// The sum over all accounts: zero.
    #[must_use]
    pub fn sum(&self) -> i64 {
        self.0.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EUR: Currency = Currency::EUR;

    fn ada() -> Payer {
        Payer::Driver("ada".into())
    }

    #[test]
    fn a_prepaid_session_takes_what_it_costs_and_gives_the_rest_back() {
        let driver = ada().account();
        let mut balances = Balances::default();
        balances.add(&Entry::top_up("p1", "sandbox", &ada(), 5_000, EUR).unwrap());
        balances.add(&Entry::hold("s1", &ada(), 3_000, EUR).unwrap());
        assert_eq!(balances.of(&driver, EUR), -2_000);
        balances.add(&Entry::settle("s1", "s1", &ada(), 3_000, Settlement { net: 1_000, tax: 190 }, EUR).unwrap());
        assert_eq!(balances.of(&driver, EUR), -3_810);
        assert_eq!(balances.of(&Account::Hold("s1".into()), EUR), 0);
        assert_eq!((balances.of(&Account::Revenue, EUR), balances.of(&Account::Tax, EUR)), (-1_000, -190));
    }

    #[test]
    fn what_the_hold_did_not_cover_is_owed() {
        let mut balances = Balances::default();
        balances.add(&Entry::hold("s1", &ada(), 100, EUR).unwrap());
        balances.add(&Entry::settle("s1", "s1", &ada(), 100, Settlement { net: 130, tax: 0 }, EUR).unwrap());
        assert_eq!(balances.of(&ada().account(), EUR), 130);
    }

    #[test]
    fn amounts_that_make_no_sense_are_refused() {
        for amount in [0, -1, HIGHEST, i64::MIN, i64::MAX] {
            assert_eq!(Entry::top_up("p", "x", &ada(), amount, EUR), Err(AmountError(amount)));
            assert!(Entry::hold("s", &ada(), amount, EUR).is_err());
        }
        assert!(Entry::settle("s", "s", &ada(), 0, Settlement { net: -1, tax: 0 }, EUR).is_err());
        assert!(Entry::refund("r", &ada(), Settlement { net: 5, tax: -5 }, EUR).is_err());
    }

    #[test]
    fn accounts_are_read_as_they_are_written() {
        for account in [
            Account::Provider("sandbox".into()),
            Account::Driver("a:b".into()),
            Account::Hold("CS-1/42".into()),
            Account::Guest("x".into()),
            Account::Revenue,
            Account::Tax,
            Account::Refunds,
        ] {
            assert_eq!(account.to_string().parse(), Ok(account));
        }
        assert_eq!("revenues".parse::<Account>(), Err(()));
    }

    proptest! {
        #[test]
        fn whatever_is_posted_the_ledger_balances(amounts in prop::collection::vec((0..6_u8, 0..10_000_i64, 0..2_000_i64), 1..60)) {
            let mut balances = Balances::default();
            for (index, (kind, amount, tax)) in amounts.into_iter().enumerate() {
                let name = index.to_string();
                let settlement = Settlement { net: amount, tax };
                let entry = match kind {
                    5 => Entry::release(&name, "sandbox", &ada(), amount, EUR),
                    0 => Entry::top_up(&name, "sandbox", &ada(), amount, EUR),
                    1 => Entry::pay_out(&name, "sandbox", &ada(), amount, EUR),
                    2 => Entry::hold(&name, &ada(), amount, EUR),
                    3 => Entry::settle(&name, &name, &ada(), tax, settlement, EUR),
                    _ => Entry::refund(&name, &ada(), settlement, EUR),
                };
                if let Ok(entry) = entry {
                    prop_assert_eq!(entry.postings().iter().map(|posting| posting.amount).sum::<i64>(), 0);
                    balances.add(&entry);
                }
                prop_assert_eq!(balances.sum(), 0);
            }
        }
    }
}
