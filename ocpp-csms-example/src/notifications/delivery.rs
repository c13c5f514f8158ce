//! What is to be told is told: tried again and again, each time later, until it is taken or too old. Who cannot be told is left alone
//! for longer and longer, and switched off in the end.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Notifications;
use super::webhook::TargetError;
use crate::stations::Stations;
use crate::store::{
    Delivery, DeliveryState, FaultKind, StoreError, Subscription, Trouble, delivery_tried, subscription_failed,
};

/// The first attempt is repeated after this, the next after twice that.
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(2);
/// Attempts are never further apart.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(1);
/// What is due is looked for at least so often.
const LOOK: Duration = Duration::from_secs(30);
/// What is looked at at once.
const PAGE: u32 = 500;
/// Events in one mail.
const EVENTS_IN_MAIL: usize = 50;
/// How long it is remembered what was told.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Notifications {
    /// Tells what is to be told, for ever. Who is switched off is a fault of `stations`.
    pub(crate) async fn deliver(self, stations: Stations) {
        loop {
            let pause = match self.round(&stations).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "what is to be told cannot be read");
                    LOOK
                }
            };
            // Woken or not, the next round looks.
            let _ = tokio::time::timeout(pause, self.inner.wake.notified()).await;
        }
    }

    /// Begins to tell what is due; how long there is nothing more to do.
    async fn round(&self, stations: &Stations) -> Result<Duration, StoreError> {
        let now = Timestamp::now();
        self.inner.store.forget_deliveries(now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN)).await?;
        let mut due = BTreeMap::<String, Vec<Delivery>>::new();
        for delivery in self.inner.store.due_deliveries(now, PAGE).await? {
            due.entry(delivery.subscription.clone()).or_default().push(delivery);
        }
        let known = self.subscriptions();
        for (id, deliveries) in due {
            let Some(subscription) = known.iter().find(|known| known.id == id && known.active) else { continue };
            if let Some(until) = self.rests_until(&id, now) {
                // So that what waits for one does not take the place of what is due for others.
                self.inner.store.postpone_deliveries(&id, until).await?;
                continue;
            }
            // One whose server is slow is told one after the other, and holds nobody else.
            if self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
                let (this, stations, subscription) = (self.clone(), stations.clone(), subscription.clone());
                tokio::spawn(async move {
                    this.tell(&stations, &subscription, deliveries).await;
                    this.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                    this.wake();
                });
            }
        }
        let next = self.inner.store.next_delivery().await?;
        let pause = next
            .map_or(LOOK, |next| Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO));
        // What is due already is at work.
        Ok(pause.clamp(Duration::from_millis(500), LOOK))
    }

    fn rests_until(&self, id: &str, now: Timestamp) -> Option<Timestamp> {
        let mut resting = self.inner.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > now);
        resting.get(id).copied()
    }

    /// Tells as much as is taken. After the first that is not, the rest keeps its turn: it would hardly fare better.
    async fn tell(&self, stations: &Stations, subscription: &Subscription, deliveries: Vec<Delivery>) {
        let mut failures = subscription.failures;
        for some in deliveries.chunks(if subscription.target.starts_with("mailto:") { EVENTS_IN_MAIL } else { 1 }) {
            let answer = self.send(subscription, some).await;
            let kept = self.tried(stations, subscription, some, &answer, failures).await;
            if let Err(error) = kept {
                tracing::error!(%error, "what came of a notification cannot be kept");
            }
            if answer.is_err() {
                return;
            }
            failures = 0;
            if subscription.target.starts_with("mailto:") {
                // What happens meanwhile is told in one mail.
                let interval = self.inner.config.mail.as_ref().map(|mail| mail.interval);
                tokio::time::sleep(interval.unwrap_or_default()).await;
            }
        }
    }

    /// `Err` says what went wrong, for people.
    async fn send(&self, subscription: &Subscription, deliveries: &[Delivery]) -> Result<String, String> {
        let Subscription { target, secret, .. } = subscription;
        match (target.strip_prefix("mailto:"), &self.inner.mailer, deliveries) {
            (Some(address), Some(mailer), some) => {
                let events: Vec<_> = some.iter().map(|known| (known.kind.as_str(), known.body.as_str())).collect();
                mailer.send(address, &events).await
            }
            (Some(_), None, _) => Err(TargetError::NoMail.to_string()),
            (None, _, [Delivery { id, kind, body, .. }]) => {
                self.inner.webhooks.send(target, secret, id, kind, body).await
            }
            (None, ..) => Err("a webhook tells of one event".to_owned()),
        }
    }

    /// Keeps what came of an attempt, in one unit with what becomes of the subscription.
    async fn tried(
        &self,
        stations: &Stations,
        subscription: &Subscription,
        deliveries: &[Delivery],
        answer: &Result<String, String>,
        failures: i64,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let give_up_after = SignedDuration::try_from(self.inner.config.give_up_after).unwrap_or(LONGEST_DELAY);
        let mut unit = self.inner.store.unit().await?;
        for delivery in deliveries {
            let (state, words) = match answer {
                Ok(words) => (DeliveryState::Delivered, words),
                Err(words) if now.duration_since(delivery.created_at) >= give_up_after => {
                    (DeliveryState::GivenUp, words)
                }
                Err(words) => (DeliveryState::Pending, words),
            };
            let next = now.checked_add(delay(delivery.attempts)).unwrap_or(now);
            delivery_tried(&mut unit, &delivery.id, state, words, next, now).await?;
        }
        let Err(words) = answer else {
            unit.commit().await?;
            if failures > 0 {
                self.inner.store.subscription_reached(&subscription.id).await?;
                self.reload().await?;
            }
            return Ok(());
        };
        tracing::warn!(subscription = subscription.id, failures = failures + 1, "not told: {words}");
        let until = now.checked_add(delay(failures)).unwrap_or(now);
        self.inner.resting.lock().unwrap_or_else(PoisonError::into_inner).insert(subscription.id.clone(), until);
        let most = i64::from(self.inner.config.disable_after);
        let failures = subscription_failed(&mut unit, &subscription.id, most).await?;
        if failures.is_none_or(|failures| failures < most) {
            unit.commit().await?;
            return self.reload().await;
        }
        // Which station has it, if it was for one.
        let station: Arc<str> = Arc::from(subscription.station.as_deref().unwrap_or_default());
        let trouble = switched_off(subscription, words, most);
        let told = stations.faults().open_in(&mut unit, &station, &trouble).await?;
        unit.commit().await?;
        self.reload().await?;
        stations.faults().opened(stations, &station, &trouble, told);
        Ok(())
    }
}

/// Somebody could not be told so often that nobody tries any more.
fn switched_off(subscription: &Subscription, words: &str, failures: i64) -> Trouble {
    Trouble {
        kind: FaultKind::Notification,
        key: subscription.id.clone(),
        code: "SubscriptionSwitchedOff".to_owned(),
        severity: 4,
        evse: None,
        connector: None,
        detail: Some(format!(
            "the subscription {} failed {failures} times in a row ({words}): see to its target, then switch it on again",
            subscription.id
        )),
    }
}

/// How long to wait after so many attempts that came before the last.
fn delay(attempts: i64) -> SignedDuration {
    let doublings = u32::try_from(attempts.clamp(0, 20)).unwrap_or(0);
    FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_comes_later_than_the_one_before_and_none_later_than_an_hour() {
        let delays: Vec<i64> = (0..14).map(|attempts| delay(attempts).as_secs()).collect();
        assert_eq!(delays[..4], [2, 4, 8, 16]);
        assert_eq!(delays[13], 3600);
        assert!(delays.is_sorted());
    }
}
