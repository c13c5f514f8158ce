//! TLS for the port: certificates from files, or made here; both may change while the server runs.

mod authority;
mod opening;
mod settings;
mod signer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ocpp_core::transport::{CertificateAndKey, TlsBackend, TlsOptionsError, TlsServer, TlsServerOptions};
use tokio_util::sync::CancellationToken;

pub use authority::AuthorityError;
pub(crate) use opening::begins_with_tls;
pub(crate) use settings::Surroundings;
pub use settings::{Backend, Certificates, Mode, TlsConfig, TlsFile};

pub(crate) use signer::Signer;
pub use signer::{AuthorityFolder, SigningError};

use authority::Authority;

/// How often the files are looked at for changes.
const INTERVAL: Duration = Duration::from_secs(30);

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsStartError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What the files hold cannot be used.
    #[error("the TLS settings cannot be used: {0}")]
    Options(#[from] TlsOptionsError),
    /// The authority of this installation cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// The TLS server and where its certificates come from. Clones share it.
#[derive(Debug, Clone)]
pub struct Tls {
    server: TlsServer,
    config: Arc<TlsConfig>,
}

impl Tls {
    /// Reads the certificates, or makes them.
    ///
    /// # Errors
    /// When they cannot be read, made or used.
    pub fn start(config: TlsConfig) -> Result<Self, TlsStartError> {
        let server = TlsServer::new(options(&config)?)?;
        Ok(Self { server, config: Arc::new(config) })
    }

    /// What accepts TLS connections.
    pub(crate) fn server(&self) -> &TlsServer {
        &self.server
    }

    /// The root that stations and browsers have to trust, where it was made here.
    #[must_use]
    pub fn own_root(&self) -> Option<PathBuf> {
        match &self.config.mode {
            Mode::Own { folder, .. } => Some(Authority::root(folder)),
            Mode::Files { .. } => None,
        }
    }

    /// Reads everything again, and renews what was made here and runs out. Counts from the next connection on.
    ///
    /// # Errors
    /// When it cannot be used; what was read before stays.
    pub fn reload(&self) -> Result<(), TlsStartError> {
        Ok(self.server.reload(options(&self.config)?)?)
    }

    /// Reloads whenever a file changes, the process gets a hang-up signal, or the certificate made here is half used up.
    pub(crate) async fn watch(self, stop: CancellationToken) {
        #[cfg(unix)]
        let mut hang_up = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
        let mut seen = self.fingerprint();
        loop {
            #[cfg(unix)]
            let asked = async {
                match &mut hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => std::future::pending().await,
                }
            };
            #[cfg(not(unix))]
            let asked = std::future::pending::<Option<()>>();
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                _ = asked => true,
                () = tokio::time::sleep(INTERVAL) => false,
            };
            let now = self.fingerprint();
            if !asked && now == seen && !self.runs_out() {
                continue;
            }
            match self.reload() {
                Ok(()) => tracing::info!("certificates and revocation lists are read again"),
                Err(error) => tracing::error!("certificates stay as they were: {error}"),
            }
            seen = self.fingerprint();
        }
    }

    fn runs_out(&self) -> bool {
        match &self.config.mode {
            Mode::Own { folder, .. } => Authority::is_half_used(folder),
            Mode::Files { .. } => false,
        }
    }

    /// The times at which the files changed.
    fn fingerprint(&self) -> Vec<Option<SystemTime>> {
        let made = match &self.config.mode {
            Mode::Files { certificates } => certificates.iter().flat_map(|(chain, key)| [chain, key]).collect(),
            Mode::Own { .. } => Vec::new(),
        };
        made.into_iter()
            .chain(&self.config.client_roots)
            .chain(&self.config.revocation_lists)
            .map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
            .collect()
    }
}

fn options(config: &TlsConfig) -> Result<TlsServerOptions, TlsStartError> {
    let mut certificates = Vec::new();
    let mut roots = String::new();
    match &config.mode {
        Mode::Files { certificates: files } => {
            for (chain, key) in files {
                certificates.push(CertificateAndKey::new(read(chain)?, read(key)?));
            }
            // What is signed here is let in here.
            if let Some(own) = &config.own_authority {
                roots.push_str(Authority::open(&own.folder, &own.organization)?.root_pem());
            }
        }
        Mode::Own { folder, names, organization } => {
            let authority = Authority::open(folder, organization)?;
            certificates.push(authority.server(folder, names)?);
            // Stations may have certificates of the same authority.
            roots.push_str(authority.root_pem());
        }
    }
    if let Some(path) = &config.client_roots {
        roots.push_str(&read(path)?);
    }
    let first = certificates.first().cloned().ok_or(TlsOptionsError::NoCertificate)?;
    let mut options = TlsServerOptions::new(first);
    options.certificates = certificates;
    options.client_roots = (!roots.is_empty()).then_some(roots);
    options.revocation_lists = config.revocation_lists.iter().map(read).collect::<Result<_, _>>()?;
    // A00.FR.429, A00.FR.807
    options.may_have_expired.clone_from(&config.expired_stations);
    options.handshake_timeout = config.handshake_timeout;
    options.backend = match config.backend {
        Backend::Rustls => TlsBackend::Rustls,
        #[cfg(feature = "tls-openssl")]
        Backend::Openssl => TlsBackend::OpenSsl,
    };
    Ok(options)
}

fn read(path: &PathBuf) -> Result<String, TlsStartError> {
    std::fs::read_to_string(path).map_err(|source| TlsStartError::Unreadable { path: path.clone(), source })
}
