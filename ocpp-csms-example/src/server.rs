//! The server as a whole: everything on one port.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::access::{AccessError, ApiToken, Gate, NoEntropy, PasswordKey};
use crate::access::{PageRule, Pages, entrance, onboarding, operators, portal, wallet};
use crate::config::Config;
use crate::door::Entrance;
use crate::maintenance::{self, Maintenance, MaintenanceError};
use crate::payments::Payments;
use crate::proxy;
use crate::reports;
use crate::sites::Sites;
use crate::stations::Stations;
use crate::store::{MessageLog, OpenError, Store, StoreError};
use crate::tariffs::{self, Tariffs};
use crate::tls::{Tls, TlsStartError};
use crate::{api, door, stations, web};

/// The names of the secrets in the database.
const API_TOKEN: &str = "api_token_hash";
const PASSWORD_KEY: &str = "station_password_key";

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database was opened, and failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Logs and firmware cannot be served.
    #[error(transparent)]
    Maintenance(#[from] MaintenanceError),
    /// There is nothing to make secrets of.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The account of the first admin cannot be made.
    #[error("the account of the first admin cannot be made: {0}")]
    Admin(#[from] AccessError),
    /// TLS cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsStartError),
    /// A secret in the database is damaged.
    #[error("the database holds a damaged {0}; restore it from a backup")]
    Damaged(&'static str),
}

/// What every request works with. Clones share the same server.
#[derive(Debug, Clone)]
pub struct Csms {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    payments: Payments,
    config: Arc<Config>,
    store: Store,
    log: MessageLog,
    stations: Stations,
    sites: Sites,
    maintenance: Maintenance,
    gate: Gate,
    password_key: PasswordKey,
    stop: CancellationToken,
    public_url: String,
}

impl Csms {
    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The stations that are connected.
    #[must_use]
    pub fn stations(&self) -> &Stations {
        &self.inner.stations
    }

    /// The sites, whose power is shared.
    #[must_use]
    pub fn sites(&self) -> &Sites {
        &self.inner.sites
    }

    /// Cancelled when the server ends: what would go on for ever, such as a stream, ends with it.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.inner.stop
    }

    /// What maintenance keeps in memory.
    pub(crate) fn maintenance(&self) -> &Maintenance {
        &self.inner.maintenance
    }

    /// Balances, payments, subscriptions and invoices.
    #[must_use]
    pub fn payments(&self) -> &Payments {
        &self.inner.payments
    }

    /// What charging costs, and where.
    #[must_use]
    pub fn tariffs(&self) -> &Tariffs {
        self.inner.stations.tariffs()
    }

    pub(crate) fn message_log(&self) -> &MessageLog {
        &self.inner.log
    }

    /// Who may come in, and by what.
    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// The URL at which people reach this server, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.inner.public_url
    }

    /// The key with which the passwords of stations are hashed.
    #[must_use]
    pub fn password_key(&self) -> &PasswordKey {
        &self.inner.password_key
    }
}

