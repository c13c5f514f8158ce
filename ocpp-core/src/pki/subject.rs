//! Whether a certificate is one for a station (1.6 security, A00.FR.509/511).

use core::net::IpAddr;

use super::Certificate;

/// What is wrong with the subject of a station's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// The organisation is missing, or another one (A00.FR.509).
    #[error("the organisation is missing or another one")]
    Organization,
    /// The common name is missing (A00.FR.511).
    #[error("the common name is missing")]
    NoCommonName,
    /// The common name looks like an address, as that of a CSMS would (A00.FR.511).
    #[error("the common name is an address")]
    Address,
    /// The key is too weak (A00.FR.501 to A00.FR.503).
    #[error("the key is too weak")]
    WeakKey,
    /// It is the certificate of an authority.
    #[error("the certificate is that of an authority")]
    Authority,
}

/// Checks what the standard asks of a station's certificate beyond the chain that it is part of. With an `organization`, the
/// certificate must name it (A00.FR.404).
///
/// # Errors
/// The first property that is missing.
pub fn check_station_certificate(certificate: &Certificate, organization: Option<&str>) -> Result<(), SubjectError> {
    if !certificate.key_strength().is_sufficient() {
        return Err(SubjectError::WeakKey);
    }
    if certificate.is_ca() {
        return Err(SubjectError::Authority);
    }
    match (certificate.organization(), organization) {
        (None, _) => return Err(SubjectError::Organization),
        (Some(named), Some(wanted)) if !named.contains(wanted) => return Err(SubjectError::Organization),
        _ => {}
    }
    match certificate.common_name().map(str::trim) {
        None | Some("") => Err(SubjectError::NoCommonName),
        Some(name) if name.contains("://") || name.parse::<IpAddr>().is_ok() => Err(SubjectError::Address),
        Some(_) => Ok(()),
    }
}
