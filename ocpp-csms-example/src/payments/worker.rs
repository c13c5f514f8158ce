//! Looks after everything that is not finished: asks providers, starts and stops stations, gives money back; again and again, at
//! longer intervals, until it is done. After a restart it goes on with what the database says.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ocpp_core::csms::{CallOutcome, CallResult, Command, Token, TransactionId};
use tokio_util::sync::CancellationToken;

use super::provider::{CaptureOrder, Order, ProviderError, RefundOrder};
use super::service::Inner;
use super::{Happened, Outcome, steps};
use crate::sessions::billing;
use crate::store::{
    Capture, Payment, PaymentRefund, PaymentState, PrepaidSession, SessionStage, StoreError, payments, prepaid,
};

const NO_PROVIDER: &str = "the provider of the payment is not set up";
/// The longest that anything waits for its next attempt.
const LONGEST: i64 = 300_000;
/// How often it is looked whether something is due that nobody told of.
const LOOK: Duration = Duration::from_secs(2);

/// Runs until the server stops.
pub(super) async fn run(payments: Arc<Inner>, stop: CancellationToken) {
    loop {
        if let Err(error) = pass(&payments).await {
            tracing::error!(%error, "payments cannot be looked after");
        }
        let pause = match payments.store.next_due().await {
            Ok(Some(due)) => Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default().min(LOOK),
            _ => LOOK,
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = payments.wake.notified() => {}
            // Never at once again: what is due and fails is not tried without a pause.
            () = tokio::time::sleep(pause.max(Duration::from_millis(100))) => {}
        }
    }
}

/// When a step is taken again that failed so often.
pub(super) fn again(attempts: i64, now: Timestamp) -> Option<Timestamp> {
    let exponent = u32::try_from(attempts.clamp(0, 12)).unwrap_or(12);
    let pause = 250_i64.saturating_mul(1 << exponent).min(LONGEST);
    now.checked_add(SignedDuration::from_millis(pause)).ok()
}

async fn pass(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let store = &inner.store;
    for payment in store.payments_due(now).await? {
        let (task, id) = (Arc::clone(inner), payment.id.clone());
        look_after(inner, "a payment", id, async move { look_after_payment(&task, payment).await });
    }
    for session in store.prepaid_sessions_due(now).await? {
        let (task, id) = (Arc::clone(inner), session.id.clone());
        look_after(inner, "a prepaid session", id, async move { look_after_session(&task, session).await });
    }
    for refund in store.refunds_due(now).await? {
        let (task, id) = (Arc::clone(inner), refund.id.clone());
        look_after(inner, "a refund", id, async move { look_after_refund(&task, refund).await });
    }
    for subscription in store.subscriptions_due(now).await? {
        let id = subscription.id.clone();
        note("a subscription", &id, super::invoicing::begin_month(store, subscription, now).await);
    }
    Ok(())
}

/// Each in a task of its own, and none in two: a provider or a station that is slow must not keep the others waiting.
fn look_after(
    inner: &Arc<Inner>,
    what: &'static str,
    id: String,
    task: impl Future<Output = Result<(), StoreError>> + Send + 'static,
) {
    let busy = |inner: &Inner| inner.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
    if !busy(inner) {
        return;
    }
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        note(what, &id, task.await);
        inner.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        inner.wake.notify_one();
    });
}

fn note(what: &str, id: &str, result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::warn!(id, %error, "{what} cannot be looked after now");
    }
}

