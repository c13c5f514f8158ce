//! The steps of payments in the database: each one is a unit, so that it happens wholly or not at all.

use jiff::{SignedDuration, Timestamp};

use super::Prepaid;
use super::provider::{Outcome, Paid, ProviderError, Refunded};
use super::settings::Patience;
use super::worker::again;
use crate::ledger::Entry;
use crate::sessions::billing::unpostable;
use crate::store::{
    Capture, Payment, PaymentState, RefundState, SessionStage, StoreError, Unit, ledger, payments, prepaid,
};

/// A provider says how a payment stands. Said again, or late, it changes nothing that was posted.
///
/// What is confirmed goes to the payer's balance; where it's for a session, that much is set aside for it at the same time, and the
/// station is to be told to start.
pub(super) async fn payment_is(
    unit: &mut Unit,
    id: &str,
    outcome: &Outcome,
    patience: Patience,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut payment) = payments::payment(unit, id).await? else { return Ok(()) };
    match outcome {
        Outcome::Pending => return Ok(()),
        // What the provider has paid counts, also where it was given up before.
        Outcome::Confirmed(_) | Outcome::Held(_) if payment.state != PaymentState::Confirmed => {
            if let Some(Paid { amount, currency }) = outcome.paid() {
                if currency != Some(payment.currency) {
                    // Nobody knows what that is worth: it's no payment until somebody has looked after it at the provider.
                    tracing::error!(
                        payment = id,
                        amount,
                        ?currency,
                        "it was paid in another currency: pay it back there"
                    );
                    return Ok(());
                }
                if amount != payment.amount {
                    let asked = payment.amount;
                    tracing::warn!(payment = id, amount, asked, "another amount was paid than was asked for");
                    payment.amount = amount;
                }
            }
            if matches!(outcome, Outcome::Held(_)) {
                payment.capture = Capture::Open;
            }
            payment.state = PaymentState::Confirmed;
            payment.progress.failure = None;
        }
        Outcome::Declined(reason) if matches!(payment.state, PaymentState::Created | PaymentState::Requested) => {
            payment.state = PaymentState::Declined;
            payment.progress.failure = Some(reason.chars().take(300).collect());
        }
        _ => return Ok(()),
    }
    payment.action = None;
    (payment.progress.due_at, payment.progress.attempts, payment.progress.updated_at) = (None, 0, now);
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
        (session.due_at, session.give_up_at) = (Some(now), now.checked_add(patience.start).ok());
    } else {
        session.stage = SessionStage::Abandoned;
        session.failure = payment.progress.failure.clone();
    }
    session.updated_at = now;
    prepaid::change_prepaid(unit, &session).await
}

/// A payment that is known from elsewhere, for no session: kept with what came of it.
pub(crate) async fn take_over(
    unit: &mut Unit,
    payment: &Payment,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    payments::put_payment(unit, payment).await?;
    // Nobody waits for a station.
    let patience = Patience { pay: SignedDuration::ZERO, start: SignedDuration::ZERO };
    payment_is(unit, &payment.id, outcome, patience, now).await
}

/// Nobody has paid in time.
pub(super) async fn payment_expired(unit: &mut Unit, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(mut payment) = payments::payment(unit, id).await? else { return Ok(()) };
    if !matches!(payment.state, PaymentState::Created | PaymentState::Requested) {
        return Ok(());
    }
    payment.state = PaymentState::Expired;
    (payment.progress.due_at, payment.progress.updated_at) = (None, now);
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

/// A provider has taken so much of what it kept ready, and let go of the rest.
pub(super) async fn payment_captured(
    unit: &mut Unit,
    id: &str,
    taken: Result<i64, ProviderError>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut payment) = payments::payment(unit, id).await? else { return Ok(()) };
    if payment.capture != Capture::Due {
        return Ok(());
    }
    let wanted = payment.paid();
    payment.progress.updated_at = now;
    let taken = match taken {
        Err(ProviderError::Temporary(reason)) => {
            payment.progress.attempts += 1;
            payment.progress.due_at = again(payment.progress.attempts, now);
            payment.progress.failure = Some(reason);
            return payments::change_payment(unit, &payment).await;
        }
        Err(ProviderError::Refused(reason)) => {
            payment.progress.failure = Some(reason);
            0
        }
        Ok(taken) => {
            payment.progress.failure = None;
            taken
        }
    };
    payment.capture = if taken < wanted { Capture::Failed } else { Capture::Done };
    (payment.captured, payment.progress.due_at) = (Some(taken), None);
    if taken != wanted {
        tracing::error!(
            payment = id,
            taken,
            wanted,
            "another amount was taken than was to be: the payer owes the difference"
        );
    }
    payments::change_payment(unit, &payment).await?;
    let gone = payment.amount - taken;
    if gone > 0 {
        let entry = Entry::release(&payment.id, &payment.provider, &payment.payer, gone, payment.currency);
        ledger::post(unit, &entry.map_err(unpostable)?, now).await?;
    }
    // What turned out meanwhile goes back in the usual way.
    super::return_rest(unit, &payment.payer, payment.currency, now).await
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
    let progress = &mut refund.progress;
    progress.updated_at = now;
    match answer {
        Ok(refunded) if refunded.done => {
            (refund.state, progress.reference, progress.due_at) = (RefundState::Done, Some(refunded.reference), None);
            progress.failure = None;
            let entry = Entry::pay_out(&refund.id, &payment.provider, &payment.payer, refund.amount, payment.currency);
            ledger::post(unit, &entry.map_err(unpostable)?, now).await?;
        }
        Ok(refunded) => {
            (refund.state, progress.reference) = (RefundState::Requested, Some(refunded.reference));
            progress.attempts += 1;
            progress.due_at = again(progress.attempts, now);
        }
        Err(ProviderError::Refused(reason)) => {
            tracing::error!(refund = refund.id, reason, "a refund was refused: pay it back by other means");
            (refund.state, progress.due_at, progress.failure) = (RefundState::Failed, None, Some(reason));
        }
        Err(ProviderError::Temporary(reason)) => {
            progress.attempts += 1;
            (progress.due_at, progress.failure) = (again(progress.attempts, now), Some(reason));
        }
    }
    payments::change_refund(unit, &refund).await
}
