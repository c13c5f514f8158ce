//! A session that is paid before it starts: hold, start, watch, stop at zero, settle, give back. No database, no clock.
//!
//! [`Prepaid`] is kept in the database; whatever happens is told to it in the same database transaction that keeps its new
//! state and the ledger's entries. So a process that dies between two steps goes on where it was, and nothing is posted twice.

use iso_currency::Currency;
use serde::{Deserialize, Serialize};

use crate::ledger::{AmountError, Entry, Payer, Settlement};

/// A prepaid session, from the hold to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepaid {
    session: String,
    payer: Payer,
    currency: Currency,
    /// What is set aside now, in minor units.
    held: i64,
    /// The most that the session may cost.
    limit: i64,
    stage: Stage,
    /// The transaction of the station, as soon as it is known.
    transaction: Option<String>,
    /// Whether the station was told to stop.
    stopping: bool,
}

/// How far a prepaid session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The money is set aside; the station is to be told to start.
    Held,
    /// A transaction runs.
    Running,
    /// It never started, and the money is back.
    Released,
    /// It is over and paid.
    Settled,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The station refused to start, or nothing came of it in time.
    NotStarted,
    /// The station started the transaction.
    Started {
        /// Its name.
        transaction: String,
    },
    /// The bill so far, in minor units.
    Costs {
        /// What is to be paid until now.
        total: i64,
    },
    /// The transaction is over, and this is its bill.
    Ended(Settlement),
}

/// What has to be done: entries are kept together with the new state; what a station is told is told after that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// For the ledger.
    pub entry: Option<Entry>,
    /// The transaction that the station is to stop.
    pub stop: Option<String>,
}

impl Prepaid {
    /// Sets an amount aside. The caller makes sure, in the same database transaction, that the driver has it.
    ///
    /// # Errors
    /// The amount is nothing, or too much.
    pub fn hold(session: &str, payer: &Payer, amount: i64, currency: Currency) -> Result<(Self, Entry), AmountError> {
        let entry = Entry::hold(session, payer, amount, currency)?;
        let prepaid = Self {
            session: session.to_owned(),
            payer: payer.clone(),
            currency,
            held: amount,
            limit: amount,
            stage: Stage::Held,
            transaction: None,
            stopping: false,
        };
        Ok((prepaid, entry))
    }

    /// A session that runs although nothing could be set aside for it: it is to be stopped, and what it took is owed.
    #[must_use]
    pub fn uncovered(session: &str, payer: &Payer, currency: Currency, transaction: &str) -> (Self, Effects) {
        let mut prepaid = Self {
            session: session.to_owned(),
            payer: payer.clone(),
            currency,
            held: 0,
            limit: 0,
            stage: Stage::Running,
            transaction: Some(transaction.to_owned()),
            stopping: false,
        };
        let effects = prepaid.stop();
        (prepaid, effects)
    }

    /// Sets more aside for a session that runs and was not told to stop; `name` tells this time from others. The caller makes
    /// sure that the payer has it.
    ///
    /// # Errors
    /// The amount is nothing, or too much.
    pub fn more(&mut self, name: &str, amount: i64) -> Result<Option<Entry>, AmountError> {
        if self.stage != Stage::Running || self.stopping {
            return Ok(None);
        }
        let entry = Entry::hold_more(name, &self.session, &self.payer, amount, self.currency)?;
        self.held += amount;
        self.limit += amount;
        Ok(Some(entry))
    }

    /// The most that the session may cost, in minor units.
    #[must_use]
    pub fn limit(&self) -> i64 {
        self.limit
    }

    /// The currency.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The transaction of the station, as soon as it is known.
    #[must_use]
    pub fn transaction(&self) -> Option<&str> {
        self.transaction.as_deref()
    }

