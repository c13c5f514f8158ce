//! Every station that is connected or was a moment ago, by its identity.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Timestamp;
use ocpp_core::csms::{CallOutcome, Command, CommandId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::contracts::Contracts;
use super::desk::DeskError;
use super::driver::{Call, Driver, Order};
use super::events::Recent;
use super::gateway::Connected;
use super::live::{ConnectorView, LiveStation};
use super::notice::{Notice, What};
use super::security::SecurityLog;
use crate::access::{PasswordKey, Throttle};
use crate::config::Config;
use crate::faults::Faults;
use crate::logging::Sparingly;
use crate::metrics::Metrics;
use crate::notifications::Notifications;
use crate::sites::Watch;
use crate::store::{Connector, MessageLog, Registration, Store, StoreError};
use crate::tariffs::Tariffs;
use crate::tls::Signer;

/// Orders that wait for one station.
const ORDERS: usize = 64;
/// Transactions that are known to run from before the start.
const RUNNING: u32 = 100_000;
/// Notices that a subscriber may lag behind.
const NOTICES: usize = 1024;

/// The stations. Clones share the same ones.
#[derive(Debug, Clone)]
pub struct Stations {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    store: Store,
    tariffs: Tariffs,
    log: MessageLog,
    key: PasswordKey,
    metrics: Metrics,
    /// Those who knock without being let in.
    strangers: Sparingly,
    throttle: Throttle,
    security: SecurityLog,
    notifications: Notifications,
    faults: Faults,
    /// What is to be told to those who want to know, and kept nowhere else. None at the end of the server.
    relay: Mutex<Option<Relay>>,
    signer: Signer,
    contracts: Contracts,
    drivers: Mutex<Drivers>,
    live: RwLock<HashMap<Arc<str>, LiveStation>>,
    notices: broadcast::Sender<Notice>,
    /// The last notices, and the number of the next.
    recent: Mutex<(Recent, u64)>,
    next_command: AtomicU64,
    changes: watch::Sender<u64>,
    /// What sites have to know.
    sites: Watch,
    tasks: TaskTracker,
}

/// What has to be told, on its way to where it is kept.
#[derive(Debug)]
struct Relay {
    told: mpsc::UnboundedSender<(Arc<str>, What)>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Drivers {
    by_station: HashMap<Arc<str>, mpsc::Sender<Order>>,
    closed: bool,
}

/// Why it can't be told what is known of a station's own data.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is kept is not understood.
    #[error("what is kept of the station is not understood: {0}")]
    Damaged(String),
}

impl InspectionError {
    pub(super) fn of(error: DeskError) -> Self {
        match error {
            DeskError::Store(error) => Self::Store(error),
            error => Self::Damaged(error.to_string()),
        }
    }
}

fn microseconds() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0)
}

/// Why a command was not handed to a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallRefused {
    /// There is no connection.
    #[error("the station is not connected")]
    NotConnected,
    /// More commands are waiting for it than it can take.
    #[error("too many calls wait for the station already")]
    Busy,
}

