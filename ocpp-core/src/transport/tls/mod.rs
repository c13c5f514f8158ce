//! Transport layer security for both sides: security profiles 2 and 3 (2.1 part 2, A00; 1.6 security, 2.4 and 2.5).
//!
//! What is configured ([`TlsClientOptions`], [`TlsServerOptions`]) is checked once and becomes a [`TlsClient`] or a [`TlsServer`], which
//! are cheap to clone and serve any number of connections. Two implementations do the work, chosen at run time by [`TlsBackend`];
//! certificates are judged by [`pki`](crate::pki) under both of them.

mod client;
mod error;
mod judgement;
#[cfg(feature = "tls-openssl")]
mod openssl;
mod options;
mod rustls;
mod server;
mod stream;

pub use client::TlsClient;
pub(super) use client::tls_error;
pub use error::{CertificateFault, TlsError, TlsOptionsError, TlsRefused};
pub use options::{CertificateAndKey, TlsBackend, TlsClientOptions, TlsServerOptions, TrustRoots};
pub use server::{Secured, TlsPeer, TlsServer};
pub use stream::TlsStream;
