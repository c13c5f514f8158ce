//! The tariffs of an installation: kept in versions, and assigned to places.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::watch;

use super::tariff::Tariff;
use crate::store::{Store, StoreError};

/// The tariff that the configuration makes.
const CONFIGURED: &str = "standard";
/// Characters of the name of a tariff, and of its id.
const NAME: usize = 60;

/// A version of a tariff. What it says never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TariffVersion {
    /// The tariff.
    pub tariff: String,
    /// Which of its versions, from 1.
    pub version: i64,
}

/// The version that a session is billed by.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Which.
    pub of: TariffVersion,
    /// What it says.
    pub tariff: Arc<Tariff>,
}

/// A tariff with its newest version.
#[derive(Debug, Clone, PartialEq)]
pub struct TariffRecord {
    /// What it's called in the interface: letters, digits, `-` and `_`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its newest version.
    pub version: i64,
    /// What that says.
    pub tariff: Arc<Tariff>,
    /// Whether it holds wherever no other does.
    pub is_default: bool,
    /// Whether it still is what the configuration says, because no operator has changed it.
    pub is_configured: bool,
    /// When it was taken out of use; sessions that run by it go on.
    pub retired_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its newest version was made.
    pub updated_at: Timestamp,
}

/// What a tariff is assigned to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All stations of a site.
    Site,
    /// A station, or one EVSE of it.
    Station,
}

impl Scope {
    /// As it's kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Station => "station",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Site, Self::Station].into_iter().find(|scope| scope.as_str() == text).ok_or(())
    }
}

/// Where a tariff holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assignment {
    /// What kind of place.
    pub scope: Scope,
    /// The site or the station.
    pub target: String,
    /// The EVSE of the station; 0 for all of them.
    pub evse: i64,
    /// The tariff.
    pub tariff: String,
}

/// Why tariffs cannot be changed so, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TariffsError {
    /// No such tariff.
    #[error("there is no tariff {0:?}; make it with PUT /api/v1/tariffs/{{id}}")]
    Unknown(String),
    /// No such version.
    #[error("tariff {0:?} has no version {1}")]
    UnknownVersion(String, i64),
    /// Not an id.
    #[error("{0:?} is no id of a tariff: 1 to 60 letters, digits, - and _")]
    Id(String),
    /// Not a name.
    #[error("the name of a tariff has 1 to 60 characters, none of them a control character")]
    Name,
    /// It holds where no other does.
    #[error("{0:?} is the default tariff: make another one the default first")]
    IsDefault(String),
    /// It holds somewhere.
    #[error("{0:?} is still assigned ({1}): assign another tariff there first")]
    InUse(String, String),
    /// It's out of use.
    #[error("{0:?} was retired: change it to take it into use again")]
    Retired(String),
    /// An EVSE of a site, or none.
    #[error("only a station has EVSEs: leave `evse` out for a site, and write at least 1 for one EVSE")]
    Evse,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything that decides which tariff holds.
#[derive(Debug, Default)]
struct Catalogue {
    tariffs: HashMap<String, TariffRecord>,
    default: Option<String>,
    assignments: HashMap<(Scope, String, i64), String>,
    /// Which site each station belongs to, of those that have one.
    sites: HashMap<String, String>,
}

/// The tariffs. Clones share the same ones.
#[derive(Debug, Clone)]
pub struct Tariffs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    configured: Arc<Tariff>,
    catalogue: RwLock<Arc<Catalogue>>,
    /// Versions that some session was billed by.
    versions: RwLock<HashMap<TariffVersion, Arc<Tariff>>>,
    changes: watch::Sender<u64>,
}

