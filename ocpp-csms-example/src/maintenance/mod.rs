//! Diagnosis and maintenance: logs that stations upload here, firmware that they fetch here, the OCPP log of each.
//!
//! Files are kept in a folder of their own (`files` in the configuration), by ids: what a station or an operator calls a file is never a
//! path. The URLs that stations are given need no password: they cannot be guessed, are good for one purpose, and for logs once and for a
//! time.

mod address;
mod door;
mod files;
mod firmware;
mod log_view;
mod logs;
mod messages;
mod progress;
mod ranges;
mod rollout_run;
mod rollouts;
mod signing;
mod waves;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::address::AddressKey;
pub(crate) use self::door::routes;
pub use self::files::FileError;
pub(crate) use self::files::file_name;
pub use self::firmware::{ImageFacts, add_image, delete_image, image, install_root, set_signature};
pub use self::log_view::{LogPage, page};
pub use self::logs::{LogDemand, delete, open, request};
pub use self::messages::{FoundMessage, FrameKind, MessageFilter, matching, search};
pub(crate) use self::progress::observe;
pub(crate) use self::rollout_run::run as run_rollouts;
pub use self::rollouts::{Plan, RolloutOrder, direct, direct_station, roll_out, rollout};
pub use self::signing::signing_root;
pub use self::waves::WaveSize;
use crate::server::Csms;
use crate::store::{Store, StoreError};

/// What can go wrong. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file was not taken.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is nothing of that name.
    #[error("there is no {what} {id:?}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The station is not connected.
    #[error("the station is not connected: try again when it is")]
    NotConnected,
    /// It is not known how stations reach this server.
    #[error("it is not known under which URL stations reach this server: set public_url")]
    NoAddress,
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It cannot be done as things stand.
    #[error("{0}")]
    Conflict(String),
    /// There is nothing to make secrets of.
    #[error("the operating system provides no random numbers: {0}")]
    Entropy(String),
}

impl MaintenanceError {
    fn unknown(what: &'static str, id: &str) -> Self {
        Self::Unknown { what, id: id.to_owned() }
    }
}

/// What maintenance keeps in memory. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Maintenance {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    key: AddressKey,
    /// Requests whose file is coming in at this moment.
    uploads: Mutex<HashSet<String>>,
    /// Something of a roll-out changed.
    wake: Notify,
}

impl Maintenance {
    pub(crate) async fn start(store: &Store) -> Result<Self, MaintenanceError> {
        let key = AddressKey::of(store).await?;
        Ok(Self { inner: Arc::new(Inner { key, uploads: Mutex::default(), wake: Notify::new() }) })
    }

    fn key(&self) -> &AddressKey {
        &self.inner.key
    }

    /// Has roll-outs looked after at once.
    fn wake(&self) {
        self.inner.wake.notify_one();
    }

    async fn woken(&self) {
        self.inner.wake.notified().await;
    }

    /// Claims a request for one upload at a time; `None` while there is another.
    fn claim(&self, id: &str) -> Option<Claim> {
        let mut uploads = self.inner.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.insert(id.to_owned()).then(|| Claim { maintenance: self.clone(), id: id.to_owned() })
    }
}

/// The right to upload, given back when it is dropped.
struct Claim {
    maintenance: Maintenance,
    id: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.maintenance.inner.uploads.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Does what is due, until the server stops: ends what is overdue, removes what is old.
pub(crate) async fn run(csms: Csms, stop: CancellationToken) {
    let mut rounds = tokio::time::interval(std::time::Duration::from_secs(60));
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = logs::tidy(&csms).await {
            tracing::error!(%error, "logs that are old or overdue are left as they are");
        }
    }
}
