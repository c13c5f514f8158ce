//! TLS by the system's OpenSSL, which has the cipher suites that rustls has not.
//!
//! OpenSSL does the protocol; whether a certificate is believed is decided by the same judgement as everywhere: its own verification is
//! asked for the chain only.

mod error;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Ssl, SslAcceptor, SslConnector, SslContextBuilder, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode,
    SslVersion,
};
use openssl::stack::Stack;
use openssl::x509::{X509, X509Name, X509StoreContextRef, X509VerifyResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_openssl::SslStream;
use tokio_rustls::rustls::pki_types::UnixTime;

pub(super) use error::tls_error;

use super::error::{CertificateFault, TlsError, TlsOptionsError};
use super::judgement::{Judgement, certificates, client_roots, moment, server_roots};
use super::options::{CertificateAndKey, TlsClientOptions, TlsServerOptions};
use super::server::SHOWN;
use crate::pki::Certificate;
use error::handshake_error;

/// The suites of TLS 1.2: those with forward secrecy first, then the ones that A00.FR.318 and A00.FR.421 demand for stations without
/// elliptic curves. None of a legacy cipher (A00.FR.320, A00.FR.423). Those of TLS 1.3 are there as well.
const SUITES: &str = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384";

/// What came of looking at the peer's certificate.
type Verdict = Arc<Mutex<Option<CertificateFault>>>;

pub(super) struct Client {
    connector: SslConnector,
    judgement: Arc<Judgement>,
}

pub(super) struct Server {
    acceptor: SslAcceptor,
    judgement: Option<Arc<Judgement>>,
}

impl Client {
    pub(super) fn new(options: &TlsClientOptions) -> Result<Self, TlsOptionsError> {
        let judgement = Arc::new(server_roots(options)?);
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(other)?;
        restrict(&mut builder).map_err(other)?;
        believe(&mut builder, &judgement).map_err(other)?;
        if let Some(pair) = &options.certificate {
            add_certificate(&mut builder, pair)?;
        }
        Ok(Self { connector: builder.build(), judgement })
    }

    pub(super) async fn connect<S>(&self, stream: S, name: &str) -> Result<SslStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let verdict = Verdict::default();
        let ssl = self.ssl(name, &verdict).map_err(|error| TlsError::Handshake(error.to_string()))?;
        let mut stream = SslStream::new(ssl, stream).map_err(|error| TlsError::Handshake(error.to_string()))?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(failure(error, &verdict)),
        }
    }

    fn ssl(&self, name: &str, verdict: &Verdict) -> Result<Ssl, ErrorStack> {
        let name = name.trim_start_matches('[').trim_end_matches(']');
        // The name is part of the judgement.
        let mut ssl = self.connector.configure()?.verify_hostname(false).into_ssl(name)?;
        let (judgement, name) = (Arc::clone(&self.judgement), name.to_owned());
        let judge = move |chain: &[Certificate]| judgement.server(chain, &name, moment(UnixTime::now()));
        ssl.set_verify_callback(SslVerifyMode::PEER, callback(judge, verdict));
        Ok(ssl)
    }
}

impl Server {
    pub(super) fn new(options: &TlsServerOptions) -> Result<Self, TlsOptionsError> {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).map_err(other)?;
        restrict(&mut builder).map_err(other)?;
        for pair in &options.certificates {
            add_certificate(&mut builder, pair)?;
        }
        let judgement = client_roots(options)?.map(Arc::new);
        if let Some(judgement) = &judgement {
            believe(&mut builder, judgement).map_err(other)?;
            builder.set_client_ca_list(names(judgement.roots()).map_err(other)?);
        }
        // No session is resumed.
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        builder.set_options(SslOptions::NO_TICKET);
        builder.set_num_tickets(0).map_err(other)?;
        Ok(Self { acceptor: builder.build(), judgement })
    }

    pub(super) async fn accept<S>(&self, stream: S) -> Result<(SslStream<S>, &'static str, String), TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let verdict = Verdict::default();
        let ssl = self.ssl(&verdict).map_err(|error| TlsError::Handshake(error.to_string()))?;
        let mut stream = SslStream::new(ssl, stream).map_err(|error| TlsError::Handshake(error.to_string()))?;
        Pin::new(&mut stream).accept().await.map_err(|error| failure(error, &verdict))?;
        let ssl = stream.ssl();
        let suite = ssl.current_cipher().and_then(|cipher| cipher.standard_name()).unwrap_or_default().to_owned();
        let version = ssl.version_str();
        Ok((stream, version, suite))
    }

    fn ssl(&self, verdict: &Verdict) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(self.acceptor.context())?;
        if let Some(judgement) = &self.judgement {
            let judgement = Arc::clone(judgement);
            let judge = move |chain: &[Certificate]| {
                let _ = SHOWN.try_with(|shown| *shown.borrow_mut() = chain.first().cloned());
                // A00.FR.403, A00.FR.407
                judgement.path(chain, moment(UnixTime::now()))
            };
            ssl.set_verify_callback(SslVerifyMode::PEER, callback(judge, verdict));
        } else {
            ssl.set_verify(SslVerifyMode::NONE);
        }
        Ok(ssl)
    }
}