impl Stations {
    /// No station is connected yet; of those that were, the states of the connectors are known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(
        config: Arc<Config>,
        store: Store,
        tariffs: Tariffs,
        log: MessageLog,
        key: PasswordKey,
    ) -> Result<Self, StoreError> {
        let mut live = HashMap::<Arc<str>, LiveStation>::new();
        for Connector { station, evse, connector, status, error, since } in store.connectors().await? {
            let view = ConnectorView { status, error, since };
            live.entry(station.into()).or_default().connectors.insert((evse, connector), view);
        }
        for transaction in store.running_transactions(RUNNING).await? {
            live.entry(transaction.station.as_str().into()).or_default().session(&transaction, None);
        }
        let notifications = Notifications::start(store.clone(), config.notifications.clone()).await?;
        let (relay, told) = mpsc::unbounded_channel();
        let relaying = tokio::spawn(relay_to(notifications.clone(), told));
        let inner = Inner {
            faults: Faults::start(store.clone(), notifications.clone()).await?,
            notifications,
            relay: Mutex::new(Some(Relay { told: relay, task: relaying })),
            signer: Signer::new(config.authority.clone()),
            contracts: Contracts::new(config.contract_provider.clone()),
            config,
            security: SecurityLog::new(store.clone()),
            throttle: Throttle::default(),
            store,
            tariffs,
            log,
            key,
            metrics: Metrics::new(),
            strangers: Sparingly::default(),
            drivers: Mutex::default(),
            live: RwLock::new(live),
            notices: broadcast::Sender::new(NOTICES),
            // Greater than in any life before.
            recent: Mutex::new((Recent::default(), microseconds())),
            next_command: AtomicU64::new(microseconds()),
            changes: watch::Sender::new(0),
            sites: Watch::default(),
            tasks: TaskTracker::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Tells what happens from now on. Who lags behind misses the oldest notices.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.inner.notices.subscribe()
    }

    /// Changes whenever something changes that people see.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// The live side of a station, empty for one that never connected since the start.
    #[must_use]
    pub fn live(&self, station: &str) -> LiveStation {
        self.inner.live.read().unwrap_or_else(PoisonError::into_inner).get(station).cloned().unwrap_or_default()
    }

    /// Shows these stations as they are now; one that is not known as one that is not connected.
    pub(crate) fn look_at(&self, stations: &BTreeSet<Arc<str>>, mut show: impl FnMut(&Arc<str>, &LiveStation)) {
        let live = self.inner.live.read().unwrap_or_else(PoisonError::into_inner);
        let absent = LiveStation::default();
        for station in stations {
            show(station, live.get(station).unwrap_or(&absent));
        }
    }

    /// Shows all stations that have been connected.
    pub(crate) fn look_at_all(&self, mut show: impl FnMut(&Arc<str>, &LiveStation)) {
        let live = self.inner.live.read().unwrap_or_else(PoisonError::into_inner);
        live.iter().for_each(|(station, live)| show(station, live));
    }

    /// The number of stations that are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        let live = self.inner.live.read().unwrap_or_else(PoisonError::into_inner);
        live.values().filter(|station| station.connection.is_some()).count()
    }

    /// Hands a command to a station and waits for its end.
    ///
    /// # Errors
    /// When the station is not connected, or too much waits for it.
    pub async fn call(&self, station: &str, command: Command) -> Result<CallOutcome, CallRefused> {
        if self.live(station).connection.is_none() {
            return Err(CallRefused::NotConnected);
        }
        let (reply, outcome) = oneshot::channel();
        let call = Call { id: self.next_command(), command, reply: Some(reply) };
        self.order(station, Order::Call(Box::new(call)))?;
        outcome.await.map_err(|_| CallRefused::NotConnected)
    }

    /// A name for a command that no other has, in this life of the server or another.
    pub(super) fn next_command(&self) -> CommandId {
        CommandId(self.inner.next_command.fetch_add(1, Ordering::Relaxed))
    }

    /// Hands a command to a station; its end is that of an operation.
    pub(super) fn command(&self, station: &str, id: CommandId, command: Command) -> Result<(), CallRefused> {
        self.order(station, Order::Call(Box::new(Call { id, command, reply: None })))
    }

    /// What happened after the notice with this number, as far as it is remembered, and whether some of it is not; then what happens
    /// from now on. Nothing comes twice, nothing between is missing.
    #[must_use]
    pub fn notices_after(&self, number: u64) -> (Vec<Notice>, bool, broadcast::Receiver<Notice>) {
        let recent = self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let (missed, lost) = recent.0.after(number);
        (missed, lost, self.notices())
    }

    /// Tells a station that is connected how it stands now; one that is rejected is disconnected.
    pub fn set_registration(&self, station: &str, registration: Registration) {
        // Whoever is not connected learns it when it connects.
        let _ = self.order(station, Order::Registration(registration));
        if registration == Registration::Rejected {
            self.disconnect(station, "the operator rejected the station");
        }
    }

    /// Ends the connection of a station, if there is one.
    pub fn disconnect(&self, station: &str, reason: &str) {
        let _ = self.order(station, Order::Disconnect { reason: reason.to_owned() });
    }

    /// Says that something changed that people see.
    pub fn changed(&self) {
        self.inner.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Ends all connections, and waits until what they reported is kept.
    pub async fn close(&self) {
        {
            let mut drivers = self.drivers();
            drivers.closed = true;
            drivers.by_station.clear();
        }
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        let relay = self.inner.relay.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Relay { told, task }) = relay {
            drop(told);
            if let Err(error) = task.await {
                tracing::error!(%error, "what was to be told may be lost");
            }
        }
        self.inner.log.flush().await;
    }

    /// Gives a new connection to the task of its station, which closes the one it had; makes the task when there is none.
    pub(super) fn attach(&self, connected: Connected) {
        let station = Arc::clone(&connected.station);
        let mut drivers = self.drivers();
        if drivers.closed {
            return;
        }
        let connected = match drivers.by_station.get(&station) {
            Some(orders) => match orders.try_send(Order::Attach(Box::new(connected))) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Closed(Order::Attach(connected))) => connected,
                Err(_) => {
                    tracing::warn!(%station, "the connection is dropped: too much waits for the station");
                    return;
                }
            },
            None => Box::new(connected),
        };
        let (orders, receiver) = mpsc::channel(ORDERS);
        drivers.by_station.insert(Arc::clone(&station), orders);
        drop(drivers);
        self.inner.tasks.spawn(Driver::new(self.clone(), station, receiver).run(connected));
    }

    /// Forgets the task of a station, unless something waits for it.
    pub(super) fn retire(&self, station: &Arc<str>, orders: &mut mpsc::Receiver<Order>) -> bool {
        let mut drivers = self.drivers();
        // Whoever gives an order holds the lock, so nothing can arrive between the question and the removal.
        let idle = orders.is_empty();
        if idle {
            drivers.by_station.remove(station);
        }
        idle
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What charging costs, and where.
    pub(crate) fn tariffs(&self) -> &Tariffs {
        &self.inner.tariffs
    }

    pub(super) fn log(&self) -> &MessageLog {
        &self.inner.log
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(super) fn strangers(&self) -> &Sparingly {
        &self.inner.strangers
    }

    /// Runs something that is waited for when the server ends, so that it has to come to an end by itself.
    pub(super) fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner.tasks.spawn(task);
    }

    /// What sites have to know.
    pub(crate) fn site_watch(&self) -> &Watch {
        &self.inner.sites
    }

    /// Who guesses passwords.
    pub(super) fn throttle(&self) -> &Throttle {
        &self.inner.throttle
    }

    /// Where security events go.
    pub(crate) fn security(&self) -> &SecurityLog {
        &self.inner.security
    }

    /// What tells those who want to know.
    #[must_use]
    pub fn notifications(&self) -> &Notifications {
        &self.inner.notifications
    }

    /// What is wrong with stations.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// What signs the certificates of stations.
    pub(super) fn signer(&self) -> &Signer {
        &self.inner.signer
    }

    /// Where contract certificates come from.
    pub(super) fn contracts(&self) -> &Contracts {
        &self.inner.contracts
    }

    pub(super) fn key(&self) -> &PasswordKey {
        &self.inner.key
    }

    /// Changes the live side of a station; `change` says whether people see a difference, and so does this.
    pub(super) fn update(&self, station: &Arc<str>, change: impl FnOnce(&mut LiveStation) -> bool) -> bool {
        let visible = {
            let mut live = self.inner.live.write().unwrap_or_else(PoisonError::into_inner);
            change(live.entry(Arc::clone(station)).or_default())
        };
        if visible {
            self.changed();
        }
        visible
    }

    /// Tells what became of a fault.
    pub(crate) fn tell(&self, station: &Arc<str>, what: What) {
        self.notify(station, what);
    }

    /// Tells what is not kept anywhere, so that only an end of the program in good order does not lose it.
    pub(super) fn notify_and_relay(&self, station: &Arc<str>, what: What) {
        if self.inner.notifications.is_wanted(station, what.kind()) {
            let relay = self.inner.relay.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(relay) = &*relay {
                // Its reader ends after all who send.
                let _ = relay.told.send((Arc::clone(station), what.clone()));
            }
        }
        self.notify(station, what);
    }

    /// Tells what happened. Who wants to know by webhook or mail is told by what was kept with the fact.
    pub(super) fn notify(&self, station: &Arc<str>, what: What) {
        // Numbers and the order in which they are sent agree, so both are under one lock.
        let mut recent = self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let number = recent.1;
        recent.1 += 1;
        let notice = Notice { number, at: Timestamp::now(), station: Arc::clone(station), what };
        match &notice.what {
            What::Started(_) => self.inner.metrics.started.inc(),
            What::Billed(_) => self.inner.metrics.billed.inc(),
            _ => 0,
        };
        match &notice.what {
            What::Metered(_) => tracing::debug!(station = %notice.station, "{}", notice.what),
            What::Disconnected { fault: true, .. } => tracing::warn!(station = %notice.station, "{}", notice.what),
            what => tracing::info!(station = %notice.station, "{what}"),
        }
        recent.0.push(notice.clone());
        // Nobody needs to listen.
        let _ = self.inner.notices.send(notice);
        drop(recent);
        self.changed();
    }

    pub(super) fn order(&self, station: &str, order: Order) -> Result<(), CallRefused> {
        match self.drivers().by_station.get(station).map(|orders| orders.try_send(order)) {
            Some(Ok(())) => Ok(()),
            Some(Err(mpsc::error::TrySendError::Full(_))) => Err(CallRefused::Busy),
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => Err(CallRefused::NotConnected),
        }
    }

    fn drivers(&self) -> MutexGuard<'_, Drivers> {
        self.inner.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what is to be told, one after the other.
async fn relay_to(notifications: Notifications, mut told: mpsc::UnboundedReceiver<(Arc<str>, What)>) {
    while let Some((station, what)) = told.recv().await {
        let unit = notifications.alone();
        if let Err(error) = notifications.commit(unit, &station, &what).await {
            tracing::error!(%station, %error, "a notification cannot be kept");
        }
    }
}
