//! TLS by rustls, with the cryptography of ring.

mod client;
mod error;
mod server;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{CertificateError, Error, SupportedProtocolVersion, version};

pub(super) use client::{Client, check_name};
pub(super) use error::tls_error;
pub(super) use server::Server;

use super::error::TlsOptionsError;
use super::judgement::certificates;
use super::options::CertificateAndKey;
use crate::pki::Certificate;

/// TLS 1.2 and later, nothing older (A00.FR.313 to A00.FR.315, A00.FR.416 to A00.FR.418; 1.6 security, A00.FR.312 to 314,
/// 1.6 security, A00.FR.416 to 418).
const VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

/// Suites with AES-GCM or ChaCha20 and forward secrecy, none of them a legacy one (A00.FR.320, A00.FR.423); no compression
/// (A00.FR.321, A00.FR.424).
fn provider() -> Arc<CryptoProvider> {
    Arc::new(tokio_rustls::rustls::crypto::ring::default_provider())
}

fn chain_and_key(
    pair: &CertificateAndKey,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsOptionsError> {
    let chain = certificates(&pair.chain, "certificate chain")?;
    let chain = chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())
        .map_err(|error| TlsOptionsError::Pem { what: "private key", reason: error.to_string() })?;
    Ok((chain, key))
}

/// What a peer shows, read.
fn chain(end_entity: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<Vec<Certificate>, Error> {
    let read = |der: &CertificateDer<'_>| {
        Certificate::from_der(der).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
    };
    std::iter::once(end_entity).chain(others).map(read).collect()
}

/// How a verifier of certificates verifies the signatures of handshakes: as its provider does.
macro_rules! signatures_of_the_provider {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &tokio_rustls::rustls::DigitallySignedStruct,
        ) -> Result<tokio_rustls::rustls::client::danger::HandshakeSignatureValid, Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            tokio_rustls::rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &tokio_rustls::rustls::DigitallySignedStruct,
        ) -> Result<tokio_rustls::rustls::client::danger::HandshakeSignatureValid, Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            tokio_rustls::rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<tokio_rustls::rustls::SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}
use signatures_of_the_provider;
