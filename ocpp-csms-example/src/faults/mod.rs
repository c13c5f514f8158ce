//! The board of faults: what is wrong with stations is opened by itself, acknowledged by people, and closed by itself or by hand.

mod trouble;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ocpp_core::csms::Event;

use self::trouble::{Finding, OFFLINE, offline};
use crate::access::Actor;
use crate::notifications::Notifications;
use crate::server::Csms;
use crate::stations::{FaultNotice, Stations, What};
use crate::store::{
    Fault, FaultChange, FaultFilter, FaultKind, FaultState, Registration, Store, StoreError, Trouble, Unit,
    close_fault, judge_fault, open_fault,
};

/// How often stations that are away are looked for.
const INTERVAL: Duration = Duration::from_secs(20);
/// Stations that are looked at at once.
const PAGE: u32 = 1000;

/// The board. Clones share it.
#[derive(Debug, Clone)]
pub struct Faults {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    notifications: Notifications,
    /// What is not closed, so that the good news of healthy stations costs nothing.
    lasting: Mutex<HashSet<(String, FaultKind, String)>>,
}

/// Why a fault was not judged.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// There is no such fault.
    #[error("there is no fault {0:?}")]
    Unknown(String),
    /// It stands so already, or is over.
    #[error("the fault is {0} already")]
    Already(FaultState),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Faults {
    /// Reads what is not closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(store: Store, notifications: Notifications) -> Result<Self, StoreError> {
        let lasting = Mutex::new(store.fault_keys().await?.into_iter().collect());
        Ok(Self { inner: Arc::new(Inner { store, notifications, lasting }) })
    }

    /// At most `limit` faults, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, filter: &FaultFilter, limit: u32) -> Result<Vec<Fault>, StoreError> {
        self.inner.store.faults(filter, limit).await
    }

    /// A fault, and what became of it.
    ///
    /// # Errors
    /// When there is no such fault, or the database fails.
    pub async fn get(&self, id: &str) -> Result<(Fault, Vec<FaultChange>), FaultError> {
        let fault = self.inner.store.fault(id).await?.ok_or_else(|| FaultError::Unknown(id.to_owned()))?;
        Ok((fault, self.inner.store.fault_history(id).await?))
    }

    /// What a station reported: something may be wrong, or right again.
    pub(crate) async fn observe(&self, stations: &Stations, station: &Arc<str>, event: &Event) {
        let done = match trouble::of(event) {
            Some(Finding::Wrong(trouble)) => self.open(stations, station, &trouble).await,
            Some(Finding::Right(kind, key)) => self.close(stations, station, kind, &key).await,
            None => Ok(()),
        };
        if let Err(error) = done {
            tracing::error!(%station, %error, "a fault cannot be kept");
        }
    }

    /// A station is back.
    pub(crate) async fn connected(&self, stations: &Stations, station: &Arc<str>) {
        if let Err(error) = self.close(stations, station, FaultKind::Offline, OFFLINE).await {
            tracing::error!(%station, %error, "the end of a fault cannot be kept");
        }
    }

    async fn open(&self, stations: &Stations, station: &Arc<str>, trouble: &Trouble) -> Result<(), StoreError> {
        let mut unit = self.inner.store.unit().await?;
        let what = self.open_in(&mut unit, station, trouble).await?;
        unit.commit().await?;
        self.opened(stations, station, trouble, what);
        Ok(())
    }

    /// Opens a fault as a part of something else; what is to be told of it by [`Self::opened`], once that is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn open_in(
        &self,
        unit: &mut Unit,
        station: &str,
        trouble: &Trouble,
    ) -> Result<Option<What>, StoreError> {
        let (fault, is_new) = open_fault(unit, station, trouble, Timestamp::now()).await?;
        let what = is_new.then(|| notice(&fault, "opened"));
        if let Some(what) = &what {
            self.inner.notifications.enqueue(unit, station, what);
        }
        Ok(what)
    }

    /// A fault that was opened as a part of something else is kept.
    pub(crate) fn opened(&self, stations: &Stations, station: &Arc<str>, trouble: &Trouble, what: Option<What>) {
        self.lasting().insert((station.to_string(), trouble.kind, trouble.key.clone()));
        self.told(stations, station, what);
    }

    async fn close(
        &self,
        stations: &Stations,
        station: &Arc<str>,
        kind: FaultKind,
        key: &str,
    ) -> Result<(), StoreError> {
        let known = (station.to_string(), kind, key.to_owned());
        if !self.lasting().contains(&known) {
            return Ok(());
        }
        let mut unit = self.inner.store.unit().await?;
        let what =
            close_fault(&mut unit, station, kind, key, Timestamp::now()).await?.map(|fault| notice(&fault, "closed"));
        if let Some(what) = &what {
            self.inner.notifications.enqueue(&mut unit, station, what);
        }
        unit.commit().await?;
        self.lasting().remove(&known);
        self.told(stations, station, what);
        Ok(())
    }

    fn told(&self, stations: &Stations, station: &Arc<str>, what: Option<What>) {
        if let Some(what) = what {
            self.inner.notifications.wake();
            stations.tell(station, what);
        }
    }

    fn lasting(&self) -> MutexGuard<'_, HashSet<(String, FaultKind, String)>> {
        self.inner.lasting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a fault for each station that is away for longer than is allowed.
    pub(crate) async fn watch(self, stations: Stations, allowed: Duration) {
        let started = Timestamp::now();
        let allowed = SignedDuration::try_from(allowed).unwrap_or(SignedDuration::from_mins(5));
        let interval =
            INTERVAL.min(Duration::from_millis(u64::try_from(allowed.as_millis() / 2).unwrap_or(1000).max(100)));
        loop {
            tokio::time::sleep(interval).await;
            if let Err(error) = self.look_for_absent(&stations, started, allowed).await {
                tracing::error!(%error, "stations that are away cannot be looked for");
            }
        }
    }

    async fn look_for_absent(
        &self,
        stations: &Stations,
        started: Timestamp,
        allowed: SignedDuration,
    ) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let page = self.inner.store.stations(after.as_deref(), PAGE).await?;
            for station in &page {
                let live = stations.live(&station.id);
                // One that was never here is not missing.
                let (Some(last), None) = (station.last_connected_at, live.connection) else { continue };
                let key = (station.id.clone(), FaultKind::Offline, OFFLINE.to_owned());
                if station.registration != Registration::Accepted || self.lasting().contains(&key) {
                    continue;
                }
                let since = live.last_seen_at.unwrap_or(last).max(live.disconnected_at.unwrap_or(started));
                if Timestamp::now().duration_since(since) > allowed {
                    let detail = format!("away since {since}");
                    self.open(stations, &Arc::from(&*station.id), &offline(detail)).await?;
                }
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => after = Some(last.id.clone()),
                _ => return Ok(()),
            }
        }
    }
}

