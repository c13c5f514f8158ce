//! What pages and the REST interface do with sites.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::dispatch::Line;
use super::held::Control;
use super::{Definition, LiveSite, PriceFile, PriceSlot, Signal, Target, Watch};
use crate::stations::Stations;
use crate::store::{NotPut, Store, StoreError};

/// The longest name of a site, a signal or a zone.
const MOST_CHARACTERS: usize = 64;

/// A site as its operator entered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name in the interface.
    pub id: String,
    /// What it is.
    pub definition: Definition,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Why something about sites cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// What was given makes no sense.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// There is no such site, signal or session.
    #[error("{0}")]
    Unknown(String),
    /// A station can be in one site only.
    #[error("the station {station:?} is in the site {site:?} already: remove it there first")]
    Taken {
        /// The station.
        station: String,
        /// Where it is.
        site: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotPut> for SiteError {
    fn from(error: NotPut) -> Self {
        match error {
            NotPut::Taken { station, site } => Self::Taken { station, site },
            NotPut::UnknownStation(station) => {
                Self::Invalid(vec![format!("there is no station {station:?}: enter it first")])
            }
            NotPut::Store(error) => Self::Store(error),
        }
    }
}

/// The sites. Clones share the same ones.
#[derive(Debug, Clone)]
pub struct Sites {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) stations: Stations,
    pub(super) watch: Watch,
    known: Mutex<BTreeMap<String, Arc<Site>>>,
    controls: Mutex<BTreeMap<String, Control>>,
    lines: Mutex<BTreeMap<String, Line>>,
}

impl Inner {
    /// The sites.
    pub(super) fn sites(&self) -> Vec<Arc<Site>> {
        lock(&self.known).values().cloned().collect()
    }

