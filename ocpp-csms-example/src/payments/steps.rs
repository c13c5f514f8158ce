//! The steps of payments in the database: each one is a unit, so that it happens wholly or not at all.

use jiff::Timestamp;

use super::Prepaid;
use super::provider::{Outcome, ProviderError, Refunded};
use super::service::start_by;
use super::worker::again;
use crate::ledger::Entry;
use crate::sessions::billing::unpostable;
use crate::store::{PaymentState, RefundState, SessionStage, StoreError, Unit, ledger, payments, prepaid};

/// A provider says how a payment stands. Said again, or late, it changes nothing that was posted.
///
/// What is confirmed goes to the payer's balance; where it's for a session, that much is set aside for it at the same time, and the
/// station is to be told to start.
pub(super) async fn payment_is(unit: &mut Unit, id: &str, outcome: &Outcome, now: Timestamp) -> Result<(), StoreError> {
    let Some(mut payment) = payments::payment(unit, id).await? else { return Ok(()) };
    match outcome {
        Outcome::Pending => return Ok(()),
        // What the provider has paid counts, also where it was given up before.
        Outcome::Confirmed(paid) if payment.state != PaymentState::Confirmed => {
            if let Some(paid) = paid.filter(|paid| *paid != payment.amount) {
                tracing::warn!(
                    payment = id,
                    paid,
                    asked = payment.amount,
                    "another amount was paid than was asked for"
                );
                payment.amount = paid;
            }
            payment.state = PaymentState::Confirmed;
            payment.failure = None;
        }
        Outcome::Declined(reason) if matches!(payment.state, PaymentState::Created | PaymentState::Requested) => {
            payment.state = PaymentState::Declined;
            payment.failure = Some(reason.chars().take(300).collect());
        }
        _ => return Ok(()),
    }
    (payment.due_at, payment.action, payment.updated_at) = (None, None, now);
    payments::change_payment(unit, &payment).await?;
    if payment.state == PaymentState::Confirmed {
        let entry = Entry::top_up(&payment.id, &payment.provider, &payment.payer, payment.amount, payment.currency);
        ledger::post(unit, &entry.map_err(unpostable)?, now).await?;
    }
    let Some(session) = &payment.session else { return Ok(()) };
    let Some(mut session) = prepaid::prepaid(unit, session).await? else { return Ok(()) };
    if session.stage != SessionStage::Unpaid {
        // Nobody waits for it any more: it goes back.
        return super::return_rest(unit, &payment.payer, payment.currency, now).await;
    }
    if payment.state == PaymentState::Confirmed {
        let held = Prepaid::hold(&session.id, &session.payer, payment.amount, session.currency);
        let (state, entry) = held.map_err(unpostable)?;
        ledger::post(unit, &entry, now).await?;
        session.stage = SessionStage::Held;
        session.state = Some(state);
        (session.due_at, session.give_up_at) = (Some(now), start_by(now));
    } else {
        session.stage = SessionStage::Abandoned;
        session.failure = payment.failure.clone();
    }
    session.updated_at = now;
    prepaid::change_prepaid(unit, &session).await
}

/// Nobody has paid in time.
pub(super) async fn payment_expired(unit: &mut Unit, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(mut payment) = payments::payment(unit, id).await? else { return Ok(()) };
    if !matches!(payment.state, PaymentState::Created | PaymentState::Requested) {
        return Ok(());
    }
    (payment.state, payment.due_at, payment.updated_at) = (PaymentState::Expired, None, now);
    payments::change_payment(unit, &payment).await?;
    let Some(session) = &payment.session else { return Ok(()) };
    let Some(mut session) = prepaid::prepaid(unit, session).await? else { return Ok(()) };
    if session.stage == SessionStage::Unpaid {
        (session.stage, session.updated_at) = (SessionStage::Abandoned, now);
        session.failure = Some("nobody paid in time".to_owned());
        prepaid::change_prepaid(unit, &session).await?;
    }
    Ok(())
}

/// A provider answers about a refund. What is done stays done.
pub(super) async fn refund_is(
    unit: &mut Unit,
    id: &str,
    answer: Result<Refunded, ProviderError>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut refund) = payments::refund(unit, id).await? else { return Ok(()) };
    let Some(payment) = payments::payment(unit, &refund.payment).await? else { return Ok(()) };
    if matches!(refund.state, RefundState::Done | RefundState::Failed) {
        return Ok(());
    }
    refund.updated_at = now;
    match answer {
        Ok(refunded) if refunded.done => {
            (refund.state, refund.reference, refund.due_at) = (RefundState::Done, Some(refunded.reference), None);
            let entry = Entry::pay_out(&refund.id, &payment.provider, &payment.payer, refund.amount, payment.currency);
            ledger::post(unit, &entry.map_err(unpostable)?, now).await?;
        }
        Ok(refunded) => {
            (refund.state, refund.reference) = (RefundState::Requested, Some(refunded.reference));
            refund.attempts += 1;
            refund.due_at = again(refund.attempts, now);
        }
        Err(ProviderError::Refused(reason)) => {
            tracing::error!(refund = refund.id, reason, "a refund was refused: pay it back by other means");
            (refund.state, refund.due_at, refund.failure) = (RefundState::Failed, None, Some(reason));
        }
        Err(ProviderError::Temporary(reason)) => {
            refund.attempts += 1;
            (refund.due_at, refund.failure) = (again(refund.attempts, now), Some(reason));
        }
    }
    payments::change_refund(unit, &refund).await
}