async fn look_after_payment(inner: &Inner, mut payment: Payment) -> Result<(), StoreError> {
    if payment.capture == Capture::Due {
        return capture(inner, payment).await;
    }
    let Some(provider) = inner.providers.get(payment.provider.as_str()) else {
        tracing::error!(provider = payment.provider, "the provider of a payment is not set up any more");
        return defer_payment(inner, payment).await;
    };
    let is_over = Timestamp::now().duration_since(payment.progress.created_at) > inner.patience.pay;
    let answer = match (&payment.state, payment.progress.reference.clone()) {
        (PaymentState::Requested, Some(reference)) if is_over => provider.cancel(&reference).await,
        (PaymentState::Requested | PaymentState::Expired, Some(reference)) => provider.status(&reference).await,
        _ => {
            let base = &inner.public_url;
            let order = Order {
                id: payment.id.clone(),
                amount: payment.amount,
                currency: payment.currency,
                method: payment.method.clone(),
                // What a session comes to turns out later; a balance is filled up at once.
                hold: payment.session.is_some(),
                return_url: match &payment.session {
                    Some(session) => format!("{base}/pay/session/{session}"),
                    None => format!("{base}/driver"),
                },
                callback_url: format!("{base}/api/v1/webhooks/{}", provider.name()),
            };
            match provider.request(&order).await {
                Ok(requested) => {
                    keep_request(inner, &mut payment, requested.reference, requested.action).await?;
                    Ok(requested.outcome)
                }
                Err(error) => Err(error),
            }
        }
    };
    let now = Timestamp::now();
    let outcome = match answer {
        Ok(Outcome::Pending) => None,
        Ok(outcome) => Some(outcome),
        // Before there is a reference nothing was asked for; after that only the provider's word about it counts.
        Err(ProviderError::Refused(reason)) if payment.progress.reference.is_none() => Some(Outcome::Declined(reason)),
        Err(error) => {
            tracing::warn!(payment = payment.id, %error, "a payment is asked after again");
            None
        }
    };
    let Some(outcome) = outcome else { return defer_payment(inner, payment).await };
    let mut unit = inner.store.serial_unit().await?;
    steps::payment_is(&mut unit, &payment.id, &outcome, inner.patience, now).await?;
    // What did not end it, such as a payment in another currency, is not asked after without a pause.
    if let Some(mut kept) = payments::payment(&mut unit, &payment.id).await?
        && kept.capture != Capture::Due
        && kept.progress.due_at.is_some()
    {
        kept.progress.attempts += 1;
        kept.progress.due_at = match kept.state {
            PaymentState::Created | PaymentState::Requested => again(kept.progress.attempts, now),
            _ => None,
        };
        payments::change_payment(&mut unit, &kept).await?;
    }
    unit.commit().await?;
    inner.wake.notify_one();
    Ok(())
}

async fn keep_request(
    inner: &Inner,
    payment: &mut Payment,
    reference: String,
    action: Option<super::Action>,
) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut unit = inner.store.serial_unit().await?;
    // A notification may have been quicker.
    if let Some(mut kept) = payments::payment(&mut unit, &payment.id).await? {
        kept.progress.reference = Some(reference.clone());
        if kept.state == PaymentState::Created {
            (kept.state, kept.progress.attempts) = (PaymentState::Requested, 0);
            (kept.progress.due_at, kept.progress.updated_at) = (again(2, now), now);
            kept.action = action.and_then(|action| serde_json::to_string(&action).ok());
        }
        payments::change_payment(&mut unit, &kept).await?;
        *payment = kept;
    }
    unit.commit().await
}

/// Takes what a session came to of the money that the provider keeps ready.
async fn capture(inner: &Inner, payment: Payment) -> Result<(), StoreError> {
    let provider = inner.providers.get(payment.provider.as_str());
    let taken = match (provider, payment.progress.reference.clone()) {
        (Some(provider), Some(reference)) => {
            let amount = payment.paid();
            provider
                .capture(&CaptureOrder { id: payment.id.clone(), reference, amount, currency: payment.currency })
                .await
        }
        _ => Err(ProviderError::Temporary(NO_PROVIDER.to_owned())),
    };
    let mut unit = inner.store.serial_unit().await?;
    steps::payment_captured(&mut unit, &payment.id, taken, Timestamp::now()).await?;
    unit.commit().await?;
    inner.wake.notify_one();
    Ok(())
}

