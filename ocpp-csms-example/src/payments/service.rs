//! What the rest of the program asks of payments.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use iso_currency::Currency;
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::card::Card;
use super::mobile_money::MobileMoney;
use super::provider::{Methods, Notification, NotificationError, Outcome, Paid, PaymentProvider, ProviderError};
use super::sandbox::{Delivery, Sandbox};
use super::settings::{Patience, PaymentSettings};
use super::{Prepaid, steps, worker};
use crate::ledger::{AmountError, Payer};
use crate::stations::{LiveStation, Stations};
use crate::store::{
    Capture, Payment, PaymentState, PrepaidSession, Progress, SessionStage, Store, StoreError, ledger, payments,
    prepaid,
};
use crate::tariffs::{digits, written};

/// The least and the most that may be paid at once, in whole units of the currency.
const LEAST: i64 = 1;
const MOST: i64 = 10_000_000;

/// Payments. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Payments {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) stations: Stations,
    pub(super) providers: BTreeMap<&'static str, Arc<dyn PaymentProvider>>,
    /// Where browsers and providers reach this server.
    pub(super) public_url: String,
    pub(super) patience: Patience,
    pub(super) wake: Notify,
    /// What is being looked after at this moment.
    pub(super) busy: Mutex<HashSet<String>>,
    refused: AtomicU64,
}

/// A payment that somebody wants to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How much, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Through which provider.
    pub provider: String,
    /// What that needs to know of the payer.
    pub method: Option<String>,
}