impl Tariffs {
    /// Reads what is kept; makes the tariff of the configuration, and a new version of it where the configuration changed and no
    /// operator has taken it over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(store: Store, configured: Tariff) -> Result<Self, StoreError> {
        let configured = Arc::new(configured);
        let now = Timestamp::now();
        let kept = store.tariff(CONFIGURED).await?;
        let is_ours = kept.as_ref().is_none_or(|kept| kept.is_configured && kept.tariff != configured);
        if is_ours {
            store.put_tariff(CONFIGURED, CONFIGURED, &configured, true, "configuration", now).await?;
        }
        if !store.tariffs().await?.iter().any(|tariff| tariff.is_default) {
            store.set_default_tariff(CONFIGURED).await?;
        }
        let inner = Inner {
            store,
            configured,
            catalogue: RwLock::default(),
            versions: RwLock::default(),
            changes: watch::Sender::new(0),
        };
        let tariffs = Self { inner: Arc::new(inner) };
        tariffs.reload().await?;
        Ok(tariffs)
    }

    /// Reads again what is kept; needed after another node, or the assignment of stations to sites, has changed it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let mut catalogue = Catalogue { sites: store.sites_of_stations().await?, ..Catalogue::default() };
        for tariff in store.tariffs().await? {
            if tariff.is_default {
                catalogue.default = Some(tariff.id.clone());
            }
            catalogue.tariffs.insert(tariff.id.clone(), tariff);
        }
        for Assignment { scope, target, evse, tariff } in store.tariff_assignments().await? {
            catalogue.assignments.insert((scope, target, evse), tariff);
        }
        *self.inner.catalogue.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
        self.inner.changes.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    /// Changes whenever a tariff or an assignment does.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.inner.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// All tariffs, by name.
    #[must_use]
    pub fn list(&self) -> Vec<TariffRecord> {
        let mut list: Vec<_> = self.catalogue().tariffs.values().cloned().collect();
        list.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        list
    }

    /// One tariff.
    ///
    /// # Errors
    /// There is none of this id.
    pub fn get(&self, id: &str) -> Result<TariffRecord, TariffsError> {
        self.catalogue().tariffs.get(id).cloned().ok_or_else(|| TariffsError::Unknown(id.to_owned()))
    }

    /// The versions of a tariff with who made them and when, the newest first.
    ///
    /// # Errors
    /// There is none of this id, or the database fails.
    pub async fn versions(&self, id: &str) -> Result<Vec<(i64, Arc<Tariff>, String, Timestamp)>, TariffsError> {
        self.get(id)?;
        Ok(self.inner.store.tariff_versions(id).await?)
    }

    /// Makes a tariff, or a new version of it if it says something else than before. Whoever is charging keeps the version by
    /// which they began.
    ///
    /// # Errors
    /// The id or the name has no valid form, or the database fails.
    pub async fn put(&self, id: &str, name: &str, tariff: &Tariff, by: &str) -> Result<TariffRecord, TariffsError> {
        let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > NAME || !id.chars().all(is_id) {
            return Err(TariffsError::Id(id.to_owned()));
        }
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(TariffsError::Name);
        }
        self.inner.store.put_tariff(id, name, tariff, false, by, Timestamp::now()).await?;
        self.reload().await?;
        self.get(id)
    }

    /// Takes a tariff out of use.
    ///
    /// # Errors
    /// It holds somewhere, there is none of this id, or the database fails.
    pub async fn retire(&self, id: &str) -> Result<(), TariffsError> {
        let record = self.get(id)?;
        if record.is_default {
            return Err(TariffsError::IsDefault(id.to_owned()));
        }
        let catalogue = self.catalogue();
        if let Some(((scope, target, evse), _)) = catalogue.assignments.iter().find(|(_, tariff)| *tariff == id) {
            let evse = if *evse > 0 { format!(" EVSE {evse}") } else { String::new() };
            return Err(TariffsError::InUse(id.to_owned(), format!("{} {target}{evse}", scope.as_str())));
        }
        self.inner.store.retire_tariff(id, Timestamp::now()).await?;
        Ok(self.reload().await?)
    }

    /// Makes a tariff hold wherever no other does.
    ///
    /// # Errors
    /// There is none of this id, it's out of use, or the database fails.
    pub async fn make_default(&self, id: &str) -> Result<(), TariffsError> {
        self.usable(id)?;
        self.inner.store.set_default_tariff(id).await?;
        Ok(self.reload().await?)
    }

    fn usable(&self, id: &str) -> Result<(), TariffsError> {
        if self.get(id)?.retired_at.is_some() { Err(TariffsError::Retired(id.to_owned())) } else { Ok(()) }
    }

    /// Where tariffs hold, beside the default.
    #[must_use]
    pub fn assignments(&self) -> Vec<Assignment> {
        let catalogue = self.catalogue();
        let mut list: Vec<_> = catalogue
            .assignments
            .iter()
            .map(|((scope, target, evse), tariff)| Assignment {
                scope: *scope,
                target: target.clone(),
                evse: *evse,
                tariff: tariff.clone(),
            })
            .collect();
        list.sort();
        list
    }

    /// Lets a tariff hold at a place, in place of the one that did.
    ///
    /// # Errors
    /// There is no such tariff, it's out of use, the EVSE makes no sense, or the database fails.
    pub async fn assign(&self, assignment: &Assignment) -> Result<(), TariffsError> {
        self.usable(&assignment.tariff)?;
        if assignment.evse < 0 || (assignment.scope == Scope::Site && assignment.evse != 0) {
            return Err(TariffsError::Evse);
        }
        self.inner.store.assign_tariff(assignment).await?;
        Ok(self.reload().await?)
    }

    /// Lets no tariff of its own hold at a place; whether one did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unassign(&self, scope: Scope, target: &str, evse: i64) -> Result<bool, TariffsError> {
        let done = self.inner.store.unassign_tariff(scope, target, evse).await?;
        self.reload().await?;
        Ok(done)
    }

    /// The default tariff.
    #[must_use]
    pub fn standard(&self) -> Applied {
        let catalogue = self.catalogue();
        let record = catalogue.default.as_ref().and_then(|id| catalogue.tariffs.get(id));
        record.map_or_else(|| self.configured(), applied)
    }

    /// The tariff that holds at a place now: that of the EVSE, of the station, of its site, or the default.
    #[must_use]
    pub fn at(&self, station: &str, evse: Option<i64>) -> Applied {
        let catalogue = self.catalogue();
        let of = |scope, target: &str, evse| catalogue.assignments.get(&(scope, target.to_owned(), evse));
        let id = evse
            .filter(|evse| *evse > 0)
            .and_then(|evse| of(Scope::Station, station, evse))
            .or_else(|| of(Scope::Station, station, 0))
            .or_else(|| catalogue.sites.get(station).and_then(|site| of(Scope::Site, site, 0)))
            .or(catalogue.default.as_ref());
        id.and_then(|id| catalogue.tariffs.get(id)).map_or_else(|| self.configured(), applied)
    }

    /// The EVSEs of a station that have a tariff of their own.
    #[must_use]
    pub fn evses_of(&self, station: &str) -> Vec<i64> {
        let catalogue = self.catalogue();
        let of_station = |(scope, target, evse): &(Scope, String, i64)| {
            (*scope == Scope::Station && target == station && *evse > 0).then_some(*evse)
        };
        let mut evses: Vec<_> = catalogue.assignments.keys().filter_map(of_station).collect();
        evses.sort_unstable();
        evses
    }

    /// What a version says.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn version(&self, of: &TariffVersion) -> Result<Arc<Tariff>, TariffsError> {
        let known = self.inner.versions.read().unwrap_or_else(PoisonError::into_inner).get(of).cloned();
        if let Some(tariff) = known {
            return Ok(tariff);
        }
        let newest = self.catalogue().tariffs.get(&of.tariff).filter(|record| record.version == of.version).cloned();
        let tariff = match newest {
            Some(record) => record.tariff,
            None => self
                .inner
                .store
                .tariff_version(of)
                .await?
                .ok_or_else(|| TariffsError::UnknownVersion(of.tariff.clone(), of.version))?,
        };
        let mut versions = self.inner.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.insert(of.clone(), Arc::clone(&tariff));
        Ok(tariff)
    }

    /// What holds where nothing is kept: not after [`Tariffs::start`].
    fn configured(&self) -> Applied {
        let of = TariffVersion { tariff: CONFIGURED.to_owned(), version: 1 };
        Applied { of, tariff: Arc::clone(&self.inner.configured) }
    }
}

fn applied(record: &TariffRecord) -> Applied {
    let of = TariffVersion { tariff: record.id.clone(), version: record.version };
    Applied { of, tariff: Arc::clone(&record.tariff) }
}
