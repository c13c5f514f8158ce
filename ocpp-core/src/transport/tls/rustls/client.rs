//! The client, and how it looks at the certificate of a server.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::super::certificate::Subject;
use super::super::error::{TlsError, TlsOptionsError};
use super::super::options::{TlsClientOptions, TrustRoots};
use super::error::handshake_error;
use super::{VERSIONS, chain_and_key, provider, revocation_lists, roots};

pub(in super::super) struct Client {
    connector: TlsConnector,
}

impl Client {
    pub(in super::super) fn new(options: &TlsClientOptions) -> Result<Self, TlsOptionsError> {
        let other = |error: &dyn std::fmt::Display| TlsOptionsError::Other(error.to_string());
        let store = match &options.roots {
            TrustRoots::System => system_roots()?,
            TrustRoots::Pem(pem) => roots(pem, "root certificates")?,
        };
        let path = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider())
            .with_crls(revocation_lists(&options.revocation_lists)?)
            // A list of one authority says nothing about the certificates of another.
            .allow_unknown_revocation_status()
            .build()
            .map_err(|error| other(&error))?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| other(&error))?
            // Not less strict than the usual verifier: see there.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { path }));
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

fn server_name(name: &str) -> Option<ServerName<'static>> {
    // An IPv6 address comes in brackets when it comes from a URL.
    ServerName::try_from(name.trim_start_matches('[').trim_end_matches(']').to_owned()).ok()
}

fn system_roots() -> Result<RootCertStore, TlsOptionsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (usable, _) = store.add_parsable_certificates(found.certs);
    if usable == 0 {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(TlsOptionsError::NoSystemRoots(reasons.join("; ")));
    }
    Ok(store)
}

/// The usual verification of the path (A00.FR.308, A00.FR.411) and of the name. The standard wants the name of a server in its
/// common name and advises against a subjectAltName (A00.FR.309, A00.FR.412, A00.FR.510, A00.FR.511), while the usual
/// verification looks only there: a certificate without one is judged by its common name.
#[derive(Debug)]
struct Verifier {
    path: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.path.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is what is looked at last, when everything else was found right.
            Err(
                error @ Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                ),
            ) => {
                let wanted = server_name.to_str();
                let is_named = |subject: &Subject| {
                    !subject.has_alternative_names && subject.common_names.iter().any(|name| names(name, &wanted))
                };
                if Subject::read(end_entity).as_ref().is_some_and(is_named) {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(error)
                }
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.path.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.path.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.path.supported_verify_schemes()
    }
}

/// Whether a common name is that of the host, or covers it by an asterisk for its first label (RFC 6125, 6.4.3).
fn names(common_name: &str, host: &str) -> bool {
    let is_covered = |suffix: &str| host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(suffix));
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    common_name.eq_ignore_ascii_case(host)
        || (!is_address
            && common_name.strip_prefix("*.").is_some_and(|suffix| suffix.contains('.') && is_covered(suffix)))
}

#[cfg(test)]
mod tests {
    use super::names;

    // A00.FR.309, A00.FR.412
    #[test]
    fn a_common_name_is_compared_as_a_host() {
        for (common_name, host, same) in [
            ("csms.example.com", "CSMS.example.com", true),
            ("*.example.com", "csms.example.com", true),
            ("*.example.com", "a.csms.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", "example.com", false),
            ("*", "csms", false),
            ("csms.example.com", "csms.example.com.evil.example", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("*.0.0.1", "127.0.0.1", false),
        ] {
            assert_eq!(names(common_name, host), same, "{common_name} {host}");
        }
    }
}