/// Why something is not paid, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// No such provider.
    #[error("there is no payment provider {0:?}; set it up in the configuration, or choose another")]
    Provider(String),
    /// An amount that nobody pays.
    #[error("{0}: pay from {1} to {2}")]
    Amount(String, String, String),
    /// The provider needs to know something else.
    #[error("{0}")]
    Method(String),
    /// The tariff there has another currency.
    #[error("charging there is paid in {}", .0.code())]
    Currency(Currency),
    /// No such station.
    #[error("there is no station {0:?}")]
    Station(String),
    /// It cannot start anything now.
    #[error("the station is not connected: try another one, or wait")]
    NotConnected,
    /// Nobody can charge there now.
    #[error("that charging point is out of service: try another one")]
    OutOfService,
    /// Somebody else charges there.
    #[error("somebody charges there already, or is about to")]
    Busy,
    /// The driver does not have it.
    #[error("the balance is {0}: top it up")]
    NotCovered(String),
    /// There is nothing of the kind.
    #[error("there is no {0} {1:?}")]
    Unknown(&'static str, String),
    /// It cannot be given back so.
    #[error("{0}")]
    Refund(String),
    /// It cannot be posted.
    #[error(transparent)]
    Posting(#[from] AmountError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Payments {
    /// Takes up whatever is not finished, and looks after it until the server stops.
    #[must_use]
    pub fn start(
        store: Store,
        stations: Stations,
        settings: PaymentSettings,
        public_url: String,
        stop: CancellationToken,
    ) -> Self {
        let client = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap_or_default();
        let (sender, deliveries) = mpsc::unbounded_channel();
        let mut providers: BTreeMap<&'static str, Arc<dyn PaymentProvider>> = BTreeMap::new();
        let mut add = |provider: Arc<dyn PaymentProvider>| providers.insert(provider.name(), provider);
        if settings.sandbox == Some(true) {
            add(Arc::new(Sandbox::new(sender)));
        }
        if let Some(card) = settings.card.clone() {
            add(Arc::new(Card::new(card, client.clone())));
        }
        if let Some(mobile) = settings.mobile_money.clone() {
            add(Arc::new(MobileMoney::new(mobile, client)));
        }
        let inner = Inner {
            store,
            stations,
            providers,
            patience: settings.patience(),
            public_url,
            wake: Notify::new(),
            busy: Mutex::default(),
            refused: AtomicU64::new(0),
        };
        let payments = Self { inner: Arc::new(inner) };
        tokio::spawn(worker::run(Arc::clone(&payments.inner), stop.clone()));
        tokio::spawn(payments.clone().take_in(deliveries, stop));
        payments
    }

    /// What the sandbox delivers goes the way of every notification.
    async fn take_in(self, mut deliveries: mpsc::UnboundedReceiver<Delivery>, stop: CancellationToken) {
        loop {
            let delivery = tokio::select! {
                delivery = deliveries.recv() => delivery,
                () = stop.cancelled() => return,
            };
            let Some(Delivery { headers, body }) = delivery else { return };
            if let Err(error) = self.notified("sandbox", &headers, &body).await {
                tracing::warn!(%error, "a notification of the sandbox does not count");
            }
        }
    }

    /// The providers by name, and what each asks the payer.
    #[must_use]
    pub fn providers(&self) -> Vec<(&'static str, Methods)> {
        self.inner.providers.iter().map(|(name, provider)| (*name, provider.methods())).collect()
    }

    /// How many notifications were refused since the start.
    #[must_use]
    pub fn refused_notifications(&self) -> u64 {
        self.inner.refused.load(Ordering::Relaxed)
    }

    fn check(&self, wanted: &Wanted) -> Result<(), PaymentError> {
        let Some(provider) = self.inner.providers.get(wanted.provider.as_str()) else {
            return Err(PaymentError::Provider(wanted.provider.clone()));
        };
        let unit = 10_i64.checked_pow(digits(wanted.currency)).unwrap_or(1);
        let (least, most) = (LEAST * unit, MOST * unit);
        if wanted.amount < least || wanted.amount > most {
            let show = |amount| written(amount, wanted.currency);
            return Err(PaymentError::Amount(show(wanted.amount), show(least), show(most)));
        }
        let method = wanted.method.as_deref();
        let is_fine = match provider.methods() {
            Methods::Choice(words) => method.is_none_or(|method| words.contains(&method)),
            Methods::Phone => method.is_some_and(|method| method.chars().filter(char::is_ascii_digit).count() >= 8),
            Methods::Nothing => method.is_none_or(|method| method.len() <= 255),
        };
        if is_fine {
            return Ok(());
        }
        Err(PaymentError::Method(match provider.methods() {
            Methods::Choice(words) => format!("choose one of {}", words.join(", ")),
            Methods::Phone => "write a telephone number with the country's code".to_owned(),
            Methods::Nothing => "the method is too long".to_owned(),
        }))
    }

    fn new_payment(&self, wanted: Wanted, payer: Payer, session: Option<String>, now: Timestamp) -> Payment {
        Payment {
            id: Uuid::now_v7().to_string(),
            provider: wanted.provider,
            payer,
            session,
            amount: wanted.amount,
            currency: wanted.currency,
            method: wanted.method,
            state: PaymentState::Created,
            action: None,
            capture: Capture::None,
            captured: None,
            progress: Progress::begun(now),
        }
    }

    /// A driver tops up the balance.
    ///
    /// # Errors
    /// The amount, the provider or the method makes no sense, or the database fails.
    pub async fn top_up(&self, driver: &str, wanted: Wanted) -> Result<Payment, PaymentError> {
        self.check(&wanted)?;
        let payment = self.new_payment(wanted, Payer::Driver(driver.to_owned()), None, Timestamp::now());
        let mut unit = self.inner.store.serial_unit().await?;
        payments::put_payment(&mut unit, &payment).await?;
        unit.commit().await?;
        self.inner.wake.notify_one();
        Ok(payment)
    }

    /// Somebody without an account pays for a session. The station is told to start as soon as the provider has confirmed.
    ///
    /// # Errors
    /// The payment makes no sense, the station cannot start anything now, or the database fails.
    pub async fn pay_session(
        &self,
        station: &str,
        evse: Option<i64>,
        wanted: Wanted,
    ) -> Result<(PrepaidSession, Payment), PaymentError> {
        self.check(&wanted)?;
        self.can_start(station, evse, wanted.currency).await?;
        let now = Timestamp::now();
        let id = Uuid::now_v7().to_string();
        let payer = Payer::Guest(id.clone());
        let session = new_session(id, payer.clone(), station, evse, wanted.currency, wanted.amount, now);
        let payment = self.new_payment(wanted, payer, Some(session.id.clone()), now);
        let mut unit = self.inner.store.serial_unit().await?;
        prepaid::put_prepaid(&mut unit, &session).await?;
        payments::put_payment(&mut unit, &payment).await?;
        unit.commit().await?;
        self.inner.wake.notify_one();
        Ok((session, payment))
    }

    /// A driver starts a session on the balance, of which `amount` is set aside, or as much as there is. `token` is what the
    /// station is told.
    ///
    /// # Errors
    /// The balance does not cover it, the station cannot start anything now, or the database fails.
    pub async fn start_session(
        &self,
        driver: &str,
        token: &str,
        station: &str,
        evse: Option<i64>,
        amount: Option<i64>,
    ) -> Result<PrepaidSession, PaymentError> {
        let currency = self.inner.stations.tariffs().at(station, evse).tariff.currency();
        self.can_start(station, evse, currency).await?;
        let now = Timestamp::now();
        let payer = Payer::Driver(driver.to_owned());
        let mut unit = self.inner.store.serial_unit().await?;
        let covered = -ledger::balance(&mut unit, &payer.account(), currency).await?;
        let amount = amount.unwrap_or(covered);
        if covered < amount || amount <= 0 {
            return Err(PaymentError::NotCovered(written(covered, currency)));
        }
        let id = Uuid::now_v7().to_string();
        let (state, entry) = Prepaid::hold(&id, &payer, amount, currency)?;
        ledger::post(&mut unit, &entry, now).await?;
        let mut session = new_session(id, payer, station, evse, currency, amount, now);
        session.token = token.to_owned();
        session.stage = SessionStage::Held;
        session.state = Some(state);
        (session.due_at, session.give_up_at) = (Some(now), now.checked_add(self.inner.patience.start).ok());
        prepaid::put_prepaid(&mut unit, &session).await?;
        unit.commit().await?;
        self.inner.wake.notify_one();
        Ok(session)
    }

    async fn can_start(&self, station: &str, evse: Option<i64>, currency: Currency) -> Result<(), PaymentError> {
        let known = self.inner.store.station(station).await?;
        known.ok_or_else(|| PaymentError::Station(station.to_owned()))?;
        let there = self.inner.stations.tariffs().at(station, evse).tariff.currency();
        if there != currency {
            return Err(PaymentError::Currency(there));
        }
        let live = self.inner.stations.live(station);
        if live.connection.is_none() {
            return Err(PaymentError::NotConnected);
        }
        is_in_service(&live, evse)?;
        if let Some(evse) = evse
            && self.inner.store.is_charging(station, evse).await?
        {
            return Err(PaymentError::Busy);
        }
        Ok(())
    }

    /// What a driver can spend, by currency; negative where it's owed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn balances(&self, driver: &str) -> Result<Vec<(Currency, i64)>, StoreError> {
        let account = Payer::Driver(driver.to_owned()).account();
        let all = self.inner.store.balances(&account.to_string()).await?;
        let of_driver = all.into_iter().filter(|(known, ..)| *known == account);
        Ok(of_driver.map(|(_, currency, amount)| (currency, -amount)).collect())
    }

    /// What a provider tells by itself. Told twice, it counts once.
    ///
    /// # Errors
    /// It's not from the provider, or not understood.
    pub async fn notified(&self, provider: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), NotifyError> {
        let now = Timestamp::now();
        let known = self.inner.providers.get(provider).ok_or(NotificationError::Unknown);
        let read = known.and_then(|known| known.notification(headers, body, now));
        let notification = read.inspect_err(|_| {
            self.inner.refused.fetch_add(1, Ordering::Relaxed);
        })?;
        let Some(Notification { id, reference, name, outcome }) = notification else { return Ok(()) };
        let Some(payment) = self.inner.store.payment_of_provider(provider, &reference).await? else {
            // Not one of ours, or not kept yet: then it's asked after.
            tracing::info!(provider, reference, "told of a payment that is not known");
            return Ok(());
        };
        let paid = outcome.as_ref().and_then(Outcome::paid);
        let is_open = payment.state != PaymentState::Confirmed;
        let is_other = |paid: Paid| paid.amount != payment.amount || paid.currency != Some(payment.currency);
        if is_open && paid.is_some_and(is_other) {
            tracing::error!(payment = payment.id, ?paid, "a provider tells of another amount than was asked for");
            self.inner.refused.fetch_add(1, Ordering::Relaxed);
            return Err(NotificationError::Amount(payment.id).into());
        }
        let mut unit = self.inner.store.serial_unit().await?;
        if let (Some(name), Some(mut kept)) = (name, payments::payment(&mut unit, &payment.id).await?)
            && kept.progress.reference.is_none()
        {
            kept.progress.reference = Some(name);
            payments::change_payment(&mut unit, &kept).await?;
        }
        match outcome {
            Some(outcome) => {
                if payments::note_notification(&mut unit, provider, &id, now).await? {
                    steps::payment_is(&mut unit, &payment.id, &outcome, self.inner.patience, now).await?;
                }
            }
            None => {
                if let Some(mut payment) = payments::payment(&mut unit, &payment.id).await?
                    && matches!(payment.state, PaymentState::Requested | PaymentState::Expired)
                {
                    payment.progress.due_at = Some(now);
                    payments::change_payment(&mut unit, &payment).await?;
                }
            }
        }
        unit.commit().await?;
        self.inner.wake.notify_one();
        Ok(())
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }
}