/// A server that listens, and serves until it is shut down.
#[derive(Debug)]
pub struct Server {
    csms: Csms,
    address: SocketAddr,
    new_api_token: Option<String>,
    new_set_up_link: Option<String>,
    tls: Option<Tls>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Opens the database, listens, and serves in tasks of its own.
    ///
    /// `api_token` is the bearer token of the REST interface; without one the database holds the hash of it, or one is made.
    ///
    /// # Errors
    /// When the database or the address cannot be used; the error says what to do.
    pub async fn start(config: Config, api_token: Option<&str>) -> Result<Self, StartError> {
        // What calls other servers takes the implementation of the process. An error says that there is one already.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let store = Store::open_within(&config.database, config.max_database_size).await?;
        let password_key = password_key(&store).await?;
        let (api_token, new_api_token) = match api_token {
            Some(token) => (ApiToken::chosen(token), None),
            None => kept_api_token(&store).await?,
        };
        let tls = config.tls.clone().map(Tls::start).transpose()?;
        let listen = config.listen;
        let unusable = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let log = MessageLog::start(&store, config.messages_per_station).await?;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let public_url = config.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        let config = Arc::new(config);
        let tariffs = Tariffs::start(store.clone(), config.tariff.clone()).await?;
        let key = password_key.clone();
        let stations = Stations::start(Arc::clone(&config), store.clone(), tariffs, log.clone(), key).await?;
        let sites = Sites::start(store.clone(), stations.clone()).await?;
        let maintenance = Maintenance::start(&store).await?;
        let stop = CancellationToken::new();
        let gate = Gate::new(api_token);
        tokio::spawn(tariffs::display::run(stations.clone(), stop.clone()));
        let payments =
            Payments::start(store.clone(), stations.clone(), config.payments.clone(), public_url.clone(), stop.clone());
        let inner = Inner {
            config,
            store,
            log,
            stations,
            sites,
            maintenance,
            payments,
            gate,
            password_key,
            stop: stop.clone(),
            public_url,
        };
        let csms = Csms { inner: Arc::new(inner) };
        let link = operators::first_admin(&csms).await?;
        let new_set_up_link = link.map(|link| format!("{}/set-up/{}", csms.public_url(), link.text()));
        let watch = csms.stations().clone().watch_operations();
        tokio::spawn(stop.clone().run_until_cancelled_owned(watch));
        let faults = csms.stations().faults().clone();
        let watch = faults.watch(csms.stations().clone(), csms.config().offline_after);
        tokio::spawn(stop.clone().run_until_cancelled_owned(watch));
        let deliver = csms.stations().notifications().clone().deliver(csms.stations().clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(deliver));
        let limits = csms.config().connections;
        let proxies = Arc::new(csms.config().proxies.clone());
        let entrance =
            Entrance { app: app(&csms), limits, proxies, tls: tls.clone(), stations: csms.stations().clone() };
        tokio::spawn(csms.sites().clone().run(stop.clone()));
        let task = tokio::spawn(door::serve(listener, entrance, stop.clone()));
        reports::resume(&csms).await?;
        tokio::spawn(reports::watch(csms.clone(), stop.clone()));
        tokio::spawn(maintenance::run(csms.clone(), stop.clone()));
        tokio::spawn(maintenance::run_rollouts(csms.clone(), stop.clone()));
        if let Some(tls) = tls.clone() {
            tokio::spawn(tls.watch(stop.clone()));
        }
        Ok(Self { csms, address, new_api_token, new_set_up_link, tls, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bearer token, if it was made just now: to be shown once.
    #[must_use]
    pub fn new_api_token(&self) -> Option<&str> {
        self.new_api_token.as_deref()
    }

    /// The link by which the first admin chooses a password, as long as there is none: to be shown once.
    #[must_use]
    pub fn new_set_up_link(&self) -> Option<&str> {
        self.new_set_up_link.as_deref()
    }

    /// TLS, if it is served.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// What the server works with.
    #[must_use]
    pub fn csms(&self) -> &Csms {
        &self.csms
    }

    /// Every page: its method, its path, and who is answered.
    #[must_use]
    pub fn pages(&self) -> Vec<PageRule> {
        pages(&self.csms).into_parts().1
    }

    /// Ends all connections, keeps what was reported, and closes the database.
    pub async fn shut_down(self) {
        self.csms.stations().close().await;
        self.stop.cancel();
        // A request that hangs must not keep the server from ending.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), self.task).await;
        self.csms.store().close().await;
    }
}

/// Every page, each with what it needs.
fn pages(csms: &Csms) -> Pages {
    web::pages(csms)
        .merge(entrance::pages(csms))
        .merge(portal::pages(csms))
        .merge(wallet::pages(csms))
        .merge(onboarding::pages(csms))
}

fn app(csms: &Csms) -> Router {
    let (pages, _) = pages(csms).into_parts();
    api::routes(csms.clone())
        .merge(pages.layer(CompressionLayer::new()))
        .merge(stations::routes(csms.stations().clone()))
        .merge(maintenance::routes(csms.clone()))
        .fallback(api::not_found)
        .layer(axum::middleware::from_fn(web::protect))
        .layer(axum::middleware::from_fn_with_state(Arc::new(csms.config().proxies.clone()), proxy::see_through))
}

async fn password_key(store: &Store) -> Result<PasswordKey, StartError> {
    let kept = store.setting_or(PASSWORD_KEY, &PasswordKey::generate()?.to_stored()).await?;
    PasswordKey::from_stored(&kept).ok_or(StartError::Damaged("password key"))
}

/// The token of the database and, if it was made just now, its text.
async fn kept_api_token(store: &Store) -> Result<(ApiToken, Option<String>), StartError> {
    let (new, text) = ApiToken::generate()?;
    let kept = store.setting_or(API_TOKEN, &new.to_stored()).await?;
    let is_new = kept == new.to_stored();
    let token = ApiToken::from_stored(&kept).ok_or(StartError::Damaged("API token"))?;
    Ok((token, is_new.then_some(text)))
}
