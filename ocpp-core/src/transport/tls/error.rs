//! What goes wrong with TLS, by what can be done about it.

use std::fmt;
use std::io;

use crate::pki::Certificate;

/// Why TLS options cannot be used: the configuration is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsOptionsError {
    /// There is no certificate where one is needed, or it cannot be read.
    #[error("the {what} cannot be read as PEM: {reason}")]
    Pem {
        /// Which part of the options.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The private key does not belong to the certificate, or is of a kind that cannot be used.
    #[error("the private key cannot be used with its certificate: {0}")]
    Key(String),
    /// The operating system has no trusted roots.
    #[error("the operating system has no trusted root certificates: {0}")]
    NoSystemRoots(String),
    /// The name that the server's certificate should have can be no name.
    #[error("{0:?} can be neither the name nor the IP address of a server")]
    ServerName(String),
    /// A server without a certificate.
    #[error("a server needs a certificate (A00.FR.307, A00.FR.410)")]
    NoCertificate,
    /// Anything else that the implementation does not take.
    #[error("{0}")]
    Other(String),
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// It, or one that leads to its root, is valid no longer.
    Expired,
    /// It, or one that leads to its root, is not valid yet. Is the clock right?
    NotYetValid,
    /// No trusted root leads to it.
    UnknownIssuer,
    /// It is another one's certificate.
    WrongName,
    /// It was revoked.
    Revoked,
    /// There is none.
    Missing,
    /// It is broken, badly signed, or not made for this purpose.
    Invalid(String),
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "it has expired",
            Self::NotYetValid => "it is not valid yet",
            Self::UnknownIssuer => "no trusted root leads to it",
            Self::WrongName => "it has another name",
            Self::Revoked => "it was revoked",
            Self::Missing => "there is none",
            Self::Invalid(reason) => reason,
        })
    }
}

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The peer speaks no version of TLS from 1.2 on: security event `InvalidTLSVersion` (A00.FR.316, A00.FR.419).
    #[error("the peer speaks no version of TLS that may be used: TLS 1.2 or later is needed")]
    NoCommonVersion,
    /// The peer has no cipher suite that may be used: security event `InvalidTLSCipherSuite` (A00.FR.323, A00.FR.426). A server
    /// with the wrong kind of certificate looks the same.
    #[error("the peer has no cipher suite that may be used")]
    NoCommonCipherSuite,
    /// The certificate of the peer is not valid: security event `InvalidCsmsCertificate` (A00.FR.310, A00.FR.413), in 1.6
    /// `InvalidCentralSystemCertificate`; on the other side `InvalidChargingStationCertificate` (A00.FR.408).
    #[error("the certificate of the peer is not valid: {0}")]
    Certificate(CertificateFault),
    /// The peer does not accept the certificate of this side, or wants one where this side has none.
    #[error("the peer does not accept the certificate of this side: {0}")]
    OwnCertificate(CertificateFault),
    /// The peer broke off, or broke the protocol.
    #[error("the TLS handshake failed: {0}")]
    Handshake(String),
    /// The peer took too long.
    #[error("no TLS handshake in time")]
    Timeout,
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A client whose TLS handshake failed.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct TlsRefused {
    /// Why.
    #[source]
    pub error: TlsError,
    /// The certificate that it showed, if it came to that: what it says of its owner is not proven.
    pub certificate: Option<Box<Certificate>>,
}

/// What an alert of the peer means (RFC 8446, 6.2).
pub(super) fn alerted(description: u8) -> TlsError {
    let own = TlsError::OwnCertificate;
    match description {
        // handshake_failure, insufficient_security
        40 | 71 => TlsError::NoCommonCipherSuite,
        // no_certificate, certificate_required
        41 | 116 => own(CertificateFault::Missing),
        44 => own(CertificateFault::Revoked),
        45 => own(CertificateFault::Expired),
        48 => own(CertificateFault::UnknownIssuer),
        // bad_certificate, unsupported_certificate, certificate_unknown, access_denied, decrypt_error: a signature is wrong
        42 | 43 | 46 | 49 | 51 => own(CertificateFault::Invalid(format!("alert {description}"))),
        70 => TlsError::NoCommonVersion,
        description => TlsError::Handshake(format!("alert {description}")),
    }
}
