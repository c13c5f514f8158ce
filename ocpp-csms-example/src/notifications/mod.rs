//! Notifications: who wants to know is told of what happens, by webhook or mail.
//!
//! What is to be told is kept together with the fact that it tells of, so that no end of the program loses it; it is tried again and
//! again, each time later, until it is taken or too old.

mod address;
mod mail;
mod settings;
mod webhook;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

pub use settings::{MailConfig, MailFile, MailSecurity, NotificationsConfig, NotificationsFile};
pub use webhook::TargetError;

use self::mail::Mailer;
use self::webhook::Webhooks;
use crate::stations::{Event, What, kind_fits};
use crate::store::{Delivery, DeliveryState, Store, StoreError, Subscription, Unit, put_delivery};

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

/// What tells those who want to know. Clones share it.
#[derive(Debug, Clone)]
pub struct Notifications {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    config: NotificationsConfig,
    webhooks: Webhooks,
    mailer: Option<Mailer>,
    subscriptions: RwLock<Vec<Subscription>>,
    /// Those that are told something at this moment.
    busy: Mutex<HashSet<String>>,
    wake: Notify,
}

/// What somebody wants of a subscription. What is left out stays as it is.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionChange {
    /// Where to.
    pub target: Option<String>,
    /// The kinds of events.
    pub kinds: Option<Vec<String>>,
    /// Whether it is told anything.
    pub active: Option<bool>,
}

