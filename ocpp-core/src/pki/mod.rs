//! Certificates as OCPP uses them: read, hashed, verified, asked for (feature `pki`).
//!
//! Nothing here reads a file or a clock: what is to be judged and the time to judge it at are parameters. Both sides use it: a
//! station for what it is given to install, a CSMS for what stations show it.
//!
//! ```
//! use ocpp_core::pki::{HashAlgorithm, PrivateKey, Subject};
//!
//! // A station asks for a certificate: the key stays, the request goes out with `SignCertificate`.
//! let key = PrivateKey::generate()?;
//! let request = key.signing_request(&Subject::new("CP-4711", "Example CPO").country("NL"))?;
//! assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
//! # let _ = HashAlgorithm::Sha256;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Algorithms
//!
//! RSA keys of 2048 to 8192 bits, ECDSA on P-256 and P-384, Ed25519; SHA-256, SHA-384 and SHA-512. What the standard recommends and
//! this doesn't have: ECSchnorr (L01.FR.12 leaves the choice to whoever signs), for lack of an implementation that is looked after. Such a
//! signature is refused as [`SignatureError::UnsupportedKey`], never taken for valid.

mod authority;
mod certificate;
mod chain;
mod hash_data;
mod judge;
mod key;
mod signature;
mod subject;
#[cfg(test)]
mod tests;

pub use crate::certificate_hash::{CertificateHashData, HashAlgorithm};
pub use authority::{Authority, AuthorityError, Issued, MAX_CHAIN, RequestError, Serial, Terms, Validity};
pub use certificate::{Certificate, CertificateError, KeyStrength};
pub use chain::{ChainError, Purpose, RevocationList, RevocationListError, verify_chain};
pub use judge::{facts, judge};
pub use key::{KeyError, PrivateKey, Subject};
pub use signature::{SignatureError, verify_signature};
pub use subject::{SubjectError, check_station_certificate};