/// Nothing is decided: it's looked after again, unless nobody waits any more.
async fn defer_payment(inner: &Inner, payment: Payment) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut unit = inner.store.serial_unit().await?;
    let is_over = now.duration_since(payment.progress.created_at) > inner.patience.pay;
    if let Some(mut kept) = payments::payment(&mut unit, &payment.id).await? {
        match kept.state {
            PaymentState::Created | PaymentState::Requested if is_over => {
                steps::payment_expired(&mut unit, &payment.id, now).await?;
            }
            PaymentState::Created | PaymentState::Requested => {
                kept.progress.attempts += 1;
                kept.progress.due_at = again(kept.progress.attempts, now);
                payments::change_payment(&mut unit, &kept).await?;
            }
            // It was asked after once more, because the provider told that something happened.
            PaymentState::Expired => {
                kept.progress.due_at = None;
                payments::change_payment(&mut unit, &kept).await?;
            }
            PaymentState::Confirmed | PaymentState::Declined => {}
        }
    }
    unit.commit().await
}

async fn look_after_refund(inner: &Inner, refund: PaymentRefund) -> Result<(), StoreError> {
    let Some(payment) = inner.store.payment(&refund.payment).await? else { return Ok(()) };
    let answer = match (inner.providers.get(payment.provider.as_str()), payment.progress.reference.clone()) {
        _ if payment.capture == Capture::Due => {
            Err(ProviderError::Temporary("the payment is not taken yet".to_owned()))
        }
        (Some(provider), Some(reference)) => {
            let order = RefundOrder {
                id: refund.id.clone(),
                reference,
                amount: refund.amount,
                currency: payment.currency,
                known: refund.progress.reference.clone(),
            };
            provider.refund(&order).await
        }
        _ => Err(ProviderError::Temporary(NO_PROVIDER.to_owned())),
    };
    let mut unit = inner.store.serial_unit().await?;
    steps::refund_is(&mut unit, &refund.id, answer, Timestamp::now()).await?;
    unit.commit().await
}

async fn look_after_session(inner: &Inner, session: PrepaidSession) -> Result<(), StoreError> {
    match session.stage {
        SessionStage::Held => start(inner, session).await,
        SessionStage::Running if session.state.as_ref().is_some_and(super::Prepaid::is_stopping) => {
            stop(inner, session).await
        }
        SessionStage::Running => watch(inner, session).await,
        _ => change(inner, &session.id, |session, _| session.due_at = None).await,
    }
}

/// Looks whether the time of a session has used up what is set aside for it.
async fn watch(inner: &Inner, session: PrepaidSession) -> Result<(), StoreError> {
    let transaction = match &session.transaction {
        Some(transaction) => inner.store.transaction(&session.station, transaction).await?,
        None => None,
    };
    let Some(transaction) = transaction.filter(|transaction| transaction.stopped_at.is_none()) else {
        return change(inner, &session.id, |session, _| session.due_at = None).await;
    };
    let tariff = match inner.stations.tariffs().version(&transaction.tariff).await {
        Ok(tariff) => tariff,
        Err(error) => {
            tracing::error!(session = session.id, %error, "what a session costs cannot be told");
            return change(inner, &session.id, |session, now| session.due_at = again(8, now)).await;
        }
    };
    let mut unit = inner.store.serial_unit().await?;
    billing::time_went_on(&mut unit, &session.id, &transaction, &tariff, Timestamp::now()).await?;
    unit.commit().await?;
    inner.wake.notify_one();
    Ok(())
}

/// Changes a prepaid session as it is now.
async fn change(
    inner: &Inner,
    id: &str,
    change: impl FnOnce(&mut PrepaidSession, Timestamp),
) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut unit = inner.store.serial_unit().await?;
    let Some(mut session) = prepaid::prepaid(&mut unit, id).await? else { return Ok(()) };
    change(&mut session, now);
    prepaid::change_prepaid(&mut unit, &session).await?;
    unit.commit().await
}

