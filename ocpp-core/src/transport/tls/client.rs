//! A station's side.
//!
//! A server whose certificate names somebody else, or leads to no root, ends the connection (1.6 security, A00.FR.308/310/412/414).

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::error::{TlsError, TlsOptionsError};
#[cfg(feature = "tls-openssl")]
use super::openssl;
use super::options::{TlsBackend, TlsClientOptions};
use super::rustls;
use super::stream::{Inner, TlsStream};

/// Checked options of a station, ready to connect. Clones share what they know, so that a later connection can resume the session
/// of an earlier one.
#[derive(Clone)]
pub struct TlsClient {
    shared: Arc<Shared>,
}

struct Shared {
    server_name: Option<String>,
    implementation: Implementation,
}

enum Implementation {
    Rustls(rustls::Client),
    #[cfg(feature = "tls-openssl")]
    OpenSsl(openssl::Client),
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("server_name", &self.shared.server_name).finish_non_exhaustive()
    }
}

/// Whether they are clones of each other.
impl PartialEq for TlsClient {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for TlsClient {}

impl TlsClient {
    /// Checks the options.
    ///
    /// # Errors
    /// When a part of them cannot be used; the error says which.
    pub fn new(options: &TlsClientOptions) -> Result<Self, TlsOptionsError> {
        if let Some(name) = &options.server_name {
            rustls::check_name(name)?;
        }
        let implementation = match options.backend {
            TlsBackend::Rustls => Implementation::Rustls(rustls::Client::new(options)?),
            #[cfg(feature = "tls-openssl")]
            TlsBackend::OpenSsl => Implementation::OpenSsl(openssl::Client::new(options)?),
        };
        let shared = Shared { server_name: options.server_name.clone(), implementation };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Does the TLS handshake over a stream to a host. There is no time limit.
    ///
    /// # Errors
    /// What went wrong, and so what can be done about it. A certificate of this side that the server refuses may only show in
    /// the first bytes that are read, as TLS 1.3 has it; [`connect`](crate::transport::connect) tells the same error then.
    pub async fn connect<S>(&self, stream: S, host: &str) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = self.shared.server_name.as_deref().unwrap_or(host);
        match &self.shared.implementation {
            Implementation::Rustls(client) => {
                let stream = client.connect(stream, name).await?;
                Ok(TlsStream(Inner::Rustls(Box::new(stream.into()))))
            }
            #[cfg(feature = "tls-openssl")]
            Implementation::OpenSsl(client) => {
                Ok(TlsStream(Inner::OpenSsl(Box::new(client.connect(stream, name).await?))))
            }
        }
    }
}

/// The TLS error inside an error of reading or writing.
pub(crate) fn tls_error(error: io::Error) -> Result<TlsError, io::Error> {
    let error = match rustls::tls_error(error) {
        Ok(error) => return Ok(error),
        Err(error) => error,
    };
    #[cfg(feature = "tls-openssl")]
    let error = match openssl::tls_error(error) {
        Ok(error) => return Ok(error),
        Err(error) => error,
    };
    Err(error)
}
