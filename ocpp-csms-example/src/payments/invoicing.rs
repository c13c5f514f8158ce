//! Subscriptions by the month, and invoices.

use iso_currency::Currency;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::service::Payments;
use crate::ledger::{Entry, Payer, Settlement};
use crate::sessions::billing::unpostable;
use crate::store::{Invoice, Plan, PlanSubscription, Store, StoreError, invoices, ledger, subscriptions};

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// What for: `session`, `adjustment`, `subscription`.
    pub kind: String,
    /// Which: station and transaction, or the month.
    pub about: String,
    /// When.
    pub at: Timestamp,
    /// The energy in Wh, where it's a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<Decimal>,
    /// Without tax, in minor units.
    pub net: i64,
    /// The tax.
    pub tax: i64,
}

/// Why there is no invoice, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InvoiceError {
    /// Nothing to put on it.
    #[error("nothing of that time is not on an invoice yet")]
    Nothing,
    /// Not a time.
    #[error("the invoice is to begin before it ends")]
    Time,
    /// No such driver's subscription, plan, …
    #[error("{0}")]
    Wrong(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Payments {
    /// Makes an invoice of everything of a payer in that time that is on none yet. The numbers have no gaps: a number is given
    /// when the invoice is kept.
    ///
    /// # Errors
    /// There is nothing to put on it, or the database fails.
    pub async fn invoice(
        &self,
        payer: &Payer,
        currency: Currency,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Invoice, InvoiceError> {
        if from >= to {
            return Err(InvoiceError::Time);
        }
        let mut unit = self.inner().store.serial_unit().await?;
        let lines = invoices::open_lines(&mut unit, payer, currency, from, to).await?;
        if lines.is_empty() {
            return Err(InvoiceError::Nothing);
        }
        let net = lines.iter().map(|line| line.net).sum();
        let tax = lines.iter().map(|line| line.tax).sum();
        let number = invoices::next_number(&mut unit).await?;
        let invoice = Invoice {
            number,
            payer: payer.clone(),
            currency,
            from,
            to,
            net,
            tax,
            total: net + tax,
            lines,
            issued_at: Timestamp::now(),
        };
        invoices::put_invoice(&mut unit, &invoice).await?;
        unit.commit().await?;
        Ok(invoice)
    }

    /// A driver subscribes. The first month begins at once, and its fee is taken from the balance, which may be owed then.
    ///
    /// # Errors
    /// There is no such plan, or the driver has a subscription, or the database fails.
    pub async fn subscribe(&self, driver: &str, plan: &str) -> Result<PlanSubscription, InvoiceError> {
        let store = &self.inner().store;
        let known = store.plan(plan).await?.filter(|plan| plan.retired_at.is_none());
        known.ok_or_else(|| InvoiceError::Wrong(format!("there is no plan {plan:?}")))?;
        let now = Timestamp::now();
        let subscription = PlanSubscription {
            id: Uuid::now_v7().to_string(),
            driver: driver.to_owned(),
            plan: plan.to_owned(),
            started_at: now,
            ends_at: None,
            due_at: Some(now),
        };
        if !store.put_plan_subscription(&subscription).await? {
            return Err(InvoiceError::Wrong("the driver has a subscription: cancel it first".to_owned()));
        }
        begin_month(store, subscription.clone(), now).await?;
        Ok(store.subscription_of(driver).await?.unwrap_or(subscription))
    }
}

/// The fee of a month: net and tax.
fn fee(plan: &Plan) -> (i64, i64) {
    let tax = Decimal::from(plan.fee).checked_mul(plan.tax_percent).unwrap_or_default() / Decimal::ONE_HUNDRED;
    let tax = tax.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    (plan.fee, i64::try_from(tax).unwrap_or_default())
}

/// When the month of this number begins, counted from 0: on the day of the month on which the subscription began, or its last.
fn month(started: Timestamp, number: i64) -> Timestamp {
    let start = started.to_zoned(TimeZone::UTC);
    start.checked_add(number.months()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// The next month of a subscription begins: its fee is charged, once.
pub(super) async fn begin_month(
    store: &Store,
    mut subscription: PlanSubscription,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(plan) = store.plan(&subscription.plan).await? else { return Ok(()) };
    let mut unit = store.serial_unit().await?;
    let number = subscriptions::months(&mut unit, &subscription.id).await?;
    let (from, to) = (month(subscription.started_at, number), month(subscription.started_at, number + 1));
    if from <= now {
        let (net, tax) = fee(&plan);
        if subscriptions::put_month(&mut unit, &subscription.id, number, (from, to), (net, tax)).await? && net > 0 {
            let what = format!("subscription/{}/{number}", subscription.id);
            let payer = Payer::Driver(subscription.driver.clone());
            let entry = Entry::charge(&what, &payer, Settlement { net, tax }, plan.currency).map_err(unpostable)?;
            ledger::post(&mut unit, &entry, now).await?;
        }
        subscription.due_at = Some(to);
    } else {
        subscription.due_at = Some(from);
    }
    subscriptions::change_subscription(&mut unit, &subscription).await?;
    unit.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_the_day_on_which_it_began_or_on_the_last() {
        let started: Timestamp = "2026-01-31T10:00:00Z".parse().unwrap();
        let begins: Vec<_> = (0..4).map(|number| month(started, number).to_string()).collect();
        assert_eq!(
            begins,
            ["2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"]
        );
    }
}
