//! The client, and how it looks at the certificate of a server.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, Error};

use super::super::error::{TlsError, TlsOptionsError};
use super::super::judgement::{Judgement, moment, server_name, server_roots};
use super::super::options::TlsClientOptions;
use super::error::{handshake_error, refusal};
use super::{VERSIONS, chain, chain_and_key, provider, signatures_of_the_provider};

pub(in super::super) struct Client {
    connector: TlsConnector,
}

impl Client {
    pub(in super::super) fn new(options: &TlsClientOptions) -> Result<Self, TlsOptionsError> {
        let provider = provider();
        let judgement = server_roots(options)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(VERSIONS)
            .map_err(|error| TlsOptionsError::Other(error.to_string()))?
            // Not less strict than the usual verifier: see there.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { judgement, provider }));
        let config = match &options.certificate {
            None => builder.with_no_client_auth(),
            // A00.FR.402
            Some(pair) => {
                let (chain, key) = chain_and_key(pair)?;
                builder.with_client_auth_cert(chain, key).map_err(|error| TlsOptionsError::Key(error.to_string()))?
            }
        };
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }

    pub(in super::super) async fn connect<S>(&self, stream: S, name: &str) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = server_name(name).ok_or_else(|| TlsError::Handshake(format!("{name:?} is no name of a server")))?;
        self.connector.connect(name, stream).await.map_err(handshake_error)
    }
}

/// Refuses what can be no name of a server.
pub(in super::super) fn check_name(name: &str) -> Result<(), TlsOptionsError> {
    server_name(name).map(|_| ()).ok_or_else(|| TlsOptionsError::ServerName(name.to_owned()))
}

/// Has the certificate of a server judged.
#[derive(Debug)]
struct Verifier {
    judgement: Judgement,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = chain(end_entity, intermediates)?;
        self.judgement.server(&chain, &server_name.to_str(), moment(now)).map_err(refusal)?;
        Ok(ServerCertVerified::assertion())
    }

    signatures_of_the_provider!();
}
