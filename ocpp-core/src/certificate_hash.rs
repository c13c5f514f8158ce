//! How OCPP names a certificate (1.6 security, 6.1; 2.1 part 2, `CertificateHashDataType`; RFC 6960).

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

/// What hashes a name and a key (`HashAlgorithmEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256, the one to prefer (A00.FR.506).
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }

    /// The algorithm of this name, if the standard has one.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one certificate by its issuer and its serial number. Two are equal whatever the case of their digits.
///
/// `ocpp_core::pki` computes it (feature `pki`).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CertificateHashData {
    /// What made the hashes.
    pub algorithm: HashAlgorithm,
    /// Hash of the issuer's name in DER, in hexadecimal digits.
    pub issuer_name_hash: String,
    /// Hash of the issuer's public key, its tag and length left out, in hexadecimal digits.
    pub issuer_key_hash: String,
    /// Serial number in hexadecimal digits without leading zeroes, such as `FFF`.
    pub serial_number: String,
}

impl CertificateHashData {
    /// What a peer says.
    #[must_use]
    pub fn new(
        algorithm: HashAlgorithm,
        issuer_name_hash: impl Into<String>,
        issuer_key_hash: impl Into<String>,
        serial_number: impl Into<String>,
    ) -> Self {
        Self {
            algorithm,
            issuer_name_hash: issuer_name_hash.into(),
            issuer_key_hash: issuer_key_hash.into(),
            serial_number: serial_number.into(),
        }
    }
}

impl PartialEq for CertificateHashData {
    fn eq(&self, other: &Self) -> bool {
        // Peers that pad the number are understood all the same.
        let (number, others) = (&self.serial_number, &other.serial_number);
        self.algorithm == other.algorithm
            && self.issuer_name_hash.eq_ignore_ascii_case(&other.issuer_name_hash)
            && self.issuer_key_hash.eq_ignore_ascii_case(&other.issuer_key_hash)
            && number.trim_start_matches('0').eq_ignore_ascii_case(others.trim_start_matches('0'))
    }
}

impl Eq for CertificateHashData {}
