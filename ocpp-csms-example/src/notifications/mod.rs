//! Notifications: who wants to know is told of what happens, by webhook or mail.
//!
//! What is to be told is kept together with the fact that it tells of, so that no end of the program loses it; it is tried again and
//! again, each time later, until it is taken or too old.

mod address;
mod delivery;
mod mail;
mod settings;
mod webhook;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

pub use settings::{MailConfig, MailFile, MailSecurity, NotificationsConfig, NotificationsFile};
pub use webhook::TargetError;

use self::mail::Mailer;
use self::webhook::Webhooks;
use crate::stations::{Event, What, kind_fits};
use crate::store::{FaultKind, Store, StoreError, Subscription, Unit, close_fault, put_delivery, put_subscription};

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
    /// Those that could not be told, until when they are left alone.
    resting: Mutex<HashMap<String, Timestamp>>,
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
        let (busy, resting, wake) = (Mutex::default(), Mutex::default(), Notify::new());
        Ok(Self { inner: Arc::new(Inner { store, config, webhooks, mailer, subscriptions, busy, resting, wake }) })
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
            failures: 0,
            created_at: Timestamp::now(),
            created_by: by.to_owned(),
        };
        let mut unit = self.inner.store.unit().await?;
        put_subscription(&mut unit, &subscription).await?;
        unit.commit().await?;
        self.reload().await?;
        Ok(subscription)
    }

    /// Changes a subscription. One that is switched on again has not failed yet, and the fault that it was switched off is over.
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
        let mut unit = self.inner.store.unit().await?;
        put_subscription(&mut unit, &subscription).await?;
        if subscription.active {
            subscription.failures = 0;
            let station = subscription.station.as_deref().unwrap_or_default();
            close_fault(&mut unit, station, FaultKind::Notification, id, Timestamp::now()).await?;
        }
        unit.commit().await?;
        self.inner.resting.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
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
    pub(crate) fn enqueue(&self, unit: &mut Unit, station: &str, what: &What) {
        let kind = what.kind();
        if !self.is_wanted(station, kind) {
            return;
        }
        let now = Timestamp::now();
        let body = Event::body(&Uuid::now_v7().to_string(), now, station, what);
        for subscription in self.subscriptions().iter().filter(|known| wants(known, station, kind)) {
            put_delivery(unit, &subscription.id, kind, &body, now);
        }
    }

    /// A unit for what is to be told of something that is kept nowhere else.
    pub(crate) fn alone(&self) -> Unit {
        self.inner.store.later_unit()
    }

    /// Keeps a fact with what is to be told of it: both, or neither.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn commit(&self, mut unit: Unit, station: &str, what: &What) -> Result<(), StoreError> {
        self.enqueue(&mut unit, station, what);
        unit.commit().await?;
        if self.is_wanted(station, what.kind()) {
            self.wake();
        }
        Ok(())
    }

    /// Something may be due.
    pub(crate) fn wake(&self) {
        self.inner.wake.notify_one();
    }
}

fn wants(subscription: &Subscription, station: &str, kind: &str) -> bool {
    subscription.active
        && subscription.station.as_deref().is_none_or(|wanted| wanted == station)
        && subscription.kinds.iter().any(|wanted| kind_fits(wanted, kind))
}
