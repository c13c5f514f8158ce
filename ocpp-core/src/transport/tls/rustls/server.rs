//! The server, and how it looks at the certificate of a station.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ClientHello, NoClientAuth, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{DistinguishedName, Error, ProtocolVersion, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::super::error::{TlsError, TlsOptionsError};
use super::super::judgement::{Judgement, client_roots, moment};
use super::super::options::{CertificateAndKey, TlsServerOptions};
use super::super::server::SHOWN;
use super::error::{handshake_error, refusal};
use super::{VERSIONS, chain, chain_and_key, provider, signatures_of_the_provider};

pub(in super::super) struct Server {
    acceptor: TlsAcceptor,
}

impl Server {
    pub(in super::super) fn new(options: &TlsServerOptions) -> Result<Self, TlsOptionsError> {
        let provider = provider();
        let keys = options.certificates.iter().map(|pair| certified_key(pair, &provider)).collect::<Result<_, _>>()?;
        let verifier: Arc<dyn ClientCertVerifier> = match client_roots(options)? {
            None => Arc::new(NoClientAuth),
            Some(judgement) => Arc::new(Verifier::new(judgement, Arc::clone(&provider))),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(VERSIONS)
            .map_err(|error| TlsOptionsError::Other(error.to_string()))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(Resolver { keys }));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(in super::super) async fn accept<S>(&self, stream: S) -> Result<(TlsStream<S>, &'static str, String), TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.acceptor.accept(stream).await.map_err(handshake_error)?;
        let (_, connection) = stream.get_ref();
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        };
        let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
        // rustls tells suites of TLS 1.3 from the others by their prefix; the standard does not.
        let suite = suite.map(|suite| suite.replace("TLS13_", "TLS_")).unwrap_or_default();
        Ok((stream, version, suite))
    }
}

fn certified_key(
    pair: &CertificateAndKey,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<CertifiedKey>, TlsOptionsError> {
    let (chain, key) = chain_and_key(pair)?;
    CertifiedKey::from_der(chain, key, provider).map(Arc::new).map_err(|error| TlsOptionsError::Key(error.to_string()))
}

/// The certificates of the server: the first that the client can verify (A00.FR.318, A00.FR.421: one for each kind of signature).
#[derive(Debug)]
struct Resolver {
    keys: Vec<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // In TLS 1.2 the schemes are those that go with the client's cipher suites, too.
        let fits = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        // Where none fits, it is for want of a common suite, which the handshake finds out with any of them.
        self.keys.iter().find(fits).or(self.keys.first()).cloned()
    }
}

/// Judges what certificate a client shows, if it shows one.
#[derive(Debug)]
struct Verifier {
    judgement: Judgement,
    provider: Arc<CryptoProvider>,
    hints: Vec<DistinguishedName>,
}

impl Verifier {
    fn new(judgement: Judgement, provider: Arc<CryptoProvider>) -> Self {
        let hints = judgement.roots().iter().map(|root| DistinguishedName::from(root.subject().to_vec())).collect();
        Self { judgement, provider, hints }
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = chain(end_entity, intermediates)?;
        let _ = SHOWN.try_with(|shown| *shown.borrow_mut() = chain.first().cloned());
        // A00.FR.403, A00.FR.407
        self.judgement.path(&chain, moment(now)).map_err(refusal)?;
        Ok(ClientCertVerified::assertion())
    }

    signatures_of_the_provider!();
}
