//! TLS by rustls, with the cryptography of ring.

mod client;
mod error;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, SupportedProtocolVersion, version};

pub(super) use client::{Client, check_name};
pub(super) use error::tls_error;

use super::error::TlsOptionsError;
use super::options::CertificateAndKey;

/// A00.FR.313, A00.FR.416.
const VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

/// Suites with AES-GCM or ChaCha20 and forward secrecy, none of them a legacy one (A00.FR.320, A00.FR.423); no compression
/// (A00.FR.321, A00.FR.424). RSA keys are of 2048 bits at least, elliptic curves of 256 (A00.FR.501 to A00.FR.503).
fn provider() -> Arc<CryptoProvider> {
    Arc::new(tokio_rustls::rustls::crypto::ring::default_provider())
}

fn certificates(pem: &str, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsOptionsError> {
    let error = |reason: String| TlsOptionsError::Pem { what, reason };
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|reason| error(reason.to_string()))?;
    if certificates.is_empty() { Err(error("there is no certificate in it".to_owned())) } else { Ok(certificates) }
}

fn roots(pem: &str, what: &'static str) -> Result<RootCertStore, TlsOptionsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem, what)? {
        store.add(certificate).map_err(|error| TlsOptionsError::Pem { what, reason: error.to_string() })?;
    }
    Ok(store)
}

fn revocation_lists(lists: &[String]) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsOptionsError> {
    let mut found = Vec::new();
    for pem in lists {
        for list in CertificateRevocationListDer::pem_slice_iter(pem.as_bytes()) {
            let error = |reason: String| TlsOptionsError::Pem { what: "revocation list", reason };
            found.push(list.map_err(|reason| error(reason.to_string()))?);
        }
    }
    Ok(found)
}

fn chain_and_key(
    pair: &CertificateAndKey,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsOptionsError> {
    let chain = certificates(&pair.chain, "certificate chain")?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())
        .map_err(|error| TlsOptionsError::Pem { what: "private key", reason: error.to_string() })?;
    Ok((chain, key))
}
