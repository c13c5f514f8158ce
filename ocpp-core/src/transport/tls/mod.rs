//! Transport layer security for both sides: security profiles 2 and 3 (2.1 part 2, A00; 1.6 security, 2.4 and 2.5).
//!
//! What is configured ([`TlsClientOptions`]) is checked once and becomes a [`TlsClient`], which is cheap to clone and makes any
//! number of connections. Two implementations do the work, chosen at run time by [`TlsBackend`].

mod certificate;
mod client;
mod error;
mod options;
mod rustls;
mod stream;

pub use certificate::Subject;
pub use client::TlsClient;
pub(super) use client::tls_error;
pub use error::{CertificateFault, TlsError, TlsOptionsError};
pub use options::{CertificateAndKey, TlsBackend, TlsClientOptions, TrustRoots};
pub use stream::TlsStream;