/// Tells the station to start. That it was told is kept first: whoever dies after that does not tell it again, but waits whether it
/// starts, and gives the money back when it doesn't.
async fn start(inner: &Inner, session: PrepaidSession) -> Result<(), StoreError> {
    let now = Timestamp::now();
    if session.give_up_at.is_some_and(|give_up_at| give_up_at <= now) {
        return release(inner, &session.id, "the station did not start in time").await;
    }
    if session.attempts > 0 {
        // It was told: only the time can run out.
        return change(inner, &session.id, |session, _| session.due_at = session.give_up_at).await;
    }
    if inner.stations.live(&session.station).connection.is_none() {
        // It was not told, and is not to begin when nobody waits any more.
        let over = now.duration_since(session.updated_at) > SignedDuration::from_secs(30);
        if over {
            return release(inner, &session.id, "the station is not connected").await;
        }
        return change(inner, &session.id, |session, now| {
            session.due_at = now.checked_add(SignedDuration::from_millis(500)).ok();
            // The moment since when it waits stays.
        })
        .await;
    }
    let mut unit = inner.store.serial_unit().await?;
    let Some(mut kept) = prepaid::prepaid(&mut unit, &session.id).await? else { return Ok(()) };
    if kept.stage != SessionStage::Held || kept.attempts > 0 {
        return Ok(());
    }
    (kept.attempts, kept.due_at, kept.updated_at) = (1, kept.give_up_at, now);
    prepaid::change_prepaid(&mut unit, &kept).await?;
    unit.commit().await?;
    let command = Command::RemoteStart {
        evse: session.evse,
        token: Token::with_kind(&session.token, "Central"),
        remote_start_id: session.remote_start_id,
        group: None,
        charging_profile: None,
    };
    match inner.stations.call(&session.station, command).await {
        Ok(CallOutcome::Answered(answer)) => match answer.result {
            CallResult::Refused { status, .. } => {
                release(inner, &session.id, &format!("the station refused: {status}")).await
            }
            _ => Ok(()),
        },
        Ok(CallOutcome::Error(error)) => {
            release(inner, &session.id, &format!("the station refused: {}", error.code)).await
        }
        // It may have started all the same.
        Ok(CallOutcome::TimedOut | CallOutcome::ConnectionLost | CallOutcome::MalformedAnswer { .. }) => Ok(()),
        Ok(outcome) => {
            tracing::info!(session = session.id, ?outcome, "a station was not told to start");
            release(inner, &session.id, "the station cannot be told to start").await
        }
        Err(refused) => release(inner, &session.id, &refused.to_string()).await,
    }
}

/// Nothing comes of it: the money goes back.
async fn release(inner: &Inner, id: &str, why: &str) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut unit = inner.store.serial_unit().await?;
    let Some(mut session) = prepaid::prepaid(&mut unit, id).await? else { return Ok(()) };
    if session.stage != SessionStage::Held {
        return Ok(());
    }
    session.failure = Some(why.to_owned());
    billing::tell(&mut unit, &mut session, Happened::NotStarted, now).await?;
    unit.commit().await?;
    inner.wake.notify_one();
    Ok(())
}

/// Tells the station to stop, until it has.
async fn stop(inner: &Inner, session: PrepaidSession) -> Result<(), StoreError> {
    let Some(transaction) = session.transaction.clone() else { return Ok(()) };
    change(inner, &session.id, |session, now| {
        session.attempts += 1;
        session.due_at = again(session.attempts + 3, now);
    })
    .await?;
    let command = Command::RemoteStop { transaction: TransactionId::new(&transaction) };
    match inner.stations.call(&session.station, command).await {
        Ok(CallOutcome::Answered(answer)) if matches!(answer.result, CallResult::Accepted { .. }) => {}
        outcome => {
            tracing::info!(station = session.station, transaction, ?outcome, "the station is told to stop again")
        }
    }
    Ok(())
}
