//! Whether a certificate leads to a root that is trusted (RFC 5280, section 6).

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, Error, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

use super::Certificate;

/// What a certificate is to be used for. One that restricts itself to another use is refused (A00.FR.512); one that says nothing is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// A CSMS showing itself to a station.
    Csms,
    /// A station showing itself to a CSMS.
    Station,
    /// Signing firmware.
    FirmwareSigning,
}

impl Purpose {
    /// The key purpose of RFC 5280, 4.2.1.12, as the content of its object identifier.
    const fn key_usage(self) -> KeyUsage {
        KeyUsage::required_if_present(match self {
            Self::Csms => &[43, 6, 1, 5, 5, 7, 3, 1],
            Self::Station => &[43, 6, 1, 5, 5, 7, 3, 2],
            Self::FirmwareSigning => &[43, 6, 1, 5, 5, 7, 3, 3],
        })
    }
}

/// Why a chain is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// There is no certificate in it.
    #[error("the chain is empty")]
    Empty,
    /// A certificate of it is not valid yet.
    #[error("a certificate is not valid yet")]
    NotYetValid,
    /// A certificate of it has expired.
    #[error("a certificate has expired")]
    Expired,
    /// It leads to none of the roots: the root is missing, expired, or another one of the same name.
    #[error("the chain leads to none of the trusted roots")]
    UnknownIssuer,
    /// A certificate of it was revoked.
    #[error("a certificate was revoked")]
    Revoked,
    /// A key is too short, or of a kind that is too weak (A00.FR.501 to A00.FR.503).
    #[error("a key of the chain is too weak")]
    WeakKey,
    /// The certificate says that it is for something else.
    #[error("the certificate is for another purpose")]
    WrongPurpose,
    /// A signature is not the issuer's.
    #[error("a signature of the chain is wrong")]
    BadSignature,
    /// Anything else.
    #[error("the chain can't be verified: {0}")]
    Other(String),
}

/// Certificates that an authority has revoked (CRL).
#[derive(Debug)]
pub struct RevocationList(CertRevocationList<'static>);

/// The bytes are no list of revoked certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no list of revoked certificates: {0}")]
pub struct RevocationListError(String);

impl RevocationList {
    /// A list in PEM (`X509 CRL`) or DER.
    ///
    /// # Errors
    /// It is neither, or an indirect or partial list, which can't be relied on.
    pub fn parse(bytes: &[u8]) -> Result<Self, RevocationListError> {
        let from_pem = core::str::from_utf8(bytes).ok().and_then(|text| pem::parse(text).ok());
        let der = from_pem.as_ref().map_or(bytes, pem::Pem::contents);
        match OwnedCertRevocationList::from_der(der) {
            Ok(list) => Ok(Self(list.into())),
            Err(error) => Err(RevocationListError(error.to_string())),
        }
    }
}

/// Verifies that `chain` (the certificate in question first, then those that sign it) leads to one of `roots` at `at`, by the
/// rules of RFC 5280, section 6 (A00.FR.307, A00.FR.411).
///
/// Roots that have expired count as absent. `revoked` is looked at for every certificate that a list of it covers; what none covers counts as
/// not revoked, since a station is not asked to look for lists (1.6 security, 2.6.3).
///
/// # Errors
/// The first reason found not to trust the chain.
pub fn verify_chain(
    chain: &[Certificate],
    roots: &[Certificate],
    at: Timestamp,
    purpose: Purpose,
    revoked: &[RevocationList],
) -> Result<(), ChainError> {
    let (leaf, intermediates) = chain.split_first().ok_or(ChainError::Empty)?;
    if chain.iter().any(|certificate| !certificate.key_strength().is_sufficient()) {
        return Err(ChainError::WeakKey);
    }
    let usable = |root: &&Certificate| root.is_valid_at(at) && root.key_strength().is_sufficient();
    let roots: Vec<_> = roots.iter().filter(usable).map(|root| CertificateDer::from(root.der())).collect();
    let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let intermediates: Vec<_> =
        intermediates.iter().map(|certificate| CertificateDer::from(certificate.der())).collect();
    let der = CertificateDer::from(leaf.der());
    let leaf = EndEntityCert::try_from(&der).map_err(refused)?;
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let lists: Vec<_> = revoked.iter().map(|list| &list.0).collect();
    let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
        options.with_depth(RevocationCheckDepth::Chain).with_status_policy(UnknownStatusPolicy::Allow).build()
    });
    leaf.verify_for_usage(
        ALL_VERIFICATION_ALGS,
        &anchors,
        &intermediates,
        UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
        purpose.key_usage(),
        revocation,
        None,
    )
    .map(|_| ())
    .map_err(refused)
}

fn refused(error: Error) -> ChainError {
    match error {
        Error::CertNotValidYet { .. } => ChainError::NotYetValid,
        Error::CertExpired { .. } => ChainError::Expired,
        Error::UnknownIssuer => ChainError::UnknownIssuer,
        Error::CertRevoked => ChainError::Revoked,
        Error::RequiredEkuNotFoundContext(_) => ChainError::WrongPurpose,
        Error::InvalidSignatureForPublicKey => ChainError::BadSignature,
        error => ChainError::Other(error.to_string()),
    }
}