    /// What stations are known to hold.
    pub(super) fn controls(&self) -> MutexGuard<'_, BTreeMap<String, Control>> {
        lock(&self.controls)
    }

    /// The traffic with stations.
    pub(super) fn lines(&self) -> MutexGuard<'_, BTreeMap<String, Line>> {
        lock(&self.lines)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_name(what: &str, name: &str) -> Result<(), SiteError> {
    let fits = (1..=MOST_CHARACTERS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    match fits {
        true => Ok(()),
        false => Err(SiteError::Invalid(vec![format!(
            "{what} has 1 to {MOST_CHARACTERS} characters, none of them invisible"
        )])),
    }
}

fn check(problems: Vec<String>) -> Result<(), SiteError> {
    if problems.is_empty() { Ok(()) } else { Err(SiteError::Invalid(problems)) }
}

impl Sites {
    /// The sites as they are kept, with what their stations were told.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn start(store: Store, stations: Stations) -> Result<Self, StoreError> {
        let known = store.sites().await?.into_iter().map(|site| (site.id.clone(), Arc::new(site))).collect();
        let mut controls = BTreeMap::new();
        for (station, state) in store.site_controls().await? {
            let control = serde_json::from_str(&state)
                .map_err(|_| StoreError::Content { what: "what a station holds", value: state.clone() })?;
            controls.insert(station, control);
        }
        let watch = stations.site_watch().clone();
        let inner = Inner {
            store,
            stations,
            watch,
            known: Mutex::new(known),
            controls: Mutex::new(controls),
            lines: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// How a site stands, and what is planned for it.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn live(&self, id: &str) -> Result<LiveSite, SiteError> {
        Ok(self.show(&self.get(id).await?).await?)
    }

    /// All sites, by their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<Site>, SiteError> {
        Ok(self.inner.store.sites().await?)
    }

    /// One site.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn get(&self, id: &str) -> Result<Site, SiteError> {
        self.inner.store.site(id).await?.ok_or_else(|| unknown_site(id))
    }

    /// Enters a site, or changes it; it is planned anew at once. True when it is new.
    ///
    /// # Errors
    /// When it makes no sense; the error says what to do.
    pub async fn put(&self, id: &str, definition: &Definition) -> Result<bool, SiteError> {
        check_name("the id of a site", id)?;
        check(definition.problems())?;
        let is_new = self.inner.store.put_site(id, definition, Timestamp::now()).await?;
        self.took_over(id).await?;
        Ok(is_new)
    }

    /// Removes a site; its stations are not limited any more.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn delete(&self, id: &str) -> Result<(), SiteError> {
        if !self.inner.store.delete_site(id).await? {
            return Err(unknown_site(id));
        }
        self.took_over(id).await
    }

    /// Takes over what was kept of a site: stations that left it are free, those that came are planned for.
    async fn took_over(&self, id: &str) -> Result<(), SiteError> {
        let now = self.inner.store.site(id).await?.map(Arc::new);
        let before = {
            let mut known = lock(&self.inner.known);
            match now.clone() {
                Some(site) => known.insert(id.to_owned(), site),
                None => known.remove(id),
            }
        };
        let stays = |station: &str| {
            now.as_ref().is_some_and(|site| site.definition.stations.iter().any(|other| other.id == station))
        };
        for station in before.iter().flat_map(|site| &site.definition.stations).filter(|station| !stays(&station.id)) {
            let (sites, station) = (self.clone(), station.id.clone());
            tokio::spawn(async move { sites.release(station).await });
        }
        self.inner.watch.touch_all();
        Ok(())
    }

    /// Keeps prices in place of those of the same time.
    ///
    /// # Errors
    /// When the zone has no name.
    pub async fn import_prices(&self, zone: &str, file: &PriceFile) -> Result<(), SiteError> {
        check_name("a zone", zone)?;
        self.inner.store.put_prices(zone, file).await?;
        self.inner.watch.touch_all();
        Ok(())
    }

    /// The prices of a zone between two moments, each with its currency.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prices(
        &self,
        zone: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(PriceSlot, String)>, SiteError> {
        Ok(self.inner.store.prices(zone, from, until).await?)
    }

    /// The signals that are not over, by their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signals(&self) -> Result<Vec<(String, Signal)>, SiteError> {
        Ok(self.inner.store.signals(Timestamp::now()).await?)
    }

    /// One signal.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn signal(&self, id: &str) -> Result<Signal, SiteError> {
        self.inner.store.signal(id).await?.ok_or_else(|| unknown_signal(id))
    }

    /// Takes a signal in, or a change of it; the same one again changes nothing. True when it is new.
    ///
    /// # Errors
    /// When it makes no sense; the error says what to do.
    pub async fn put_signal(&self, id: &str, signal: &Signal) -> Result<bool, SiteError> {
        check_name("the id of a signal", id)?;
        let mut problems = signal.problems();
        let known = self.inner.store.sites().await?;
        for site in &signal.sites {
            if known.iter().all(|known| known.id != *site) {
                problems.push(format!("there is no site {site:?}: enter it first, or leave it out"));
            }
        }
        check(problems)?;
        let is_new = self.inner.store.put_signal(id, signal, Timestamp::now()).await?;
        self.inner.watch.touch_all();
        Ok(is_new)
    }

    /// Takes a signal back.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn delete_signal(&self, id: &str) -> Result<(), SiteError> {
        if !self.inner.store.delete_signal(id).await? {
            return Err(unknown_signal(id));
        }
        self.inner.watch.touch_all();
        Ok(())
    }

    /// Says what a session is to reach.
    ///
    /// # Errors
    /// When there is no such session, or it is over.
    pub async fn put_target(&self, station: &str, transaction: &str, target: &Target) -> Result<(), SiteError> {
        if target.priority.is_some_and(|priority| priority > 9) {
            return Err(SiteError::Invalid(vec!["priority is 0 to 9".to_owned()]));
        }
        match self.inner.store.transaction(station, transaction).await? {
            None => return Err(SiteError::Unknown(format!("the station {station:?} has no session {transaction:?}"))),
            Some(session) if session.stopped_at.is_some() => {
                return Err(SiteError::Invalid(vec![format!(
                    "the session {transaction:?} is over: nothing can be reached any more"
                )]));
            }
            Some(_) => {}
        }
        self.inner.store.put_target(station, transaction, target, Timestamp::now()).await?;
        self.inner.watch.touch(station);
        Ok(())
    }
}

fn unknown_site(id: &str) -> SiteError {
    SiteError::Unknown(format!("there is no site {id:?}; enter it with PUT /api/v1/sites/{{id}}"))
}

fn unknown_signal(id: &str) -> SiteError {
    SiteError::Unknown(format!("there is no signal {id:?}"))
}
