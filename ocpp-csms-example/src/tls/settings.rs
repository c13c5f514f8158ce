//! How TLS is set up.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::signer::AuthorityFolder;
use crate::config::ConfigError;
use crate::store::Database;

/// Where certificates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Certificates {
    /// From the files that are named; without any there is no TLS.
    #[default]
    Files,
    /// An authority and a certificate of this installation are made.
    Auto,
}

/// Which implementation of TLS does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// rustls: cipher suites with forward secrecy.
    #[default]
    Rustls,
    /// The system's OpenSSL: the suites without forward secrecy as well, which some stations need.
    #[cfg(feature = "tls-openssl")]
    Openssl,
}

/// The table `tls` of the configuration file. Every member may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFile {
    /// Where certificates come from: `files` or `auto`. Default: `files`.
    pub mode: Option<Certificates>,
    /// Files with the certificates of the server (PEM, with those that lead to the root): one of them with an ECDSA and one with an RSA
    /// key serve every station.
    #[serde(default)]
    pub certificates: Vec<PathBuf>,
    /// Files with their private keys (PEM), in the same order.
    #[serde(default)]
    pub keys: Vec<PathBuf>,
    /// A file with the roots of stations' certificates (PEM): security profile 3.
    pub client_ca: Option<PathBuf>,
    /// Files with the revocation lists of those roots (PEM).
    #[serde(default)]
    pub revocation_lists: Vec<PathBuf>,
    /// Names in certificates of stations that are let in although theirs has expired, to renew it and for nothing else.
    #[serde(default)]
    pub expired_stations: Vec<String>,
    /// The names by which stations and browsers reach the server, for `auto`: host names and addresses. Default: `localhost` and the
    /// address that it listens on.
    #[serde(default)]
    pub names: Vec<String>,
    /// The folder of what `auto` makes. Default: beside the database, with the ending `tls`.
    pub folder: Option<PathBuf>,
    /// Which implementation does the work: `rustls`, or `openssl` where it is built in. Default: `rustls`.
    pub backend: Option<Backend>,
}

/// Checked settings.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// Where certificates come from.
    pub mode: Mode,
    /// The authority of this installation, where it signs for stations and the certificate of the server is not its own.
    pub own_authority: Option<AuthorityFolder>,
    /// The roots of stations' certificates.
    pub client_roots: Option<PathBuf>,
    /// The revocation lists of those roots.
    pub revocation_lists: Vec<PathBuf>,
    /// The names in certificates of stations that may have expired.
    pub expired_stations: Vec<String>,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// Which implementation does the work.
    pub backend: Backend,
}

/// Where certificates come from.
#[derive(Debug, Clone)]
pub enum Mode {
    /// Files of chains and of keys.
    Files {
        /// Each chain with its key; at least one.
        certificates: Vec<(PathBuf, PathBuf)>,
    },
    /// They are made here.
    Own {
        /// Where they are kept.
        folder: PathBuf,
        /// What the server is called; at least one.
        names: Vec<String>,
        /// Who owns the certificates.
        organization: String,
    },
}

/// What `auto` is given by the rest of the configuration.
pub(crate) struct Surroundings {
    pub(crate) listen: std::net::SocketAddr,
    pub(crate) database: Database,
    pub(crate) operator: Option<String>,
    pub(crate) handshake_timeout: Duration,
}

impl TlsFile {
    /// The authority of this installation; none where the stations have certificates of another one.
    pub(crate) fn authority(&self, around: &Surroundings) -> Option<AuthorityFolder> {
        let is_own = self.mode == Some(Certificates::Auto);
        (is_own || self.client_ca.is_none()).then(|| AuthorityFolder {
            folder: self.folder.clone().unwrap_or_else(|| around.database.beside("tls")),
            organization: around.operator.clone().unwrap_or_else(|| "OCPP CSMS".to_owned()),
            operator: around.operator.clone(),
        })
    }

    /// Fills in what is missing and checks what is there. `None`: no TLS is served.
    pub(crate) fn check(self, around: &Surroundings) -> Result<Option<TlsConfig>, ConfigError> {
        let own_authority = self.authority(around);
        let wrong = |name, value: String, allowed| Err(ConfigError::Value { name, value, allowed });
        if self.certificates.len() != self.keys.len() {
            let value = format!("{} certificates and {} keys", self.certificates.len(), self.keys.len());
            return wrong("tls certificates", value, "as many keys, in the same order");
        }
        let mode = match self.mode.unwrap_or_default() {
            Certificates::Files if self.certificates.is_empty() => {
                if self.client_ca.is_some() || !self.revocation_lists.is_empty() {
                    let value = "set without a certificate of the server".to_owned();
                    return wrong("tls client_ca", value, "give a certificate and its key, or set the mode to auto");
                }
                return Ok(None);
            }
            Certificates::Files => Mode::Files { certificates: self.certificates.into_iter().zip(self.keys).collect() },
            Certificates::Auto if !self.certificates.is_empty() => {
                let value = "auto, with certificates".to_owned();
                return wrong("tls mode", value, "either auto or certificates of your own");
            }
            Certificates::Auto => {
                let mut names = self.names;
                if names.is_empty() {
                    names.push("localhost".to_owned());
                    if !around.listen.ip().is_unspecified() {
                        names.push(around.listen.ip().to_string());
                    }
                }
                let organization = around.operator.clone().unwrap_or_else(|| "OCPP CSMS".to_owned());
                let folder = self.folder.unwrap_or_else(|| around.database.beside("tls"));
                Mode::Own { folder, names, organization }
            }
        };
        Ok(Some(TlsConfig {
            mode,
            own_authority,
            client_roots: self.client_ca,
            revocation_lists: self.revocation_lists,
            expired_stations: self.expired_stations,
            handshake_timeout: around.handshake_timeout,
            backend: self.backend.unwrap_or_default(),
        }))
    }
}