/// OpenSSL asks several times about one chain; it is judged at the first. What OpenSSL has found itself decides about the alert; what it
/// has not, such as a revocation, becomes `handshake_failure`.
fn callback(
    judge: impl Fn(&[Certificate]) -> Result<(), CertificateFault> + Send + Sync + 'static,
    verdict: &Verdict,
) -> impl Fn(bool, &mut X509StoreContextRef) -> bool + Send + Sync + 'static {
    let (verdict, judged) = (Arc::clone(verdict), Mutex::new(None::<bool>));
    move |is_found_good, context| {
        let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = *judged.get_or_insert_with(|| {
            let chain: Option<Vec<_>> = context.chain().map(|chain| {
                chain.iter().filter_map(|link| Certificate::from_der(&link.to_der().ok()?).ok()).collect()
            });
            let fault = judge(chain.as_deref().unwrap_or_default()).err();
            let is_good = fault.is_none();
            *verdict.lock().unwrap_or_else(PoisonError::into_inner) = fault;
            is_good
        });
        if is_good {
            return true;
        }
        let is_last = context.error_depth() == 0;
        if is_found_good && is_last {
            context.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
        }
        is_found_good && !is_last
    }
}

fn failure(error: openssl::ssl::Error, verdict: &Verdict) -> TlsError {
    match verdict.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(fault) => TlsError::Certificate(fault),
        None => handshake_error(error),
    }
}

/// TLS 1.2 and later (A00.FR.313 to A00.FR.315, A00.FR.416 to A00.FR.418); no compression (A00.FR.321, A00.FR.424).
fn restrict(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_cipher_list(SUITES)?;
    builder.set_options(SslOptions::NO_COMPRESSION | SslOptions::NO_RENEGOTIATION);
    Ok(())
}

fn believe(builder: &mut SslContextBuilder, judgement: &Judgement) -> Result<(), ErrorStack> {
    for root in judgement.roots() {
        builder.cert_store_mut().add_cert(X509::from_der(root.der())?)?;
    }
    Ok(())
}

/// OpenSSL keeps one certificate of each kind of key.
fn add_certificate(builder: &mut SslContextBuilder, pair: &CertificateAndKey) -> Result<(), TlsOptionsError> {
    let what = "certificate chain";
    let chain = certificates(&pair.chain, what)?;
    let read = |certificate: &Certificate| X509::from_der(certificate.der());
    let unreadable = |error: ErrorStack| TlsOptionsError::Pem { what, reason: error.to_string() };
    let key = PKey::private_key_from_pem(pair.key.as_bytes())
        .map_err(|error| TlsOptionsError::Pem { what: "private key", reason: error.to_string() })?;
    for (place, certificate) in chain.iter().enumerate() {
        let certificate = read(certificate).map_err(unreadable)?;
        if place == 0 {
            builder.set_certificate(&certificate).map_err(unreadable)?;
        } else {
            builder.add_extra_chain_cert(certificate).map_err(unreadable)?;
        }
    }
    let unusable = |error: ErrorStack| TlsOptionsError::Key(error.to_string());
    builder.set_private_key(&key).map_err(unusable)?;
    builder.check_private_key().map_err(unusable)
}

fn names(roots: &[Certificate]) -> Result<Stack<X509Name>, ErrorStack> {
    let mut names = Stack::new()?;
    for root in roots {
        names.push(X509::from_der(root.der())?.subject_name().to_owned()?)?;
    }
    Ok(names)
}

fn other(error: ErrorStack) -> TlsOptionsError {
    TlsOptionsError::Other(error.to_string())
}
