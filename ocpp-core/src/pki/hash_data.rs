//! Computing how OCPP names a certificate (1.6 security, 6.1; RFC 6960).

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Certificate, CertificateHashData, HashAlgorithm};

/// The hash in hexadecimal digits.
fn hash(algorithm: HashAlgorithm, bytes: &[u8]) -> String {
    let hash = match algorithm {
        HashAlgorithm::Sha256 => Sha256::digest(bytes).to_vec(),
        HashAlgorithm::Sha384 => Sha384::digest(bytes).to_vec(),
        HashAlgorithm::Sha512 => Sha512::digest(bytes).to_vec(),
    };
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl CertificateHashData {
    /// Names `certificate`, which `issuer` has signed; a root is its own issuer.
    #[must_use]
    pub fn of(certificate: &Certificate, issuer: &Certificate, algorithm: HashAlgorithm) -> Self {
        let name = hash(algorithm, certificate.issuer());
        let key = hash(algorithm, issuer.public_key());
        Self::new(algorithm, name, key, certificate.serial_number())
    }
}
