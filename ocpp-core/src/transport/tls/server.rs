//! A CSMS's side.
//!
//! It acts as the server and shows its own certificate (A00.FR.306, A00.FR.307, A00.FR.409, A00.FR.410;
//! 1.6 security, A00.FR.305/306/409/410); whoever shows none that is valid where one is needed is turned away, which is reported
//! (1.6 security, A00.FR.407/408). It offers the suites of 1.6 security, A00.FR.317/421: those that rustls lacks with OpenSSL.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::UnixTime;

use super::error::{TlsError, TlsOptionsError, TlsRefused};
use super::judgement::moment;
#[cfg(feature = "tls-openssl")]
use super::openssl;
use super::options::{TlsBackend, TlsServerOptions};
use super::rustls;
use super::stream::{Inner, TlsStream};
use crate::pki::Certificate;

tokio::task_local! {
    /// The certificate that a client shows in the handshake under way: told to the application also where it is refused.
    pub(super) static SHOWN: RefCell<Option<Certificate>>;
}

/// What a TLS server found out about its client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsPeer {
    /// The version of TLS: `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, such as `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    pub cipher_suite: String,
    /// The certificate that it showed, whose path was verified; none if it showed none. Whose certificate it is, is judged with
    /// [`authenticate`](crate::transport::authenticate).
    pub certificate: Option<Certificate>,
    /// Whether that certificate has expired, and the station was let in by [`TlsServerOptions::may_have_expired`]. The session of the station
    /// is told by [`Authentication::certificate_expired`](crate::csms::flows::Authentication::certificate_expired).
    pub has_expired: bool,
}

/// A client whose TLS handshake is done.
#[derive(Debug)]
#[non_exhaustive]
pub struct Secured<S> {
    /// The encrypted stream.
    pub stream: TlsStream<S>,
    /// What was found out about the client.
    pub peer: TlsPeer,
}

/// Checked options of a CSMS, ready to accept. Clones share them, and what [`reload`](Self::reload) makes of them.
///
/// A certificate of the client is asked for where there are roots to judge it by, and never required: which station needs one is known
/// only when it has said which station it is. One that is shown has to be valid (A00.FR.403, A00.FR.407).
///
/// No session is resumed: each connection is judged by the roots, the lists and the time that it comes at.
#[derive(Clone)]
pub struct TlsServer {
    current: Arc<RwLock<Arc<Current>>>,
}

pub(super) struct Current {
    options: TlsServerOptions,
    implementation: Implementation,
}

enum Implementation {
    Rustls(rustls::Server),
    #[cfg(feature = "tls-openssl")]
    OpenSsl(openssl::Server),
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}

impl TlsServer {
    /// Checks the options.
    ///
    /// # Errors
    /// When a part of them cannot be used; the error says which.
    pub fn new(options: TlsServerOptions) -> Result<Self, TlsOptionsError> {
        Ok(Self { current: Arc::new(RwLock::new(Arc::new(Current::new(options)?))) })
    }

    /// Takes other options from the next handshake on: renewed certificates, other roots, newer revocation lists. Connections that are
    /// open stay open.
    ///
    /// # Errors
    /// When a part of them cannot be used; the old ones stay.
    pub fn reload(&self, options: TlsServerOptions) -> Result<(), TlsOptionsError> {
        let new = Arc::new(Current::new(options)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Does the TLS handshake with a client.
    ///
    /// # Errors
    /// Why there is no connection. The client has been told by an alert.
    pub async fn accept<S>(&self, stream: S) -> Result<Secured<S>, TlsRefused>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let handshake = async {
            let accepted = match timeout(current.options.handshake_timeout, current.accept(stream)).await {
                Ok(accepted) => accepted,
                Err(_) => Err(TlsError::Timeout),
            };
            let certificate = SHOWN.with(RefCell::take);
            match accepted {
                Ok((stream, version, cipher_suite)) => {
                    let now = moment(UnixTime::now());
                    let has_expired = certificate.as_ref().is_some_and(|certificate| certificate.not_after() < now);
                    Ok(Secured { stream, peer: TlsPeer { version, cipher_suite, certificate, has_expired } })
                }
                Err(error) => Err(TlsRefused { error, certificate: certificate.map(Box::new) }),
            }
        };
        SHOWN.scope(RefCell::default(), handshake).await
    }
}

impl Current {
    fn new(options: TlsServerOptions) -> Result<Self, TlsOptionsError> {
        if options.certificates.is_empty() {
            return Err(TlsOptionsError::NoCertificate);
        }
        let implementation = match options.backend {
            TlsBackend::Rustls => Implementation::Rustls(rustls::Server::new(&options)?),
            #[cfg(feature = "tls-openssl")]
            TlsBackend::OpenSsl => Implementation::OpenSsl(openssl::Server::new(&options)?),
        };
        Ok(Self { options, implementation })
    }

    async fn accept<S>(&self, stream: S) -> Result<(TlsStream<S>, &'static str, String), TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match &self.implementation {
            Implementation::Rustls(server) => {
                let (stream, version, cipher_suite) = server.accept(stream).await?;
                Ok((TlsStream(Inner::Rustls(Box::new(stream.into()))), version, cipher_suite))
            }
            #[cfg(feature = "tls-openssl")]
            Implementation::OpenSsl(server) => {
                let (stream, version, cipher_suite) = server.accept(stream).await?;
                Ok((TlsStream(Inner::OpenSsl(Box::new(stream))), version, cipher_suite))
            }
        }
    }
}