    /// Whether the station is to stop it, and has not yet.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping && self.stage == Stage::Running
    }

    /// How far it has come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What is set aside for it now.
    #[must_use]
    pub fn held(&self) -> i64 {
        self.held
    }

    /// Takes in what happened. What is told twice, too late or out of order changes nothing that was posted.
    ///
    /// # Errors
    /// A bill is negative, or more than can be posted; the state is as before.
    pub fn take(&mut self, happened: Happened) -> Result<Effects, AmountError> {
        match (self.stage, happened) {
            (Stage::Held, Happened::NotStarted) => {
                let entry = self.post(Settlement { net: 0, tax: 0 })?;
                self.stage = Stage::Released;
                Ok(Effects { entry: Some(entry), stop: None })
            }
            (Stage::Held, Happened::Started { transaction }) => {
                self.stage = Stage::Running;
                self.transaction = Some(transaction);
                Ok(Effects::default())
            }
            // Given up too early: there is no money left to charge for, so it is stopped; what it took is owed.
            (Stage::Released, Happened::Started { transaction }) => {
                self.stage = Stage::Running;
                self.transaction = Some(transaction);
                self.limit = 0;
                Ok(self.stop())
            }
            (Stage::Running, Happened::Costs { total }) if total >= self.limit => Ok(self.stop()),
            // The start may be lost; the end tells all the same what it came to.
            (Stage::Held | Stage::Running, Happened::Ended(settlement)) => {
                let entry = self.post(settlement)?;
                self.stage = Stage::Settled;
                Ok(Effects { entry: Some(entry), stop: None })
            }
            _ => Ok(Effects::default()),
        }
    }

    fn stop(&mut self) -> Effects {
        if self.stopping {
            return Effects::default();
        }
        self.stopping = true;
        Effects { entry: None, stop: self.transaction.clone() }
    }

    fn post(&mut self, settlement: Settlement) -> Result<Entry, AmountError> {
        // A session that was given up and ran nevertheless is settled anew, under a reference of its own.
        let name = if self.held == 0 { format!("{}/late", self.session) } else { self.session.clone() };
        let entry = Entry::settle(&name, &self.session, &self.payer, self.held, settlement, self.currency)?;
        self.held = 0;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Account, Balances};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const EUR: Currency = Currency::EUR;

    struct World {
        prepaid: Prepaid,
        balances: Balances,
        references: BTreeSet<String>,
        stops: usize,
    }

    impl World {
        fn new(amount: i64) -> Self {
            let (prepaid, entry) = Prepaid::hold("s", &Payer::Driver("ada".into()), amount, EUR).unwrap();
            let mut balances = Balances::default();
            balances.add(&entry);
            Self { prepaid, balances, references: [entry.reference().to_owned()].into(), stops: 0 }
        }

        fn take(&mut self, happened: Happened) {
            // Every step survives the process.
            let kept = serde_json::to_string(&self.prepaid).unwrap();
            self.prepaid = serde_json::from_str(&kept).unwrap();
            let effects = self.prepaid.take(happened).unwrap();
            if let Some(entry) = effects.entry {
                assert!(self.references.insert(entry.reference().to_owned()), "{} twice", entry.reference());
                self.balances.add(&entry);
            }
            self.stops += usize::from(effects.stop.is_some());
        }

        fn of(&self, account: Account) -> i64 {
            self.balances.of(&account, EUR)
        }
    }

    fn started() -> Happened {
        Happened::Started { transaction: "t".into() }
    }

    #[test]
    fn a_session_that_runs_is_settled_and_the_rest_comes_back() {
        let mut world = World::new(2_000);
        world.take(started());
        world.take(Happened::Costs { total: 1_200 });
        assert_eq!(world.stops, 0);
        world.take(Happened::Ended(Settlement { net: 1_250, tax: 0 }));
        assert_eq!(world.prepaid.stage(), Stage::Settled);
        assert_eq!((world.of(Account::Driver("ada".into())), world.of(Account::Hold("s".into()))), (1_250, 0));
    }

    #[test]
    fn a_session_that_has_used_up_its_money_is_stopped_once() {
        let mut world = World::new(2_000);
        world.take(started());
        for total in [1_999, 2_000, 2_050] {
            world.take(Happened::Costs { total });
        }
        assert_eq!(world.stops, 1);
    }

    #[test]
    fn a_session_that_never_starts_gives_everything_back() {
        let mut world = World::new(2_000);
        world.take(Happened::NotStarted);
        assert_eq!((world.prepaid.stage(), world.of(Account::Driver("ada".into()))), (Stage::Released, 0));
    }

    #[test]
    fn a_start_after_the_money_went_back_is_stopped_and_what_it_took_is_owed() {
        let mut world = World::new(2_000);
        world.take(Happened::NotStarted);
        world.take(started());
        assert_eq!(world.stops, 1);
        world.take(Happened::Ended(Settlement { net: 30, tax: 6 }));
        assert_eq!((world.of(Account::Driver("ada".into())), world.of(Account::Revenue)), (36, -30));
    }

    #[test]
    fn a_bill_that_cannot_be_posted_changes_nothing() {
        let mut world = World::new(2_000);
        world.take(started());
        let before = world.prepaid.clone();
        assert!(world.prepaid.take(Happened::Ended(Settlement { net: -5, tax: 0 })).is_err());
        assert_eq!(world.prepaid, before);
    }

    fn anything() -> impl Strategy<Value = Happened> {
        prop_oneof![
            Just(Happened::NotStarted),
            Just(started()),
            (0..4_000_i64).prop_map(|total| Happened::Costs { total }),
            (0..4_000_i64, 0..500_i64).prop_map(|(net, tax)| Happened::Ended(Settlement { net, tax })),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_in_whatever_order_nothing_is_posted_twice_and_no_hold_is_forgotten(
            steps in prop::collection::vec(anything(), 0..12),
        ) {
            let mut world = World::new(2_000);
            let mut first_end = None;
            for step in steps {
                if let (Happened::Ended(end), None, false) = (&step, first_end, world.prepaid.stage() == Stage::Released) {
                    first_end = Some(*end);
                }
                world.take(step);
                prop_assert_eq!(world.balances.sum(), 0);
                let settled = world.prepaid.stage() == Stage::Settled;
                prop_assert_eq!(-world.of(Account::Hold("s".into())), world.prepaid.held());
                if settled || world.prepaid.stage() == Stage::Released {
                    prop_assert_eq!(world.prepaid.held(), 0);
                }
                let earned = -world.of(Account::Revenue) - world.of(Account::Tax);
                let billed = first_end.filter(|_| settled).map_or(0, |end| end.net + end.tax);
                prop_assert_eq!(earned, billed);
                prop_assert!(world.stops <= 1);
            }
        }
    }
}