/// Why a subscription was not made.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// There is none.
    #[error("there is no subscription {0:?}")]
    Unknown(String),
    /// The target can be none.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// There are no such events.
    #[error("there are no events {0:?}; the kinds are {kinds}", kinds = What::KINDS.join(", "))]
    Kind(String),
    /// The secret is too short to protect anything.
    #[error("a secret has 16 to 256 characters")]
    Secret,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Notifications {
    /// Reads who wants to know.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(store: Store, config: NotificationsConfig) -> Result<Self, StoreError> {
        let mailer = config.mail.as_ref().and_then(|mail| match Mailer::new(mail) {
            Ok(mailer) => Some(mailer),
            Err(error) => {
                tracing::error!("no mails are sent: {error}");
                None
            }
        });
        let subscriptions = RwLock::new(store.subscriptions().await?);
        let webhooks = Webhooks::new(config.private_addresses);
        let (busy, wake) = (Mutex::default(), Notify::new());
        Ok(Self { inner: Arc::new(Inner { store, config, webhooks, mailer, subscriptions, busy, wake }) })
    }

    /// Who wants to know.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.inner.subscriptions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody wants to know. Without a secret one is made.
    ///
    /// # Errors
    /// When the target or the kinds are none, or the database fails.
    pub async fn subscribe(
        &self,
        target: &str,
        kinds: Vec<String>,
        station: Option<String>,
        secret: Option<String>,
        by: &str,
    ) -> Result<Subscription, SubscriptionError> {
        self.check(target, &kinds)?;
        let secret = secret.unwrap_or_else(|| format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()));
        if !(16..=256).contains(&secret.chars().count()) {
            return Err(SubscriptionError::Secret);
        }
        let subscription = Subscription {
            id: Uuid::now_v7().to_string(),
            target: target.to_owned(),
            kinds,
            station,
            secret,
            active: true,
            created_at: Timestamp::now(),
            created_by: by.to_owned(),
        };
        self.inner.store.put_subscription(&subscription).await?;
        self.reload().await?;
        Ok(subscription)
    }

    /// Changes a subscription.
    ///
    /// # Errors
    /// When there is none, the target or the kinds are none, or the database fails.
    pub async fn change(&self, id: &str, change: SubscriptionChange) -> Result<Subscription, SubscriptionError> {
        let known = self.subscriptions().into_iter().find(|known| known.id == id);
        let mut subscription = known.ok_or_else(|| SubscriptionError::Unknown(id.to_owned()))?;
        let SubscriptionChange { target, kinds, active } = change;
        subscription.target = target.unwrap_or(subscription.target);
        subscription.kinds = kinds.unwrap_or(subscription.kinds);
        subscription.active = active.unwrap_or(subscription.active);
        self.check(&subscription.target, &subscription.kinds)?;
        self.inner.store.put_subscription(&subscription).await?;
        self.reload().await?;
        self.wake();
        Ok(subscription)
    }

    /// Ends a subscription, with what it was still to be told.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn unsubscribe(&self, id: &str) -> Result<(), SubscriptionError> {
        // Nobody writes for it any more before it goes.
        self.inner.subscriptions.write().unwrap_or_else(PoisonError::into_inner).retain(|known| known.id != id);
        let removed = self.inner.store.delete_subscription(id).await?;
        self.reload().await?;
        if removed { Ok(()) } else { Err(SubscriptionError::Unknown(id.to_owned())) }
    }

    fn check(&self, target: &str, kinds: &[String]) -> Result<(), SubscriptionError> {
        match target.strip_prefix("mailto:") {
            Some(address) => {
                let form = |_| TargetError::Form(target.to_owned());
                address.parse::<lettre::Address>().map_err(form)?;
                if self.inner.mailer.is_none() {
                    return Err(TargetError::NoMail.into());
                }
            }
            None => {
                self.inner.webhooks.check(target)?;
            }
        }
        let unknown = kinds.iter().find(|wanted| !What::KINDS.iter().any(|kind| kind_fits(wanted, kind)));
        match unknown {
            Some(kind) => Err(SubscriptionError::Kind(kind.clone())),
            None if kinds.is_empty() => Err(SubscriptionError::Kind(String::new())),
            None => Ok(()),
        }
    }

    async fn reload(&self) -> Result<(), StoreError> {
        let subscriptions = self.inner.store.subscriptions().await?;
        *self.inner.subscriptions.write().unwrap_or_else(PoisonError::into_inner) = subscriptions;
        Ok(())
    }

    /// Whether anybody wants to know of it.
    pub(crate) fn is_wanted(&self, station: &str, kind: &str) -> bool {
        let known = self.inner.subscriptions.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|subscription| wants(subscription, station, kind))
    }

    /// Keeps what is to be told, in the unit of the fact.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn enqueue(&self, unit: &mut Unit, station: &str, what: &What) -> Result<(), StoreError> {
        let kind = what.kind();
        if !self.is_wanted(station, kind) {
            return Ok(());
        }
        let now = Timestamp::now();
        let body = Event::body(&Uuid::now_v7().to_string(), now, station, what);
        for subscription in self.subscriptions().iter().filter(|known| wants(known, station, kind)) {
            put_delivery(unit, &subscription.id, kind, &body, now).await?;
        }
        Ok(())
    }

    /// Keeps what is to be told of something that is kept nowhere else.
    pub(crate) async fn enqueue_alone(&self, station: &str, what: &What) {
        let kept = async {
            let mut unit = self.inner.store.unit().await?;
            self.enqueue(&mut unit, station, what).await?;
            unit.commit().await
        };
        if let Err(error) = kept.await {
            tracing::error!(%station, %error, "a notification cannot be kept");
        }
        self.wake();
    }

    /// Something may be due.
    pub(crate) fn wake(&self) {
        self.inner.wake.notify_one();
    }

    /// Tells what is to be told, for ever.
    pub(crate) async fn deliver(self) {
        loop {
            let pause = match self.round().await {
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
    async fn round(&self) -> Result<Duration, StoreError> {
        let now = Timestamp::now();
        self.inner.store.forget_deliveries(now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN)).await?;
        let mut due = BTreeMap::<String, Vec<Delivery>>::new();
        for delivery in self.inner.store.due_deliveries(now, PAGE).await? {
            due.entry(delivery.subscription.clone()).or_default().push(delivery);
        }
        let known = self.subscriptions();
        for (id, deliveries) in due {
            let Some(subscription) = known.iter().find(|known| known.id == id && known.active) else { continue };
            // One whose server is slow is told one after the other, and holds nobody else.
            if self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
                let (this, subscription) = (self.clone(), subscription.clone());
                tokio::spawn(async move {
                    this.tell(&subscription, deliveries).await;
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

    async fn tell(&self, subscription: &Subscription, deliveries: Vec<Delivery>) {
        match (subscription.target.strip_prefix("mailto:"), &self.inner.mailer) {
            (Some(address), Some(mailer)) => {
                for some in deliveries.chunks(EVENTS_IN_MAIL) {
                    let events: Vec<_> = some.iter().map(|known| (known.kind.as_str(), known.body.as_str())).collect();
                    let answer = mailer.send(address, &events).await;
                    for delivery in some {
                        self.tried(delivery, &answer).await;
                    }
                    // What happens meanwhile is told in one mail.
                    let interval = self.inner.config.mail.as_ref().map(|mail| mail.interval);
                    tokio::time::sleep(interval.unwrap_or_default()).await;
                }
            }
            (Some(_), None) => {
                let answer = Err(TargetError::NoMail.to_string());
                for delivery in &deliveries {
                    self.tried(delivery, &answer).await;
                }
            }
            (None, _) => {
                for delivery in &deliveries {
                    let Delivery { id, kind, body, .. } = delivery;
                    let (target, secret) = (&subscription.target, &subscription.secret);
                    let answer = self.inner.webhooks.send(target, secret, id, kind, body).await;
                    self.tried(delivery, &answer).await;
                    if answer.is_err() {
                        // The rest would hardly fare better; it keeps its turn.
                        return;
                    }
                }
            }
        }
    }

    async fn tried(&self, delivery: &Delivery, answer: &Result<String, String>) {
        let now = Timestamp::now();
        let give_up_after = SignedDuration::try_from(self.inner.config.give_up_after).unwrap_or(LONGEST_DELAY);
        let (state, words) = match answer {
            Ok(words) => (DeliveryState::Delivered, words),
            Err(words) if now.duration_since(delivery.created_at) >= give_up_after => (DeliveryState::GivenUp, words),
            Err(words) => (DeliveryState::Pending, words),
        };
        if let Err(words) = answer {
            tracing::warn!(subscription = delivery.subscription, kind = delivery.kind, "not told: {words}");
        }
        let next = now.checked_add(delay(delivery.attempts)).unwrap_or(now);
        if let Err(error) = self.inner.store.delivery_tried(&delivery.id, state, words, next, now).await {
            tracing::error!(%error, "what came of a notification cannot be kept");
        }
    }
}

fn wants(subscription: &Subscription, station: &str, kind: &str) -> bool {
    subscription.active
        && subscription.station.as_deref().is_none_or(|wanted| wanted == station)
        && subscription.kinds.iter().any(|wanted| kind_fits(wanted, kind))
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
