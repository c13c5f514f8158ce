//! Certificates as the application and the session speak of them.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// What a station's own certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CertificatePurpose {
    /// The connection to the CSMS; the only one that 1.6 knows.
    ChargingStation,
    /// ISO 15118-2.
    V2g,
    /// ISO 15118-20 (2.1).
    V2g20,
    /// The connection to the CSMS and ISO 15118 together: what a station asks for that names no purpose, where it uses one
    /// certificate for both (2.1: SignCombinedCertificate).
    Combined,
}

impl CertificatePurpose {
    /// The value of `certificateType`, in 2.x.
    #[must_use]
    pub const fn certificate_type(self) -> Option<&'static str> {
        match self {
            Self::ChargingStation => Some("ChargingStationCertificate"),
            Self::V2g => Some("V2GCertificate"),
            Self::V2g20 => Some("V2G20Certificate"),
            // Without a type it is used for both (SignCertificateRequest).
            Self::Combined => None,
        }
    }

    /// The message that triggers the request for it, in 2.x.
    pub(super) const fn trigger(self) -> &'static str {
        match self {
            Self::ChargingStation => "SignChargingStationCertificate",
            Self::V2g => "SignV2GCertificate",
            Self::V2g20 => "SignV2G20Certificate",
            Self::Combined => "SignCombinedCertificate",
        }
    }
}

/// What identifies a certificate on a station (RFC 6960): who issued it, hashed, and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CertificateHash {
    /// `SHA256`, `SHA384` or `SHA512`, as the station reported it (M04.FR.07).
    pub algorithm: String,
    /// The hash of the issuer's distinguished name, hexadecimal.
    pub issuer_name: String,
    /// The hash of the issuer's public key, hexadecimal.
    pub issuer_key: String,
    /// The serial number, hexadecimal without leading zeros.
    pub serial_number: String,
}

/// A certificate that a station has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledCertificate {
    /// Its kind in the words of the station's version, such as `CSMSRootCertificate` or `V2GCertificateChain`.
    pub kind: String,
    /// What identifies it.
    pub hash: CertificateHash,
    /// The certificates under it.
    pub children: Vec<CertificateHash>,
}
