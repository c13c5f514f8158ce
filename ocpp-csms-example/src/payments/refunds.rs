//! Money that goes back: to the balance of who paid for a session, or through the provider.

use iso_currency::Currency;
use jiff::Timestamp;
use uuid::Uuid;

use super::service::{PaymentError, Payments};
use crate::ledger::{Entry, Payer, Settlement};
use crate::store::{
    Capture, Payment, PaymentRefund, PaymentState, Progress, RefundState, StoreError, Unit, bills, ledger, payments,
};
use crate::tariffs::written;

/// What is left of a guest's money goes back the way it came; what a provider only keeps ready is taken as far as it was used. What
/// is on its way already is not sent twice.
pub(crate) async fn return_rest(
    unit: &mut Unit,
    payer: &Payer,
    currency: Currency,
    now: Timestamp,
) -> Result<(), StoreError> {
    if payer.driver().is_some() {
        return Ok(());
    }
    let mut rest = -ledger::balance(unit, &payer.account(), currency).await?;
    let paid = payments::confirmed_payments(unit, payer).await?;
    for payment in &paid {
        rest -= payments::refunded(unit, &payment.id).await?.1 + payment.letting_go();
    }
    for mut payment in paid {
        if payment.capture == Capture::Open {
            let gone = rest.clamp(0, payment.amount);
            rest -= gone;
            (payment.capture, payment.captured) = (Capture::Due, Some(payment.amount - gone));
            (payment.progress.due_at, payment.progress.attempts) = (Some(now), 0);
            payments::change_payment(unit, &payment).await?;
            continue;
        }
        let (refunded, _) = payments::refunded(unit, &payment.id).await?;
        let amount = rest.min(payment.paid() - refunded);
        if amount > 0 {
            rest -= amount;
            payments::put_refund(unit, &new_refund(&payment, amount, "what is left of the session", now)).await?;
        }
    }
    Ok(())
}

fn new_refund(payment: &Payment, amount: i64, reason: &str, now: Timestamp) -> PaymentRefund {
    PaymentRefund {
        id: Uuid::now_v7().to_string(),
        payment: payment.id.clone(),
        amount,
        reason: reason.chars().take(300).collect(),
        state: RefundState::Created,
        progress: Progress::begun(now),
    }
}

impl Payments {
    /// Gives back a payment, or part of it, through its provider. The payer has to have it: what was spent is given back with
    /// [`Payments::refund_bill`] first.
    ///
    /// # Errors
    /// It was not paid, or is more than is left of it, or the database fails.
    pub async fn refund(&self, id: &str, amount: Option<i64>, reason: &str) -> Result<PaymentRefund, PaymentError> {
        let now = Timestamp::now();
        let mut unit = self.inner().store.serial_unit().await?;
        let payment = payments::payment(&mut unit, id).await?;
        let payment = payment.ok_or_else(|| PaymentError::Unknown("payment", id.to_owned()))?;
        if payment.state != PaymentState::Confirmed {
            let state = payment.state.as_str();
            return Err(PaymentError::Refund(format!("the payment is {state}: only what was paid is paid back")));
        }
        if matches!(payment.capture, Capture::Open | Capture::Due) {
            let text = "the money is only kept ready: what the session does not use is let go when it is over";
            return Err(PaymentError::Refund(text.to_owned()));
        }
        let (refunded, pending) = payments::refunded(&mut unit, id).await?;
        let left = payment.paid() - refunded;
        let owed = -ledger::balance(&mut unit, &payment.payer.account(), payment.currency).await? - pending;
        let amount = amount.unwrap_or(left);
        let show = |amount| written(amount, payment.currency);
        if amount <= 0 || amount > left {
            let paid = show(payment.paid());
            let text = format!("{} of {paid}: from this payment {} are left", show(amount), show(left));
            return Err(PaymentError::Refund(text));
        }
        if amount > owed {
            let text = format!("the payer has {} left: refund a session first", show(owed.max(0)));
            return Err(PaymentError::Refund(text));
        }
        let refund = new_refund(&payment, amount, reason, now);
        payments::put_refund(&mut unit, &refund).await?;
        unit.commit().await?;
        self.inner().wake.notify_one();
        Ok(refund)
    }

    /// Gives back what a session cost, or part of it: to the balance of who paid, and a guest's through the provider. The tax goes
    /// back in proportion.
    ///
    /// # Errors
    /// There is no such bill, nobody paid it, it's more than was paid, or the database fails.
    pub async fn refund_bill(
        &self,
        station: &str,
        transaction: &str,
        amount: Option<i64>,
        reason: &str,
    ) -> Result<i64, PaymentError> {
        let now = Timestamp::now();
        let mut unit = self.inner().store.serial_unit().await?;
        let bill = bills::bill(&mut unit, station, transaction).await?;
        let bill = bill.ok_or_else(|| PaymentError::Unknown("bill of the session", transaction.to_owned()))?;
        let payer: Option<Payer> = bill.payer.as_ref().and_then(|payer| payer.parse().ok());
        let payer = payer.ok_or_else(|| PaymentError::Refund("nobody paid for this session".to_owned()))?;
        let due = bill.due();
        let amount = amount.unwrap_or(due);
        if amount <= 0 || amount > due {
            let (asked, due) = (written(amount, bill.currency), written(due, bill.currency));
            return Err(PaymentError::Refund(format!("{asked}: of this session {due} are left")));
        }
        let tax_left = bill.bill.tax + bill.adjusted.1 - bill.refunded.1;
        // In proportion, and exactly the rest where all of the rest goes back.
        let part = i128::from(tax_left) * i128::from(amount) / i128::from(due);
        let tax = i64::try_from(part).unwrap_or(0).clamp(0, amount);
        let id = Uuid::now_v7().to_string();
        bills::put_bill_refund(&mut unit, &id, &bill, (amount - tax, tax), reason, now).await?;
        let settlement = Settlement { net: amount - tax, tax };
        ledger::post(&mut unit, &Entry::refund(&id, &payer, settlement, bill.currency)?, now).await?;
        return_rest(&mut unit, &payer, bill.currency, now).await?;
        unit.commit().await?;
        self.inner().wake.notify_one();
        Ok(amount)
    }
}