/// Why a notification had no effect.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// It doesn't count.
    #[error(transparent)]
    Notification(#[from] NotificationError),
    /// The database failed: the provider tells it again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&ProviderError> for String {
    fn from(error: &ProviderError) -> Self {
        error.to_string().chars().take(300).collect()
    }
}

/// Refuses a place that the station has not, or that is out of service. As long as it has told of none, it may have any.
fn is_in_service(live: &LiveStation, evse: Option<i64>) -> Result<(), PaymentError> {
    let is_out = |status: &str| matches!(status, "Unavailable" | "Faulted");
    let of = |wanted: i64| live.connectors.iter().filter(move |((evse, _), _)| *evse == wanted).map(|(_, view)| view);
    if of(0).any(|whole| is_out(&whole.status)) {
        return Err(PaymentError::OutOfService);
    }
    let Some(evse) = evse else { return Ok(()) };
    if of(evse).next().is_none() {
        let knows_any = live.connectors.keys().any(|(evse, _)| *evse > 0);
        return if knows_any { Err(PaymentError::Unknown("charging point", evse.to_string())) } else { Ok(()) };
    }
    if of(evse).all(|connector| is_out(&connector.status)) { Err(PaymentError::OutOfService) } else { Ok(()) }
}

fn new_session(
    id: String,
    payer: Payer,
    station: &str,
    evse: Option<i64>,
    currency: Currency,
    amount: i64,
    now: Timestamp,
) -> PrepaidSession {
    // 20 characters: as long as a token of 1.6 may be (IdToken, CiString20Type).
    let random = Uuid::new_v4().simple().to_string().to_uppercase();
    let token = format!("Q{}", random.get(..19).unwrap_or_default());
    // Positive, and in 32 bits, which some stations count in.
    let remote_start_id = i64::from(Uuid::new_v4().as_fields().0 & 0x7fff_ffff);
    PrepaidSession {
        id,
        payer,
        station: station.to_owned(),
        evse,
        token,
        remote_start_id,
        currency,
        amount,
        stage: SessionStage::Unpaid,
        state: None,
        revision: 0,
        transaction: None,
        failure: None,
        attempts: 0,
        due_at: None,
        give_up_at: None,
        clock: None,
        created_at: now,
        updated_at: now,
    }
}