/// Somebody knows of a fault, and looks after it.
///
/// # Errors
/// When there is no such fault, it is no more open, or the database fails.
pub async fn acknowledge(csms: &Csms, actor: &Actor, id: &str, note: Option<&str>) -> Result<Fault, FaultError> {
    judge(csms, actor, id, FaultState::Acknowledged, note).await
}

/// Somebody says that a fault is over. Should it be told again, it is another one.
///
/// # Errors
/// When there is no such fault, it is closed already, or the database fails.
pub async fn close(csms: &Csms, actor: &Actor, id: &str, note: Option<&str>) -> Result<Fault, FaultError> {
    judge(csms, actor, id, FaultState::Closed, note).await
}

async fn judge(
    csms: &Csms,
    actor: &Actor,
    id: &str,
    state: FaultState,
    note: Option<&str>,
) -> Result<Fault, FaultError> {
    let faults = csms.stations().faults();
    let mut unit = faults.inner.store.unit().await?;
    let judged = judge_fault(&mut unit, id, state, actor.name(), note, Timestamp::now()).await?;
    let Some((fault, key)) = judged else {
        drop(unit);
        let (known, _) = faults.get(id).await?;
        return Err(FaultError::Already(known.state));
    };
    let what = notice(&fault, if state == FaultState::Closed { "closed" } else { "acknowledged" });
    let station: Arc<str> = Arc::from(&*fault.station);
    faults.inner.notifications.enqueue(&mut unit, &station, &what);
    unit.commit().await?;
    if state == FaultState::Closed {
        faults.lasting().remove(&(fault.station.clone(), fault.kind, key));
    }
    faults.told(csms.stations(), &station, Some(what));
    csms.audit(actor, &format!("fault.{state}"), id, note.unwrap_or_default()).await;
    Ok(fault)
}

fn notice(fault: &Fault, change: &'static str) -> What {
    What::Fault(Box::new(FaultNotice {
        id: fault.id.clone(),
        kind: fault.kind.to_string(),
        code: fault.code.clone(),
        severity: fault.severity,
        evse: fault.evse,
        change,
        detail: fault.detail.clone(),
    }))
}
