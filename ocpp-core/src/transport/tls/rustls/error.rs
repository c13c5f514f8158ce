//! What the errors of rustls mean to a station or a CSMS.

use std::io;
use std::sync::Arc;

use tokio_rustls::rustls::{CertificateError, Error, OtherError, PeerIncompatible, PeerMisbehaved};

use super::super::error::{CertificateFault, TlsError, alerted};

pub(super) fn handshake_error(error: io::Error) -> TlsError {
    tls_error(error).unwrap_or_else(TlsError::Io)
}

/// The TLS error inside an error of reading or writing.
pub(in super::super) fn tls_error(error: io::Error) -> Result<TlsError, io::Error> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => Ok(meaning(inner)),
        None => Err(error),
    }
}

fn meaning(error: &Error) -> TlsError {
    match error {
        Error::InvalidCertificate(error) => TlsError::Certificate(fault(error)),
        Error::NoCertificatesPresented => TlsError::Certificate(CertificateFault::Missing),
        Error::AlertReceived(alert) => alerted(u8::from(*alert)),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired
            // Clients name the signatures that they know from TLS 1.2 on (RFC 5246, 7.4.1.4.1).
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        ) => TlsError::NoCommonVersion,
        // Without forward secrecy a client has no use for elliptic curves.
        Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NamedGroupsExtensionRequired
            | PeerIncompatible::EcPointsExtensionRequired,
        )
        | Error::PeerMisbehaved(
            PeerMisbehaved::SelectedUnofferedCipherSuite | PeerMisbehaved::SelectedUnusableCipherSuiteForVersion,
        ) => TlsError::NoCommonCipherSuite,
        error => TlsError::Handshake(error.to_string()),
    }
}

/// What a judgement is to rustls, which chooses the alert for it.
pub(super) fn refusal(fault: CertificateFault) -> Error {
    Error::InvalidCertificate(match fault {
        CertificateFault::Expired => CertificateError::Expired,
        CertificateFault::NotYetValid => CertificateError::NotValidYet,
        CertificateFault::UnknownIssuer => CertificateError::UnknownIssuer,
        CertificateFault::WrongName => CertificateError::NotValidForName,
        CertificateFault::Revoked => CertificateError::Revoked,
        fault => CertificateError::Other(OtherError(Arc::new(Reason(fault.to_string())))),
    })
}

/// What there is no word for in rustls.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Reason(String);

fn fault(error: &CertificateError) -> CertificateFault {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateFault::NotYetValid,
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::WrongName
        }
        CertificateError::Revoked => CertificateFault::Revoked,
        CertificateError::Other(OtherError(reason)) => CertificateFault::Invalid(reason.to_string()),
        error => CertificateFault::Invalid(error.to_string()),
    }
}
