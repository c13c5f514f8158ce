//! What is configured, as text. Nothing of it is checked here.

use std::fmt;
use std::time::Duration;

/// A certificate with the certificates that lead to its root, and its private key (A00.FR.507).
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateAndKey {
    /// PEM: the certificate, then the one of its issuer, and so on. The root need not be there.
    pub chain: String,
    /// PEM: the private key, as PKCS #8, or as PKCS #1 (RSA) or SEC 1 (elliptic curves).
    pub key: String,
}

impl CertificateAndKey {
    /// Both as PEM.
    #[must_use]
    pub fn new(chain: impl Into<String>, key: impl Into<String>) -> Self {
        Self { chain: chain.into(), key: key.into() }
    }
}

impl fmt::Debug for CertificateAndKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAndKey").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// Whom a client believes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TrustRoots {
    /// The roots that the operating system believes.
    #[default]
    System,
    /// These roots, as PEM, and no others: those that were installed as `CSMSRootCertificate` (1.6:
    /// `CentralSystemRootCertificate`).
    Pem(String),
}

/// Which implementation of TLS does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TlsBackend {
    /// rustls: TLS 1.2 and 1.3, only cipher suites with forward secrecy.
    #[default]
    Rustls,
    /// The system's OpenSSL: also the suites of A00.FR.318 and A00.FR.421 that begin with `TLS_RSA`.
    #[cfg(feature = "tls-openssl")]
    OpenSsl,
}

/// What a station needs to know for a TLS connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TlsClientOptions {
    /// Whom it believes.
    pub roots: TrustRoots,
    /// The certificate by which it shows who it is: security profile 3 (A00.FR.401).
    pub certificate: Option<CertificateAndKey>,
    /// The name that the server's certificate has to have (A00.FR.309, A00.FR.412). `None`: the host of the URL.
    pub server_name: Option<String>,
    /// PEM: revocation lists of the authorities that sign servers. The standard asks for short-lived certificates instead
    /// (A00.FR.701).
    pub revocation_lists: Vec<String>,
    /// Which implementation does the work.
    pub backend: TlsBackend,
}

impl TlsClientOptions {
    /// Believes these roots (PEM), and shows no certificate: security profile 2.
    #[must_use]
    pub fn new(roots: impl Into<String>) -> Self {
        Self { roots: TrustRoots::Pem(roots.into()), ..Self::default() }
    }
}

/// What a CSMS needs to know for TLS connections.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsServerOptions {
    /// Its certificates (A00.FR.307, A00.FR.410). Of several the first that a station can verify is shown: an ECDSA and an RSA one serve
    /// every station (A00.FR.318, A00.FR.421).
    pub certificates: Vec<CertificateAndKey>,
    /// PEM: the roots of the authorities that sign stations' certificates: security profile 3. `None`: no certificate is asked for.
    pub client_roots: Option<String>,
    /// PEM: revocation lists of those authorities, one list each (A00.FR.705).
    pub revocation_lists: Vec<String>,
    /// Common names of stations that are let in although their certificate, their own or the manufacturer's, has expired; everything else
    /// about it has to be right. They are to be told nothing but to renew it ([`TlsPeer::has_expired`](super::server::TlsPeer::has_expired);
    /// A00.FR.429, A00.FR.807). None by default.
    pub may_have_expired: Vec<String>,
    /// How long a client may take for the TLS handshake. 10 seconds.
    pub handshake_timeout: Duration,
    /// Which implementation does the work.
    pub backend: TlsBackend,
}

impl TlsServerOptions {
    /// Shows this certificate, and asks stations for none: security profile 2.
    #[must_use]
    pub fn new(certificate: CertificateAndKey) -> Self {
        Self {
            certificates: vec![certificate],
            client_roots: None,
            revocation_lists: Vec::new(),
            may_have_expired: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            backend: TlsBackend::default(),
        }
    }
}
